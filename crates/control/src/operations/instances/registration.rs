//! Registering, draining and deregistering container instances.

use super::{Instance, InstanceDetail, arn, details, find, missing, unchanged};
use crate::{
    Control, ids,
    look::Look,
    operations::{Described, Error, attributes, clusters, references, tags, tasks},
};
use wharf_model::{
    ClusterName, NodeId, Place,
    instance::{Attribute, ContainerInstance, External, InstanceStatus},
    node::Node,
    tag::Tag,
    task::{StopCode, Task, TaskStatus},
    task_definition::LaunchType,
};
use wharf_store::Draft;

/// What another agent registers.
#[derive(Debug, Clone)]
pub struct Registration {
    /// The cluster.
    pub cluster: ClusterName,
    /// The instance, when it was registered before.
    pub known: Option<String>,
    /// The machine; absent for one of ours.
    pub machine: Option<External>,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// Registers an instance of another agent, or one of ours again that was deregistered.
pub async fn register(control: &Control, new: Registration) -> Result<InstanceDetail, Error> {
    let (place, now) = (control.config().place.clone(), control.now());
    tags::check(&new.tags)?;
    for attribute in &new.attributes {
        attributes::check(attribute)?;
    }
    let registered = control
        .store()
        .update(|draft| {
            let cluster = clusters::in_use(draft, &place, &new.cluster)?;
            let known = new.known.as_deref().map(|given| {
                let id = references::instance(given, &cluster.name, &place)
                    .ok_or_else(|| Error::invalid(format!("Invalid containerInstanceArn '{given}'.")))?;
                any(draft, &cluster.name, &id)
                    .ok_or_else(|| Error::client("The specified container instance does not exist."))
            });
            let known = known.transpose()?;
            if known.as_ref().is_none_or(|known| known.node.is_none()) && new.machine.is_none() {
                return Err(Error::invalid("totalResources must be specified with CPU and MEMORY."));
            }
            let node = known.as_ref().and_then(|known| known.node.clone());
            let version = known.as_ref().map_or(1, |known| known.record.version + 1);
            let id = match &known {
                Some(known) => known.record.id.clone(),
                None => ids::hex(32).parse().map_err(|_| Error::invalid("no id"))?,
            };
            let record = ContainerInstance {
                id,
                cluster: cluster.name.clone(),
                status: InstanceStatus::Active,
                attributes: new.attributes,
                tags: new.tags,
                version,
                registered_at: known.map_or(now, |known| known.record.registered_at),
                external: new.machine.filter(|_| node.is_none()),
            };
            draft.put(record.clone());
            one(draft, &place, Instance { record, node })
        })
        .await?;
    Ok(registered)
}

/// Takes an instance out of its cluster. With `force`, tasks that run on it are stopped.
pub async fn deregister(
    control: &Control,
    cluster: &ClusterName,
    given: &str,
    force: bool,
) -> Result<InstanceDetail, Error> {
    let (place, now) = (control.config().place.clone(), control.now());
    let deregistered = control
        .store()
        .update(|draft| {
            clusters::active(draft, cluster)?;
            let instance = references::instance(given, cluster, &place)
                .and_then(|id| find(draft, cluster, &id))
                .ok_or_else(|| Error::client("The specified container instance does not exist."))?;
            let id = instance.record.id.clone();
            let mut tasks = draft.list::<Task>(&format!("{cluster}/"));
            tasks.retain(|task| {
                task.node == id
                    && task.launch_type == LaunchType::Ec2
                    && task.last_status != TaskStatus::Stopped
            });
            if !force && !tasks.is_empty() {
                return Err(Error::invalid("Found running tasks on the instance."));
            }
            let arn = arn(&place, cluster, &id);
            for task in tasks {
                let reason = format!("Container instance {arn} was deregistered.");
                if instance.node.is_some() {
                    tasks::stop_in(draft, &task, StopCode::TerminationNotice, reason, now);
                } else {
                    // Nobody will say that it has stopped.
                    tasks::lose(draft, &task, StopCode::TerminationNotice, reason, now);
                }
            }
            let record = ContainerInstance {
                status: InstanceStatus::Inactive,
                version: instance.record.version + 1,
                ..instance.record
            };
            draft.put(record.clone());
            one(draft, &place, Instance { record, node: instance.node })
        })
        .await?;
    Ok(deregistered)
}

/// Changes whether tasks are placed on instances.
pub async fn set_status(
    control: &Control,
    cluster: &ClusterName,
    given: &[String],
    status: InstanceStatus,
) -> Result<Described<InstanceDetail>, Error> {
    let place = control.config().place.clone();
    let changed = control
        .store()
        .update(|draft| {
            clusters::active(draft, cluster)?;
            let mut described = Described { found: Vec::new(), failures: Vec::new() };
            for given in given {
                let known =
                    references::instance(given, cluster, &place).and_then(|id| find(draft, cluster, &id));
                let Some(mut instance) = known else {
                    described.failures.push(missing(given, cluster, &place));
                    continue;
                };
                if instance.record.status != status {
                    instance.record.status = status;
                    instance.record.version += 1;
                    draft.put(instance.record.clone());
                }
                described.found.push(one(draft, &place, instance)?);
            }
            Ok::<_, Error>(described)
        })
        .await?;
    Ok(changed)
}

/// Returns an instance, deregistered or not.
fn any(look: &impl Look, cluster: &ClusterName, id: &NodeId) -> Option<Instance> {
    let kept = look.get::<ContainerInstance>(&format!("{cluster}/{id}"));
    let node = look.get::<Node>(id.as_str());
    let record = match (kept, &node) {
        (Some(record), _) => (*record).clone(),
        (None, Some(node)) => unchanged(cluster, node),
        (None, None) => return None,
    };
    Some(Instance { record, node })
}

fn one(draft: &Draft<'_>, place: &Place, instance: Instance) -> Result<InstanceDetail, Error> {
    let mut details = details(draft, place, vec![instance]);
    details.pop().ok_or_else(|| Error::client("The specified container instance does not exist."))
}
