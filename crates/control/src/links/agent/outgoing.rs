//! What an agent is to be told, compared with what it was told.

use super::{
    assignment::assignment,
    settings::{settings, touched},
};
use crate::{Config, operations::pinned_images};
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};
use wharf_model::{NodeId, TaskId, target_group::Target, task::Task};
use wharf_nodelink::agent::{NodeSettings, ToAgent};
use wharf_store::{OF_TASK, ON_NODE, View};

/// What one agent was told over one connection.
pub(super) struct Outgoing {
    node: NodeId,
    settings: Option<NodeSettings>,
    /// When what the settings say was last changed.
    settings_at: Option<u64>,
    pinned: Option<BTreeSet<String>>,
    pinned_at: Option<u64>,
    tasks: HashMap<TaskId, Told>,
    told_everything: bool,
}

struct Told {
    /// The record that the assignment was made from: when it is still the same, there is nothing to compare.
    record: Arc<Task>,
    generation: u64,
}

impl Outgoing {
    /// Returns an agent's side that was told nothing.
    pub(super) fn new(node: NodeId) -> Outgoing {
        Outgoing {
            node,
            settings: None,
            settings_at: None,
            pinned: None,
            pinned_at: None,
            tasks: HashMap::new(),
            told_everything: false,
        }
    }

    /// Returns what to send now, and counts it as told.
    pub(super) fn next(&mut self, view: &View<'_>, config: &Config) -> Vec<ToAgent> {
        let mut frames = Vec::new();
        if self.settings_at.replace(touched(view)) != Some(touched(view)) {
            let settings = settings(view, config);
            if self.settings.as_ref() != Some(&settings) {
                self.settings = Some(settings.clone());
                frames.push(ToAgent::Settings(settings));
            }
        }
        let pinned_at = pinned_images::touched(view);
        if self.pinned_at.replace(pinned_at) != Some(pinned_at) {
            let pinned = pinned_images::all(view);
            if self.pinned.as_ref() != Some(&pinned) {
                self.pinned = Some(pinned.clone());
                frames.push(ToAgent::PinnedImages(pinned));
            }
        }
        let tasks = view.find::<Task>(ON_NODE, self.node.as_str());
        let held = |task: &Task| !view.find::<Target>(OF_TASK, task.id.as_str()).is_empty();
        let mut assignments = Vec::new();
        for task in &tasks {
            // A task that should stop is told so only when its last target is gone, which its record does not show.
            let same = self.tasks.get(&task.id).is_some_and(|told| Arc::ptr_eq(&told.record, task));
            if same && !is_held_back(task, self.tasks.get(&task.id)) {
                continue;
            }
            let Some(assignment) = assignment(view, config, task, held(task)) else {
                tracing::warn!(task = %task.id, "task's definition or interface is gone, it is not assigned");
                continue;
            };
            let generation = assignment.generation;
            let told = self.tasks.insert(task.id.clone(), Told { record: Arc::clone(task), generation });
            if told.is_none_or(|told| told.generation != generation) {
                assignments.push(assignment);
            }
        }
        let vanished = self.forget(view, &tasks);
        if self.told_everything && !vanished {
            frames.extend(assignments.into_iter().map(|assignment| ToAgent::Assign(Box::new(assignment))));
        } else {
            self.told_everything = true;
            let all = tasks.iter().filter_map(|task| assignment(view, config, task, held(task)));
            frames.push(ToAgent::Everything(all.collect()));
        }
        frames
    }

    /// Forgets tasks that stopped; returns whether some vanished without having stopped, so that only a new list of
    /// everything tells the agent.
    fn forget(&mut self, view: &View<'_>, tasks: &[Arc<Task>]) -> bool {
        if self.tasks.len() == tasks.len() {
            return false;
        }
        let there: HashSet<&TaskId> = tasks.iter().map(|task| &task.id).collect();
        let mut vanished = false;
        self.tasks.retain(|id, told| {
            let stays = there.contains(id);
            let key = format!("{}/{id}", told.record.cluster);
            vanished |= !stays && view.get::<Task>(&key).is_none();
            stays
        });
        vanished
    }
}

/// Returns whether a task should stop and its agent does not know yet.
fn is_held_back(task: &Task, told: Option<&Told>) -> bool {
    use super::assignment::{RUN, should_stop};
    should_stop(task) && told.is_some_and(|told| told.generation == RUN)
}
