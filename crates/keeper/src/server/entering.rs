//! Further processes in containers: health checks, and people who look inside.
//!
//! Each belongs to the connection that asked for it. It ends with that connection and with keeper, so nothing of it is
//! journaled.

use std::os::fd::{AsFd, OwnedFd};

use wharf_sandbox::cgroup::Cgroup;
use wharf_sandbox::exec::{self, ExecSpec, Streams};

use super::{Keeper, Work};
use crate::error::chain;
use crate::helper::enter;
use crate::process::decode_wait_status;
use crate::protocol::{Ended, Refusal, Reply, State};

impl Keeper {
    pub(super) fn execute(
        &mut self,
        client: u32,
        id: &str,
        spec: &ExecSpec,
        descriptors: Vec<OwnedFd>,
    ) -> Result<Option<Reply>, Refusal> {
        let number = self.find(id)?;
        let failed = |reason: String| Refusal::Failed { id: id.to_owned(), reason };
        let malformed = || Refusal::Malformed { reason: "a process's streams did not come along".to_owned() };
        let streams = match spec.terminal {
            Some(_) => Streams::Terminal(descriptors.into_iter().next().ok_or_else(malformed)?),
            None => Streams::Plain(descriptors.try_into().map_err(|_| malformed())?),
        };
        let running = self.containers.get(&number).filter(|container| container.state == State::Running);
        let Some((container, init)) = running.and_then(|it| Some((it, it.process.as_ref()?))) else {
            return Err(self.wrong_state(id));
        };
        let process = exec::process_of(&container.dir).map_err(|error| failed(chain(&error)))?;
        let filter = match process.filtered {
            true => {
                Some(self.filters.of(&process.capabilities.bounding).map_err(|error| failed(chain(&error)))?)
            }
            false => None,
        };
        let entered = exec::Container {
            init: init.descriptor().as_fd(),
            pid: container.pid,
            cgroup: &Cgroup::new(&self.hierarchy, &container.cgroup),
            process: &process,
            secrets: container.secrets.as_deref(),
            filter,
        };
        let helper =
            enter(&entered, spec, streams).map_err(|error| failed(format!("fork helper: {error}")))?;
        self.start_job(helper, Work::Enter, number, Some(client));
        Ok(None)
    }

    /// The helper has said which process it made.
    pub(super) fn entered(&mut self, client: Option<u32>, pid: i32) {
        let stray = self.strays.iter().position(|(stray, _)| *stray == pid);
        let ended = stray.map(|at| self.strays.swap_remove(at).1);
        let there = client.filter(|client| self.connections.contains_key(client));
        let Some(client) = there else {
            if ended.is_none() {
                // Whoever asked has gone meanwhile; its end is reaped with all others that nobody knows.
                end(pid);
            }
            return;
        };
        self.executing.insert(pid, client);
        if let Some(connection) = self.connections.get_mut(&client)
            && connection.send(&Reply::Executing { pid }, &self.poll).is_err()
        {
            return self.hang_up(client);
        }
        if let Some(status) = ended {
            self.execution_ended(pid, status);
        }
    }

    pub(super) fn execution_ended(&mut self, pid: i32, status: i32) {
        let Some(client) = self.executing.remove(&pid) else { return };
        let (code, signal) = decode_wait_status(status);
        if let Some(connection) = self.connections.get_mut(&client)
            && connection.send(&Ended { code, signal }, &self.poll).is_err()
        {
            self.hang_up(client);
        }
    }

    /// Kills what a client that has gone had begun.
    pub(super) fn end_executions_of(&mut self, client: u32) {
        let of_client = self.executing.iter().filter(|(_, owner)| **owner == client);
        for pid in of_client.map(|(pid, _)| *pid).collect::<Vec<_>>() {
            end(pid);
            self.executing.remove(&pid);
        }
    }
}

/// Kills a process that is our child and not reaped yet, with those of its group.
fn end(pid: i32) {
    use nix::sys::signal::{Signal, kill, killpg};
    let pid = nix::unistd::Pid::from_raw(pid);
    // It may have ended by itself, and leads no group before its program begins.
    let _ended = (kill(pid, Signal::SIGKILL), killpg(pid, Signal::SIGKILL));
}
