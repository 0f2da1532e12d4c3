//! What a restarted balancer starts from: the last table and what was known of the targets' health.

use crate::health::Health;
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
};
use wharf_model::{Arn, routing::RoutingTable, target_group::TargetAddress};

/// The file of the secret, and its length.
const SECRET: &str = "cookies.json";
const SECRET_LENGTH: usize = 32;

/// The files in the state directory.
#[derive(Debug)]
pub(crate) struct Saved {
    dir: Utf8PathBuf,
}

/// A target's health in the file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SavedHealth {
    pub(crate) target_group: Arn,
    pub(crate) target: TargetAddress,
    pub(crate) health: Health,
}

impl Saved {
    /// Uses this directory, which exists.
    pub(crate) fn new(dir: &Utf8Path) -> Saved {
        Saved { dir: dir.to_owned() }
    }

    /// Returns the last table and the health of its targets; nothing when there is none that can be read.
    pub(crate) fn load(&self) -> Option<(RoutingTable, Vec<SavedHealth>)> {
        let table = self.read("table.json")?;
        Some((table, self.read("health.json").unwrap_or_default()))
    }

    /// Keeps the table.
    pub(crate) fn table(&self, table: &RoutingTable) {
        self.write("table.json", table);
    }

    /// Keeps the health of all targets.
    pub(crate) fn health(&self, health: &[SavedHealth]) {
        self.write("health.json", &health);
    }

    /// Returns the secret of this balancer's cookies; a new one, which is kept, when there is none.
    pub(crate) fn secret(&self) -> Vec<u8> {
        if let Some(secret) = self.read::<Vec<u8>>(SECRET).filter(|secret| secret.len() >= SECRET_LENGTH) {
            return secret;
        }
        let mut secret = vec![0; SECRET_LENGTH];
        getrandom::fill(&mut secret).expect("the kernel gives random bytes once it has booted");
        self.write(SECRET, &secret);
        secret
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let path = self.dir.join(name);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!(%path, %error, "saved state cannot be read");
                return None;
            }
        };
        serde_json::from_slice(&bytes)
            .inspect_err(|error| tracing::warn!(%path, %error, "saved state is not understood"))
            .ok()
    }

    /// A balancer that cannot write serves on; only its next start waits for control.
    fn write<T: Serialize>(&self, name: &str, value: &T) {
        let (path, partial) = (self.dir.join(name), self.dir.join(format!("{name}.new")));
        let written = serde_json::to_vec(value)
            .map_err(io::Error::other)
            .and_then(|bytes| private(&partial)?.write_all(&bytes))
            .and_then(|()| fs::rename(&partial, &path));
        if let Err(error) = written {
            tracing::warn!(%path, %error, "state cannot be saved");
        }
    }
}

/// Makes a file for nobody else: a table has private keys.
fn private(path: &Utf8Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}
