//! What clients ask, and how it is begun.

use std::os::fd::OwnedFd;

use wharf_sandbox::runtime::{self, Surroundings};
use wharf_sandbox::spec::{ContainerSpec, Joins, Sharing, capabilities};

use super::{Keeper, Work};
use crate::clock::now_nanos;
use crate::connection::{Asked, Connection};
use crate::container::Container;
use crate::error::chain;
use crate::helper::{Pipes, launch, sweep};
use crate::journal::Entry;
use crate::output::Sink;
use crate::poll::{Ready, Token};
use crate::process::{PidFd, stat};
use crate::protocol::{Created, Refusal, Reply, Request, State};

impl Keeper {
    pub(super) fn accept(&mut self) {
        while let Ok((stream, _)) = self.listener.accept() {
            let number = self.number();
            // A caller who is not root, or has gone already, is simply dropped.
            if let Ok(connection) = Connection::accept(stream, Token::Connection(number), &self.poll) {
                self.connections.insert(number, connection);
            }
        }
    }

    pub(super) fn hang_up(&mut self, number: u32) {
        if let Some(connection) = self.connections.remove(&number) {
            connection.close(&self.poll);
        }
        self.end_executions_of(number);
    }

    pub(super) fn client_spoke(&mut self, number: u32, ready: Ready) {
        let Some(connection) = self.connections.get_mut(&number) else { return };
        if ready.writable && connection.flush(&self.poll).is_err() {
            return self.hang_up(number);
        }
        match connection.receive() {
            Ok(true) => self.serve(number),
            Ok(false) | Err(_) => self.hang_up(number),
        }
    }

    /// Serves the requests that have arrived, one at a time.
    fn serve(&mut self, number: u32) {
        loop {
            let Some(connection) = self.connections.get_mut(&number) else { return };
            match connection.next_request() {
                Ok(Some(Ok(asked))) => {
                    connection.busy = true;
                    self.perform(number, asked);
                }
                Ok(Some(Err(error))) => {
                    let reason = format!("not a request: {error}");
                    self.refuse(Some(number), Refusal::Malformed { reason });
                }
                Ok(None) => return,
                Err(_) => return self.hang_up(number),
            }
        }
    }

    /// Answers a client that may have gone.
    pub(super) fn answer(&mut self, client: Option<u32>, reply: &Reply) {
        let Some(number) = client else { return };
        let Some(connection) = self.connections.get_mut(&number) else { return };
        connection.busy = false;
        if connection.send(reply, &self.poll).is_err() {
            return self.hang_up(number);
        }
        self.serve(number);
    }

    pub(super) fn refuse(&mut self, client: Option<u32>, refusal: Refusal) {
        self.answer(client, &Reply::Refused { refusal });
    }

    fn perform(&mut self, client: u32, asked: Asked) {
        let result = match asked.request {
            Request::Run { id, spec } => self.create(client, &id, &spec, asked.descriptors, true),
            Request::Create { id, spec } => self.create(client, &id, &spec, asked.descriptors, false),
            Request::Start { id } => self.start(&id).map(|()| Some(Reply::Done)),
            Request::Kill { id, signal } => self.kill(&id, signal).map(|()| Some(Reply::Done)),
            Request::Exec { id, exec } => self.execute(client, &id, &exec, asked.descriptors),
            Request::Delete { id, keep_files } => self.delete(client, &id, keep_files),
            Request::Forget { id } => self.forget(&id).map(|()| Some(Reply::Done)),
            Request::List => {
                let containers = self.containers.values().map(Container::describe).collect();
                Ok(Some(Reply::Containers { containers }))
            }
            Request::Watch => return self.watch(client),
        };
        match result {
            Ok(Some(reply)) => self.answer(Some(client), &reply),
            Ok(None) => {}
            Err(refusal) => self.refuse(Some(client), refusal),
        }
    }

    pub(super) fn find(&self, id: &str) -> Result<u32, Refusal> {
        let found = self.containers.iter().find(|(_, container)| container.id == id);
        found.map(|(number, _)| *number).ok_or_else(|| Refusal::Unknown { id: id.to_owned() })
    }

    fn create(
        &mut self,
        client: u32,
        id: &str,
        spec: &ContainerSpec,
        mut descriptors: Vec<OwnedFd>,
        start: bool,
    ) -> Result<Option<Reply>, Refusal> {
        if self.find(id).is_ok() {
            return Err(Refusal::Exists { id: id.to_owned() });
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if id.is_empty() || id.starts_with('.') || id.len() > 128 || !id.bytes().all(plain) {
            return Err(Refusal::Malformed { reason: format!("{id:?} cannot be a container's id") });
        }
        let netns = descriptors
            .pop()
            .ok_or_else(|| Refusal::Malformed { reason: "no network namespace came along".to_owned() })?;
        let cannot = |reason: String| Refusal::CannotCreate { id: id.to_owned(), reason };
        let joins = self.joins(spec).map_err(cannot)?;
        let capabilities = capabilities(spec).map_err(|error| cannot(chain(&error)))?;

        let mut container = Container::new(id, spec.dir.clone(), runtime::cgroup_of(spec, id));
        std::fs::create_dir_all(&spec.dir)
            .map_err(|error| cannot(format!("create {}: {error}", spec.dir)))?;
        let sink =
            Sink::open(&spec.dir).map_err(|error| cannot(format!("open output in {}: {error}", spec.dir)))?;
        container.sink = Some(sink);
        container.secrets = Some(spec.secret_env.clone());
        let (dir, cgroup) = (container.dir.clone(), container.cgroup.clone());
        self.note(&Entry::Creating { id: id.to_owned(), dir, cgroup, at_nanos: container.created_nanos });

        let number = self.number();
        let filter = match spec.privileged {
            true => None,
            false => Some(self.filters.of(&capabilities).map_err(|error| cannot(chain(&error)))?),
        };
        let surroundings = Surroundings {
            state_root: &self.state_root,
            hierarchy: &self.hierarchy,
            host: Some(&self.host),
            joins,
            filter,
        };
        let launched = Pipes::new().and_then(|pipes| launch(id, spec, surroundings, &netns, pipes));
        let (helper, readers) = launched.map_err(|error| cannot(format!("fork launcher: {error}")))?;
        let attached = container.attach(number, readers, &self.poll);
        self.containers.insert(number, container);
        self.start_job(helper, Work::Launch { start }, number, Some(client));
        attached.map_err(|error| cannot(format!("watch output: {error}")))?;
        Ok(None)
    }

    /// Returns the processes whose namespaces a container shares.
    fn joins(&self, spec: &ContainerSpec) -> Result<Joins, String> {
        let process = |sharing: &Sharing| {
            let Sharing::With(other) = sharing else { return Ok(None) };
            let found =
                self.containers.values().find(|container| container.id == *other && container.lives());
            let missing = || format!("container {other}, whose namespace is to be joined, does not run");
            found.map(|container| Some(container.pid)).ok_or_else(missing)
        };
        Ok(Joins { pid: process(&spec.pid)?, ipc: process(&spec.ipc)?, ..Joins::default() })
    }

    /// The launcher has said who the init is.
    pub(super) fn launched(
        &mut self,
        number: u32,
        client: Option<u32>,
        start: bool,
        (pid, relay): (i32, Option<i32>),
        notes: Vec<String>,
    ) {
        let Some(container) = self.containers.get_mut(&number) else { return };
        let ticks = |pid| stat(pid).map_or(0, |stat| stat.start_ticks);
        let start_ticks = ticks(pid);
        container.relay = relay;
        container.pid = pid;
        container.process = PidFd::open(pid).ok();
        container.state = State::Created;
        let (id, at_nanos) = (container.id.clone(), container.created_nanos);
        self.note(&Entry::Created { id: id.clone(), pid, start_ticks });
        if let Some(pid) = relay {
            self.note(&Entry::Relay { id: id.clone(), pid, start_ticks: ticks(pid) });
        }
        self.watch_memory(number);
        if let Some(at) = self.strays.iter().position(|(stray, _)| *stray == pid) {
            let (_, status) = self.strays.swap_remove(at);
            self.ended(number, Some(status));
        } else if start && let Err(refusal) = self.start(&id) {
            return self.give_up(number, client, refusal.to_string());
        }
        let started = self.containers.get(&number).and_then(|container| container.started_nanos);
        let created = Created { pid, at_nanos: started.unwrap_or(at_nanos), notes };
        self.answer(client, &Reply::Created(created));
    }

    fn start(&mut self, id: &str) -> Result<(), Refusal> {
        let number = self.find(id)?;
        let state_root = self.state_root.clone();
        let Some(container) = self.containers.get_mut(&number).filter(|it| it.state == State::Created) else {
            return Err(self.wrong_state(id));
        };
        let at_nanos = now_nanos();
        runtime::start(id, &state_root)
            .map_err(|error| Refusal::Failed { id: id.to_owned(), reason: chain(&error) })?;
        container.state = State::Running;
        container.started_nanos = Some(at_nanos);
        self.note(&Entry::Started { id: id.to_owned(), at_nanos });
        Ok(())
    }

    fn kill(&mut self, id: &str, signal: i32) -> Result<(), Refusal> {
        let number = self.find(id)?;
        let alive = self.containers.get(&number).filter(|container| container.lives());
        let Some(process) = alive.and_then(|container| container.process.as_ref()) else {
            return Err(self.wrong_state(id));
        };
        match process.signal(signal) {
            Err(error) if error.raw_os_error() != Some(libc::ESRCH) => {
                Err(Refusal::Failed { id: id.to_owned(), reason: format!("signal {signal}: {error}") })
            }
            _ => Ok(()),
        }
    }

    fn delete(&mut self, client: u32, id: &str, keep_files: bool) -> Result<Option<Reply>, Refusal> {
        let number = self.find(id)?;
        let Some(container) = self.containers.get_mut(&number) else { return Ok(Some(Reply::Done)) };
        match container.state {
            State::Deleted => return Ok(Some(Reply::Done)),
            State::Creating | State::Deleting => return Err(self.wrong_state(id)),
            State::Created | State::Running | State::Exited => {}
        }
        container.keep_files = keep_files;
        let helper = sweep(&container.remains(), &self.hierarchy, &self.state_root).map_err(|error| {
            Refusal::Failed { id: id.to_owned(), reason: format!("fork cleaner: {error}") }
        })?;
        container.state = State::Deleting;
        self.start_job(helper, Work::Delete, number, Some(client));
        Ok(None)
    }

    fn forget(&mut self, id: &str) -> Result<(), Refusal> {
        let number = self.find(id)?;
        if self.containers.get(&number).is_none_or(|container| container.state != State::Deleted) {
            return Err(self.wrong_state(id));
        }
        self.containers.remove(&number);
        self.note(&Entry::Forgotten { id: id.to_owned() });
        Ok(())
    }

    fn watch(&mut self, client: u32) {
        self.answer(Some(client), &Reply::Done);
        let exits: Vec<_> = self.containers.values().filter_map(|container| container.exit.clone()).collect();
        let Some(connection) = self.connections.get_mut(&client) else { return };
        connection.watches = true;
        // Exits of this very round are told at its end.
        let told = exits.iter().filter(|exit| !self.exits.contains(exit));
        let failed = told.map(|exit| connection.send(exit, &self.poll)).any(|sent| sent.is_err());
        if failed {
            self.hang_up(client);
        }
    }

    pub(super) fn wrong_state(&self, id: &str) -> Refusal {
        let state =
            self.containers.values().find(|container| container.id == id).map(|container| container.state);
        match state {
            Some(state) => Refusal::WrongState { id: id.to_owned(), state },
            None => Refusal::Unknown { id: id.to_owned() },
        }
    }
}
