//! What a node is told besides its tasks.

use crate::{Config, operations::networks};
use std::sync::Arc;
use wharf_model::{
    load_balancer::LoadBalancer,
    network::{
        ElasticIp, FlowLog, InternetGateway, NatGateway, NetworkInterface, Peer, Permission, PrefixList,
        RouteTable, SecurityGroup, SecurityGroupRule, Subnet, Vpc,
    },
};
use wharf_nodelink::agent::{BalancerAddress, GroupRules, NodeSettings, ServedVpc};
use wharf_store::View;

/// Returns when something of what the settings are made from was last changed.
pub(super) fn touched(view: &View<'_>) -> u64 {
    let when = [
        view.touched::<Vpc>(),
        view.touched::<Subnet>(),
        view.touched::<SecurityGroup>(),
        view.touched::<PrefixList>(),
        view.touched::<InternetGateway>(),
        view.touched::<RouteTable>(),
        view.touched::<NatGateway>(),
        view.touched::<ElasticIp>(),
        view.touched::<LoadBalancer>(),
        view.touched::<FlowLog>(),
    ];
    when.into_iter().max().unwrap_or(0)
}

/// Returns the settings of every node.
pub(super) fn settings(view: &View<'_>, config: &Config) -> NodeSettings {
    let balancers = view.list::<LoadBalancer>("");
    let interfaces = balancers
        .iter()
        .flat_map(|balancer| balancer.subnets.iter().map(|(_, interface)| (&balancer.dns_name, interface)));
    let balancers = interfaces
        .filter_map(|(name, interface)| Some((name, view.get::<NetworkInterface>(interface.as_str())?)))
        .map(|(name, interface)| BalancerAddress {
            name: name.to_ascii_lowercase(),
            ip: interface.private_ip,
            vpc: interface.vpc.clone(),
            interface: Some((interface.id.clone(), interface.subnet.clone())),
            groups: interface.groups.clone(),
        })
        .collect();
    let mut vpcs = view.list::<Vpc>("");
    vpcs.sort_by_key(|vpc| !vpc.is_default);
    let served =
        |vpc: &Arc<Vpc>| ServedVpc { id: vpc.id.clone(), cidr: vpc.cidr, dns_support: vpc.dns_support };
    NodeSettings {
        region: config.place.region.clone(),
        account: config.place.account.clone(),
        registry: config.endpoint.to_string(),
        registry_password: config.registry_password.clone(),
        host_address: Some(config.vpc_cidr.gateway()),
        vpcs: vpcs.iter().map(served).collect(),
        public_cidr: config.public_cidr,
        subnets: networks::ways_out(view),
        security_groups: view.list::<SecurityGroup>("").iter().map(|group| rules(view, group)).collect(),
        balancers,
        flow_logs: flow_logs(view),
    }
}

/// Tags are nothing to a node.
fn flow_logs(view: &View<'_>) -> Vec<FlowLog> {
    let logs = view.list::<FlowLog>("");
    logs.iter().map(|log| FlowLog { tags: Vec::new(), ..(**log).clone() }).collect()
}

fn rules(view: &View<'_>, group: &SecurityGroup) -> GroupRules {
    let written_out = |rule: &SecurityGroupRule| match &rule.permission.peer {
        Peer::PrefixList(id) => {
            let list = view.get::<PrefixList>(id.as_str());
            let networks = list.iter().flat_map(|list| &list.entries).map(|entry| Peer::Cidr(entry.cidr));
            networks.map(|peer| Permission { peer, ..rule.permission.clone() }).collect()
        }
        Peer::Cidr(_) | Peer::Cidr6(_) | Peer::Group(_) => vec![rule.permission.clone()],
    };
    GroupRules {
        id: group.id.clone(),
        ingress: group.ingress.iter().flat_map(written_out).collect(),
        egress: group.egress.iter().flat_map(written_out).collect(),
    }
}
