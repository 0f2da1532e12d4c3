//! Processes of this Wharf, named by files that a new process with the same number cannot be taken for.

use anyhow::Context;
use camino::Utf8Path;
use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::time::{Duration, Instant};

/// A process, by its number and its start time in clock ticks since boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process {
    pid: i32,
    started: u64,
}

impl Process {
    /// Returns the running process with this number, if there is one.
    pub(crate) fn find(pid: i32) -> Option<Process> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The command's name may hold spaces and parentheses; the fields after it do not (proc(5)).
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let alive = !matches!(*fields.first()?, "Z" | "X");
        alive.then_some(Process { pid, started: fields.get(19)?.parse().ok()? })
    }

    /// Returns the process that a file names, if it still runs.
    pub(crate) fn read(file: &Utf8Path) -> Option<Process> {
        let text = std::fs::read_to_string(file).ok()?;
        let (pid, started) = text.trim().split_once(' ')?;
        let named = Process { pid: pid.parse().ok()?, started: started.parse().ok()? };
        (Process::find(named.pid)? == named).then_some(named)
    }

    /// Names the process in a file.
    pub(crate) fn write(self, file: &Utf8Path) -> anyhow::Result<()> {
        let new = file.with_extension("new");
        std::fs::write(&new, format!("{} {}\n", self.pid, self.started))
            .and_then(|()| std::fs::rename(&new, file))
            .with_context(|| format!("write {file}"))
    }

    /// Returns the process's number.
    pub(crate) fn pid(self) -> i32 {
        self.pid
    }

    /// Returns whether it still runs.
    pub(crate) fn runs(self) -> bool {
        Process::find(self.pid) == Some(self)
    }

    /// Sends a signal; a process that is gone is no error.
    pub(crate) fn signal(self, signal: Signal) -> anyhow::Result<()> {
        if !self.runs() {
            return Ok(());
        }
        match kill(Pid::from_raw(self.pid), signal) {
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(error) => Err(error).with_context(|| format!("signal process {}", self.pid)),
        }
    }

    /// Asks the process to end, waits, and kills it when the time is over.
    pub(crate) fn end(self, patience: Duration) -> anyhow::Result<()> {
        self.signal(Signal::SIGTERM)?;
        if !self.ends_within(patience) {
            self.signal(Signal::SIGKILL)?;
            if !self.ends_within(Duration::from_secs(5)) {
                anyhow::bail!("process {} does not end", self.pid);
            }
        }
        Ok(())
    }

    fn ends_within(self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        while self.runs() {
            if Instant::now() >= deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        true
    }
}
