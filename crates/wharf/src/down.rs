//! `wharf down`: ends the processes, and with `--all` removes everything they made.

use crate::{hosts_file, node, options::Options, pid::Process, supervise::PROCESSES};
use anyhow::{Context, bail};
use camino::Utf8Path;
use std::{collections::BTreeSet, time::Duration};

/// Stops Wharf. Nothing running is no error.
pub(crate) fn down(options: &Options, all: bool) -> anyhow::Result<()> {
    options.check()?;
    if !options.is_simulated() && !nix::unistd::geteuid().is_root() {
        bail!("wharf down needs root, as wharf up did. Run it with sudo");
    }
    let mut ended = Vec::new();
    // `up` first: it ends the others in order, and would restart them.
    for name in ["up"].iter().chain(PROCESSES.iter().rev()) {
        if let Some(process) = Process::read(&options.pid_file(name)) {
            process.end(Duration::from_secs(25)).with_context(|| format!("end {name}"))?;
            ended.push(*name);
        }
        let _ = std::fs::remove_file(options.pid_file(name));
    }
    if !options.no_hosts_file {
        hosts_file::set(Utf8Path::new(hosts_file::HOSTS), &options.run_dir, &BTreeSet::new())?;
    }
    if all {
        remove_everything(options)?;
        remove_dir(&options.run_dir)?;
    }
    say(match (ended.is_empty(), all) {
        (true, false) => "Wharf was not running",
        (false, false) if options.is_simulated() => "Wharf is stopped",
        (false, false) => "Wharf is stopped; its tasks run on. `wharf down --all` removes them",
        (_, true) => "Wharf is stopped, and everything it made is removed",
    });
    Ok(())
}

/// Removes tasks, networks, mounts and cgroups, then the state.
pub(crate) fn remove_everything(options: &Options) -> anyhow::Result<()> {
    if !options.is_simulated() {
        node::purge(options)?;
    }
    remove_dir(&options.state_dir)
}

/// Removes a directory; one that is a mount point of its own is emptied and stays.
fn remove_dir(dir: &Utf8Path) -> anyhow::Result<()> {
    match std::fs::remove_dir_all(dir) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::ResourceBusy && is_empty(dir) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("remove {dir}")),
    }
}

fn is_empty(dir: &Utf8Path) -> bool {
    std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_none())
}

#[expect(clippy::print_stdout, reason = "the command's output")]
fn say(text: &str) {
    println!("{text}");
}
