//! Task sets: what a service consists of when somebody else deploys.

use super::Deployment;
use crate::{Arn, Timestamp, tag::Tag};
use serde::{Deserialize, Serialize};

/// A part of a service: some share of its tasks, from one definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskSet {
    /// What its tasks are like and how they come up. Its id is the set's.
    pub deployment: Deployment,
    /// Its ARN.
    pub arn: Arn,
    /// What its maker calls it.
    pub external_id: Option<String>,
    /// Whether it is the one that serves.
    pub primary: bool,
    /// Whether it was deleted and has tasks left.
    pub draining: bool,
    /// Its share of the service's desired count, in hundredths of a percent.
    pub scale: u32,
    /// Since when it has what it wants, or does not.
    pub stable: (bool, Timestamp),
    /// The idempotency token it was made with.
    pub client_token: Option<String>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

impl TaskSet {
    /// Returns how many tasks it should have: its share, rounded up.
    pub fn count(&self, desired_count: u32) -> u32 {
        if self.draining {
            return 0;
        }
        let count = (u64::from(desired_count) * u64::from(self.scale)).div_ceil(10_000);
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}
