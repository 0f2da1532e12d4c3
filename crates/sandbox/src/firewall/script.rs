//! The whole table as a script for `nft`, which loads it in one transaction.

use std::fmt::Write;

use super::elements::{Element, balancer_elements, member_elements};
use super::{FirewallConfig, FirewallError, Permission, Protocol, Ruleset, SecurityGroup};
use crate::network::Cidr;

/// Returns the name of the set that holds a group's members.
pub(super) fn members_set(group: &str) -> Result<String, FirewallError> {
    let fits = !group.is_empty()
        && group.len() < 64
        && group.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if fits {
        Ok(format!("m_{}", group.replace('-', "_")))
    } else {
        Err(FirewallError::Name { what: "security group", name: group.to_owned() })
    }
}

/// Returns the script that replaces the table with what a rule set says.
pub(super) fn render(config: &FirewallConfig, rules: &Ruleset) -> Result<String, FirewallError> {
    let table = &config.table;
    check_names(rules)?;
    let mut out = format!("add table inet {table}\ndelete table inet {table}\ntable inet {table} {{\n");
    line(&mut out, "set owners { type ifname . ipv4_addr; }");
    line(&mut out, "set balancers { type ipv4_addr; }");
    line(&mut out, "set translated { type ipv4_addr; }");
    line(&mut out, "map public { type ipv4_addr : ipv4_addr; }");
    for group in &rules.groups {
        line(&mut out, &format!("set {} {{ type ipv4_addr; }}", members_set(&group.id)?));
    }
    for group in &rules.groups {
        group_chain(&mut out, group, "in", "saddr", &group.ingress)?;
        group_chain(&mut out, group, "out", "daddr", &group.egress)?;
    }
    base_chains(&mut out, config, rules)?;
    out.push_str("}\n");
    for element in elements(rules)? {
        let Element { set, key, data } = &element;
        let data = data.map(|data| format!(" : {data}")).unwrap_or_default();
        let _infallible = writeln!(out, "add element inet {table} {set} {{ {}{data} }}", key.text());
    }
    Ok(out)
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
    let named = rules.groups.iter().flat_map(|group| group.ingress.iter().chain(&group.egress));
    let named = named.flat_map(|permission| &permission.groups);
    let held = rules.members.iter().flat_map(|member| &member.groups);
    let held = held.chain(rules.balancers.iter().flat_map(|balancer| &balancer.groups));
    match named.chain(held).find(|id| !rules.groups.iter().any(|group| group.id == **id)) {
        Some(unknown) => Err(FirewallError::UnknownGroup(unknown.clone())),
        None => Ok(()),
    }
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
    let tracked = "ct state established,related accept";
    // An accept ends only its own base chain, so the sender's rules are one and the receiver's the next.
    let text = format!(
        r#"  chain spoofing {{
    type filter hook prerouting priority raw; policy accept;
    iifname {ours} meta nfproto ipv6 drop
    iifname {ours} iifname . ip saddr != @owners drop
  }}
  chain public_in {{
    type nat hook prerouting priority dstnat; policy accept;
    dnat ip to ip daddr map @public
  }}
  chain public_local {{
    type nat hook output priority -100; policy accept;
    dnat ip to ip daddr map @public
  }}
  chain public_out {{
    type nat hook postrouting priority srcnat; policy accept;
    oifname != {ours} ip saddr @translated masquerade
  }}
  chain forward_sender {{
    type filter hook forward priority filter - 1; policy accept;
    iifname != {ours} accept
    {tracked}
    ip daddr 169.254.0.0/16 drop
{sender}    drop
  }}
  chain forward_receiver {{
    type filter hook forward priority filter; policy accept;
    oifname != {ours} accept
    {tracked}
{receiver}    drop
  }}
  chain input_sender {{
    type filter hook input priority filter - 1; policy accept;
    iifname != {ours} accept
    {tracked}
    ip daddr != @balancers drop
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
    type filter hook output priority filter - 1; policy accept;
    meta nfproto ipv6 accept
    ip saddr != @balancers accept
    oifname "lo" accept
    {tracked}
{sender}    drop
  }}
  chain output_receiver {{
    type filter hook output priority filter; policy accept;
    meta nfproto ipv6 accept
    ip saddr != @balancers accept
    oifname != {ours} accept
    {tracked}
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
