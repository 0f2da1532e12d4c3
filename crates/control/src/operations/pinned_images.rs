//! Which digest each image of a deployment stands for: that of its first task, so that every later task of the
//! deployment runs the same, wherever the tag points by then.

use crate::look::Look;
use std::collections::{BTreeMap, BTreeSet};
use wharf_model::{
    DeploymentId,
    service::{Service, ServiceStatus},
    task::Task,
    task_definition::{ContainerDefinition, VersionConsistency},
};
use wharf_store::{Draft, PinnedImages, View};

use super::{service_deployments, services, task_definitions};

/// Notes what the images of a service's task were resolved to, where its deployment does not have that yet.
pub(crate) fn note(draft: &mut Draft<'_>, task: &Task) {
    let Some((_, deployment)) = &task.service else { return };
    let resolved = task.containers.iter().filter(|container| container.image_digest.is_some());
    let known = draft.get::<PinnedImages>(deployment.as_str());
    let fresh = resolved
        .filter(|container| known.as_ref().is_none_or(|known| !known.images.contains_key(&container.name)));
    let fresh: Vec<_> = fresh.collect();
    if fresh.is_empty() {
        return;
    }
    let Some(definition) = task_definitions::get(draft, &task.definition) else { return };
    let mut images = known.map(|known| known.images.clone()).unwrap_or_default();
    let before = images.len();
    for container in fresh {
        let named = definition.containers.iter().find(|named| named.name == container.name);
        if let (Some(digest), true) = (&container.image_digest, named.is_some_and(is_pinned)) {
            images.insert(container.name.clone(), digest.to_string());
        }
    }
    if images.len() > before {
        service_deployments::resolve(draft, task, &images);
        draft.put(PinnedImages { deployment: deployment.clone(), images });
    }
}

/// Gives a deployment that repeats another the same images.
pub(crate) fn take_over(draft: &mut Draft<'_>, from: &DeploymentId, to: &DeploymentId) {
    if let Some(known) = draft.get::<PinnedImages>(from.as_str()) {
        draft.put(PinnedImages { deployment: to.clone(), images: known.images.clone() });
    }
}

fn is_pinned(definition: &ContainerDefinition) -> bool {
    definition.version_consistency != Some(VersionConsistency::Disabled) && !definition.image.contains('@')
}

/// Returns the digests that a task's images are pinned to, by container.
pub(crate) fn of(look: &impl Look, task: &Task) -> BTreeMap<String, String> {
    let pinned =
        task.service.as_ref().and_then(|(_, deployment)| look.get::<PinnedImages>(deployment.as_str()));
    pinned.map(|pinned| pinned.images.clone()).unwrap_or_default()
}

/// Returns when something was last pinned, or let go.
pub(crate) fn touched(view: &View<'_>) -> u64 {
    view.touched::<PinnedImages>()
}

/// Returns every digest that a deployment of a service is pinned to.
pub(crate) fn all(look: &impl Look) -> BTreeSet<String> {
    look.list::<PinnedImages>("").iter().flat_map(|pinned| pinned.images.values().cloned()).collect()
}

/// Returns the deployments that are pinned and belong to no service any more.
pub(crate) fn stale(look: &impl Look) -> Vec<DeploymentId> {
    let services = look.list::<Service>("");
    let mut live: BTreeSet<&DeploymentId> = BTreeSet::new();
    for service in &services {
        live.extend(services::parts(service).map(|part| &part.id));
        // A rollback returns to it.
        let last = service.last_completed.as_ref().filter(|_| service.status != ServiceStatus::Inactive);
        live.extend(last.map(|last| &last.id));
    }
    let pinned = look.list::<PinnedImages>("");
    let tasks = look.list::<Task>("");
    live.extend(tasks.iter().filter_map(|task| task.service.as_ref()).map(|(_, deployment)| deployment));
    let gone = pinned.iter().filter(|pinned| !live.contains(&pinned.deployment));
    gone.map(|pinned| pinned.deployment.clone()).collect()
}
