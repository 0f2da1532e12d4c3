//! The doorbell of each connected node: it rings when something has changed that its agent may have to be told.
//!
//! Ringing all of them at each change of the store would cost thousands of looks for every one that finds something.

use crate::{Control, operations::tasks};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;
use wharf_model::{NodeId, target_group::Target, task::Task};
use wharf_store::{Change, OF_TASK, ON_NODE, Record, View};

/// The tables of which agents are told nothing, or nothing before a task of theirs changes with it.
const QUIET: [&str; 12] = [
    "address_leases",
    "address_pools",
    "container_instances",
    "counters",
    "log_groups",
    "network_interfaces",
    "nodes",
    "request_tokens",
    "service_deployments",
    "service_revisions",
    "target_health",
    "task_definitions",
];

type Listening = HashMap<NodeId, Vec<Arc<Notify>>>;

/// The bells of all connected nodes.
#[derive(Debug, Clone, Default)]
pub(super) struct Bells(Arc<Mutex<Listening>>);

/// A node's bell, for as long as this value lives.
pub(super) struct Bell {
    bells: Bells,
    node: NodeId,
    own: Arc<Notify>,
}

impl Bells {
    /// Returns a bell for a connection of this node.
    pub(super) fn of(&self, node: &NodeId) -> Bell {
        let own = Arc::new(Notify::new());
        self.lock().entry(node.clone()).or_default().push(Arc::clone(&own));
        Bell { bells: self.clone(), node: node.clone(), own }
    }

    fn lock(&self) -> MutexGuard<'_, Listening> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bell {
    /// Waits until it rings, or returns at once when it has rung since the last time.
    pub(super) async fn rung(&self) {
        self.own.notified().await;
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        let mut listening = self.bells.lock();
        if let Some(of_node) = listening.get_mut(&self.node) {
            of_node.retain(|other| !Arc::ptr_eq(other, &self.own));
            if of_node.is_empty() {
                listening.remove(&self.node);
            }
        }
    }
}

/// Whom a change may concern.
enum Rings {
    Some(BTreeSet<NodeId>),
    All,
}

/// Rings until the store is closed.
pub(super) async fn run(control: &Control, bells: &Bells) {
    let mut bell = control.store().watch();
    let mut known = None;
    loop {
        bell.mark_unchanged();
        let rings = {
            let view = control.store().view();
            let changes = known.replace(view.revision()).and_then(|known| view.since(known));
            changes.map_or(Rings::All, |changes| whom(&view, changes))
        };
        {
            let listening = bells.lock();
            match rings {
                Rings::All => listening.values().flatten().for_each(|bell| bell.notify_one()),
                Rings::Some(nodes) => nodes
                    .iter()
                    .filter_map(|node| listening.get(node))
                    .flatten()
                    .for_each(|bell| bell.notify_one()),
            }
        }
        if bell.changed().await.is_err() {
            return;
        }
    }
}

fn whom<'a>(view: &View<'_>, changes: impl Iterator<Item = &'a Change>) -> Rings {
    let mut nodes = BTreeSet::new();
    for change in changes {
        let marked = |name: &str| change.marks.iter().find(|(index, _)| *index == name).map(|(_, of)| of);
        if change.table == Task::TABLE {
            nodes.extend(marked(ON_NODE).and_then(|node| node.parse().ok()));
        } else if change.table == Target::TABLE {
            let task = marked(OF_TASK).and_then(|task| task.parse().ok());
            nodes.extend(task.and_then(|task| tasks::of_id(view, &task)).map(|task| task.node.clone()));
        } else if !QUIET.contains(&change.table) && change.table != "services" {
            return Rings::All;
        }
    }
    Rings::Some(nodes)
}
