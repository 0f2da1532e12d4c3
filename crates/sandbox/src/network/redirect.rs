//! Rewriting ports inside a slot, without connection tracking and without a process: one netlink batch.

use std::io;
use std::net::SocketAddrV4;

use crate::firewall::netlink::{self, NESTED, Socket, attribute, text};

const TABLE: &str = "metadata";
const CHAIN: &str = "out";
const FAMILY_IPV4: u8 = 2;

const NEW_TABLE: u16 = netlink::NFTABLES << 8;
const NEW_CHAIN: u16 = netlink::NFTABLES << 8 | 3;
const NEW_RULE: u16 = netlink::NFTABLES << 8 | 6;

/// The output hook, and the priority `raw`.
const HOOK_OUT: u32 = 3;
const PRIORITY_RAW: i32 = -300;

// What a rule's parts are about.
const NETWORK_HEADER: u32 = 1;
const TRANSPORT_HEADER: u32 = 2;
const META_PROTOCOL: u32 = 16;
const CHECKSUM_INTERNET: u32 = 1;
const REGISTER: u32 = 1;

/// Packets to an address and port that are led to another port, and their answers back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Redirect {
    pub(super) protocol: Transport,
    pub(super) asked: SocketAddrV4,
    pub(super) served: u16,
}

/// A protocol, with what is needed to change its ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    Tcp,
    Udp,
}

impl Transport {
    fn number(self) -> u8 {
        match self {
            Transport::Tcp => 6,
            Transport::Udp => 17,
        }
    }

    fn checksum_offset(self) -> u32 {
        match self {
            Transport::Tcp => 16,
            Transport::Udp => 6,
        }
    }
}

/// Makes the rules in the calling thread's network namespace.
pub(super) fn make(redirects: &[Redirect]) -> io::Result<()> {
    let mut out = Vec::with_capacity(4096);
    netlink::batch_of(&mut out, |out| {
        netlink::new(out, NEW_TABLE, FAMILY_IPV4, |out| attribute(out, 1, |out| text(out, TABLE)));
        netlink::new(out, NEW_CHAIN, FAMILY_IPV4, |out| {
            attribute(out, 1, |out| text(out, TABLE));
            attribute(out, 3, |out| text(out, CHAIN));
            attribute(out, 4 | NESTED, |out| {
                number(out, 1, HOOK_OUT);
                attribute(out, 2, |out| out.extend(PRIORITY_RAW.to_be_bytes()));
            });
            attribute(out, 7, |out| text(out, "filter"));
        });
        for Redirect { protocol, asked, served } in redirects {
            let ip = asked.ip().octets();
            // To the address: the destination and its port.
            rule(out, *protocol, (16, ip), (2, asked.port()), *served);
            // From it: the source and its port.
            rule(out, *protocol, (12, ip), (0, *served), asked.port());
        }
    });
    Socket::open()?.send(&out)
}

fn rule(
    out: &mut Vec<u8>,
    protocol: Transport,
    (address_offset, ip): (u32, [u8; 4]),
    (port_offset, port): (u32, u16),
    new: u16,
) {
    netlink::new(out, NEW_RULE, FAMILY_IPV4, |out| {
        attribute(out, 1, |out| text(out, TABLE));
        attribute(out, 2, |out| text(out, CHAIN));
        attribute(out, 4 | NESTED, |out| {
            load(out, NETWORK_HEADER, address_offset, 4);
            equals(out, &ip);
            part(out, "meta", |out| {
                number(out, 1, REGISTER);
                number(out, 2, META_PROTOCOL);
            });
            equals(out, &[protocol.number()]);
            load(out, TRANSPORT_HEADER, port_offset, 2);
            equals(out, &port.to_be_bytes());
            part(out, "immediate", |out| {
                number(out, 1, REGISTER);
                value(out, 2, &new.to_be_bytes());
            });
            part(out, "payload", |out| {
                number(out, 5, REGISTER);
                number(out, 2, TRANSPORT_HEADER);
                number(out, 3, port_offset);
                number(out, 4, 2);
                number(out, 6, CHECKSUM_INTERNET);
                number(out, 7, protocol.checksum_offset());
            });
        });
    });
}

/// Takes bytes of a packet.
fn load(out: &mut Vec<u8>, header: u32, offset: u32, length: u32) {
    part(out, "payload", |out| {
        number(out, 1, REGISTER);
        number(out, 2, header);
        number(out, 3, offset);
        number(out, 4, length);
    });
}

/// Goes on only when what was taken is this.
fn equals(out: &mut Vec<u8>, bytes: &[u8]) {
    part(out, "cmp", |out| {
        number(out, 1, REGISTER);
        number(out, 2, 0);
        value(out, 3, bytes);
    });
}

fn part(out: &mut Vec<u8>, name: &str, data: impl FnOnce(&mut Vec<u8>)) {
    attribute(out, 1 | NESTED, |out| {
        attribute(out, 1, |out| text(out, name));
        attribute(out, 2 | NESTED, data);
    });
}

fn value(out: &mut Vec<u8>, kind: u16, bytes: &[u8]) {
    attribute(out, kind | NESTED, |out| attribute(out, 1, |out| out.extend_from_slice(bytes)));
}

fn number(out: &mut Vec<u8>, kind: u16, number: u32) {
    attribute(out, kind, |out| out.extend(number.to_be_bytes()));
}
