//! What keeper must not forget: one JSON line per step of a container's life, appended.
//!
//! A line survives the death of keeper as soon as it is written; an exit is also flushed to disk before anyone
//! is told. The file is rewritten with what still matters when keeper starts and when it has grown.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::protocol::Exit;

const REWRITE_AT_BYTES: u64 = 4 * 1024 * 1024;

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub(crate) enum Entry {
    /// The machine that the following pids belong to, as it was booted.
    Boot { id: String },
    /// A launcher is about to be forked.
    Creating { id: String, dir: Utf8PathBuf, cgroup: String, at_nanos: i64 },
    /// The init waits to be started.
    Created { id: String, pid: i32, start_ticks: u64 },
    /// The process between its terminal and its output.
    Relay { id: String, pid: i32, start_ticks: u64 },
    /// It was started.
    Started { id: String, at_nanos: i64 },
    /// It ended.
    Exited { exit: Exit },
    /// Only its exit is left.
    Deleted { id: String },
    /// Nothing is left.
    Forgotten { id: String },
}

/// A container as the journal knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Past {
    pub(crate) dir: Utf8PathBuf,
    pub(crate) cgroup: String,
    pub(crate) created_nanos: i64,
    pub(crate) process: Option<(i32, u64)>,
    pub(crate) relay: Option<(i32, u64)>,
    pub(crate) started_nanos: Option<i64>,
    pub(crate) exit: Option<Exit>,
    pub(crate) deleted: bool,
}

/// The open file.
#[derive(Debug)]
pub(crate) struct Journal {
    path: Utf8PathBuf,
    file: File,
    length: u64,
}

impl Journal {
    /// Opens the journal, rewritten, and returns what it says; pids only if this boot wrote them.
    pub(crate) fn open(path: &Utf8Path, boot_id: &str) -> io::Result<(Journal, BTreeMap<String, Past>)> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            other => other?,
        };
        let past = replay(&text, boot_id);
        let journal = Journal::rewrite(path, boot_id, &past)?;
        Ok((journal, past))
    }

    fn rewrite(path: &Utf8Path, boot_id: &str, past: &BTreeMap<String, Past>) -> io::Result<Journal> {
        let fresh = path.with_extension("new");
        let mut file = File::create(&fresh)?;
        let mut text = line(&Entry::Boot { id: boot_id.to_owned() })?;
        for (id, past) in past {
            for entry in past.entries(id) {
                text.extend(line(&entry)?);
            }
        }
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&fresh, path)?;
        if let Some(dir) = path.parent() {
            File::open(dir)?.sync_all()?;
        }
        Ok(Journal { path: path.to_owned(), file, length: text.len() as u64 })
    }

    /// Appends one step; it is on disk only after [`Journal::flush`].
    pub(crate) fn append(&mut self, entry: &Entry) -> io::Result<()> {
        let line = line(entry)?;
        self.file.write_all(&line)?;
        self.length += line.len() as u64;
        Ok(())
    }

    /// Returns when everything appended is on disk.
    pub(crate) fn flush(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Rewrites the file if it has grown long.
    pub(crate) fn tidy(&mut self, boot_id: &str) -> io::Result<()> {
        if self.length > REWRITE_AT_BYTES {
            let past = replay(&fs::read_to_string(&self.path)?, boot_id);
            *self = Journal::rewrite(&self.path, boot_id, &past)?;
        }
        Ok(())
    }
}

impl Past {
    fn entries(&self, id: &str) -> Vec<Entry> {
        let id = id.to_owned();
        let (dir, cgroup) = (self.dir.clone(), self.cgroup.clone());
        let mut entries = vec![Entry::Creating { id: id.clone(), dir, cgroup, at_nanos: self.created_nanos }];
        if let Some((pid, start_ticks)) = self.process {
            entries.push(Entry::Created { id: id.clone(), pid, start_ticks });
        }
        if let Some((pid, start_ticks)) = self.relay {
            entries.push(Entry::Relay { id: id.clone(), pid, start_ticks });
        }
        if let Some(at_nanos) = self.started_nanos {
            entries.push(Entry::Started { id: id.clone(), at_nanos });
        }
        if let Some(exit) = self.exit.clone() {
            entries.push(Entry::Exited { exit });
        }
        if self.deleted {
            entries.push(Entry::Deleted { id });
        }
        entries
    }
}

/// Returns what a journal's text amounts to. A torn last line was never acted upon and is skipped.
pub(crate) fn replay(text: &str, boot_id: &str) -> BTreeMap<String, Past> {
    let mut containers: BTreeMap<String, Past> = BTreeMap::new();
    let mut this_boot = false;
    for entry in text.lines().filter_map(|line| serde_json::from_str::<Entry>(line).ok()) {
        match entry {
            Entry::Boot { id } => this_boot = id == boot_id,
            Entry::Creating { id, dir, cgroup, at_nanos } => {
                let past = Past {
                    dir,
                    cgroup,
                    created_nanos: at_nanos,
                    process: None,
                    relay: None,
                    started_nanos: None,
                    exit: None,
                    deleted: false,
                };
                containers.insert(id, past);
            }
            Entry::Created { id, pid, start_ticks } => {
                let process = this_boot.then_some((pid, start_ticks));
                with(&mut containers, &id, |past| past.process = process);
            }
            Entry::Relay { id, pid, start_ticks } => {
                let relay = this_boot.then_some((pid, start_ticks));
                with(&mut containers, &id, |past| past.relay = relay);
            }
            Entry::Started { id, at_nanos } => {
                with(&mut containers, &id, |past| past.started_nanos = Some(at_nanos));
            }
            Entry::Exited { exit } => {
                let id = exit.id.clone();
                with(&mut containers, &id, |past| past.exit = Some(exit));
            }
            Entry::Deleted { id } => with(&mut containers, &id, |past| past.deleted = true),
            Entry::Forgotten { id } => {
                containers.remove(&id);
            }
        }
    }
    containers
}

fn with(containers: &mut BTreeMap<String, Past>, id: &str, change: impl FnOnce(&mut Past)) {
    if let Some(past) = containers.get_mut(id) {
        change(past);
    }
}

fn line(entry: &Entry) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(entry)?;
    line.push(b'\n');
    Ok(line)
}
