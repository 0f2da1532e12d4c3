//! What a restored state says that is no longer so: tasks of a machine, or of a time, that is gone.
//!
//! A task runs once. A node that does not have a task that the state says it runs must not start it anew, so such
//! tasks have stopped; services start others in their place.

use super::tasks;
use std::collections::BTreeSet;
use wharf_model::{
    NodeId, TaskId, Timestamp,
    node::Node,
    task::{StopCode, Task, TaskStatus},
};
use wharf_store::{Draft, Record};

/// Forgets every node but this machine's, and ends the tasks that it does not have; returns how many these are.
pub fn settle(draft: &mut Draft<'_>, node: Option<&NodeId>, has: &BTreeSet<TaskId>, now: Timestamp) -> usize {
    for other in draft.list::<Node>("") {
        if Some(&other.id) != node {
            draft.delete::<Node>(&other.key());
        }
    }
    let mut ended = 0;
    for task in draft.list::<Task>("") {
        let is_here = Some(&task.node) == node && has.contains(&task.id);
        if task.last_status != TaskStatus::Stopped && !is_here {
            let reason = "The state was restored from a backup, and the task does not run here.".to_owned();
            tasks::lose(draft, &task, StopCode::TerminationNotice, reason, now);
            ended += 1;
        }
    }
    ended
}
