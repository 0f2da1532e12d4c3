//! Control's side of the socket, without a thread: frames are read while the test waits for something.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use nix::poll::{PollFd, PollFlags, poll};
use wharf_model::logs::LogEvent;
use wharf_model::task::TaskStatus;
use wharf_nodelink::agent::{Assignment, FromAgent, NodeSettings, TaskReport, ToAgent};

pub(crate) struct Control {
    listener: UnixListener,
    stream: Option<UnixStream>,
    pub(crate) settings: NodeSettings,
    /// Lines by stream.
    pub(crate) logs: BTreeMap<String, Vec<LogEvent>>,
    /// Every state told, in order.
    pub(crate) told: Vec<TaskStatus>,
}

impl Control {
    pub(crate) fn listen(socket: &Utf8Path, settings: NodeSettings) -> Control {
        let listener = UnixListener::bind(socket).unwrap();
        Control { listener, stream: None, settings, logs: BTreeMap::new(), told: Vec::new() }
    }

    /// Accepts the agent and tells it everything.
    pub(crate) fn accept(&mut self, tasks: Vec<Assignment>) {
        let (stream, _) = self.listener.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        self.stream = Some(stream);
        assert!(matches!(self.read(), FromAgent::Hello { .. }));
        self.tell(&ToAgent::Settings(self.settings.clone()));
        self.tell(&ToAgent::Everything(tasks));
    }

    pub(crate) fn hang_up(&mut self) {
        self.stream = None;
    }

    pub(crate) fn tell(&mut self, message: &ToAgent) {
        let body = serde_json::to_vec(message).unwrap();
        let stream = self.stream.as_mut().unwrap();
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        // An agent that has just been killed does not listen; what it says next, nothing, tells.
        let _gone = stream.write_all(&length).and_then(|()| stream.write_all(&body));
    }

    pub(crate) fn assign(&mut self, assignment: &Assignment) {
        self.tell(&ToAgent::Assign(Box::new(assignment.clone())));
    }

    /// Reads until a report says that its task stands there; nothing when the agent ends before.
    pub(crate) fn until_or_end(&mut self, status: TaskStatus) -> Option<TaskReport> {
        loop {
            match self.read_or_end()? {
                FromAgent::Report(report) if report.last_status == status => return Some(*report),
                FromAgent::Report(_)
                | FromAgent::Hello { .. }
                | FromAgent::Ask { .. }
                | FromAgent::Session { .. } => {}
                FromAgent::Logs { batch, .. } => self.tell(&ToAgent::LogsStored { batch }),
            }
        }
    }

    /// Accepts an agent that may end at any moment.
    pub(crate) fn accept_or_end(&mut self, tasks: Vec<Assignment>) -> Option<()> {
        let (stream, _) = self.listener.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        self.stream = Some(stream);
        self.read_or_end()?;
        self.tell(&ToAgent::Settings(self.settings.clone()));
        self.tell(&ToAgent::Everything(tasks));
        Some(())
    }

    fn read_or_end(&mut self) -> Option<FromAgent> {
        let stream = self.stream.as_mut().unwrap();
        let mut length = [0; 4];
        stream.read_exact(&mut length).ok()?;
        let mut body = vec![0; u32::from_be_bytes(length) as usize];
        stream.read_exact(&mut body).ok()?;
        Some(serde_json::from_slice(&body).unwrap())
    }

    /// Says that a task's stop is recorded; whether something holds before the agent ends.
    pub(crate) fn forget_or_end(&mut self, task: &Assignment, mut holds: impl FnMut() -> bool) -> bool {
        self.tell(&ToAgent::Forget(task.task.clone()));
        let deadline = Instant::now() + Duration::from_secs(10);
        while !holds() {
            assert!(Instant::now() < deadline, "{} is not forgotten", task.task);
            let mut waiting = [PollFd::new(self.stream.as_ref().unwrap().as_fd(), PollFlags::POLLIN)];
            if poll(&mut waiting, 5_u16).unwrap() == 0 {
                continue;
            }
            match self.read_or_end() {
                Some(FromAgent::Logs { batch, .. }) => self.tell(&ToAgent::LogsStored { batch }),
                Some(_) => {}
                None => return false,
            }
        }
        true
    }

    /// Reads until a report for which something holds.
    pub(crate) fn until_report(&mut self, holds: impl Fn(&TaskReport) -> bool) -> TaskReport {
        loop {
            match self.read() {
                FromAgent::Report(report) if holds(&report) => return *report,
                FromAgent::Report(_)
                | FromAgent::Hello { .. }
                | FromAgent::Ask { .. }
                | FromAgent::Session { .. } => {}
                FromAgent::Logs { batch, stream, events, .. } => {
                    self.logs.entry(stream).or_default().extend(events);
                    self.tell(&ToAgent::LogsStored { batch });
                }
            }
        }
    }

    /// Reads until a report says that its task stands there.
    pub(crate) fn until(&mut self, status: TaskStatus) -> TaskReport {
        loop {
            match self.read() {
                FromAgent::Report(report) => {
                    self.told.push(report.last_status);
                    if report.last_status == status {
                        return *report;
                    }
                    assert!(report.last_status < status, "{report:?}");
                }
                FromAgent::Logs { batch, stream, events, .. } => {
                    self.logs.entry(stream).or_default().extend(events);
                    self.tell(&ToAgent::LogsStored { batch });
                }
                FromAgent::Ask { .. } => {}
                FromAgent::Hello { .. } | FromAgent::Session { .. } => panic!("a second hello"),
            }
        }
    }

    /// Says that a task's stop is recorded, and takes its last lines until something holds.
    pub(crate) fn forget(&mut self, task: &Assignment, mut holds: impl FnMut() -> bool) {
        self.tell(&ToAgent::Forget(task.task.clone()));
        let deadline = Instant::now() + Duration::from_secs(10);
        while !holds() {
            assert!(Instant::now() < deadline, "{} is not forgotten", task.task);
            let mut waiting = [PollFd::new(self.stream.as_ref().unwrap().as_fd(), PollFlags::POLLIN)];
            if poll(&mut waiting, 5_u16).unwrap() == 0 {
                continue;
            }
            if let FromAgent::Logs { batch, stream, events, .. } = self.read() {
                self.logs.entry(stream).or_default().extend(events);
                self.tell(&ToAgent::LogsStored { batch });
            }
        }
    }

    /// Returns all lines of the only stream.
    pub(crate) fn lines(&self) -> Vec<&str> {
        assert!(self.logs.len() <= 1, "{:?}", self.logs.keys());
        self.logs.values().flatten().map(|event| event.message.as_str()).collect()
    }

    fn read(&mut self) -> FromAgent {
        let stream = self.stream.as_mut().unwrap();
        let mut length = [0; 4];
        stream.read_exact(&mut length).expect("the agent says something");
        let mut body = vec![0; u32::from_be_bytes(length) as usize];
        stream.read_exact(&mut body).unwrap();
        serde_json::from_slice(&body).unwrap()
    }
}
