//! Connections that the kernel tracks: listing and ending them, over netlink.

use std::io;
use std::net::Ipv4Addr;

use super::judge::Flow;
use super::netlink::{Socket, attributes, request};

const CONNTRACK: u16 = 1;
const GET: u16 = CONNTRACK << 8 | 1;
const DELETE: u16 = CONNTRACK << 8 | 2;
const FAMILY_IPV4: u8 = 2;

// Attributes of a connection, of a tuple, of its addresses, of its protocol.
const TUPLE_ORIGINAL: u16 = 1;
const TUPLE_REPLY: u16 = 2;
const ID: u16 = 12;
const TUPLE_IP: u16 = 1;
const TUPLE_PROTOCOL: u16 = 2;
const IP_SOURCE: u16 = 1;
const IP_DESTINATION: u16 = 2;
const PROTOCOL_NUMBER: u16 = 1;
const PROTOCOL_SOURCE_PORT: u16 = 2;
const PROTOCOL_ICMP_TYPE: u16 = 5;
const PROTOCOL_ICMP_CODE: u16 = 6;

/// A connection with what names it to the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tracked {
    pub(super) flow: Flow,
    /// Its original tuple and its id, as attributes.
    name: Vec<u8>,
}

/// Returns the IPv4 connections of this network namespace.
pub(super) fn list(socket: &Socket) -> io::Result<Vec<Tracked>> {
    let flags = libc::NLM_F_REQUEST | libc::NLM_F_DUMP;
    let mut found = Vec::new();
    socket.dump(&request(GET, flags, FAMILY_IPV4, &[]), |body| found.extend(parse(body)))?;
    Ok(found)
}

/// Ends a connection; one that has ended by itself is fine. Its next packet is judged as if it were its first.
pub(super) fn end(socket: &Socket, tracked: &Tracked) -> io::Result<()> {
    match socket.send(&request(DELETE, libc::NLM_F_REQUEST, FAMILY_IPV4, &tracked.name)) {
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(()),
        result => result,
    }
}

/// One end of a connection as the kernel tells it.
struct Tuple {
    source: Ipv4Addr,
    destination: Ipv4Addr,
    protocol: u8,
    source_port: u16,
    icmp: (u8, u8),
}

fn parse(body: &[u8]) -> Option<Tracked> {
    let (mut original, mut reply, mut name) = (None, None, Vec::new());
    for (kind, value, whole) in attributes(body) {
        match kind {
            TUPLE_ORIGINAL => original = tuple(value),
            TUPLE_REPLY => reply = tuple(value),
            _ => {}
        }
        if matches!(kind, TUPLE_ORIGINAL | ID) {
            name.extend_from_slice(whole);
            name.resize(name.len().next_multiple_of(4), 0);
        }
    }
    let (original, reply) = (original?, reply?);
    let flow = Flow {
        protocol: original.protocol,
        from: original.source,
        asked: original.destination,
        // Answers come from where it was led to.
        to: reply.source,
        port: reply.source_port,
        icmp: original.icmp,
    };
    Some(Tracked { flow, name })
}

fn tuple(bytes: &[u8]) -> Option<Tuple> {
    let (mut source, mut destination, mut protocol) = (None, None, None);
    let (mut source_port, mut icmp) = (0, (0, 0));
    for (kind, value, _) in attributes(bytes) {
        for (inner, value, _) in attributes(value) {
            match (kind, inner) {
                (TUPLE_IP, IP_SOURCE) => source = address(value),
                (TUPLE_IP, IP_DESTINATION) => destination = address(value),
                (TUPLE_PROTOCOL, PROTOCOL_NUMBER) => protocol = value.first().copied(),
                (TUPLE_PROTOCOL, PROTOCOL_SOURCE_PORT) => {
                    source_port = u16::from_be_bytes(value.get(..2)?.try_into().ok()?);
                }
                (TUPLE_PROTOCOL, PROTOCOL_ICMP_TYPE) => icmp.0 = *value.first()?,
                (TUPLE_PROTOCOL, PROTOCOL_ICMP_CODE) => icmp.1 = *value.first()?,
                _ => {}
            }
        }
    }
    Some(Tuple { source: source?, destination: destination?, protocol: protocol?, source_port, icmp })
}

fn address(value: &[u8]) -> Option<Ipv4Addr> {
    let octets: [u8; 4] = value.get(..4)?.try_into().ok()?;
    Some(Ipv4Addr::from(octets))
}
