//! What a restarted balancer starts from: the last table and what was known of the targets' health.

mod seal;

use crate::health::Health;
use camino::{Utf8Path, Utf8PathBuf};
use seal::Seal;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    sync::OnceLock,
};
use wharf_model::{Arn, routing::RoutingTable, target_group::TargetAddress};

/// The files of the secrets, and the length of each.
const COOKIES: &str = "cookies.json";
const TABLE_KEY: &str = "table-key.json";
const SECRET_LENGTH: usize = seal::KEY_LENGTH;

/// The files in the state directory.
#[derive(Debug)]
pub(crate) struct Saved {
    dir: Utf8PathBuf,
    seal: OnceLock<Seal>,
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
        Saved { dir: dir.to_owned(), seal: OnceLock::new() }
    }

    /// Returns the last table and the health of its targets; nothing when there is none that can be read.
    pub(crate) fn load(&self) -> Option<(RoutingTable, Vec<SavedHealth>)> {
        let mut table = self.read("table.json")?;
        if speaks_tls(&table) {
            self.seal().open(&mut table);
        }
        Some((table, self.read("health.json").unwrap_or_default()))
    }

    /// Keeps the table; its private keys only encrypted.
    pub(crate) fn table(&self, table: &RoutingTable) {
        if !speaks_tls(table) {
            return self.write("table.json", table);
        }
        let mut table = table.clone();
        self.seal().close(&mut table);
        self.write("table.json", &table);
    }

    /// Keeps the health of all targets.
    pub(crate) fn health(&self, health: &[SavedHealth]) {
        self.write("health.json", &health);
    }

    /// Returns the secret of this balancer's cookies.
    pub(crate) fn cookies(&self) -> Vec<u8> {
        self.secret(COOKIES)
    }

    fn seal(&self) -> &Seal {
        let open = || Seal::new(&self.secret(TABLE_KEY)).expect("a secret is as long as the cipher's key");
        self.seal.get_or_init(open)
    }

    /// Returns a secret; a new one, which is kept, when there is none.
    fn secret(&self, name: &str) -> Vec<u8> {
        if let Some(secret) = self.read::<Vec<u8>>(name).filter(|secret| secret.len() >= SECRET_LENGTH) {
            return secret;
        }
        let mut secret = vec![0; SECRET_LENGTH];
        getrandom::fill(&mut secret).expect("the kernel gives random bytes once it has booted");
        self.write(name, &secret);
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

/// Makes a file for nobody else.
fn private(path: &Utf8Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

fn speaks_tls(table: &RoutingTable) -> bool {
    let mut listeners = table.load_balancers.iter().flat_map(|balancer| &balancer.listeners);
    listeners.any(|listener| listener.tls.is_some())
}

#[cfg(test)]
mod tests;
