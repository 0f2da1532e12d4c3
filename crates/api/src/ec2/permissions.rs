//! Permissions: from a caller's words to rules, and back.

use wharf_aws::ec2::{
    GivenPermission, IpPermission, IpRange, Ipv6Range, PrefixListId, RuleRequest, UserIdGroupPair,
};
use wharf_control::Control;
use wharf_control::operations::networks::rules::GivenRule;
use wharf_control::operations::networks::{Kind, security_groups};
use wharf_model::network::{Cidr6, IpProtocol, Peer, Permission, SecurityGroupRule};

use super::given;
use crate::Fault;

/// Any type or code of ICMP.
const ANY: u16 = u16::MAX;

/// Returns the rules that permissions stand for: one for each peer.
pub(super) fn read(control: &Control, permissions: &[GivenPermission]) -> Result<Vec<GivenRule>, Fault> {
    let mut rules = Vec::new();
    for permission in permissions {
        let (protocol, ports) =
            traffic(permission.ip_protocol.as_deref(), permission.from_port, permission.to_port)?;
        let before = rules.len();
        let mut add = |peer, description: &Option<String>| {
            let permission = Permission { protocol, ports, peer };
            rules.push(GivenRule { permission, description: description.clone() });
        };
        for range in &permission.ip_ranges {
            add(Peer::Cidr(given::cidr(&range.cidr_ip, "cidrIp")?), &range.description);
        }
        for range in &permission.ipv6_ranges {
            add(Peer::Cidr6(cidr6(&range.cidr_ipv6)?), &range.description);
        }
        for list in &permission.prefix_list_ids {
            add(Peer::PrefixList(given::id(Kind::PrefixList, &list.prefix_list_id)?), &list.description);
        }
        for group in &permission.groups {
            let account = &control.config().place.account;
            given::refuse(group.user_id.as_ref().is_some_and(|user| user != account), "UserId")?;
            given::refuse(group.vpc_peering_connection_id.is_some(), "VpcPeeringConnectionId")?;
            let id = group.group_id.as_deref().map(|id| given::id(Kind::SecurityGroup, id)).transpose()?;
            let id = security_groups::named(control, id, group.group_name.as_deref())?;
            add(Peer::Group(id), &group.description);
        }
        if rules.len() == before {
            return Err(given::missing(
                "ipPermissions: no CIDR block, prefix list or security group is named",
            ));
        }
    }
    Ok(rules)
}

/// Returns the rule that ModifySecurityGroupRules gives.
pub(super) fn read_request(request: &RuleRequest) -> Result<GivenRule, Fault> {
    let (protocol, ports) = traffic(request.ip_protocol.as_deref(), request.from_port, request.to_port)?;
    let mut peers = Vec::new();
    if let Some(block) = &request.cidr_ipv4 {
        peers.push(Peer::Cidr(given::cidr(block, "cidrIpv4")?));
    }
    if let Some(block) = &request.cidr_ipv6 {
        peers.push(Peer::Cidr6(cidr6(block)?));
    }
    if let Some(list) = &request.prefix_list_id {
        peers.push(Peer::PrefixList(given::id(Kind::PrefixList, list)?));
    }
    if let Some(group) = &request.referenced_group_id {
        peers.push(Peer::Group(given::id(Kind::SecurityGroup, group)?));
    }
    let [peer] = <[Peer; 1]>::try_from(peers).map_err(|_| {
        Fault::caller(
            "InvalidParameterCombination",
            "Exactly one of CidrIpv4, CidrIpv6, PrefixListId and ReferencedGroupId must be given.",
        )
    })?;
    let permission = Permission { protocol, ports, peer };
    Ok(GivenRule { permission, description: request.description.clone() })
}

fn cidr6(given: &str) -> Result<Cidr6, Fault> {
    given.parse().map_err(|_| given::invalid(format!("CIDR block {given} is malformed")))
}

fn traffic(
    protocol: Option<&str>,
    from: Option<i64>,
    to: Option<i64>,
) -> Result<(IpProtocol, Option<(u16, u16)>), Fault> {
    let name = protocol.ok_or_else(|| given::missing("ipProtocol"))?.to_ascii_lowercase();
    let protocol = match name.as_str() {
        "-1" | "all" => IpProtocol::All,
        "tcp" | "6" => IpProtocol::Tcp,
        "udp" | "17" => IpProtocol::Udp,
        "icmp" | "1" => IpProtocol::Icmp,
        "icmpv6" => IpProtocol::Number(58),
        number => IpProtocol::Number(number.parse().map_err(|_| {
            given::invalid(format!("Invalid value '{number}' for IP protocol. Unknown protocol."))
        })?),
    };
    let number = |given: i64| match given {
        -1 => Ok(ANY),
        _ => u16::try_from(given).map_err(|_| {
            given::invalid(format!("Invalid value '{given}' for portRange. Ports are 0 to 65535."))
        }),
    };
    let ports = match (protocol, from, to) {
        // On the others ports are given and mean nothing, as on AWS.
        (IpProtocol::All | IpProtocol::Number(_), _, _) | (_, None, None) => None,
        (IpProtocol::Icmp, Some(-1), Some(-1) | None) => None,
        (IpProtocol::Icmp, Some(kind), code) => Some((number(kind)?, number(code.unwrap_or(-1))?)),
        (_, Some(from), Some(to)) if from >= 0 && to >= 0 => Some((number(from)?, number(to)?)),
        (_, Some(-1), Some(-1)) => Some((0, u16::MAX)),
        (_, from, to) => {
            let (from, to) = (from.unwrap_or(-1), to.unwrap_or(-1));
            return Err(given::invalid(format!("Invalid TCP/UDP port range ({from}:{to})")));
        }
    };
    Ok((protocol, ports))
}

/// Returns the name of a protocol.
pub(super) fn protocol(protocol: IpProtocol) -> String {
    match protocol {
        IpProtocol::All => "-1".to_owned(),
        IpProtocol::Tcp => "tcp".to_owned(),
        IpProtocol::Udp => "udp".to_owned(),
        IpProtocol::Icmp => "icmp".to_owned(),
        IpProtocol::Number(58) => "icmpv6".to_owned(),
        IpProtocol::Number(number) => number.to_string(),
    }
}

/// Returns the ports of a permission, or type and code.
pub(super) fn ports(permission: &Permission) -> (Option<i64>, Option<i64>) {
    let shown = |number: u16| match (permission.protocol, number) {
        (IpProtocol::Icmp, ANY) => -1,
        (_, number) => i64::from(number),
    };
    match (permission.protocol, permission.ports) {
        (_, Some((from, to))) => (Some(shown(from)), Some(shown(to))),
        (IpProtocol::All | IpProtocol::Number(_), None) => (None, None),
        (IpProtocol::Icmp, None) => (Some(-1), Some(-1)),
        (IpProtocol::Tcp | IpProtocol::Udp, None) => (Some(0), Some(65535)),
    }
}

/// Returns rules as DescribeSecurityGroups shows them: those with the same protocol and ports are one permission.
pub(super) fn show(rules: &[SecurityGroupRule], account: &str) -> Vec<IpPermission> {
    let mut shown: Vec<IpPermission> = Vec::new();
    for SecurityGroupRule { permission, description, .. } in rules {
        let ip_protocol = protocol(permission.protocol);
        let (from_port, to_port) = ports(permission);
        let same = |known: &IpPermission| {
            known.ip_protocol == ip_protocol && known.from_port == from_port && known.to_port == to_port
        };
        let place = shown.iter().position(same).unwrap_or_else(|| {
            shown.push(IpPermission {
                ip_protocol: ip_protocol.clone(),
                from_port,
                to_port,
                groups: Vec::new(),
                ip_ranges: Vec::new(),
                ipv6_ranges: Vec::new(),
                prefix_list_ids: Vec::new(),
            });
            shown.len() - 1
        });
        let (place, description) = (&mut shown[place], description.clone());
        match &permission.peer {
            Peer::Cidr(cidr) => place.ip_ranges.push(IpRange { cidr_ip: cidr.to_string(), description }),
            Peer::Cidr6(cidr) => {
                place.ipv6_ranges.push(Ipv6Range { cidr_ipv6: cidr.to_string(), description })
            }
            Peer::Group(group) => place.groups.push(UserIdGroupPair {
                user_id: account.to_owned(),
                group_id: group.to_string(),
                description,
            }),
            Peer::PrefixList(list) => {
                place.prefix_list_ids.push(PrefixListId { prefix_list_id: list.to_string(), description });
            }
        }
    }
    shown
}
