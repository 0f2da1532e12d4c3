//! `wharf status`.

use crate::{options::Options, pid::Process, ready, supervise::processes};
use anyhow::bail;

/// Prints the processes; fails when not all of them run, or the API does not answer or takes no changes.
pub(crate) fn status(options: &Options, quiet: bool) -> anyhow::Result<()> {
    let mut missing = Vec::new();
    for name in ["up"].into_iter().chain(processes(options).iter().copied()) {
        match Process::read(&options.pid_file(name)) {
            Some(process) if !quiet => print(name, process),
            Some(_) => {}
            None => missing.push(name),
        }
    }
    if missing.len() == processes(options).len() + 1 {
        bail!("wharf does not run (run directory {}); start it with `wharf up`", options.run_dir);
    }
    if !missing.is_empty() {
        bail!("not running: {}", missing.join(", "));
    }
    if let Some(reason) = ready::trouble(options) {
        bail!("read-only: {reason}. Tasks and load balancers go on, and what is there can be described");
    }
    if !ready::is_ready(options) {
        bail!(
            "the API at {} does not answer, or agent and balancer are not connected to it",
            options.endpoint
        );
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the command's output")]
fn print(name: &str, process: Process) {
    println!("{name:<9} process {}", process.pid());
}
