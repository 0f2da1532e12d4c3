//! Named volumes: kept across tasks and restarts, until everything of this Wharf is removed.

use super::{VolumeError, file, make_dir};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fs};
use wharf_model::task_definition::DockerVolume;

/// What a volume was made with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) driver_options: BTreeMap<String, String>,
    pub(super) labels: BTreeMap<String, String>,
}

/// Returns a volume's directory; one that is not there is made, if that is asked for.
pub(super) fn open(
    volumes: &Utf8Path,
    name: &str,
    docker: &DockerVolume,
) -> Result<Utf8PathBuf, VolumeError> {
    let dir = volumes.join(name);
    let data = dir.join("data");
    let provisions = docker.autoprovision.unwrap_or(false);
    if data.is_dir() {
        if provisions {
            compare(name, docker, &read(volumes, name)?)?;
        }
        return Ok(data);
    }
    if !provisions {
        return Err(VolumeError::Unknown(name.to_owned()));
    }
    make_dir(&dir, 0o711)?;
    let kept = Kept { driver_options: docker.driver_options.clone(), labels: docker.labels.clone() };
    let text = serde_json::to_vec(&kept).map_err(|source| VolumeError::Damaged(name.to_owned(), source))?;
    let (fresh, path) = (dir.join("volume.new"), dir.join("volume.json"));
    fs::write(&fresh, text).map_err(file("write", &fresh))?;
    fs::rename(&fresh, &path).map_err(file("write", &path))?;
    // Last, because it is what says that the volume is there.
    make_dir(&data, 0o755)?;
    Ok(data)
}

/// Returns what a volume was made with; nothing of one that somebody made by hand.
pub(super) fn read(volumes: &Utf8Path, name: &str) -> Result<Kept, VolumeError> {
    let path = volumes.join(name).join("volume.json");
    match fs::read(&path) {
        Ok(text) => {
            serde_json::from_slice(&text).map_err(|source| VolumeError::Damaged(name.to_owned(), source))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Kept::default()),
        Err(error) => Err(file("read", &path)(error)),
    }
}

/// A volume that is there has to be the one that is asked for, as the ECS agent has it.
fn compare(name: &str, docker: &DockerVolume, kept: &Kept) -> Result<(), VolumeError> {
    let different = |what| Err(VolumeError::Different { name: name.to_owned(), what });
    if docker.labels != kept.labels {
        return different("labels");
    }
    if docker.driver_options != kept.driver_options { different("driverOpts") } else { Ok(()) }
}
