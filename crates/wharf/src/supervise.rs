//! Keeps the four processes running: starts them, restarts one that dies, ends them in order.

use crate::{options::Options, orphans::Orphans, pid::Process};
use anyhow::Context;
use nix::sys::signal::{SigSet, Signal};
use std::{
    net::TcpListener,
    os::{fd::OwnedFd, unix::process::CommandExt},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    time::{Duration, Instant},
};

/// The processes in the order in which they start. They end in the opposite order: whoever asks something of
/// another one goes before it.
pub(crate) const PROCESSES: [&str; 4] = ["keeper", "control", "agent", "balancer"];

/// Returns the processes that these options need: simulated nodes are played by control.
pub(crate) fn processes(options: &Options) -> &'static [&'static str] {
    if options.is_simulated() { &["control"] } else { &PROCESSES }
}

/// How long a process may take to end by itself.
const PATIENCE: Duration = Duration::from_secs(5);

/// A process that lived this long did not die of its start.
const SETTLED: Duration = Duration::from_secs(10);

/// The longest pause before a restart.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What the supervisor waits for.
enum Event {
    Ended { name: &'static str, pid: i32, status: std::io::Result<ExitStatus> },
    Signal(Signal),
}

/// How a supervised run came to its end.
#[derive(Debug)]
pub(crate) enum End {
    /// A signal asked for it.
    Asked,
    /// A process did not survive its first start.
    DidNotStart {
        /// The process.
        name: &'static str,
        /// How it ended.
        how: String,
    },
}

struct Post {
    name: &'static str,
    process: Option<Process>,
    started: Instant,
    failures: u32,
    restart_at: Option<Instant>,
}

/// Runs the processes until a signal asks for the end, and ends them. `ready` is called again and again until it
/// says that everything answers; from then on a process that dies is restarted without end.
pub(crate) fn supervise(
    options: &Options,
    endpoint: &TcpListener,
    mut ready: impl FnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<End> {
    let (sender, events) = channel();
    let orphans = Orphans::take_in()?;
    catch_signals(sender.clone())?;
    let mut posts: Vec<Post> = Vec::new();
    for name in processes(options).iter().copied() {
        let process = start(name, options, endpoint, &sender)?;
        orphans.started(name, process.pid());
        posts.push(Post {
            name,
            process: Some(process),
            started: Instant::now(),
            failures: 0,
            restart_at: None,
        });
    }
    let end = watch(options, endpoint, &mut posts, &sender, &events, &orphans, &mut ready);
    for post in posts.iter_mut().rev() {
        if let Some(process) = post.process.take() {
            process.end(PATIENCE).with_context(|| format!("end {}", post.name))?;
        }
        let _ = std::fs::remove_file(options.pid_file(post.name));
    }
    end
}

fn watch(
    options: &Options,
    endpoint: &TcpListener,
    posts: &mut [Post],
    sender: &Sender<Event>,
    events: &Receiver<Event>,
    orphans: &Orphans,
    ready: &mut impl FnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<End> {
    let mut is_ready = false;
    loop {
        if !is_ready {
            is_ready = ready()?;
        }
        let now = Instant::now();
        for post in posts.iter_mut().filter(|post| post.restart_at.is_some_and(|at| at <= now)) {
            post.restart_at = None;
            let process = start(post.name, options, endpoint, sender)?;
            orphans.started(post.name, process.pid());
            post.process = Some(process);
            post.started = now;
        }
        let next = posts.iter().filter_map(|post| post.restart_at).min();
        let pause = if is_ready { Duration::from_secs(3600) } else { Duration::from_millis(10) };
        let pause = next.map_or(pause, |at| pause.min(at.saturating_duration_since(now)));
        match events.recv_timeout(pause) {
            Ok(Event::Signal(signal)) => {
                tracing::info!(%signal, "asked to end");
                return Ok(End::Asked);
            }
            Ok(Event::Ended { name, pid, status }) => {
                orphans.ended(name, pid);
                let how = describe(&status);
                let post =
                    posts.iter_mut().find(|post| post.name == name).expect("every process has its post");
                post.process = None;
                if !is_ready {
                    return Ok(End::DidNotStart { name, how });
                }
                post.failures = if post.started.elapsed() > SETTLED { 0 } else { post.failures + 1 };
                let pause = pause_before_restart(post.failures);
                tracing::warn!(process = name, how, ?pause, "process ended; it is restarted");
                post.restart_at = Some(Instant::now() + pause);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => unreachable!("this function's caller holds a sender"),
        }
    }
}

/// Returns the pause before a restart, after so many quick deaths in a row: none for the first.
fn pause_before_restart(failures: u32) -> Duration {
    match failures {
        0 | 1 => Duration::ZERO,
        more => Duration::from_millis(100).saturating_mul(1 << more.min(10)).min(LONGEST_PAUSE),
    }
}

fn start(
    name: &'static str,
    options: &Options,
    endpoint: &TcpListener,
    sender: &Sender<Event>,
) -> anyhow::Result<Process> {
    let binary = std::env::current_exe().context("find the wharf binary")?;
    let mut command = Command::new(binary);
    command.arg(name).args(options.to_args()).process_group(0).stdin(Stdio::null());
    if name == "control" {
        // The listening socket outlives control: callers wait in its queue while control restarts.
        let socket = endpoint.try_clone().context("hand on the endpoint's socket")?;
        command.arg("--listen-on-stdin").stdin(OwnedFd::from(socket));
    }
    let child = command.spawn().with_context(|| format!("start {name}"))?;
    let pid = i32::try_from(child.id()).context("a process id is positive")?;
    let process = Process::find(pid).with_context(|| format!("{name} ended at once"))?;
    process.write(&options.pid_file(name))?;
    let sender = sender.clone();
    std::thread::spawn(move || wait(name, pid, child, &sender));
    Ok(process)
}

fn wait(name: &'static str, pid: i32, mut child: Child, sender: &Sender<Event>) {
    let status = child.wait();
    // Nobody listens once the supervisor is ending; then nobody needs to know.
    let _ = sender.send(Event::Ended { name, pid, status });
}

fn catch_signals(sender: Sender<Event>) -> anyhow::Result<()> {
    let mut signals = SigSet::empty();
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        signals.add(signal);
    }
    // Threads started from here on inherit the mask; started processes get an empty one from the standard library.
    signals.thread_block().context("block signals")?;
    std::thread::spawn(move || {
        while let Ok(signal) = signals.wait() {
            if sender.send(Event::Signal(signal)).is_err() {
                return;
            }
        }
    });
    Ok(())
}

fn describe(status: &std::io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) => status.to_string(),
        Err(error) => format!("cannot be waited for: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_death_is_followed_by_a_start_at_once_and_later_ones_by_growing_pauses() {
        let pauses: Vec<u128> = (0..9).map(|failures| pause_before_restart(failures).as_millis()).collect();
        assert_eq!(pauses, [0, 0, 400, 800, 1600, 3200, 5000, 5000, 5000]);
    }
}
