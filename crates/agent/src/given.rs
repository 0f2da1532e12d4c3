//! What control gave tasks beyond their assignments. It is in memory only: after a restart of this process control says it
//! again, and what needs it waits until then.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;
use wharf_model::TaskId;
use wharf_nodelink::{
    agent::Assignment,
    provisions::{self, Provisions},
};

/// What one task was given, or why it could not be.
type Gift = Arc<Result<Provisions, String>>;

/// What tasks were given.
#[derive(Debug, Default)]
pub(crate) struct Given {
    known: Mutex<HashMap<TaskId, Gift>>,
    news: Notify,
}

impl Given {
    /// Takes what control says.
    pub(crate) fn take(&self, task: TaskId, provisions: Result<Provisions, String>) {
        self.known().insert(task, Arc::new(provisions));
        self.news.notify_waiters();
    }

    /// Lets go of what a task was given.
    pub(crate) fn forget(&self, task: &TaskId) {
        self.known().remove(task);
    }

    /// Returns what a task was given, if it is known yet.
    pub(crate) fn peek(&self, task: &TaskId) -> Option<Gift> {
        self.known().get(task).cloned()
    }

    /// Returns what a task is given; waits for control to say it. A task that it need not look at does not wait.
    pub(crate) async fn of(&self, assignment: &Assignment) -> Gift {
        if !provisions::are_awaited(assignment) {
            return Arc::new(Ok(Provisions::default()));
        }
        loop {
            let news = self.news.notified();
            tokio::pin!(news);
            // From here on nothing is missed.
            news.as_mut().enable();
            if let Some(gift) = self.peek(&assignment.task) {
                return gift;
            }
            news.await;
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<TaskId, Gift>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
