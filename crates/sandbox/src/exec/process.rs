//! What a container's own program runs with, as was written down beside its runtime specification when it was created.
//!
//! The specification itself does not do: it has what a program holds only until its filter is loaded.

use std::fs;
use std::io::{self, Read};

use camino::Utf8Path;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wharf_model::secret::Plain;

use super::{ExecError, ExecSpec};
use crate::spec::{ContainerSpec, SpecError, capabilities};

const FILE: &str = "process.json";

/// A process of a container, to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Process {
    /// Who it runs as.
    pub user: User,
    /// Its environment.
    #[serde(default)]
    pub env: Vec<String>,
    /// Its working directory.
    pub cwd: String,
    /// What root may do in it.
    #[serde(default)]
    pub capabilities: Capabilities,
    /// Its resource limits.
    #[serde(default)]
    pub rlimits: Vec<Limit>,
    /// Whether programs that it runs can never gain privileges.
    #[serde(default)]
    pub no_new_privileges: bool,
    /// How readily the kernel kills it for want of memory.
    #[serde(default)]
    pub oom_score_adj: Option<i32>,
    /// Whether a filter says which system calls it may make.
    #[serde(default)]
    pub filtered: bool,
    /// Names of further variables, whose values are not written down.
    #[serde(default)]
    pub secret_names: Vec<String>,
}

/// Ids of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
    /// Other groups.
    #[serde(default)]
    pub additional_gids: Vec<u32>,
}

/// Capabilities by name, `CAP_…`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// Those that can ever be had.
    #[serde(default)]
    pub bounding: Vec<String>,
    /// Those in force.
    #[serde(default)]
    pub effective: Vec<String>,
}

/// A resource limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// `RLIMIT_…`.
    pub r#type: String,
    /// The soft limit.
    pub soft: u64,
    /// The hard limit.
    pub hard: u64,
}

impl Process {
    /// Returns what the program of a container runs with, whose runtime specification is given.
    pub(crate) fn of(
        spec: &ContainerSpec,
        user: &crate::rootfs::User,
        config: &Value,
    ) -> Result<Process, SpecError> {
        let bounding = capabilities(spec)?;
        let effective = if user.uid == 0 { bounding.clone() } else { Vec::new() };
        let process = Process::deserialize(&config["process"]).expect("it is the one that was just made");
        Ok(Process {
            capabilities: Capabilities { bounding, effective },
            filtered: !spec.privileged,
            secret_names: spec.secret_env.iter().map(|(name, _)| name.clone()).collect(),
            ..process
        })
    }

    /// Writes it into a container's bundle.
    pub(crate) fn write(&self, bundle: &Utf8Path) -> io::Result<()> {
        fs::write(bundle.join(FILE), serde_json::to_vec(self)?)
    }

    /// Reads it from a container's bundle.
    pub(super) fn read(bundle: &Utf8Path) -> Result<Process, ExecError> {
        let path = bundle.join(FILE);
        let failed = |source| ExecError::Config { path: path.clone(), source };
        let text = fs::read(&path).map_err(failed)?;
        serde_json::from_slice(&text).map_err(|error| failed(error.into()))
    }

    /// Returns the variables that were not written down, as the container's first process got them.
    pub(super) fn recover_secrets(&self, first: i32) -> Result<Vec<(String, Plain)>, ExecError> {
        if self.secret_names.is_empty() {
            return Ok(Vec::new());
        }
        let path = format!("/proc/{first}/environ");
        let text = fs::read(&path).map_err(|source| ExecError::Config { path: path.into(), source })?;
        let entries = text.split(|byte| *byte == 0).filter_map(|entry| std::str::from_utf8(entry).ok());
        let all = entries.filter_map(|entry| entry.split_once('='));
        let ours = all.filter(|(name, _)| self.secret_names.iter().any(|known| known == name));
        Ok(ours.map(|(name, value)| (name.to_owned(), Plain::new(value))).collect())
    }

    /// Makes it the process that a request describes.
    pub(super) fn adapt(&mut self, spec: &ExecSpec, secrets: &[(String, Plain)]) {
        let secrets = secrets.iter().map(|(name, value)| format!("{name}={}", value.reveal()));
        for entry in secrets.chain(spec.env.iter().cloned()) {
            let name = entry.split_once('=').map_or(entry.as_str(), |(name, _)| name);
            self.env.retain(|known| known.split_once('=').is_none_or(|(known, _)| known != name));
            self.env.push(entry);
        }
        if spec.as_root {
            self.user = User::default();
            self.capabilities.effective.clone_from(&self.capabilities.bounding);
            self.env.retain(|known| !known.starts_with("HOME="));
        }
    }

    /// Sets `HOME` where nothing did, from the passwd file that the calling process sees: the container's.
    pub(super) fn find_home(&mut self) {
        if self.env.iter().any(|entry| entry.starts_with("HOME=")) {
            return;
        }
        let mut text = String::new();
        // A file without an end, or none, says as much as one without the user.
        let read =
            fs::File::open("/etc/passwd").and_then(|file| file.take(1024 * 1024).read_to_string(&mut text));
        let _said = read.unwrap_or(0);
        let uid = self.user.uid.to_string();
        let home = text.lines().map(|line| line.split(':').collect::<Vec<_>>()).find_map(|entry| {
            (entry.get(2) == Some(&uid.as_str())).then(|| entry.get(5).map(ToString::to_string)).flatten()
        });
        let default = if self.user.uid == 0 { "/root" } else { "/" };
        self.env.push(format!("HOME={}", home.unwrap_or_else(|| default.to_owned())));
    }

    /// Returns where programs are looked for.
    pub(super) fn path(&self) -> &str {
        self.env.iter().rev().find_map(|entry| entry.strip_prefix("PATH=")).unwrap_or_default()
    }
}
