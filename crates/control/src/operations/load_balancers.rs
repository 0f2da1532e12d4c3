//! Load balancers.

use super::{
    balancing::{self, Error, check_name, check_tags},
    interfaces::{self, NewInterface},
    listeners, networks,
};
use crate::{Config, Control, ids};
use std::{collections::BTreeSet, sync::Arc};
use wharf_model::{
    Arn, SecurityGroupId, SubnetId, Timestamp, VpcId,
    load_balancer::{Listener, LoadBalancer, LoadBalancerState, Scheme},
    network::{InterfaceOwner, SecurityGroup, Subnet},
    tag::Tag,
};
use wharf_plan::attributes::LoadBalancers;
use wharf_store::Draft;

mod network;

pub use network::{set_security_groups, set_subnets};

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
    check_security_groups(draft, &vpc, &security_groups)?;
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
        attributes: Default::default(),
        state: LoadBalancerState::Provisioning,
        created_at: now,
        tags: new.tags,
    };
    draft.put(load_balancer.clone());
    Ok(Arc::new(load_balancer))
}

fn check_security_groups(draft: &Draft<'_>, vpc: &VpcId, groups: &[SecurityGroupId]) -> Result<(), Error> {
    for id in groups {
        match draft.get::<SecurityGroup>(id.as_str()) {
            Some(group) if group.vpc == *vpc => {}
            Some(_) | None => return Err(Error::InvalidSecurityGroup(id.clone())),
        }
    }
    Ok(())
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

/// Returns the attributes of a load balancer with their values.
pub fn attributes(of: &LoadBalancer) -> Vec<(&'static str, String)> {
    wharf_plan::attributes::list::<LoadBalancers>(of)
}

/// Sets attributes of a load balancer, all or none.
pub async fn modify_attributes(
    control: &Control,
    arn: &Arn,
    given: &[(String, String)],
) -> Result<Arc<LoadBalancer>, Error> {
    let update = control.store().update(|draft| {
        let before = draft.get::<LoadBalancer>(&arn.to_string()).ok_or(Error::LoadBalancerNotFound)?;
        let mut after = (*before).clone();
        balancing::set::<LoadBalancers>(&mut after, given)?;
        if after != *before {
            draft.put(after.clone());
        }
        Ok::<_, Error>(Arc::new(after))
    });
    Ok(update.await?)
}

/// Deletes a load balancer with its listeners, if it is there.
pub async fn delete(control: &Control, arn: &Arn) -> Result<(), Error> {
    let now = control.now();
    let update = control.store().update(|draft| {
        let Some(load_balancer) = draft.get::<LoadBalancer>(&arn.to_string()) else { return Ok(()) };
        if load_balancer.attributes.deletion_protection {
            return Err(Error::OperationNotPermitted(format!(
                "Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
            )));
        }
        for listener in draft.list::<Listener>("") {
            if listener.load_balancer == *arn {
                listeners::forget(draft, &listener.arn);
            }
        }
        for (_, interface) in &load_balancer.subnets {
            interfaces::release(draft, interface, now);
        }
        draft.delete::<LoadBalancer>(&arn.to_string());
        Ok(())
    });
    Ok(update.await?)
}
