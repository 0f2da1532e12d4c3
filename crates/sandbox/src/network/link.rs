//! The route netlink requests that slots and the host need, each safe to repeat.

use std::net::{IpAddr, Ipv4Addr};

use futures_util::TryStreamExt;
use rtnetlink::packet_route::address::AddressAttribute;
use rtnetlink::packet_route::link::{InfoData, InfoVeth, LinkMessage};
use rtnetlink::packet_route::neighbour::NeighbourState;
use rtnetlink::packet_route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteScope, RouteType,
};
use rtnetlink::{Error, Handle, LinkMessageBuilder, LinkUnspec, LinkVeth, RouteMessageBuilder};

use super::Cidr;

/// Hardware address of every veth pair's host end; a pair is a segment of its own, so one will do for all.
pub(super) const ROUTER_MAC: [u8; 6] = [0x02, 0x77, 0x68, 0x61, 0x72, 0x66];
/// Index of `eth0` in every slot; `lo` is 1.
pub(super) const ETH0: u32 = 2;
/// Index of `lo` in every namespace.
pub(super) const LOOPBACK: u32 = 1;

/// Makes a veth pair whose other end is `eth0` of a namespace.
pub(super) async fn add_veth(host: &Handle, name: &str, namespace: i32) -> Result<(), Error> {
    let peer: LinkMessage =
        LinkMessageBuilder::<LinkUnspec>::new().name("eth0").index(ETH0).setns_by_fd(namespace).build();
    let veth = LinkMessageBuilder::<LinkVeth>::new(name, "eth0")
        .set_info_data(InfoData::Veth(InfoVeth::Peer(peer)))
        .address(ROUTER_MAC.to_vec())
        .up()
        .build();
    host.link().add(veth).execute().await
}

pub(super) async fn up(handle: &Handle, index: u32) -> Result<(), Error> {
    handle.link().set(LinkUnspec::new_with_index(index).up().build()).execute().await
}

pub(super) async fn set_mac(handle: &Handle, index: u32, mac: [u8; 6]) -> Result<(), Error> {
    handle.link().set(LinkUnspec::new_with_index(index).address(mac.to_vec()).build()).execute().await
}

pub(super) async fn add_address(handle: &Handle, index: u32, ip: Ipv4Addr) -> Result<(), Error> {
    handle.address().add(index, ip.into(), 32).replace().execute().await
}

/// Takes an address from a device; one that is not there is gone already.
pub(super) async fn delete_address(handle: &Handle, index: u32, ip: Ipv4Addr) -> Result<(), Error> {
    let address = rtnetlink::AddressMessageBuilder::<Ipv4Addr>::new().index(index).address(ip, 32).build();
    gone_is_fine(handle.address().del(address).execute().await)
}

/// Returns the IPv4 addresses of a device.
pub(super) async fn addresses(handle: &Handle, index: u32) -> Result<Vec<Ipv4Addr>, Error> {
    let mut stream = handle.address().get().set_link_index_filter(index).execute();
    let mut found = Vec::new();
    while let Some(message) = stream.try_next().await? {
        found.extend(message.attributes.iter().find_map(|attribute| match attribute {
            AddressAttribute::Local(IpAddr::V4(ip)) => Some(*ip),
            _ => None,
        }));
    }
    Ok(found)
}

pub(super) async fn add_neighbour(
    handle: &Handle,
    index: u32,
    ip: Ipv4Addr,
    mac: [u8; 6],
) -> Result<(), Error> {
    let neighbours = handle.neighbours();
    let request = neighbours.add(index, ip.into()).link_layer_address(&mac).state(NeighbourState::Permanent);
    request.replace().execute().await
}

pub(super) async fn add_route(handle: &Handle, route: RouteMessage) -> Result<(), Error> {
    handle.route().add(route).replace().execute().await
}

pub(super) async fn delete_route(handle: &Handle, route: RouteMessage) -> Result<(), Error> {
    gone_is_fine(handle.route().del(route).execute().await)
}

/// Returns the IPv4 routes of the main table, each with its device if it has one.
pub(super) async fn routes(handle: &Handle) -> Result<Vec<(Cidr, Option<u32>)>, Error> {
    let mut stream = handle.route().get(RouteMessageBuilder::<Ipv4Addr>::new().build()).execute();
    let mut found = Vec::new();
    while let Some(route) = stream.try_next().await? {
        if route.header.table != RouteHeader::RT_TABLE_MAIN {
            continue;
        }
        let mut cidr =
            Cidr { address: Ipv4Addr::UNSPECIFIED, prefix: route.header.destination_prefix_length };
        let mut device = None;
        for attribute in &route.attributes {
            match attribute {
                RouteAttribute::Destination(RouteAddress::Inet(address)) => cidr.address = *address,
                RouteAttribute::Oif(index) => device = Some(*index),
                _ => {}
            }
        }
        found.push((cidr, device));
    }
    Ok(found)
}

/// The route to one address behind a device.
pub(super) fn host_route(ip: Ipv4Addr, index: u32, source: Ipv4Addr) -> RouteMessage {
    RouteMessageBuilder::<Ipv4Addr>::new()
        .destination_prefix(ip, 32)
        .output_interface(index)
        .scope(RouteScope::Link)
        .pref_source(source)
        .build()
}

/// The route that refuses a network's addresses.
pub(super) fn unreachable_route(cidr: Cidr) -> RouteMessage {
    RouteMessageBuilder::<Ipv4Addr>::new()
        .destination_prefix(cidr.address, cidr.prefix)
        .kind(RouteType::Unreachable)
        .build()
}

/// The default route by a router that is not on any network of the device's.
pub(super) fn default_route(gateway: Ipv4Addr, index: u32) -> RouteMessage {
    RouteMessageBuilder::<Ipv4Addr>::new()
        .destination_prefix(Ipv4Addr::UNSPECIFIED, 0)
        .gateway(gateway)
        .output_interface(index)
        .onlink()
        .build()
}

fn gone_is_fine(result: Result<(), Error>) -> Result<(), Error> {
    match result {
        Err(Error::NetlinkError(message))
            if matches!(
                -message.raw_code(),
                libc::ESRCH | libc::ENODEV | libc::EADDRNOTAVAIL | libc::ENOENT
            ) =>
        {
            Ok(())
        }
        other => other,
    }
}
