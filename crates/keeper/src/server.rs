//! The loop: one thread, one epoll, every container's parent.
//!
//! ```text
//!              Run/Create            message             Start             child died
//!   (nothing) ──────────▶ Creating ──────────▶ Created ────────▶ Running ────────────▶ Exited
//!                            │ failed             │ Delete          │ Delete             │ Delete
//!                            ▼                    └────────▶ Deleting (cleaner) ◀────────┘
//!                        (nothing)                              │ cleaned and reaped
//!                                                               ▼        Forget
//!                                                            Deleted ────────────▶ (nothing)
//! ```

use std::collections::{BTreeMap, HashMap, HashSet};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use nix::fcntl::{Flock, FlockArg};
use wharf_sandbox::cgroup::{Cgroup, Hierarchy};
use wharf_sandbox::mounts::HostMounts;
use wharf_sandbox::seccomp::Filters;

use crate::Config;
use crate::connection::Connection;
use crate::container::{CHUNK_LEN, Container, read_messages};
use crate::error::{Error, chain};
use crate::helper::{Helper, Message, sweep};
use crate::journal::{Entry, Journal};
use crate::poll::{Poll, Ready, Token, signals, take_signals};
use crate::process::decode_wait_status;
use crate::protocol::{Exit, Refusal, Reply, State};

mod adopt;
mod entering;
mod memory;
mod requests;

const LAUNCH_PATIENCE: Duration = Duration::from_secs(60);
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// A helper at work and what it is for.
#[derive(Debug)]
struct Job {
    helper: Helper,
    said: Vec<u8>,
    task: Work,
    container: u32,
    /// Who waits for the answer.
    client: Option<u32>,
    deadline: Instant,
}

#[derive(Debug)]
enum Work {
    Launch {
        start: bool,
    },
    /// Cleaning after a launch that failed.
    GiveUp {
        reason: String,
    },
    Delete,
    /// Entering a container for a further process.
    Enter,
}

/// Everything keeper knows.
pub(crate) struct Keeper {
    poll: Poll,
    listener: UnixListener,
    signals: OwnedFd,
    journal: Journal,
    boot_id: String,
    hierarchy: Hierarchy,
    /// Where containers' volumes are looked for.
    host: HostMounts,
    filters: Filters,
    state_root: Utf8PathBuf,
    containers: BTreeMap<u32, Container>,
    connections: HashMap<u32, Connection>,
    jobs: HashMap<u32, Job>,
    helper_pids: HashSet<i32>,
    /// Children that died while a launcher had not yet said whose they are.
    strays: Vec<(i32, i32)>,
    /// Further processes in containers, and the clients whose they are.
    executing: HashMap<i32, u32>,
    /// Containers whose cleaner is done and whose init is not reaped yet, and who waits.
    swept: HashMap<u32, Option<u32>>,
    exits: Vec<Exit>,
    buffer: Vec<u8>,
    next_number: u32,
    stopping: bool,
    _lock: Flock<std::fs::File>,
}

impl Keeper {
    /// Takes the state directory, adopts what an earlier keeper left, and listens.
    pub(crate) fn open(config: &Config, host: HostMounts) -> Result<Keeper, Error> {
        let state_root = config.state_dir.join("runtime");
        std::fs::create_dir_all(&state_root).map_err(file("create", &state_root))?;
        let lock = lock(config)?;
        let boot_id = std::fs::read_to_string(BOOT_ID).map_err(file("read", &BOOT_ID.into()))?;
        let boot_id = boot_id.trim().to_owned();
        let path = config.state_dir.join("journal");
        let (journal, past) = Journal::open(&path, &boot_id).map_err(file("open journal", &path))?;
        let poll = Poll::new().map_err(file("open", &"epoll".into()))?;
        let signals = signals().map_err(file("open", &"signalfd".into()))?;
        let mut filters = Filters::default();
        filters.of(&wharf_sandbox::spec::DEFAULT_CAPABILITIES.map(str::to_owned))?;
        let listener = listen(config)?;
        let mut keeper = Keeper {
            poll,
            listener,
            signals,
            journal,
            boot_id,
            hierarchy: Hierarchy::detect()?,
            host,
            filters,
            state_root,
            containers: BTreeMap::new(),
            connections: HashMap::new(),
            jobs: HashMap::new(),
            helper_pids: HashSet::new(),
            strays: Vec::new(),
            executing: HashMap::new(),
            swept: HashMap::new(),
            exits: Vec::new(),
            buffer: vec![0; CHUNK_LEN],
            next_number: 1,
            stopping: false,
            _lock: lock,
        };
        keeper.adopt(past);
        let watched = keeper.poll.watch(keeper.listener.as_raw_fd(), Token::Listener, false);
        watched
            .and_then(|()| keeper.poll.watch(keeper.signals.as_raw_fd(), Token::Signal, false))
            .map_err(file("watch", &config.socket))?;
        Ok(keeper)
    }

    /// Works until told to stop by a signal; containers live on.
    pub(crate) fn work(&mut self) -> Result<(), Error> {
        while !self.stopping {
            self.report_exits()?;
            let timeout_ms = self.timeout_ms();
            let ready = self.poll.wait(timeout_ms).map_err(file("wait on", &"epoll".into()))?;
            for ready in ready {
                self.handle(ready);
            }
            self.give_up_on_late_helpers();
            self.end_what_ran_out_of_memory();
        }
        self.report_exits()
    }

    fn timeout_ms(&self) -> i32 {
        if self.containers.values().any(|container| container.looks > 0) {
            memory::LOOK_MS
        } else if self.jobs.is_empty() {
            -1
        } else {
            1_000
        }
    }

    fn handle(&mut self, ready: Ready) {
        match ready.token {
            Token::Helper(number) => self.helper_spoke(number),
            Token::Pipe(number, stream) => {
                if let Some(container) = self.containers.get_mut(&number) {
                    container.drain(stream, &mut self.buffer, &self.poll);
                }
            }
            Token::Listener => self.accept(),
            Token::Connection(number) => self.client_spoke(number, ready),
            Token::Process(number) => self.adopted_ended(number, ready.hung_up),
            Token::Memory(number) => self.memory_ran_out(number),
            Token::Signal => {
                self.stopping |= take_signals(self.signals.as_raw_fd());
                self.reap();
            }
        }
    }

    fn number(&mut self) -> u32 {
        self.next_number += 1;
        self.next_number
    }

    /// Writes to the journal. A step that cannot be written is lost to the next keeper and to nobody else, so work goes on;
    /// an exit that cannot be written is told all the same, because the alternative is not to tell it at all.
    fn note(&mut self, entry: &Entry) {
        // The full disk that causes this is reported by everything else that writes.
        let _lost = self.journal.append(entry);
    }

    fn start_job(&mut self, helper: Helper, task: Work, container: u32, client: Option<u32>) {
        let number = self.number();
        self.helper_pids.insert(helper.pid);
        let watched = self.poll.watch(helper.messages.as_raw_fd(), Token::Helper(number), false);
        let deadline = if watched.is_ok() { Instant::now() + LAUNCH_PATIENCE } else { Instant::now() };
        self.jobs.insert(number, Job { helper, said: Vec::new(), task, container, client, deadline });
    }

    fn helper_spoke(&mut self, number: u32) {
        let Some(job) = self.jobs.get_mut(&number) else { return };
        let at_end = read_messages(&job.helper.messages, &mut job.said);
        // The init inherits the pipe, so its end does not come before the container is started.
        let message = match serde_json::from_slice(&job.said) {
            Ok(message) => message,
            Err(_) if !at_end => return,
            Err(_) => Message::Failed { reason: "the launcher died".to_owned() },
        };
        self.finish_job(number, message);
    }

    fn give_up_on_late_helpers(&mut self) {
        let now = Instant::now();
        let late: Vec<u32> =
            self.jobs.iter().filter(|(_, job)| job.deadline <= now).map(|(number, _)| *number).collect();
        for number in late {
            if let Some(job) = self.jobs.get(&number) {
                let pid = nix::unistd::Pid::from_raw(job.helper.pid);
                // It is our unreaped child, so the pid is still its own.
                let _gone = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
            }
            let reason = format!("not done after {} s", LAUNCH_PATIENCE.as_secs());
            self.finish_job(number, Message::Failed { reason });
        }
    }

    fn finish_job(&mut self, number: u32, message: Message) {
        let Some(job) = self.jobs.remove(&number) else { return };
        self.poll.forget(job.helper.messages.as_raw_fd());
        let Job { task, container, client, .. } = job;
        match (task, message) {
            (Work::Launch { start }, Message::Created { pid, relay, notes }) => {
                self.launched(container, client, start, (pid, relay), notes);
            }
            (Work::Launch { .. }, Message::Failed { reason }) => self.give_up(container, client, reason),
            (Work::GiveUp { reason }, _) => {
                let Some(container) = self.containers.remove(&container) else { return };
                self.note(&Entry::Forgotten { id: container.id.clone() });
                self.refuse(client, Refusal::CannotCreate { id: container.id, reason });
            }
            (Work::Delete, Message::Cleaned) => {
                if self.containers.get(&container).is_some_and(Container::lives) {
                    self.swept.insert(container, client);
                } else {
                    self.deleted(container, client);
                }
            }
            (Work::Delete, Message::Failed { reason }) => {
                let Some(container) = self.containers.get_mut(&container) else { return };
                container.state = if container.lives() { State::Running } else { State::Exited };
                let id = container.id.clone();
                self.refuse(client, Refusal::Failed { id, reason });
            }
            (Work::Enter, Message::Executing { pid }) => self.entered(client, pid),
            (Work::Enter, Message::Failed { reason }) => {
                let id = self.containers.get(&container).map(|container| container.id.clone());
                self.refuse(client, Refusal::Failed { id: id.unwrap_or_default(), reason });
            }
            (Work::Launch { .. } | Work::Delete | Work::Enter, _) => {
                self.refuse(client, Refusal::Malformed { reason: "a helper was confused".to_owned() });
            }
        }
        if !self.expects_children() {
            self.strays.clear();
        }
    }

    /// A container that could not be created is taken apart before anyone hears of it.
    fn give_up(&mut self, number: u32, client: Option<u32>, reason: String) {
        let Some(container) = self.containers.get_mut(&number) else { return };
        container.state = State::Deleting;
        container.drain_to_end(&mut self.buffer, &self.poll);
        let remains = container.remains();
        match sweep(&remains, &self.hierarchy, &self.state_root) {
            Ok(helper) => self.start_job(helper, Work::GiveUp { reason }, number, client),
            Err(error) => {
                self.containers.remove(&number);
                let reason = format!("{reason}; cleaning: {}", chain(&error));
                self.refuse(client, Refusal::CannotCreate { id: remains.id, reason });
            }
        }
    }

    fn deleted(&mut self, number: u32, client: Option<u32>) {
        let Some(container) = self.containers.get_mut(&number) else { return };
        container.state = State::Deleted;
        container.process = None;
        container.drain_to_end(&mut self.buffer, &self.poll);
        container.sink = None;
        let id = container.id.clone();
        self.note(&Entry::Deleted { id });
        self.answer(client, &Reply::Done);
    }

    /// Says whether a helper may have made a process that it has not named yet.
    fn expects_children(&self) -> bool {
        self.jobs.values().any(|job| matches!(job.task, Work::Launch { .. } | Work::Enter))
    }

    /// Takes the exit status of every child that has died.
    fn reap(&mut self) {
        loop {
            let mut status = 0;
            // SAFETY: a plain system call that writes one number.
            let pid = unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) };
            if pid <= 0 {
                return;
            }
            if self.helper_pids.remove(&pid) {
                continue;
            }
            let known =
                self.containers.iter().find(|(_, container)| container.pid == pid && container.lives());
            match known.map(|(number, _)| *number) {
                Some(number) => self.ended(number, Some(status)),
                None if self.executing.contains_key(&pid) => self.execution_ended(pid, status),
                None if self.expects_children() => self.strays.push((pid, status)),
                None => {}
            }
        }
    }

    /// A container's init has ended, with a wait status if anyone knows it.
    fn ended(&mut self, number: u32, status: Option<i32>) {
        let Some(container) = self.containers.get_mut(&number) else { return };
        if container.exit.is_some() {
            return;
        }
        let leaf = Cgroup::new(&self.hierarchy, &container.cgroup);
        // In a namespace that it shares, its processes outlive the first one.
        let _dying = leaf.kill_all(Duration::ZERO);
        container.drain_to_end(&mut self.buffer, &self.poll);
        if let Some(memory) = container.memory.take() {
            self.poll.forget(memory.as_raw_fd());
        }
        container.looks = 0;
        if let Some(process) = container.process.take() {
            self.poll.forget(process.as_raw_fd());
        }
        let (code, signal) = match status.map(decode_wait_status) {
            Some((code, signal)) => (Some(code), signal),
            None => (None, None),
        };
        let out_of_memory = leaf.oom_kills() > 0;
        let at_nanos = crate::clock::now_nanos();
        let exit = Exit { id: container.id.clone(), code, signal, at_nanos, out_of_memory };
        container.exit = Some(exit.clone());
        if container.state != State::Deleting {
            container.state = State::Exited;
        }
        self.note(&Entry::Exited { exit: exit.clone() });
        self.exits.push(exit);
        if let Some(client) = self.swept.remove(&number) {
            self.deleted(number, client);
        }
    }

    /// Makes the exits of this round durable, all at once, and tells them.
    fn report_exits(&mut self) -> Result<(), Error> {
        if self.exits.is_empty() {
            return Ok(());
        }
        self.journal.flush().map_err(file("flush journal below", &self.state_root))?;
        let exits = std::mem::take(&mut self.exits);
        let mut gone = Vec::new();
        for (number, connection) in self.connections.iter_mut().filter(|(_, connection)| connection.watches) {
            if exits.iter().any(|exit| connection.send(exit, &self.poll).is_err()) {
                gone.push(*number);
            }
        }
        for number in gone {
            self.hang_up(number);
        }
        self.journal.tidy(&self.boot_id).map_err(file("rewrite journal below", &self.state_root))
    }
}

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

fn file(what: &'static str, path: &Utf8PathBuf) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.clone();
    move |source| Error::File { what, path, source }
}

/// Takes the lock. A helper of a keeper that was just killed may hold its copy for another moment.
fn lock(config: &Config) -> Result<Flock<std::fs::File>, Error> {
    let path = config.state_dir.join("lock");
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        let opened = std::fs::File::options().write(true).create(true).truncate(false).open(&path);
        let opened = opened.map_err(file("open", &path))?;
        match Flock::lock(opened, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(lock),
            Err(_) if Instant::now() > deadline => return Err(Error::Locked(config.state_dir.clone())),
            Err(_) => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

fn listen(config: &Config) -> Result<UnixListener, Error> {
    let path = &config.socket;
    // The lock says that nobody is listening there any more.
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(file("remove", path)(error));
        }
        _ => {}
    }
    let listener = UnixListener::bind(path).map_err(file("listen on", path))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(file("protect", path))?;
    listener.set_nonblocking(true).map_err(file("listen on", path))?;
    Ok(listener)
}
