//! Log groups and streams.

use crate::{Arn, Timestamp, tag::Tag};
use serde::{Deserialize, Serialize};

/// A log group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogGroup {
    /// Its name.
    pub name: String,
    /// Its ARN, without the `:*` that some answers append.
    pub arn: Arn,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// How many days its events are kept; for ever when absent.
    #[serde(default)]
    pub retention_days: Option<u32>,
}

impl LogGroup {
    /// Returns the time before which events are not kept any more.
    pub fn kept_since(&self, now: Timestamp) -> Option<Timestamp> {
        let day = std::time::Duration::from_secs(86_400);
        self.retention_days.map(|days| now - day.saturating_mul(days))
    }
}

/// One line of a log, as its source wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEvent {
    /// When it was written.
    pub timestamp: Timestamp,
    /// The text, without its line end.
    pub message: String,
}
