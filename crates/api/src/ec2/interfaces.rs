//! Network interfaces: filters and shapes.

use std::net::Ipv4Addr;

use wharf_aws::Timestamp;
use wharf_aws::ec2::{
    Association, Attachment, DescribeInput, DescribeNetworkInterfacesOutput, GroupIdentifier,
    NetworkInterface, PrivateAddress,
};
use wharf_control::Control;
use wharf_control::operations::networks::Kind;
use wharf_model::EniId;
use wharf_model::network::{self, InterfaceOwner, InterfaceStatus, SecurityGroup};

use super::{filters, given, page, refuse_dry_run, shown_tags, zones};
use crate::Fault;

const FILTERS: [&str; 30] = [
    "addresses.association.owner-id",
    "addresses.association.public-ip",
    "addresses.primary",
    "addresses.private-ip-address",
    "association.ip-owner-id",
    "association.public-dns-name",
    "association.public-ip",
    "attachment.attachment-id",
    "attachment.delete-on-termination",
    "attachment.device-index",
    "attachment.instance-owner-id",
    "attachment.status",
    "attachment.network-card-index",
    "availability-zone",
    "availability-zone-id",
    "description",
    "group-id",
    "group-name",
    "interface-type",
    "mac-address",
    "network-interface-id",
    "owner-id",
    "private-dns-name",
    "private-ip-address",
    "requester-id",
    "requester-managed",
    "source-dest-check",
    "status",
    "subnet-id",
    "vpc-id",
];

pub(super) async fn describe(
    control: &Control,
    input: DescribeInput,
) -> Result<DescribeNetworkInterfacesOutput, Fault> {
    refuse_dry_run(input.dry_run)?;
    filters::check(&input.filter, &FILTERS)?;
    let view = control.store().view();
    let in_use = |interface: &network::NetworkInterface| interface.status == InterfaceStatus::InUse;
    let exists =
        |id: &str| view.get::<network::NetworkInterface>(id).is_some_and(|interface| in_use(&interface));
    let ids: Vec<EniId> = given::ids(Kind::NetworkInterface, &input.network_interface_id, exists)?;
    let all = view.list::<network::NetworkInterface>("");
    let wanted =
        all.iter().filter(|interface| in_use(interface) && (ids.is_empty() || ids.contains(&interface.id)));
    let shown = wanted.map(|interface| {
        let name = |id: &str| view.get::<SecurityGroup>(id).map(|group| group.name.clone());
        show(control, interface, |id| name(id).unwrap_or_default())
    });
    let shown = shown
        .filter(|interface| filters::pass(&input.filter, &interface.tag_set, |name| values(interface, name)));
    let key = |interface: &NetworkInterface| interface.network_interface_id.clone();
    let (network_interface_set, next_token) = page(shown.collect(), key, &input)?;
    Ok(DescribeNetworkInterfacesOutput { network_interface_set, next_token })
}

fn values(interface: &NetworkInterface, filter: &str) -> Vec<String> {
    let association = |part: fn(&Association) -> &str| -> Vec<String> {
        interface.association.iter().map(|association| part(association).to_owned()).collect()
    };
    let groups =
        |part: fn(&GroupIdentifier) -> &String| interface.group_set.iter().map(part).cloned().collect();
    let attachment = &interface.attachment;
    vec![match filter {
        "association.public-ip" | "addresses.association.public-ip" => return association(|a| &a.public_ip),
        "association.public-dns-name" => return association(|a| &a.public_dns_name),
        "association.ip-owner-id" | "addresses.association.owner-id" => {
            return association(|a| a.ip_owner_id);
        }
        "group-id" => return groups(|group| &group.group_id),
        "group-name" => return groups(|group| &group.group_name),
        "addresses.primary" => true.to_string(),
        "addresses.private-ip-address" | "private-ip-address" => interface.private_ip_address.clone(),
        "attachment.attachment-id" => attachment.attachment_id.clone(),
        "attachment.delete-on-termination" => attachment.delete_on_termination.to_string(),
        "attachment.device-index" => attachment.device_index.to_string(),
        "attachment.instance-owner-id" => attachment.instance_owner_id.to_owned(),
        "attachment.status" => attachment.status.to_owned(),
        "attachment.network-card-index" => attachment.network_card_index.to_string(),
        "availability-zone-id" => interface.availability_zone_id.clone(),
        "availability-zone" => interface.availability_zone.clone(),
        "description" => interface.description.clone(),
        "interface-type" => interface.interface_type.to_owned(),
        "mac-address" => interface.mac_address.clone(),
        "network-interface-id" => interface.network_interface_id.clone(),
        "owner-id" => interface.owner_id.clone(),
        "private-dns-name" => interface.private_dns_name.clone(),
        "requester-id" => interface.requester_id.to_owned(),
        "requester-managed" => interface.requester_managed.to_string(),
        "source-dest-check" => interface.source_dest_check.to_string(),
        "status" => interface.status.to_owned(),
        "subnet-id" => interface.subnet_id.clone(),
        "vpc-id" => interface.vpc_id.clone(),
        _ => return Vec::new(),
    }]
}

fn show(
    control: &Control,
    interface: &network::NetworkInterface,
    group_name: impl Fn(&str) -> String,
) -> NetworkInterface {
    let place = &control.config().place;
    let requester = match interface.owner {
        InterfaceOwner::Task { .. } => "amazon-ecs",
        InterfaceOwner::LoadBalancer(_) => "amazon-elb",
        InterfaceOwner::NatGateway(_) => "amazon-aws",
    };
    let interface_type = match interface.owner {
        InterfaceOwner::Task { .. } | InterfaceOwner::LoadBalancer(_) => "interface",
        InterfaceOwner::NatGateway(_) => "nat_gateway",
    };
    let private_dns_name =
        host_name("ip", interface.private_ip, &format!("{}.compute.internal", place.region));
    let association = interface.public_ip.map(|public_ip| Association {
        public_ip: public_ip.to_string(),
        public_dns_name: host_name("ec2", public_ip, &format!("{}.compute.localhost", place.region)),
        ip_owner_id: "amazon",
    });
    let digits: String = interface.attachment_id.chars().filter(char::is_ascii_hexdigit).take(17).collect();
    NetworkInterface {
        network_interface_id: interface.id.to_string(),
        subnet_id: interface.subnet.to_string(),
        vpc_id: interface.vpc.to_string(),
        availability_zone: interface.zone.clone(),
        availability_zone_id: zones::id(&place.region, &interface.zone),
        description: interface.description.clone(),
        owner_id: place.account.clone(),
        requester_id: requester,
        requester_managed: true,
        status: "in-use",
        mac_address: interface.mac.to_string(),
        private_ip_address: interface.private_ip.to_string(),
        private_dns_name: private_dns_name.clone(),
        source_dest_check: true,
        interface_type,
        group_set: interface
            .groups
            .iter()
            .map(|id| GroupIdentifier { group_id: id.to_string(), group_name: group_name(id.as_str()) })
            .collect(),
        attachment: Attachment {
            attachment_id: format!("eni-attach-{digits}"),
            instance_owner_id: requester,
            device_index: 1,
            network_card_index: 0,
            status: "attached",
            attach_time: Timestamp::from_millis(interface.created_at.0),
            delete_on_termination: false,
        },
        association: association.clone(),
        tag_set: shown_tags(&interface.tags),
        private_ip_addresses_set: vec![PrivateAddress {
            private_ip_address: interface.private_ip.to_string(),
            private_dns_name,
            primary: true,
            association,
        }],
        ipv6_addresses_set: Vec::new(),
    }
}

fn host_name(prefix: &str, address: Ipv4Addr, domain: &str) -> String {
    format!("{prefix}-{}.{domain}", address.to_string().replace('.', "-"))
}
