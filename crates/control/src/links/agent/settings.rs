//! What a node is told besides its tasks.

use crate::Config;
use wharf_model::{
    load_balancer::LoadBalancer,
    network::{NetworkInterface, SecurityGroup, Vpc},
};
use wharf_nodelink::agent::NodeSettings;
use wharf_store::View;

/// Returns the settings of every node.
pub(super) fn settings(view: &View<'_>, config: &Config) -> NodeSettings {
    let balancers = view.list::<LoadBalancer>("");
    let interfaces = balancers.iter().flat_map(|balancer| &balancer.subnets);
    let balancer_addresses = interfaces
        .filter_map(|(_, interface)| view.get::<NetworkInterface>(interface.as_str()))
        .map(|interface| (interface.private_ip, interface.groups.clone()))
        .collect();
    NodeSettings {
        region: config.place.region.clone(),
        account: config.place.account.clone(),
        registry: config.endpoint.to_string(),
        registry_password: config.registry_password.clone(),
        vpc_cidrs: view.list::<Vpc>("").iter().map(|vpc| vpc.cidr).collect(),
        public_cidr: config.public_cidr,
        security_groups: view.list::<SecurityGroup>("").iter().map(|group| (**group).clone()).collect(),
        balancer_addresses,
    }
}
