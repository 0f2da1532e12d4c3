//! What waits to be told to control.
//!
//! While control is away only the newest report of each task is kept, because a report says everything; after a
//! reconnect all of them are said again, and so is every batch of log lines that was not acknowledged. While control is
//! there each report is sent, so that no state is skipped.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{Notify, oneshot, watch};
use wharf_model::{TaskId, logs::LogEvent};
use wharf_nodelink::agent::{FromAgent, TaskAnswer, TaskAsk, TaskReport};

/// How long a question waits for control, which may be being restarted.
const ASK_PATIENCE: Duration = Duration::from_secs(10);

/// Where a batch of log lines goes.
#[derive(Debug, Clone)]
pub(crate) struct LogTarget {
    pub(crate) group: String,
    pub(crate) stream: String,
    pub(crate) create_group: bool,
}

/// Messages for control.
#[derive(Debug)]
pub(crate) struct Outbox {
    inner: Mutex<Inner>,
    wake: Notify,
    connected: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Inner {
    reports: BTreeMap<TaskId, TaskReport>,
    queue: VecDeque<FromAgent>,
    logs: BTreeMap<u64, (FromAgent, oneshot::Sender<()>)>,
    last_batch: u64,
    asks: BTreeMap<u64, (FromAgent, oneshot::Sender<TaskAnswer>)>,
    last_ask: u64,
}

impl Default for Outbox {
    fn default() -> Outbox {
        Outbox::new()
    }
}

impl Outbox {
    /// Returns an empty one, not connected.
    pub(crate) fn new() -> Outbox {
        Outbox { inner: Mutex::default(), wake: Notify::new(), connected: watch::Sender::new(false) }
    }

    /// Reports where a task stands.
    pub(crate) fn report(&self, report: TaskReport) {
        let mut inner = self.lock();
        if *self.connected.borrow() {
            inner.queue.push_back(FromAgent::Report(Box::new(report.clone())));
        }
        inner.reports.insert(report.task.clone(), report);
        drop(inner);
        self.wake.notify_one();
    }

    /// Stops reporting a task.
    pub(crate) fn forget(&self, task: &TaskId) {
        self.lock().reports.remove(task);
    }

    /// Sends log lines; what is returned resolves when they are durable.
    pub(crate) fn send_logs(&self, target: &LogTarget, events: Vec<LogEvent>) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        let mut inner = self.lock();
        inner.last_batch += 1;
        let batch = inner.last_batch;
        let LogTarget { group, stream, create_group } = target.clone();
        let message = FromAgent::Logs { batch, group, stream, create_group, events };
        if *self.connected.borrow() {
            inner.queue.push_back(message.clone());
        }
        inner.logs.insert(batch, (message, sender));
        drop(inner);
        self.wake.notify_one();
        receiver
    }

    /// Takes note that a batch is durable.
    pub(crate) fn logs_stored(&self, batch: u64) {
        if let Some((_, sender)) = self.lock().logs.remove(&batch) {
            // Nobody waits any more when the follower ended.
            let _unheard = sender.send(());
        }
    }

    /// Asks control for a task, and waits for the answer for a while.
    pub(crate) async fn ask(&self, task: &TaskId, ask: TaskAsk) -> Option<TaskAnswer> {
        let (sender, receiver) = oneshot::channel();
        let number = {
            let mut inner = self.lock();
            inner.last_ask += 1;
            let number = inner.last_ask;
            let message = FromAgent::Ask { number, task: task.clone(), ask };
            if *self.connected.borrow() {
                inner.queue.push_back(message.clone());
            }
            inner.asks.insert(number, (message, sender));
            number
        };
        self.wake.notify_one();
        let answer = tokio::time::timeout(ASK_PATIENCE, receiver).await;
        self.lock().asks.remove(&number);
        answer.ok().and_then(Result::ok)
    }

    /// Takes an answer.
    pub(crate) fn answered(&self, number: u64, answer: TaskAnswer) {
        if let Some((_, sender)) = self.lock().asks.remove(&number) {
            // Who asked may have gone.
            let _unheard = sender.send(answer);
        }
    }

    /// Begins a connection: everything is said again.
    pub(crate) fn connect(&self) {
        let mut inner = self.lock();
        let reports = inner.reports.values().map(|report| FromAgent::Report(Box::new(report.clone())));
        let logs = inner.logs.values().map(|(message, _)| message.clone());
        let asks = inner.asks.values().map(|(message, _)| message.clone());
        inner.queue = reports.chain(logs).chain(asks).collect();
        self.connected.send_replace(true);
    }

    /// Ends a connection.
    pub(crate) fn disconnect(&self) {
        let mut inner = self.lock();
        inner.queue.clear();
        self.connected.send_replace(false);
    }

    /// Says whether control is there.
    pub(crate) fn is_connected(&self) -> bool {
        *self.connected.borrow()
    }

    /// Waits for the next message to send.
    pub(crate) async fn next(&self) -> FromAgent {
        loop {
            if let Some(message) = self.lock().queue.pop_front() {
                return message;
            }
            self.wake.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
