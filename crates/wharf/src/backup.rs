//! `wharf backup`: one revision of a Wharf in one file, taken while it goes on, or while it is stopped.
//!
//! The file is a zstd stream of JSON lines; see [`archive`]. It has the state, the access key and the keys of secrets,
//! so only root may read it. Images of the registry and stored logs are in it when they are asked for.

pub(crate) mod archive;

use crate::{options::Options, pid::Process};
use anyhow::{Context, bail};
use archive::{Archive, Head};
use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    time::{SystemTime, UNIX_EPOCH},
};
use wharf_nodelink::local::{FromControl, ToControl};
use wharf_store::{LAYOUT, NEEDS, Snapshot, Store, VERSION, schema};

/// Files of the state directory that go with the state: the access key, and the key that secrets are sealed with.
pub(crate) const KEYS: [&str; 2] = ["credentials.json", "secrets.key"];
/// What of the registry is backed up, and in this order: what a repository lists was there before.
const REGISTRY: [&str; 2] = ["registry/repositories", "registry/blobs"];
const LOGS: [&str; 1] = ["logs"];

/// What a backup has besides the state, and where it goes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Backup {
    /// The file to write; there must be none of this name.
    pub(crate) file: Utf8PathBuf,
    /// Also the images in the registry. Without them, repositories come back empty, and images are pushed again.
    #[arg(long)]
    pub(crate) with_registry: bool,
    /// Also the stored logs. Without them, log groups come back empty.
    #[arg(long)]
    pub(crate) with_logs: bool,
}

/// Takes a backup of the running Wharf, or of the stopped one's state directory.
pub(crate) fn backup(options: &Options, asked: &Backup) -> anyhow::Result<()> {
    if !nix::unistd::geteuid().is_root() {
        bail!("wharf backup needs root: it reads keys. Run it with sudo");
    }
    if options.ephemeral {
        bail!("a Wharf started with --ephemeral keeps nothing, so there is nothing to back up");
    }
    let file = std::path::absolute(&asked.file).context("find the current directory")?;
    let file = Utf8PathBuf::try_from(file).context("the file's name is not UTF-8")?;
    let taken = if Process::read(&options.pid_file("control")).is_some() {
        let ask = ToControl::Backup {
            path: file.to_string(),
            with_registry: asked.with_registry,
            with_logs: asked.with_logs,
        };
        let answer = crate::local::ask(&options.control_socket(), &ask)?;
        if let FromControl::Refused(reason) = &answer {
            bail!("{reason}");
        }
        let FromControl::BackedUp { revision, records, bytes } = answer else {
            bail!("control gave an answer to something else: {answer:?}");
        };
        Taken { revision, records, bytes }
    } else {
        let state = options.state_file();
        if !state.exists() {
            bail!("there is no state at {state}; name the Wharf's --run-dir or --state-dir");
        }
        let store = Store::open(state.as_std_path(), schema()).context("open the state")?;
        let asked = Backup { file: file.clone(), ..asked.clone() };
        take(options, store.snapshot().context("read the state")?, &asked)?
    };
    say(&format!(
        "{file}: revision {}, {} records, {} bytes{}",
        taken.revision,
        taken.records,
        taken.bytes,
        match (asked.with_registry, asked.with_logs) {
            (true, true) => ", with images and logs",
            (true, false) => ", with images, without logs (--with-logs)",
            (false, true) => ", with logs, without images (--with-registry)",
            (false, false) => ", without images (--with-registry) and logs (--with-logs)",
        }
    ));
    Ok(())
}

/// Answers the command line's request in the control process.
pub(crate) async fn answer(options: Options, store: Store, asked: Backup) -> FromControl {
    let taken = tokio::task::spawn_blocking(move || {
        let snapshot = store.snapshot().context("read the state")?;
        take(&options, snapshot, &asked)
    });
    match taken.await {
        Ok(Ok(Taken { revision, records, bytes })) => FromControl::BackedUp { revision, records, bytes },
        Ok(Err(error)) => FromControl::Refused(format!("{error:#}")),
        Err(error) => FromControl::Refused(format!("the backup ended early: {error}")),
    }
}

/// What was taken.
struct Taken {
    revision: u64,
    records: u64,
    bytes: u64,
}

/// Writes the file: under another name first, so that a file of this name is a whole backup.
fn take(options: &Options, snapshot: Snapshot, asked: &Backup) -> anyhow::Result<Taken> {
    let file = &asked.file;
    if file.exists() {
        bail!("{file} is there already; backups are not overwritten");
    }
    let partial = Utf8PathBuf::from(format!("{file}.partial"));
    let written = write(options, &snapshot, asked, &partial);
    if written.is_err() {
        let _ = fs::remove_file(&partial);
    }
    let records = written?;
    let bytes = fs::metadata(&partial).with_context(|| format!("read {partial}"))?.len();
    // A link, unlike a new name, never takes the place of a file.
    fs::hard_link(&partial, file).with_context(|| format!("name {file}"))?;
    fs::remove_file(&partial).with_context(|| format!("remove {partial}"))?;
    Ok(Taken { revision: snapshot.revision(), records, bytes })
}

fn write(options: &Options, snapshot: &Snapshot, asked: &Backup, partial: &Utf8Path) -> anyhow::Result<u64> {
    let out = File::options().write(true).create(true).truncate(true).mode(0o600).open(partial);
    let out = out.with_context(|| format!("write {partial}"))?;
    let mut archive = Archive::begin(out, &head(options, snapshot.revision(), asked))?;
    snapshot
        .each(|table, key, bytes| archive.record(table, key, bytes))
        .with_context(|| format!("copy the state to {partial}"))?;
    let mut paths: Vec<&str> = KEYS.to_vec();
    paths.extend(asked.with_registry.then_some(REGISTRY).into_iter().flatten());
    paths.extend(asked.with_logs.then_some(LOGS).into_iter().flatten());
    for path in paths {
        copy(&mut archive, &options.state_dir, Utf8Path::new(path))
            .with_context(|| format!("copy {} to {partial}", options.state_dir.join(path)))?;
    }
    let records = archive.records();
    let out = archive.end().with_context(|| format!("write {partial}"))?;
    out.sync_all().with_context(|| format!("write {partial}"))?;
    Ok(records)
}

fn head(options: &Options, revision: u64, asked: &Backup) -> Head {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Head {
        format: archive::FORMAT,
        layout: LAYOUT,
        needs: NEEDS.to_owned(),
        written_by: VERSION.to_owned(),
        revision,
        taken_at: now.as_secs(),
        region: options.region.clone(),
        account: wharf_api::ACCOUNT.to_owned(),
        with_registry: asked.with_registry,
        with_logs: asked.with_logs,
    }
}

/// Copies a file, or the files below a folder. One that is not there, or has just gone, is no error.
fn copy<W: Write>(archive: &mut Archive<W>, root: &Utf8Path, path: &Utf8Path) -> anyhow::Result<()> {
    let place = root.join(path);
    let found = match fs::symlink_metadata(&place) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    if found.is_dir() {
        let mut names: Vec<_> = place.read_dir_utf8()?.collect::<Result<_, _>>()?;
        names.sort_by(|one, other| one.file_name().cmp(other.file_name()));
        for entry in names {
            copy(archive, root, &path.join(entry.file_name()))?;
        }
        return Ok(());
    }
    if !found.is_file() {
        return Ok(());
    }
    match File::open(&place) {
        Ok(file) => archive.file(path, found.mode() & 0o777, file),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[expect(clippy::print_stdout, reason = "the command's output")]
fn say(text: &str) {
    println!("{text}");
}
