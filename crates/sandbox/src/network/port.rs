//! Ports of the host that are kept from other programs.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsRawFd, OwnedFd};

use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, bind, getsockname, socket};

/// Takes a TCP port on all addresses without listening on it; 0 is one of the kernel's choice. Returns the port.
pub fn keep_tcp_port(port: u16) -> io::Result<(OwnedFd, u16)> {
    keep(SockType::Stream, port)
}

/// Takes a UDP port on all addresses; 0 is one of the kernel's choice. Returns the port.
pub fn keep_udp_port(port: u16) -> io::Result<(OwnedFd, u16)> {
    keep(SockType::Datagram, port)
}

fn keep(kind: SockType, port: u16) -> io::Result<(OwnedFd, u16)> {
    let held = socket(AddressFamily::Inet, kind, SockFlag::SOCK_CLOEXEC, None)?;
    bind(held.as_raw_fd(), &SockaddrIn::from(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port)))?;
    let bound: SockaddrIn = getsockname(held.as_raw_fd())?;
    Ok((held, bound.port()))
}
