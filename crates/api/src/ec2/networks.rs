//! VPCs, subnets and security groups: filters and shapes.

use wharf_aws::ec2::{
    CidrAssociation, DescribeInput, DescribeSecurityGroupsOutput, DescribeSubnetsOutput, DescribeVpcsOutput,
    IpPermission, IpRange, SecurityGroup, State, Subnet, UserIdGroupPair, Vpc,
};
use wharf_control::Control;
use wharf_control::operations::interfaces;
use wharf_model::network::{self, IpProtocol, Peer, Permission};
use wharf_model::{SecurityGroupId, SubnetId, VpcId};

use super::{Kind, filters, page, refuse_dry_run, tags, zones};
use crate::Fault;

const VPC: Kind = Kind { prefix: "vpc", code: "InvalidVpcID", name: "vpc ID" };
const SUBNET: Kind = Kind { prefix: "subnet", code: "InvalidSubnetID", name: "subnet ID" };
const GROUP: Kind = Kind { prefix: "sg", code: "InvalidGroup", name: "security group" };

const VPC_FILTERS: [&str; 9] = [
    "cidr",
    "cidr-block-association.cidr-block",
    "cidr-block-association.state",
    "dhcp-options-id",
    "is-default",
    "isDefault",
    "owner-id",
    "state",
    "vpc-id",
];

pub(super) async fn describe_vpcs(
    control: &Control,
    input: DescribeInput,
) -> Result<DescribeVpcsOutput, Fault> {
    refuse_dry_run(&input)?;
    filters::check(&input.filter, &VPC_FILTERS)?;
    let view = control.store().view();
    let ids: Vec<VpcId> = VPC.ids(&input.vpc_id, |id| view.get::<network::Vpc>(id).is_some())?;
    let all = view.list::<network::Vpc>("");
    let wanted = all.iter().filter(|vpc| ids.is_empty() || ids.contains(&vpc.id));
    let shown = wanted.map(|vpc| show_vpc(control, vpc)).filter(|vpc| {
        filters::pass(&input.filter, &vpc.tag_set, |name| {
            vec![match name {
                "cidr" | "cidr-block-association.cidr-block" => vpc.cidr_block.clone(),
                "cidr-block-association.state" => "associated".to_owned(),
                "dhcp-options-id" => vpc.dhcp_options_id.to_owned(),
                "is-default" | "isDefault" => vpc.is_default.to_string(),
                "owner-id" => vpc.owner_id.clone(),
                "state" => vpc.state.to_owned(),
                "vpc-id" => vpc.vpc_id.clone(),
                _ => return Vec::new(),
            }]
        })
    });
    let (vpc_set, next_token) = page(shown.collect(), |vpc: &Vpc| vpc.vpc_id.clone(), &input)?;
    Ok(DescribeVpcsOutput { vpc_set, next_token })
}

fn show_vpc(control: &Control, vpc: &network::Vpc) -> Vpc {
    Vpc {
        vpc_id: vpc.id.to_string(),
        owner_id: control.config().place.account.clone(),
        state: "available",
        cidr_block: vpc.cidr.to_string(),
        cidr_block_association_set: vec![CidrAssociation {
            association_id: vpc.id.as_str().replacen("vpc-", "vpc-cidr-assoc-", 1),
            cidr_block: vpc.cidr.to_string(),
            cidr_block_state: State { state: "associated" },
        }],
        dhcp_options_id: "default",
        instance_tenancy: "default",
        is_default: vpc.is_default,
        tag_set: tags(&vpc.tags),
    }
}

const SUBNET_FILTERS: [&str; 17] = [
    "availability-zone",
    "availabilityZone",
    "availability-zone-id",
    "available-ip-address-count",
    "cidr",
    "cidr-block",
    "cidrBlock",
    "default-for-az",
    "defaultForAz",
    "ipv6-native",
    "map-public-ip-on-launch",
    "owner-id",
    "state",
    "subnet-arn",
    "subnet-id",
    "vpc-id",
    "enable-dns64",
];

pub(super) async fn describe_subnets(
    control: &Control,
    input: DescribeInput,
) -> Result<DescribeSubnetsOutput, Fault> {
    refuse_dry_run(&input)?;
    filters::check(&input.filter, &SUBNET_FILTERS)?;
    let view = control.store().view();
    let ids: Vec<SubnetId> = SUBNET.ids(&input.subnet_id, |id| view.get::<network::Subnet>(id).is_some())?;
    let all = view.list::<network::Subnet>("");
    let wanted = all.iter().filter(|subnet| ids.is_empty() || ids.contains(&subnet.id));
    let shown = wanted.map(|subnet| show_subnet(control, subnet, interfaces::available(&view, subnet)));
    let shown = shown.filter(|subnet| {
        filters::pass(&input.filter, &subnet.tag_set, |name| {
            vec![match name {
                "availability-zone" | "availabilityZone" => subnet.availability_zone.clone(),
                "availability-zone-id" => subnet.availability_zone_id.clone(),
                "available-ip-address-count" => subnet.available_ip_address_count.to_string(),
                "cidr" | "cidr-block" | "cidrBlock" => subnet.cidr_block.clone(),
                "default-for-az" | "defaultForAz" => subnet.default_for_az.to_string(),
                "ipv6-native" | "enable-dns64" => false.to_string(),
                "map-public-ip-on-launch" => subnet.map_public_ip_on_launch.to_string(),
                "owner-id" => subnet.owner_id.clone(),
                "state" => subnet.state.to_owned(),
                "subnet-arn" => subnet.subnet_arn.clone(),
                "subnet-id" => subnet.subnet_id.clone(),
                "vpc-id" => subnet.vpc_id.clone(),
                _ => return Vec::new(),
            }]
        })
    });
    let (subnet_set, next_token) = page(shown.collect(), |subnet: &Subnet| subnet.subnet_id.clone(), &input)?;
    Ok(DescribeSubnetsOutput { subnet_set, next_token })
}

fn show_subnet(control: &Control, subnet: &network::Subnet, available: u32) -> Subnet {
    Subnet {
        subnet_id: subnet.id.to_string(),
        subnet_arn: subnet.arn.to_string(),
        state: "available",
        owner_id: control.config().place.account.clone(),
        vpc_id: subnet.vpc.to_string(),
        cidr_block: subnet.cidr.to_string(),
        ipv6_cidr_block_association_set: Vec::new(),
        available_ip_address_count: available,
        availability_zone: subnet.zone.clone(),
        availability_zone_id: zones::id(&control.config().place.region, &subnet.zone),
        default_for_az: subnet.is_default,
        map_public_ip_on_launch: subnet.public_on_launch,
        map_customer_owned_ip_on_launch: false,
        assign_ipv6_address_on_creation: false,
        enable_dns64: false,
        ipv6_native: false,
        tag_set: tags(&subnet.tags),
    }
}

const GROUP_FILTERS: [&str; 14] = [
    "description",
    "egress.ip-permission.cidr",
    "egress.ip-permission.from-port",
    "egress.ip-permission.group-id",
    "egress.ip-permission.protocol",
    "egress.ip-permission.to-port",
    "group-id",
    "group-name",
    "ip-permission.cidr",
    "ip-permission.from-port",
    "ip-permission.group-id",
    "ip-permission.to-port",
    "owner-id",
    "vpc-id",
];

pub(super) async fn describe_security_groups(
    control: &Control,
    input: DescribeInput,
) -> Result<DescribeSecurityGroupsOutput, Fault> {
    refuse_dry_run(&input)?;
    filters::check(&input.filter, &GROUP_FILTERS)?;
    let view = control.store().view();
    let exists = |id: &str| view.get::<network::SecurityGroup>(id).is_some();
    let ids: Vec<SecurityGroupId> = GROUP.ids(&input.group_id, exists)?;
    let all = view.list::<network::SecurityGroup>("");
    if let Some(unknown) = input.group_name.iter().find(|name| !all.iter().any(|group| group.name == **name))
    {
        return Err(GROUP.not_found(unknown));
    }
    let wanted = all.iter().filter(|group| {
        (ids.is_empty() && input.group_name.is_empty())
            || ids.contains(&group.id)
            || input.group_name.contains(&group.name)
    });
    let shown = wanted.map(|group| show_group(control, group)).filter(|group| {
        filters::pass(&input.filter, &group.tag_set, |name| match name {
            "description" => vec![group.group_description.clone()],
            "group-id" => vec![group.group_id.clone()],
            "group-name" => vec![group.group_name.clone()],
            "owner-id" => vec![group.owner_id.clone()],
            "vpc-id" => vec![group.vpc_id.clone()],
            _ => match (name.strip_prefix("egress.ip-permission."), name.strip_prefix("ip-permission.")) {
                (Some(part), _) => permission_values(&group.ip_permissions_egress, part),
                (None, Some(part)) => permission_values(&group.ip_permissions, part),
                (None, None) => Vec::new(),
            },
        })
    });
    let key = |group: &SecurityGroup| group.group_id.clone();
    let (security_group_info, next_token) = page(shown.collect(), key, &input)?;
    Ok(DescribeSecurityGroupsOutput { security_group_info, next_token })
}

fn permission_values(permissions: &[IpPermission], part: &str) -> Vec<String> {
    let of = |permission: &IpPermission| -> Vec<String> {
        match part {
            "cidr" => permission.ip_ranges.iter().map(|range| range.cidr_ip.clone()).collect(),
            "group-id" => permission.groups.iter().map(|group| group.group_id.clone()).collect(),
            "protocol" => vec![permission.ip_protocol.to_owned()],
            "from-port" => permission.from_port.iter().map(ToString::to_string).collect(),
            "to-port" => permission.to_port.iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        }
    };
    permissions.iter().flat_map(of).collect()
}

fn show_group(control: &Control, group: &network::SecurityGroup) -> SecurityGroup {
    let place = &control.config().place;
    SecurityGroup {
        group_id: group.id.to_string(),
        group_name: group.name.clone(),
        group_description: group.description.clone(),
        owner_id: place.account.clone(),
        vpc_id: group.vpc.to_string(),
        security_group_arn: place.arn("ec2", format_args!("security-group/{}", group.id)).to_string(),
        ip_permissions: show_permissions(&group.ingress, &place.account),
        ip_permissions_egress: show_permissions(&group.egress, &place.account),
        tag_set: tags(&group.tags),
    }
}

/// Returns permissions as they are shown: those with the same protocol and ports are one.
fn show_permissions(permissions: &[Permission], account: &str) -> Vec<IpPermission> {
    let mut shown: Vec<IpPermission> = Vec::new();
    for Permission { protocol, ports, peer } in permissions {
        let ip_protocol = match protocol {
            IpProtocol::All => "-1",
            IpProtocol::Tcp => "tcp",
            IpProtocol::Udp => "udp",
            IpProtocol::Icmp => "icmp",
        };
        let (from_port, to_port) = match ports {
            Some((from, to)) => (Some(i64::from(*from)), Some(i64::from(*to))),
            None if *protocol == IpProtocol::All => (None, None),
            None if *protocol == IpProtocol::Icmp => (Some(-1), Some(-1)),
            None => (Some(0), Some(65535)),
        };
        let same = |known: &IpPermission| {
            known.ip_protocol == ip_protocol && known.from_port == from_port && known.to_port == to_port
        };
        let place = shown.iter().position(same).unwrap_or_else(|| {
            shown.push(IpPermission {
                ip_protocol,
                from_port,
                to_port,
                groups: Vec::new(),
                ip_ranges: Vec::new(),
                ipv6_ranges: Vec::new(),
                prefix_list_ids: Vec::new(),
            });
            shown.len() - 1
        });
        match peer {
            Peer::Cidr(cidr) => shown[place].ip_ranges.push(IpRange { cidr_ip: cidr.to_string() }),
            Peer::Group(group) => shown[place]
                .groups
                .push(UserIdGroupPair { user_id: account.to_owned(), group_id: group.to_string() }),
        }
    }
    shown
}
