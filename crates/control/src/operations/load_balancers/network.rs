//! Where a load balancer is in its network: its subnets and security groups, changed while it serves.

use super::{check_security_groups, check_subnets};
use crate::{
    Control,
    operations::{
        balancing::Error,
        interfaces::{self, NewInterface},
    },
};
use std::sync::Arc;
use wharf_model::{
    Arn, SecurityGroupId, SubnetId,
    load_balancer::LoadBalancer,
    network::{InterfaceOwner, NetworkInterface},
};

/// Gives a load balancer other security groups.
pub async fn set_security_groups(
    control: &Control,
    arn: &Arn,
    groups: Vec<SecurityGroupId>,
) -> Result<Arc<LoadBalancer>, Error> {
    let update = control.store().update(|draft| {
        let before = draft.get::<LoadBalancer>(&arn.to_string()).ok_or(Error::LoadBalancerNotFound)?;
        if groups.is_empty() {
            return Err(Error::Validation("At least one security group must be specified".to_owned()));
        }
        check_security_groups(draft, &before.vpc, &groups)?;
        for (_, id) in &before.subnets {
            if let Some(interface) = draft.get::<NetworkInterface>(id.as_str()) {
                draft.put(NetworkInterface { groups: groups.clone(), ..(*interface).clone() });
            }
        }
        let after = LoadBalancer { security_groups: groups, ..(*before).clone() };
        draft.put(after.clone());
        Ok(Arc::new(after))
    });
    Ok(update.await?)
}

/// Puts a load balancer into other subnets. In those where it stays it keeps its address.
pub async fn set_subnets(
    control: &Control,
    arn: &Arn,
    subnets: &[SubnetId],
) -> Result<Arc<LoadBalancer>, Error> {
    let now = control.now();
    let update = control.store().update(|draft| {
        let before = draft.get::<LoadBalancer>(&arn.to_string()).ok_or(Error::LoadBalancerNotFound)?;
        let wanted = check_subnets(draft, subnets)?;
        if wanted.iter().any(|subnet| subnet.vpc != before.vpc) {
            return Err(Error::InvalidConfiguration(
                "The subnets must belong to the load balancer's VPC".to_owned(),
            ));
        }
        let mut placed = Vec::with_capacity(wanted.len());
        for subnet in &wanted {
            if let Some(kept) = before.subnets.iter().find(|(known, _)| *known == subnet.id) {
                placed.push(kept.clone());
                continue;
            }
            let interface = NewInterface {
                subnets: std::slice::from_ref(&subnet.id),
                groups: before.security_groups.clone(),
                public: false,
                owner: InterfaceOwner::LoadBalancer(arn.clone()),
                now,
            };
            placed.push((subnet.id.clone(), interfaces::allocate(draft, interface, control.config())?.id));
        }
        for (_, interface) in before.subnets.iter().filter(|known| !placed.contains(known)) {
            interfaces::release(draft, interface, now);
        }
        let after = LoadBalancer { subnets: placed, ..(*before).clone() };
        if after != *before {
            draft.put(after.clone());
        }
        Ok(Arc::new(after))
    });
    Ok(update.await?)
}
