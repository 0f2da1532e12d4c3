//! Load balancers.

use super::{
    balancing::{Error, check_name, check_tags},
    interfaces::{self, NewInterface},
    networks,
};
use crate::{Config, Control, ids};
use std::{collections::BTreeSet, sync::Arc};
use wharf_model::{
    Arn, SecurityGroupId, SubnetId, Timestamp,
    load_balancer::{Listener, LoadBalancer, LoadBalancerState, Scheme},
    network::{InterfaceOwner, SecurityGroup, Subnet},
    tag::Tag,
};
use wharf_store::Draft;

/// What idle time-outs are allowed.
const IDLE_TIMEOUT_SECS: std::ops::RangeInclusive<u32> = 1..=4000;

/// What a load balancer is made from.
#[derive(Debug, Clone)]
pub struct NewLoadBalancer {
    /// Its name.
    pub name: String,
    /// Its subnets, at least two, each in a zone of its own.
    pub subnets: Vec<SubnetId>,
    /// Its security groups; the VPC's default group when empty.
    pub security_groups: Vec<SecurityGroupId>,
    /// Who may reach it.
    pub scheme: Scheme,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// Makes a load balancer; returns the one that is there when it was asked for in the same words before.
pub async fn create(control: &Control, new: NewLoadBalancer) -> Result<Arc<LoadBalancer>, Error> {
    check_name("load balancer", &new.name)?;
    check_tags(&new.tags)?;
    let now = control.now();
    Ok(control.store().update(|draft| make(draft, new, control.config(), now)).await?)
}

fn make(
    draft: &mut Draft<'_>,
    new: NewLoadBalancer,
    config: &Config,
    now: Timestamp,
) -> Result<Arc<LoadBalancer>, Error> {
    let subnets = check_subnets(draft, &new.subnets)?;
    let vpc = subnets[0].vpc.clone();
    let mut security_groups = new.security_groups;
    for id in &security_groups {
        match draft.get::<SecurityGroup>(id.as_str()) {
            Some(group) if group.vpc == vpc => {}
            Some(_) | None => return Err(Error::InvalidSecurityGroup(id.clone())),
        }
    }
    if security_groups.is_empty() {
        security_groups.extend(networks::default_security_group(draft, &vpc));
    }
    if let Some(known) = by_name(&draft.list(""), &new.name) {
        let set = |ids: &[SecurityGroupId]| ids.iter().cloned().collect::<BTreeSet<_>>();
        let theirs: BTreeSet<&SubnetId> = known.subnets.iter().map(|(subnet, _)| subnet).collect();
        let same = known.scheme == new.scheme
            && theirs == new.subnets.iter().collect()
            && set(&known.security_groups) == set(&security_groups);
        return if same { Ok(known) } else { Err(Error::DuplicateLoadBalancerName(new.name)) };
    }
    let arn = config
        .place
        .arn("elasticloadbalancing", format_args!("loadbalancer/app/{}/{}", new.name, ids::hex(16)));
    let mut placed = Vec::with_capacity(subnets.len());
    for subnet in &subnets {
        let interface = NewInterface {
            subnets: std::slice::from_ref(&subnet.id),
            groups: security_groups.clone(),
            public: false,
            owner: InterfaceOwner::LoadBalancer(arn.clone()),
            now,
        };
        placed.push((subnet.id.clone(), interfaces::allocate(draft, interface, config)?.id));
    }
    let internal = match new.scheme {
        Scheme::Internal => "internal-",
        Scheme::InternetFacing => "",
    };
    // A DNS label holds 63 characters: nine, the name's 32, a hyphen and ten digits fit.
    let label = format!("{internal}{}-{}", new.name, ids::decimal(10)).to_ascii_lowercase();
    let load_balancer = LoadBalancer {
        arn,
        dns_name: format!("{label}.{}.elb.localhost", config.place.region),
        name: new.name,
        scheme: new.scheme,
        vpc,
        subnets: placed,
        security_groups,
        idle_timeout_secs: 60,
        state: LoadBalancerState::Provisioning,
        created_at: now,
        tags: new.tags,
    };
    draft.put(load_balancer.clone());
    Ok(Arc::new(load_balancer))
}

fn check_subnets(draft: &Draft<'_>, ids: &[SubnetId]) -> Result<Vec<Arc<Subnet>>, Error> {
    let mut subnets: Vec<Arc<Subnet>> = Vec::with_capacity(ids.len());
    for id in ids {
        let subnet = draft.get::<Subnet>(id.as_str()).ok_or_else(|| Error::SubnetNotFound(id.clone()))?;
        if subnets.iter().any(|other| other.vpc != subnet.vpc) {
            return Err(Error::InvalidConfiguration("All subnets must belong to the same VPC".to_owned()));
        }
        if subnets.iter().any(|other| other.zone == subnet.zone) {
            return Err(Error::InvalidConfiguration(
                "A load balancer cannot be attached to multiple subnets in the same Availability Zone"
                    .to_owned(),
            ));
        }
        subnets.push(subnet);
    }
    if subnets.len() < 2 {
        return Err(Error::Validation(
            "At least two subnets in two different Availability Zones must be specified".to_owned(),
        ));
    }
    Ok(subnets)
}

/// Returns the load balancers, by ARN.
pub fn list(control: &Control) -> Vec<Arc<LoadBalancer>> {
    control.store().view().list("")
}

/// Returns a load balancer.
pub fn find(control: &Control, arn: &Arn) -> Result<Arc<LoadBalancer>, Error> {
    control.store().view().get(&arn.to_string()).ok_or(Error::LoadBalancerNotFound)
}

/// Returns the load balancer of this name.
pub fn by_name(all: &[Arc<LoadBalancer>], name: &str) -> Option<Arc<LoadBalancer>> {
    all.iter().find(|load_balancer| load_balancer.name == name).cloned()
}

/// Sets after how many seconds without a byte a connection is closed.
pub async fn set_idle_timeout(control: &Control, arn: &Arn, secs: u32) -> Result<(), Error> {
    if !IDLE_TIMEOUT_SECS.contains(&secs) {
        return Err(Error::Validation(format!(
            "The value of 'idle_timeout.timeout_seconds' must be between 1 and 4000, not '{secs}'"
        )));
    }
    let update = control.store().update(|draft| {
        let found = draft.get::<LoadBalancer>(&arn.to_string()).ok_or(Error::LoadBalancerNotFound)?;
        if found.idle_timeout_secs != secs {
            draft.put(LoadBalancer { idle_timeout_secs: secs, ..(*found).clone() });
        }
        Ok::<(), Error>(())
    });
    Ok(update.await?)
}

/// Deletes a load balancer with its listeners, if it is there.
pub async fn delete(control: &Control, arn: &Arn) -> Result<(), Error> {
    let now = control.now();
    let change = control.store().change(|draft| {
        let Some(load_balancer) = draft.get::<LoadBalancer>(&arn.to_string()) else { return };
        for listener in draft.list::<Listener>("") {
            if listener.load_balancer == *arn {
                draft.delete::<Listener>(&listener.arn.to_string());
            }
        }
        for (_, interface) in &load_balancer.subnets {
            interfaces::release(draft, interface, now);
        }
        draft.delete::<LoadBalancer>(&arn.to_string());
    });
    Ok(change.await?)
}
