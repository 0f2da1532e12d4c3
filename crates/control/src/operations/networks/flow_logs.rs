//! Flow logs. The nodes count and write; here is what they are told.

use super::{Error, Kind, Once, defaults, subnets, tags, vpcs};
use crate::Control;
use wharf_model::{
    Arn, FlowLogId,
    network::{
        FlowFormat, FlowLog, FlowLogResource, InterfaceOwner, InterfaceStatus, NetworkInterface, TrafficType,
    },
    tag::Tag,
};
use wharf_store::Draft;

/// What flow logs are made from: one for each resource.
#[derive(Debug, Clone)]
pub struct NewFlowLogs {
    /// Whose traffic.
    pub resources: Vec<FlowLogResource>,
    /// Which traffic.
    pub traffic: TrafficType,
    /// The log group's name.
    pub group: String,
    /// The role that delivers on AWS.
    pub role: Arn,
    /// The longest time that a record sums up, in seconds.
    pub interval_secs: u32,
    /// What a record says.
    pub format: FlowFormat,
    /// Their tags.
    pub tags: Vec<Tag>,
}

/// Flow logs that were made, and resources that have none.
#[derive(Debug, Default)]
pub struct Created {
    /// The flow logs.
    pub made: Vec<FlowLogId>,
    /// The resources, each with the reason.
    pub failed: Vec<(FlowLogResource, Error)>,
}

/// Makes a flow log for each resource that is there.
pub async fn create(control: &Control, new: NewFlowLogs, once: Once) -> Result<Created, Error> {
    tags::check(&new.tags)?;
    let now = control.now();
    let created = control.store().update(|draft| {
        if let Some(ids) = once.made_before(draft)? {
            let made = ids.split(' ').filter_map(|id| id.parse().ok()).collect();
            return Ok(Created { made, failed: Vec::new() });
        }
        let mut created = Created::default();
        for resource in &new.resources {
            if let Err(error) = check(draft, resource) {
                created.failed.push((resource.clone(), error));
                continue;
            }
            let same = |known: &FlowLog| known.resource == *resource && known.group == new.group;
            if draft.list::<FlowLog>("").iter().any(|known| same(known)) {
                return Err(Error::FlowLogExists);
            }
            let id: FlowLogId = defaults::id("fl");
            draft.put(FlowLog {
                id: id.clone(),
                resource: resource.clone(),
                traffic: new.traffic,
                group: new.group.clone(),
                role: new.role.clone(),
                interval_secs: new.interval_secs,
                format: new.format.clone(),
                created_at: now,
                tags: new.tags.clone(),
            });
            created.made.push(id);
        }
        if !created.made.is_empty() {
            let ids: Vec<&str> = created.made.iter().map(FlowLogId::as_str).collect();
            once.remember(draft, ids.join(" "));
        }
        Ok(created)
    });
    Ok(created.await?)
}

/// Deletes flow logs: all of them or none.
pub async fn delete(control: &Control, ids: &[FlowLogId]) -> Result<(), Error> {
    let deleted = control.store().update(|draft| {
        let unknown: Vec<&str> =
            ids.iter().map(FlowLogId::as_str).filter(|id| draft.get::<FlowLog>(id).is_none()).collect();
        if !unknown.is_empty() {
            return Err(Error::FlowLogsNotFound(unknown.iter().map(ToString::to_string).collect()));
        }
        ids.iter().for_each(|id| draft.delete::<FlowLog>(id.as_str()));
        Ok(())
    });
    Ok(deleted.await?)
}

/// Deletes the flow logs of a resource that goes.
pub(crate) fn forget(draft: &mut Draft<'_>, resource: &FlowLogResource) {
    for log in draft.list::<FlowLog>("") {
        if log.resource == *resource {
            draft.delete::<FlowLog>(log.id.as_str());
        }
    }
}

fn check(draft: &Draft<'_>, resource: &FlowLogResource) -> Result<(), Error> {
    match resource {
        FlowLogResource::Vpc(id) => vpcs::find(draft, id).map(drop),
        FlowLogResource::Subnet(id) => subnets::find(draft, id).map(drop),
        FlowLogResource::Interface(id) => {
            let found = draft.get::<NetworkInterface>(id.as_str());
            let found = found.filter(|found| found.status == InterfaceStatus::InUse);
            let found = found.ok_or_else(|| Error::missing(Kind::NetworkInterface, id))?;
            match found.owner {
                InterfaceOwner::Task { .. } | InterfaceOwner::LoadBalancer(_) => Ok(()),
                // Its packets leave with the host's own address, and pass by no interface.
                InterfaceOwner::NatGateway(_) => {
                    Err(Error::invalid("The flow log of a NAT gateway's interface is not supported."))
                }
            }
        }
    }
}
