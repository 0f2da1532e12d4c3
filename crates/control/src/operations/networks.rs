//! The VPC, its subnets and its security groups.

use crate::{Config, Control, ids};
use wharf_model::{
    SecurityGroupId, SubnetId, VpcId,
    network::{Cidr, IpProtocol, Peer, Permission, SecurityGroup, Subnet, Vpc},
};
use wharf_store::{Draft, StoreError};

/// The largest default subnet, as on AWS.
const SUBNET_PREFIX_MIN: u8 = 20;

/// Makes the default VPC, three subnets and the default security group, unless they are there.
pub async fn ensure_default(control: &Control) -> Result<(), StoreError> {
    let config = control.config().clone();
    control.store().change(move |draft| make_default(draft, &config)).await
}

/// The same, inside a transaction.
pub fn make_default(draft: &mut Draft<'_>, config: &Config) {
    if draft.list::<Vpc>("").iter().any(|vpc| vpc.is_default) {
        return;
    }
    let vpc = Vpc { id: id::<VpcId>("vpc"), cidr: config.vpc_cidr, is_default: true, tags: Vec::new() };
    // Three of four quarters of a small block.
    let prefix = (vpc.cidr.prefix + 2).max(SUBNET_PREFIX_MIN);
    for (place, zone) in ["a", "b", "c"].into_iter().enumerate() {
        let offset = u32::try_from(place).unwrap_or(0) << (32 - prefix);
        let Some(address) = vpc.cidr.nth(offset) else { break };
        let id = id::<SubnetId>("subnet");
        draft.put(Subnet {
            arn: config.place.arn("ec2", format_args!("subnet/{id}")),
            id,
            vpc: vpc.id.clone(),
            cidr: Cidr { address, prefix },
            zone: format!("{}{zone}", config.place.region),
            is_default: true,
            public_on_launch: true,
            tags: Vec::new(),
        });
    }
    let group = id::<SecurityGroupId>("sg");
    let all = |peer| Permission { protocol: IpProtocol::All, ports: None, peer };
    let anywhere = Cidr { address: std::net::Ipv4Addr::UNSPECIFIED, prefix: 0 };
    draft.put(SecurityGroup {
        ingress: vec![all(Peer::Group(group.clone()))],
        egress: vec![all(Peer::Cidr(anywhere))],
        id: group,
        name: "default".to_owned(),
        description: "default VPC security group".to_owned(),
        vpc: vpc.id.clone(),
        tags: Vec::new(),
    });
    draft.put(vpc);
}

/// Returns the default security group of a VPC.
pub fn default_security_group(draft: &Draft<'_>, vpc: &VpcId) -> Option<SecurityGroupId> {
    draft
        .list::<SecurityGroup>("")
        .iter()
        .find(|group| group.vpc == *vpc && group.name == "default")
        .map(|group| group.id.clone())
}

fn id<T: std::str::FromStr>(prefix: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    format!("{prefix}-{}", ids::hex(17)).parse().expect("a prefix and 17 hexadecimal digits are an id")
}

#[cfg(test)]
mod tests;
