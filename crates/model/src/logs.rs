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
}

/// One line of a log, as its source wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEvent {
    /// When it was written.
    pub timestamp: Timestamp,
    /// The text, without its line end.
    pub message: String,
}
