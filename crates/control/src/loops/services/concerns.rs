//! Which services a pass looks at: those that something has changed for, and those that wait.

use crate::operations::tasks;
use std::collections::BTreeSet;
use wharf_model::{
    service::Service,
    target_group::Target,
    task::{Task, TaskStatus},
};
use wharf_store::{Change, ENDED, OF_SERVICE, OF_TASK, Record, TargetHealthRecord, View};

/// The tables that no service looks at.
const OTHERS: [&str; 9] = [
    "address_leases",
    "address_pools",
    "log_groups",
    "network_interfaces",
    "pinned_images",
    "request_tokens",
    "secrets",
    "service_deployments",
    "service_revisions",
];

/// What is known of which service needs a look.
#[derive(Debug, Default)]
pub(super) struct Concerns {
    /// Everything up to this revision was looked at; nothing at all in the beginning.
    revision: Option<u64>,
    /// Those that wait for the clock, or for room.
    waiting: BTreeSet<String>,
    ticked: bool,
}

impl Concerns {
    /// Makes the next pass look at every service.
    pub(super) fn begin_anew(&mut self) {
        self.revision = None;
    }

    /// Says that time has passed.
    pub(super) fn tick(&mut self) {
        self.ticked = true;
    }

    /// Notes whether a service is to be looked at again when nothing but the time has changed.
    pub(super) fn note(&mut self, key: &str, waits: bool) {
        match waits {
            true => self.waiting.insert(key.to_owned()),
            false => self.waiting.remove(key),
        };
    }

    /// Returns the keys of the services to look at now.
    pub(super) fn take(&mut self, view: &View<'_>) -> BTreeSet<String> {
        let known = self.revision.replace(view.revision());
        let ticked = std::mem::take(&mut self.ticked);
        let changes = known.and_then(|known| view.since(known));
        let Some(changes) = changes else { return all(view) };
        let mut found = BTreeSet::new();
        for change in changes {
            match concerned(view, change) {
                Concerned::Nobody => {}
                Concerned::One(service) => {
                    found.insert(service);
                }
                Concerned::Waiting => found.extend(self.waiting.iter().cloned()),
                Concerned::All => return all(view),
            }
        }
        if ticked {
            found.extend(self.waiting.iter().cloned());
        }
        found
    }
}

enum Concerned {
    Nobody,
    One(String),
    /// Those that wait: there may be room now.
    Waiting,
    All,
}

fn all(view: &View<'_>) -> BTreeSet<String> {
    view.list::<Service>("").iter().map(|service| service.key()).collect()
}

/// Returns whom a change concerns.
fn concerned(view: &View<'_>, change: &Change) -> Concerned {
    let table = change.table;
    if table == Task::TABLE {
        let mut marks = change.marks.iter();
        let service = marks.find(|(index, _)| [OF_SERVICE, ENDED].contains(index));
        return match service {
            Some((_, service)) => Concerned::One(service.clone()),
            None => {
                match view.get::<Task>(&change.key).is_some_and(|task| task.last_status < TaskStatus::Stopped)
                {
                    true => Concerned::Nobody,
                    false => Concerned::Waiting,
                }
            }
        };
    }
    if table == Service::TABLE {
        return Concerned::One(change.key.to_string());
    }
    if [Target::TABLE, TargetHealthRecord::TABLE].contains(&table) {
        return of_target(view, change).map_or(Concerned::Nobody, Concerned::One);
    }
    match OTHERS.contains(&table) {
        true => Concerned::Nobody,
        false => Concerned::All,
    }
}

/// Returns the service of a target's task.
fn of_target(view: &View<'_>, change: &Change) -> Option<String> {
    let task = match change.marks.iter().find(|(index, _)| *index == OF_TASK) {
        Some((_, task)) => task.parse().ok()?,
        None => view.get::<Target>(&change.key)?.task.clone()?,
    };
    let task = tasks::of_id(view, &task)?;
    Some(format!("{}/{}", task.cluster, task.service.as_ref()?.0))
}
