//! The whole table as a script for `nft`, which loads it in one transaction.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;

use super::elements::{Element, balancer_elements, member_elements};
use super::{
    FirewallConfig, FirewallError, Permission, Place, Protocol, Ruleset, SecurityGroup, Subnet, Way,
};
use crate::network::Cidr;

/// Returns the name of the set that holds a group's members.
pub(super) fn members_set(group: &str) -> Result<String, FirewallError> {
    named_set("m", group)
}

/// Returns the name of the set of one kind that belongs to an id.
pub(super) fn named_set(kind: &str, id: &str) -> Result<String, FirewallError> {
    let fits = !id.is_empty()
        && id.len() < 64
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if fits {
        Ok(format!("{kind}_{}", id.replace('-', "_")))
    } else {
        Err(FirewallError::Name { what: "id", name: id.to_owned() })
    }
}

/// Returns the script that replaces the table with what a rule set says.
pub(super) fn render(config: &FirewallConfig, rules: &Ruleset) -> Result<String, FirewallError> {
    let table = &config.table;
    check_names(rules)?;
    let mut out = format!("add table inet {table}\ndelete table inet {table}\ntable inet {table} {{\n");
    line(&mut out, "set owners { type ifname . ipv4_addr; }");
    for set in ["tasks", "balancers", "translated", "bridged"] {
        line(&mut out, &format!("set {set} {{ type ipv4_addr; }}"));
    }
    line(&mut out, "map public { type ipv4_addr : ipv4_addr; }");
    line(&mut out, "map host_ports { type inet_proto . inet_service : ipv4_addr . inet_service; }");
    for (kind, id) in named(rules) {
        line(&mut out, &format!("set {} {{ type ipv4_addr; }}", named_set(kind, id)?));
    }
    for group in &rules.groups {
        group_chain(&mut out, group, "in", "saddr", &group.ingress)?;
        group_chain(&mut out, group, "out", "daddr", &group.egress)?;
    }
    ways(&mut out, config, rules)?;
    base_chains(&mut out, config, rules)?;
    out.push_str("}\n");
    let mut by_set: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for Element { set, key, data } in elements(rules)? {
        let data = data.map(|data| format!(" : {}", data.text())).unwrap_or_default();
        by_set.entry(set).or_default().push(format!("{}{data}", key.text()));
    }
    for (set, elements) in by_set {
        let _infallible = writeln!(out, "add element inet {table} {set} {{ {} }}", elements.join(", "));
    }
    Ok(out)
}

/// Every set that is called by an id: its kind and the id.
fn named(rules: &Ruleset) -> impl Iterator<Item = (&'static str, &String)> {
    let groups = rules.groups.iter().map(|group| ("m", &group.id));
    let vpcs = rules.vpcs.iter().map(|vpc| ("v", vpc));
    groups.chain(vpcs).chain(rules.subnets.iter().map(|subnet| ("s", &subnet.id)))
}

fn elements(rules: &Ruleset) -> Result<Vec<Element>, FirewallError> {
    let mut elements = Vec::new();
    for member in &rules.members {
        elements.extend(member_elements(member)?);
    }
    for balancer in &rules.balancers {
        elements.extend(balancer_elements(balancer)?);
    }
    Ok(elements)
}

fn check_names(rules: &Ruleset) -> Result<(), FirewallError> {
    let known: HashSet<(&str, &str)> = named(rules).map(|(kind, id)| (kind, id.as_str())).collect();
    let permissions = rules.groups.iter().flat_map(|group| group.ingress.iter().chain(&group.egress));
    let mut used: Vec<(&str, &str)> = Vec::new();
    used.extend(permissions.flat_map(|permission| &permission.groups).map(|id| ("m", id.as_str())));
    for member in &rules.members {
        if let Place::Vpc { vpc, subnet, groups, .. } = &member.place {
            used.push(("v", vpc));
            used.extend(subnet.iter().map(|id| ("s", id.as_str())));
            used.extend(groups.iter().map(|id| ("m", id.as_str())));
        }
    }
    for balancer in &rules.balancers {
        used.push(("v", &balancer.vpc));
        used.extend(balancer.groups.iter().map(|id| ("m", id.as_str())));
    }
    match used.into_iter().find(|used| !known.contains(used)) {
        Some((_, unknown)) => Err(FirewallError::Unknown(unknown.to_owned())),
        None => Ok(()),
    }
}

/// The chains that say whether a packet has a way: those return, and drop what has none.
fn ways(out: &mut String, config: &FirewallConfig, rules: &Ruleset) -> Result<(), FirewallError> {
    line(out, "chain same_vpc {");
    for vpc in &rules.vpcs {
        let set = named_set("v", vpc)?;
        line(out, &format!("  ip saddr @{set} ip daddr @{set} return"));
    }
    line(out, "  drop");
    line(out, "}");
    // The destination that the sender chose decides, not the address that it was translated to.
    for Subnet { id, ways } in &rules.subnets {
        for (direction, peer) in [("way", "ct original ip daddr"), ("back", "ip saddr")] {
            line(out, &format!("chain {} {{", named_set(direction, id)?));
            for (Cidr { address, prefix }, way) in ways {
                let covered = match prefix {
                    0 => String::new(),
                    prefix => format!("{peer} {address}/{prefix} "),
                };
                match (way, direction) {
                    (Way::Internet, "way") => {
                        line(out, &format!("  {covered}ip saddr @translated return"));
                        line(out, &format!("  {covered}drop"));
                    }
                    (Way::Internet, _) | (Way::Nat, "way") => line(out, &format!("  {covered}return")),
                    (Way::Nat | Way::Nowhere, _) => line(out, &format!("  {covered}drop")),
                }
            }
            line(out, "  drop");
            line(out, "}");
        }
    }
    line(out, "chain ways {");
    line(out, "  ip daddr @bridged ct status dnat return");
    for vpc in &rules.vpcs {
        let set = named_set("v", vpc)?;
        line(out, &format!("  ip saddr @{set} ip daddr @{set} return"));
    }
    line(out, &format!("  oifname \"{}*\" ct status & dnat == 0 drop", config.veth_prefix));
    for subnet in &rules.subnets {
        let (set, chain) = (named_set("s", &subnet.id)?, named_set("way", &subnet.id)?);
        line(out, &format!("  ip saddr @{set} goto {chain}"));
    }
    line(out, "  drop");
    line(out, "}");
    // From the world to a public address: the answers need a way, too.
    line(out, "chain ways_back {");
    for subnet in &rules.subnets {
        let (set, chain) = (named_set("s", &subnet.id)?, named_set("back", &subnet.id)?);
        line(out, &format!("  ip daddr @{set} goto {chain}"));
    }
    line(out, "  drop");
    line(out, "}");
    Ok(())
}

/// The chain of one direction of a group: what matches is accepted, the rest goes on to the next group.
fn group_chain(
    out: &mut String,
    group: &SecurityGroup,
    direction: &str,
    peer: &str,
    permissions: &[Permission],
) -> Result<(), FirewallError> {
    let chain = members_set(&group.id)?.replacen("m_", &format!("{direction}_"), 1);
    line(out, &format!("chain {chain} {{"));
    for permission in permissions {
        let what = protocol(permission.protocol);
        for Cidr { address, prefix } in &permission.cidrs {
            let from = if *prefix == 0 { String::new() } else { format!("ip {peer} {address}/{prefix} ") };
            line(out, &format!("  {from}{what}accept"));
        }
        for id in &permission.groups {
            line(out, &format!("  ip {peer} @{} {what}accept", members_set(id)?));
        }
    }
    line(out, "}");
    Ok(())
}

fn protocol(protocol: Protocol) -> String {
    match protocol {
        Protocol::Any => String::new(),
        Protocol::Tcp { from, to } => format!("tcp dport {from}-{to} "),
        Protocol::Udp { from, to } => format!("udp dport {from}-{to} "),
        Protocol::Icmp { kind: None, .. } => "ip protocol icmp ".to_owned(),
        Protocol::Icmp { kind: Some(kind), code: None } => format!("icmp type {kind} "),
        Protocol::Icmp { kind: Some(kind), code: Some(code) } => {
            format!("icmp type {kind} icmp code {code} ")
        }
        Protocol::Number(number) => format!("ip protocol {number} "),
    }
}

fn base_chains(out: &mut String, config: &FirewallConfig, rules: &Ruleset) -> Result<(), FirewallError> {
    let ours = format!("\"{}*\"", config.veth_prefix);
    let mut sender = String::new();
    let mut receiver = String::new();
    for group in &rules.groups {
        let set = members_set(&group.id)?;
        let name = &set[2..];
        let _infallible = writeln!(sender, "    ip saddr @{set} jump out_{name}");
        let _infallible = writeln!(receiver, "    ip daddr @{set} jump in_{name}");
    }
    // A connection is let through once; a TCP packet that belongs to none and opens none is not. A task is told so,
    // or its end of a connection that was cut would wait for minutes; the end of such a one counts as invalid.
    let stray = "ct state new meta l4proto tcp tcp flags & (fin | syn | rst | ack) != syn";
    let tracked = format!(
        "ct state established,related accept
    ct state invalid drop
    {stray} drop"
    );
    let tracked_sender = format!(
        "ct state established,related accept
    ct state invalid meta l4proto tcp tcp flags & fin == fin reject with tcp reset
    ct state invalid drop
    {stray} reject with tcp reset"
    );
    // What came to 127.0.0.1 or from a bridged task must come back here to be translated back.
    let host = match rules.host_address {
        Some(host) => format!(
            "oifname {ours} ip saddr 127.0.0.0/8 snat ip to {host}
    oifname {ours} ip saddr @bridged ct status dnat snat ip to {host}"
        ),
        None => String::new(),
    };
    // An accept ends only its own base chain, so the sender's rules are one and the receiver's the next. Between them
    // is where flows are counted (`meter`).
    let text = format!(
        r#"  chain spoofing {{
    type filter hook prerouting priority raw; policy accept;
    iifname {ours} meta nfproto ipv6 drop
    iifname {ours} iifname . ip saddr != @owners drop
    iifname {ours} ip daddr 127.0.0.0/8 drop
  }}
  chain public_in {{
    type nat hook prerouting priority dstnat; policy accept;
    dnat ip to ip daddr map @public
    fib daddr type local dnat ip to meta l4proto . th dport map @host_ports
  }}
  chain public_local {{
    type nat hook output priority -100; policy accept;
    dnat ip to ip daddr map @public
    fib daddr type local dnat ip to meta l4proto . th dport map @host_ports
  }}
  chain public_out {{
    type nat hook postrouting priority srcnat; policy accept;
    {host}
    oifname != {ours} ip saddr @tasks masquerade
    oifname != {ours} oifname != "lo" ip saddr @balancers masquerade
  }}
  chain forward_sender {{
    type filter hook forward priority filter - 2; policy accept;
    iifname != {ours} accept
    {tracked_sender}
    ip daddr 169.254.0.0/16 ip daddr != @bridged drop
    ip saddr @bridged accept
    jump ways
{sender}    drop
  }}
  chain forward_receiver {{
    type filter hook forward priority filter; policy accept;
    oifname != {ours} accept
    {tracked}
    ip daddr @bridged ct status dnat accept
    ip daddr @bridged ip saddr @bridged accept
    ip daddr @bridged drop
    iifname != {ours} ct status dnat jump ways_back
{receiver}    drop
  }}
  chain input_sender {{
    type filter hook input priority filter - 2; policy accept;
    iifname != {ours} accept
    {tracked_sender}
    ip daddr != @balancers drop
    ip saddr @bridged accept
    jump same_vpc
{sender}    drop
  }}
  chain input_receiver {{
    type filter hook input priority filter; policy accept;
    meta nfproto ipv6 accept
    ip daddr != @balancers accept
    iifname "lo" accept
    {tracked}
{receiver}    drop
  }}
  chain output_sender {{
    type filter hook output priority filter - 2; policy accept;
    meta nfproto ipv6 accept
    ip saddr != @balancers accept
    oifname "lo" accept
    {tracked}
    oifname {ours} ip daddr != @bridged jump same_vpc
{sender}    drop
  }}
  chain output_receiver {{
    type filter hook output priority filter; policy accept;
    meta nfproto ipv6 accept
    ip saddr != @balancers accept
    oifname != {ours} accept
    {tracked}
    ip daddr @bridged accept
{receiver}    drop
  }}
"#
    );
    out.push_str(&text);
    Ok(())
}

fn line(out: &mut String, text: &str) {
    let _infallible = writeln!(out, "  {text}");
}
