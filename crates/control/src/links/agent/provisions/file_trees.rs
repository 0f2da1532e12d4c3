//! The file systems behind volumes.

use crate::Control;
use wharf_model::{
    file_system::{AccessPoint, FileSystem},
    task_definition::{EfsVolume, Volume, VolumeSource},
};
use wharf_nodelink::provisions::FileTree;

/// Returns the directory tree behind each volume that is one's.
pub(super) fn of(control: &Control, volumes: &[Volume]) -> Result<Vec<FileTree>, String> {
    let efs = volumes.iter().filter_map(|volume| match &volume.source {
        VolumeSource::Efs(efs) => Some((&volume.name, efs)),
        VolumeSource::Host { .. } | VolumeSource::Docker(_) => None,
    });
    efs.map(|(name, efs)| tree(control, name, efs)).collect()
}

fn tree(control: &Control, volume: &str, efs: &EfsVolume) -> Result<FileTree, String> {
    let failed = |why: String| {
        format!(
            "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: {why}"
        )
    };
    let view = control.store().view();
    let id = &efs.file_system_id;
    if view.get::<FileSystem>(id).is_none() {
        let region = &control.config().place.region;
        return Err(failed(format!(
            "Failed to resolve \"{id}.efs.{region}.amazonaws.com\" - check that your file system ID is correct"
        )));
    }
    let point = efs.authorization.as_ref().and_then(|authorization| authorization.access_point_id.as_ref());
    let plain = FileTree {
        volume: volume.to_owned(),
        file_system: id.clone(),
        directory: efs.root_directory.clone().unwrap_or_else(|| "/".to_owned()),
        creation: None,
        posix_user: None,
    };
    let Some(point) = point else { return Ok(plain) };
    let found = view.get::<AccessPoint>(point).filter(|found| found.file_system == *id);
    let found =
        found.ok_or_else(|| failed(format!("access point {point} of file system {id} does not exist")))?;
    Ok(FileTree {
        directory: found.root_directory.clone(),
        creation: found.creation,
        posix_user: found.posix_user.clone(),
        ..plain
    })
}
