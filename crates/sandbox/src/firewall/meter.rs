//! What addresses send and receive, counted by the kernel packet by packet: the numbers behind flow logs.
//!
//! A table of its own that lets everything through. It is there only while somebody wants to know, and outlives the
//! firewall's, which is made anew with every change of a group. The counters are elements of sets, made by the packets
//! themselves; who reads them needs no socket between two readings, and misses nothing.
//!
//! ```text
//! sender     prerouting, output   tried, or kept where the connection is established     before addresses are translated
//!            forward, input, output   passed                                             after the sender's rules
//! receiver   forward, input, output   tried                                              before the receiver's rules
//!            forward, input, output   passed                                             after them
//!            postrouting, input   kept                                                   as it arrives
//! ```
//!
//! What was tried and has not passed was refused. A set that is full takes no more flows: the packets of those that do
//! not fit are counted by their address alone.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::elements::{Element, Key};
use super::netlink::{Change, NFTABLES, Socket, attribute, attributes, request, text};
use super::{FirewallConfig, FirewallError};
use crate::nft;

mod script;
#[cfg(test)]
mod tests;

/// How long a flow's counter stays after its last packet.
pub const LIFE: Duration = Duration::from_secs(30);

const GET_ELEMENTS: u16 = NFTABLES << 8 | 13;
const FAMILY_INET: u8 = 1;

// Attributes of a list of elements, of an element, of its data, of an expression, of a counter.
const LIST_TABLE: u16 = 1;
const LIST_SET: u16 = 2;
const LIST_ELEMENTS: u16 = 3;
const ELEMENT_KEY: u16 = 1;
const ELEMENT_EXPIRATION: u16 = 5;
const ELEMENT_EXPRESSION: u16 = 7;
const ELEMENT_EXPRESSIONS: u16 = 11;
const DATA_VALUE: u16 = 1;
const EXPRESSION_DATA: u16 = 2;
const COUNTER_BYTES: u16 = 1;
const COUNTER_PACKETS: u16 = 2;

/// Where packets were counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// Sent, of a connection that is let through.
    SentKept,
    /// Sent, and yet to be judged by the sender's rules.
    SentTried,
    /// Sent, and let through by the sender's rules.
    SentPassed,
    /// Received.
    ReceivedKept,
    /// To be received, and yet to be judged by the receiver's rules.
    ReceivedTried,
    /// To be received, and let through by the receiver's rules.
    ReceivedPassed,
}

impl Point {
    /// In the order in which they are read: what was tried comes before what has passed, so that a packet under way
    /// never seems to be refused.
    const ALL: [Point; 6] = [
        Point::SentTried,
        Point::SentPassed,
        Point::SentKept,
        Point::ReceivedTried,
        Point::ReceivedPassed,
        Point::ReceivedKept,
    ];

    fn set(self) -> &'static str {
        match self {
            Point::SentKept => "sent_kept",
            Point::SentTried => "sent_tried",
            Point::SentPassed => "sent_passed",
            Point::ReceivedKept => "received_kept",
            Point::ReceivedTried => "received_tried",
            Point::ReceivedPassed => "received_passed",
        }
    }
}

/// What was counted of a flow at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The point.
    pub point: Point,
    /// Who sent it, as the counted address sees it.
    pub from: Ipv4Addr,
    /// Whom it was sent to, as the counted address sees it.
    pub to: Ipv4Addr,
    /// The protocol's number.
    pub protocol: u8,
    /// The sender's port; zero where the protocol has none.
    pub from_port: u16,
    /// The receiver's port; zero where the protocol has none.
    pub to_port: u16,
    /// Packets.
    pub packets: u64,
    /// Bytes, with the IP header.
    pub bytes: u64,
    /// How long ago the last of them came.
    pub idle: Duration,
}

/// Everything that is counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The flows.
    pub counted: Vec<Counted>,
    /// How many packets of an address belonged to flows that did not fit.
    pub lost: Vec<(Ipv4Addr, u64)>,
}

/// The table. It holds nothing between two calls.
#[derive(Clone, Debug)]
pub struct Meter {
    table: String,
    veth_prefix: String,
}

impl Meter {
    /// Returns the meter beside a firewall.
    pub fn beside(config: &FirewallConfig) -> Meter {
        Meter { table: format!("{}_flows", config.table), veth_prefix: config.veth_prefix.clone() }
    }

    /// Counts these addresses from zero.
    ///
    /// Runs `nft` and waits for it, some milliseconds.
    pub fn start(&self, addresses: &[Ipv4Addr]) -> Result<(), FirewallError> {
        Ok(nft::load(&script::render(&self.table, &self.veth_prefix, addresses))?)
    }

    /// Counts one more address.
    pub fn add(&self, ip: Ipv4Addr) -> Result<(), FirewallError> {
        self.change(Change::Add, ip).map_err(failed("count an address"))
    }

    /// Counts an address no longer; what was counted stays to be read. Safe to repeat.
    pub fn remove(&self, ip: Ipv4Addr) -> Result<(), FirewallError> {
        match self.change(Change::Remove, ip) {
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(()),
            result => result.map_err(failed("count an address no longer")),
        }
    }

    fn change(&self, change: Change, ip: Ipv4Addr) -> std::io::Result<()> {
        let element = Element { set: "logged".to_owned(), key: Key::Address(ip), data: None };
        Socket::open()?.change(change, &self.table, &[element])
    }

    /// Says whether the table is there.
    pub fn is_there(&self) -> Result<bool, FirewallError> {
        Socket::open()
            .and_then(|socket| socket.has_table(&self.table))
            .map_err(failed("look for the flow table"))
    }

    /// Returns what has been counted so far.
    pub fn read(&self) -> Result<Reading, FirewallError> {
        let failed = failed("read the flow table");
        let socket = Socket::open().map_err(&failed)?;
        let mut reading = Reading::default();
        for point in Point::ALL {
            let each = |found: Found<'_>| reading.counted.extend(counted(point, &found));
            elements(&socket, &self.table, point.set(), each).map_err(&failed)?;
        }
        let each = |found: Found<'_>| {
            reading.lost.extend(address(found.key, 0).map(|ip| (ip, found.packets)));
        };
        elements(&socket, &self.table, script::LOST, each).map_err(&failed)?;
        Ok(reading)
    }

    /// Removes the table. Safe to repeat.
    pub fn tear_down(&self) -> Result<(), FirewallError> {
        let table = &self.table;
        Ok(nft::load(&format!("add table inet {table}\ndelete table inet {table}\n"))?)
    }
}

fn failed(what: &'static str) -> impl Fn(std::io::Error) -> FirewallError {
    move |source| FirewallError::Netlink { what, source }
}

/// An element with a counter.
struct Found<'a> {
    key: &'a [u8],
    packets: u64,
    bytes: u64,
    /// Milliseconds until it goes.
    expires: Option<u64>,
}

fn elements(socket: &Socket, table: &str, set: &str, mut each: impl FnMut(Found<'_>)) -> std::io::Result<()> {
    let mut body = Vec::new();
    attribute(&mut body, LIST_TABLE, |out| text(out, table));
    attribute(&mut body, LIST_SET, |out| text(out, set));
    let flags = libc::NLM_F_REQUEST | libc::NLM_F_DUMP;
    socket.dump(&request(GET_ELEMENTS, flags, FAMILY_INET, &body), |answer| {
        for (kind, list, _) in attributes(answer) {
            if kind == LIST_ELEMENTS {
                attributes(list).into_iter().filter_map(|(_, element, _)| found(element)).for_each(&mut each);
            }
        }
    })
}

fn found(element: &[u8]) -> Option<Found<'_>> {
    let (mut key, mut counter, mut expires) = (None, None, None);
    for (kind, value, _) in attributes(element) {
        match kind {
            ELEMENT_KEY => key = inner(value, DATA_VALUE),
            ELEMENT_EXPIRATION => expires = number(value),
            ELEMENT_EXPRESSION => counter = inner(value, EXPRESSION_DATA),
            // More than one expression comes as a list.
            ELEMENT_EXPRESSIONS => {
                counter = attributes(value).first().and_then(|(_, value, _)| inner(value, EXPRESSION_DATA));
            }
            _ => {}
        }
    }
    let counter = counter?;
    let count = |kind| inner(counter, kind).and_then(number);
    Some(Found { key: key?, packets: count(COUNTER_PACKETS)?, bytes: count(COUNTER_BYTES)?, expires })
}

/// Takes a key apart: every part of a concatenation begins at a multiple of four bytes.
fn counted(point: Point, found: &Found<'_>) -> Option<Counted> {
    let port = |at: usize| Some(u16::from_be_bytes(found.key.get(at..at + 2)?.try_into().ok()?));
    let protocol = *found.key.get(8)?;
    let has_ports = script::PORTED.contains(&protocol);
    let life = u64::try_from(LIFE.as_millis()).unwrap_or(u64::MAX);
    let left = found.expires.unwrap_or(life);
    Some(Counted {
        point,
        from: address(found.key, 0)?,
        to: address(found.key, 4)?,
        protocol,
        // Others have something else in that place.
        from_port: if has_ports { port(12)? } else { 0 },
        to_port: if has_ports { port(16)? } else { 0 },
        packets: found.packets,
        bytes: found.bytes,
        idle: Duration::from_millis(life.saturating_sub(left)),
    })
}

fn inner(bytes: &[u8], wanted: u16) -> Option<&[u8]> {
    attributes(bytes).into_iter().find(|(kind, _, _)| *kind == wanted).map(|(_, value, _)| value)
}

fn number(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.get(..8)?.try_into().ok()?))
}

fn address(bytes: &[u8], at: usize) -> Option<Ipv4Addr> {
    let octets: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(Ipv4Addr::from(octets))
}
