//! The flow table as a script for `nft`.

use std::fmt::Write;
use std::net::Ipv4Addr;

use super::{LIFE, Point};

/// The set that counts what did not fit.
pub(super) const LOST: &str = "lost";
/// The protocols whose ports tell flows apart: TCP and UDP.
pub(super) const PORTED: [u8; 2] = [6, 17];

/// How many flows fit at one point. The kernel keeps 2 MB for so many at once, and some 200 bytes for each that is there.
const FLOWS_MAX: u32 = 131_072;
const ADDRESSES_MAX: u32 = 65_535;

/// Returns the script that makes the table anew.
pub(super) fn render(table: &str, veth_prefix: &str, addresses: &[Ipv4Addr]) -> String {
    let life = LIFE.as_secs();
    let mut out = format!("add table inet {table}\ndelete table inet {table}\ntable inet {table} {{\n");
    out.push_str("  set logged { type ipv4_addr; }\n");
    let lost = format!(
        "  set {LOST} {{ type ipv4_addr; size {ADDRESSES_MAX}; flags dynamic,timeout; timeout {life}s; }}\n"
    );
    out.push_str(&lost);
    for point in Point::ALL {
        let set = point.set();
        let _infallible = writeln!(
            out,
            "  set {set} {{ type ipv4_addr . ipv4_addr . inet_proto . inet_service . inet_service; size {FLOWS_MAX}; \
             flags dynamic,timeout; timeout {life}s; }}"
        );
    }
    for point in Point::ALL {
        counting_chain(&mut out, point);
    }
    base_chains(&mut out, veth_prefix);
    out.push_str("}\n");
    if !addresses.is_empty() {
        let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        let _infallible = writeln!(out, "add element inet {table} logged {{ {} }}", addresses.join(", "));
    }
    out
}

/// The chain that counts at a point. An update that finds no room does not match, and the last rule has the packet.
fn counting_chain(out: &mut String, point: Point) {
    let set = point.set();
    let ported = PORTED.map(|protocol| protocol.to_string()).join(", ");
    // After the sender's rules the destination is translated already; where a connection is new, its original tuple is
    // what the sender wrote.
    let (addresses, ports) = match point {
        Point::SentPassed => {
            ("ct original ip saddr . ct original ip daddr", "ct original proto-src . ct original proto-dst")
        }
        Point::SentKept
        | Point::SentTried
        | Point::ReceivedKept
        | Point::ReceivedTried
        | Point::ReceivedPassed => ("ip saddr . ip daddr", "th sport . th dport"),
    };
    let own = match point {
        Point::SentKept | Point::SentTried | Point::SentPassed => "saddr",
        Point::ReceivedKept | Point::ReceivedTried | Point::ReceivedPassed => "daddr",
    };
    // Without ports the key is filled with what every packet of a kind has alike, such as an ICMP type.
    let text = format!(
        "  chain count_{set} {{
    meta l4proto {{ {ported} }} update @{set} {{ {addresses} . meta l4proto . {ports} counter }} accept
    meta l4proto != {{ {ported} }} update @{set} {{ {addresses} . meta l4proto . th sport . th sport counter }} accept
    update @{LOST} {{ ip {own} counter }}
  }}
"
    );
    out.push_str(&text);
}

/// Where the points are: hook, priority, which packets, and the point.
fn base_chains(out: &mut String, veth_prefix: &str) {
    // Addresses that are logged and the host's own are load balancers'. What the host says to itself is no traffic.
    let from_task = format!("iifname \"{veth_prefix}*\" ip saddr @logged");
    let to_task = format!("oifname \"{veth_prefix}*\" ip daddr @logged");
    let from_host = "oifname != \"lo\" ip saddr @logged";
    let to_host = "iifname != \"lo\" ip daddr @logged";
    let known = "ct state established,related";
    let (new, unknown) = ("ct state new", "ct state new,invalid");
    let chains = [
        (
            "prerouting",
            -150,
            vec![(&*from_task, known, Point::SentKept), (&*from_task, "", Point::SentTried)],
        ),
        ("output", -150, vec![(from_host, known, Point::SentKept), (from_host, "", Point::SentTried)]),
        ("forward", -1, vec![(&*from_task, new, Point::SentPassed)]),
        ("input", -1, vec![(&*from_task, new, Point::SentPassed)]),
        ("output", -1, vec![(from_host, new, Point::SentPassed)]),
        ("forward", -1, vec![(&*to_task, unknown, Point::ReceivedTried)]),
        ("input", -1, vec![(to_host, unknown, Point::ReceivedTried)]),
        ("output", -1, vec![(&*to_task, unknown, Point::ReceivedTried)]),
        ("forward", 1, vec![(&*to_task, new, Point::ReceivedPassed)]),
        ("input", 1, vec![(to_host, new, Point::ReceivedPassed)]),
        ("output", 1, vec![(&*to_task, new, Point::ReceivedPassed)]),
        ("postrouting", 300, vec![(&*to_task, "", Point::ReceivedKept)]),
        ("input", 300, vec![(to_host, "", Point::ReceivedKept)]),
    ];
    for (place, (hook, priority, rules)) in chains.into_iter().enumerate() {
        let _infallible = writeln!(
            out,
            "  chain {hook}_{place} {{\n    type filter hook {hook} priority {priority}; policy accept;"
        );
        for (packets, state, point) in rules {
            let _infallible = writeln!(out, "    {packets} {state} goto count_{}", point.set());
        }
        out.push_str("  }\n");
    }
}
