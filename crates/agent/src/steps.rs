//! The moments between which an agent may be killed.
//!
//! A task's life on its node is a row of steps, each of which the kernel, keeper or the disk keeps when the agent dies.
//! Before and after each of them [`Steps`] is told. Nobody listens but tests, which end the process there: at every one
//! of them in turn.

use std::{fmt, sync::Arc};

/// Who is told.
#[derive(Clone, Default)]
pub struct Steps(Option<Arc<dyn Fn(&'static str) + Send + Sync>>);

impl Steps {
    /// Tells this function of every step.
    pub fn tell(listener: impl Fn(&'static str) + Send + Sync + 'static) -> Steps {
        Steps(Some(Arc::new(listener)))
    }

    /// Says that a step was done, or is about to be.
    pub(crate) fn mark(&self, step: &'static str) {
        if let Some(listener) = &self.0 {
            listener(step);
        }
    }
}

impl fmt::Debug for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Steps").field(&self.0.is_some()).finish()
    }
}
