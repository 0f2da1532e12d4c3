//! `wharf restore`: makes a Wharf's state from a backup, whole or not at all.
//!
//! Everything is unpacked beside the state and checked there first. What belongs to a machine and not to the state is
//! not taken over: the node's id stays, or is made anew at the next start, and tasks that this machine does not run
//! have stopped; their services start others.

use crate::{
    backup::archive::{Head, Item, Reading},
    options::Options,
    pid::Process,
    supervise::PROCESSES,
};
use anyhow::{Context, bail};
use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use nix::fcntl::{Flock, FlockArg};
use std::{
    collections::BTreeSet,
    fs::{self, DirBuilder, File},
    io::{ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    time::{SystemTime, UNIX_EPOCH},
};
use wharf_control::operations::restored;
use wharf_model::{NodeId, TaskId, Timestamp};
use wharf_store::{Damaged, LAYOUT, Row, Schema, Store, VERSION, make_state_file, schema};

/// What is restored.
#[derive(Debug, Clone, Args)]
pub(crate) struct Restore {
    /// The backup, made by `wharf backup`.
    pub(crate) file: Utf8PathBuf,
    /// Put it in the place of the state that is there, which is kept beside it.
    #[arg(long)]
    pub(crate) replace: bool,
}

/// Restores into the state directory of a Wharf that does not run.
pub(crate) fn restore(options: &Options, asked: &Restore) -> anyhow::Result<()> {
    options.check()?;
    if !nix::unistd::geteuid().is_root() {
        bail!("wharf restore needs root, as wharf up does. Run it with sudo");
    }
    if options.ephemeral {
        bail!("a Wharf started with --ephemeral keeps nothing, so there is nothing to restore into");
    }
    let input = File::open(&asked.file).with_context(|| format!("open the backup {}", asked.file))?;
    make_dir(&options.run_dir, 0o755)?;
    let _lock = lock(options)?;
    if let Some(name) = PROCESSES.iter().find(|name| Process::read(&options.pid_file(name)).is_some()) {
        bail!("wharf runs ({name}, run directory {}); stop it with `wharf down` first", options.run_dir);
    }
    let state = options.state_file();
    let is_there = state.exists();
    if is_there && !asked.replace {
        bail!(
            "there is state at {state} already; --replace puts the backup in its place, and keeps it beside"
        );
    }
    if is_there && matches!(wharf_store::examine(state.as_std_path()), Err(Damaged::InUse { .. })) {
        bail!("state file {state} is in use by another process; stop that Wharf with `wharf down` first");
    }
    make_dir(&options.state_dir, 0o700)?;
    let staging = options.state_dir.join("restore.partial");
    remove_dir(&staging)?;
    make_dir(&staging, 0o700)?;
    let unpacked = unpack(options, input, &staging)
        .with_context(|| format!("restore {}; nothing was changed", asked.file));
    if unpacked.is_err() {
        remove_dir(&staging)?;
    }
    let Unpacked { head, records, ended } = unpacked?;
    let kept = put_in_place(options, &staging, is_there)?;
    let mut said = format!(
        "{}: revision {} of {}, {records} records, {ended} tasks that do not run here have stopped\n",
        state, head.revision, head.region,
    );
    if let Some(kept) = kept {
        said += &format!("What was there is in {kept}\n");
    }
    if head.region != options.region {
        said += &format!("Its region is {}: start it with --region {}\n", head.region, head.region);
    }
    if !head.with_registry {
        said += "It has no images: push those that were in the registry again\n";
    }
    if !head.with_logs {
        said += "It has no logs: groups are as they are here, and those that the backup does not know go at the start\n";
    }
    say(&said);
    Ok(())
}

/// Holds the lock of the run directory, so that no Wharf starts meanwhile.
fn lock(options: &Options) -> anyhow::Result<Flock<File>> {
    let path = options.lock_file();
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.with_context(|| format!("write {path}"))?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|_| {
        anyhow::anyhow!("wharf runs with run directory {}; stop it with `wharf down` first", options.run_dir)
    })
}

struct Unpacked {
    head: Head,
    records: u64,
    ended: usize,
}

/// Unpacks and checks the whole backup below `staging`.
fn unpack(options: &Options, input: File, staging: &Utf8Path) -> anyhow::Result<Unpacked> {
    let (reading, head) = Reading::begin(input)?;
    if head.layout > LAYOUT {
        bail!(
            "it was taken from a newer wharf (layout {}): it needs wharf >= {}, and this is {VERSION}",
            head.layout,
            head.needs
        );
    }
    let state = staging.join("state.redb");
    let mut rows =
        Rows { reading, schema: schema(), written_by: &head.written_by, next: None, failed: None, count: 0 };
    make_state_file(state.as_std_path(), head.revision, &mut rows).context("write the state file")?;
    let Rows { mut reading, mut next, failed, count, .. } = rows;
    if let Some(error) = failed {
        return Err(error);
    }
    let mut out: Option<(Utf8PathBuf, File)> = None;
    while let Some(item) = next.take() {
        match item {
            Item::Record(row) => bail!("record '{}' of table '{}' comes after the files", row.key, row.table),
            Item::File { path, mode } => {
                finish(out.take())?;
                let place = staging.join(&path);
                make_dir(place.parent().unwrap_or(staging), 0o700)?;
                let file = File::options().write(true).create_new(true).mode(mode).open(&place);
                out = Some((place.clone(), file.with_context(|| format!("write {place}"))?));
            }
            Item::Data(piece) => {
                let (place, file) = out.as_mut().context("a piece belongs to no file")?;
                file.write_all(&piece).with_context(|| format!("write {place}"))?;
            }
        }
        next = reading.next()?;
    }
    finish(out)?;
    let ended = settle(options, &state)?;
    Ok(Unpacked { head, records: count, ended })
}

fn finish(out: Option<(Utf8PathBuf, File)>) -> anyhow::Result<()> {
    match out {
        Some((place, file)) => file.sync_all().with_context(|| format!("write {place}")),
        None => Ok(()),
    }
}

/// The records of a backup, until its first other item or its first mistake.
struct Rows<'a> {
    reading: Reading,
    schema: Schema,
    written_by: &'a str,
    next: Option<Item>,
    failed: Option<anyhow::Error>,
    count: u64,
}

impl Iterator for Rows<'_> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        match self.reading.next() {
            Ok(Some(Item::Record(row))) => match self.schema.check(&row) {
                Ok(()) => {
                    self.count += 1;
                    Some(row)
                }
                Err(error) => {
                    let by = format!("it was written by wharf {}, and this is {VERSION}", self.written_by);
                    self.failed = Some(anyhow::Error::from(error).context(by));
                    None
                }
            },
            Ok(other) => {
                self.next = other;
                None
            }
            Err(error) => {
                self.failed = Some(error);
                None
            }
        }
    }
}

/// Makes the state that of this machine; returns how many tasks have stopped by it.
fn settle(options: &Options, state: &Utf8Path) -> anyhow::Result<usize> {
    let node = node_id(options)?;
    let has = tasks_here(options)?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
    let store = Store::open(state.as_std_path(), schema()).context("open the restored state")?;
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.context("start the asynchronous runtime")?;
    let settled = store.change(|draft| restored::settle(draft, node.as_ref(), &has, now));
    Ok(runtime.block_on(settled)?)
}

fn node_id(options: &Options) -> anyhow::Result<Option<NodeId>> {
    let file = options.state_dir.join("node-id");
    match fs::read(&file) {
        Ok(bytes) => {
            let text: String =
                serde_json::from_slice(&bytes).with_context(|| format!("understand {file}"))?;
            Ok(Some(text.parse().with_context(|| format!("understand {file}"))?))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("read {file}")),
    }
}

/// Returns the tasks that the agent keeps a journal of.
fn tasks_here(options: &Options) -> anyhow::Result<BTreeSet<TaskId>> {
    let dir = options.state_dir.join("tasks");
    match dir.read_dir_utf8() {
        Ok(entries) => {
            let names = entries.collect::<Result<Vec<_>, _>>().with_context(|| format!("read {dir}"))?;
            Ok(names.iter().filter_map(|entry| entry.file_name().parse().ok()).collect())
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(BTreeSet::new()),
        Err(error) => Err(error).with_context(|| format!("read {dir}")),
    }
}

/// Moves what was unpacked to its place, the state file last; returns where the former is kept, if there was any.
fn put_in_place(
    options: &Options,
    staging: &Utf8Path,
    is_there: bool,
) -> anyhow::Result<Option<Utf8PathBuf>> {
    let dir = &options.state_dir;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let kept = dir.join(format!("before-restore-{}", since.as_millis()));
    let mut names = Vec::new();
    for entry in staging.read_dir_utf8().with_context(|| format!("read {staging}"))? {
        names.push(entry.with_context(|| format!("read {staging}"))?.file_name().to_owned());
    }
    // Until the state file is replaced, the former state is whole and served.
    names.sort_by_key(|name| name == "state.redb");
    for name in names.iter().filter(|name| *name != "state.acknowledged") {
        let (place, former) = (dir.join(name), kept.join(name));
        if place.exists() {
            make_dir(&kept, 0o700)?;
            if name == "state.redb" {
                fs::hard_link(&place, &former).with_context(|| format!("keep {place} as {former}"))?;
                remove_file(&dir.join("state.acknowledged"))?;
            } else {
                fs::rename(&place, &former).with_context(|| format!("keep {place} as {former}"))?;
            }
        }
        fs::rename(staging.join(name), &place).with_context(|| format!("put {place} in place"))?;
    }
    File::open(dir).and_then(|dir| dir.sync_all()).with_context(|| format!("write {dir}"))?;
    remove_dir(staging)?;
    Ok((is_there || kept.exists()).then_some(kept))
}

fn make_dir(dir: &Utf8Path, mode: u32) -> anyhow::Result<()> {
    let made = DirBuilder::new().recursive(true).mode(mode).create(dir);
    made.with_context(|| format!("make directory {dir}"))
}

fn remove_dir(dir: &Utf8Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("remove {dir}"))
        }
        _ => Ok(()),
    }
}

fn remove_file(file: &Utf8Path) -> anyhow::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("remove {file}"))
        }
        _ => Ok(()),
    }
}

#[expect(clippy::print_stdout, reason = "the command's output")]
fn say(text: &str) {
    print!("{text}");
}
