//! The host's side: routes, forwarding, the balancers' device, and the life of slots.

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use nix::net::if_::{if_nameindex, if_nametoindex};
use rtnetlink::{Handle, LinkBridge};
use serde::{Deserialize, Serialize};

use super::slot::{Slot, SlotName};
use super::{
    Address, Cidr, ForeignRoute, METADATA_ADDRESS, NetworkConfig, NetworkError, RESOLVER_ADDRESS, link,
    namespace,
};

/// How long the kernel may take to end the veths of namespaces that are gone.
const VETHS_GONE_LIMIT: Duration = Duration::from_secs(10);
/// How long they are waited for before they are deleted one by one.
const VETHS_GO_ALONE: Duration = Duration::from_secs(2);
const FORWARD: &str = "/proc/sys/net/ipv4/ip_forward";
const INSTANCE_METADATA: Cidr = Cidr { address: Ipv4Addr::new(169, 254, 169, 254), prefix: 32 };

/// The network of this host, ready to take tasks.
#[derive(Debug)]
pub struct Network {
    config: NetworkConfig,
    handle: Handle,
    balancer_index: u32,
}

/// Kernel settings as they were before Wharf, and the routes it has added since.
#[derive(Debug, Serialize, Deserialize)]
struct Settings {
    ip_forward: String,
    /// Networks that Wharf refuses where no task has the address; not known of older versions.
    #[serde(default)]
    served: Option<Vec<Cidr>>,
}

impl Network {
    /// Sets the host up. Safe to repeat; call it on a thread of the host's network namespace.
    pub async fn open(config: NetworkConfig) -> Result<Network, NetworkError> {
        if config.veth_prefix.len() > 5 {
            return Err(NetworkError::VethPrefix(config.veth_prefix));
        }
        fs::create_dir_all(&config.netns_dir).map_err(NetworkError::system("create", &config.netns_dir))?;
        let handle = open_handle()?;
        remember_settings(&config)?;
        fs::write(FORWARD, "1").map_err(NetworkError::system("write", FORWARD))?;

        let device = config.balancer_device.clone();
        if index_of(&device).is_none() {
            let bridge = LinkBridge::new(&device).up().build();
            handle
                .link()
                .add(bridge)
                .execute()
                .await
                .map_err(NetworkError::netlink("add bridge", &device))?;
        }
        let balancer_index = require_index(&device)?;
        let network = Network { config, handle, balancer_index };
        link::up(&network.handle, balancer_index).await.map_err(NetworkError::netlink("set up", &device))?;
        let host_address = network.config.host_address;
        link::add_address(&network.handle, balancer_index, host_address)
            .await
            .map_err(NetworkError::netlink("add address", host_address))?;
        network.serve(&network.config.served).await?;
        Ok(network)
    }

    /// Makes the host refuse addresses of exactly these networks where no task has them.
    pub async fn serve(&self, wanted: &[Cidr]) -> Result<(), NetworkError> {
        let mut settings = read_settings(&self.config)?;
        let known = settings.served.replace(wanted.to_vec()).unwrap_or_default();
        let mut both = known.clone();
        both.extend(wanted.iter().filter(|cidr| !known.contains(cidr)));
        // Every route that may be there is in the file before it is made and until it is gone.
        write_settings(&self.config, &Settings { served: Some(both), ..read_settings(&self.config)? })?;
        for cidr in wanted {
            link::add_route(&self.handle, link::unreachable_route(*cidr))
                .await
                .map_err(NetworkError::netlink("refuse", cidr))?;
        }
        for cidr in known.iter().filter(|cidr| !wanted.contains(cidr)) {
            link::delete_route(&self.handle, link::unreachable_route(*cidr))
                .await
                .map_err(NetworkError::netlink("stop refusing", cidr))?;
        }
        write_settings(&self.config, &settings)
    }

    /// Returns this host's routes that are not Wharf's, but for its default route.
    pub async fn foreign_routes(config: &NetworkConfig) -> Result<Vec<ForeignRoute>, NetworkError> {
        let handle = open_handle()?;
        let own = match read_settings(config) {
            Ok(settings) => settings.served.unwrap_or_else(|| config.served.clone()),
            Err(_) => Vec::new(),
        };
        let routes = link::routes(&handle).await.map_err(NetworkError::netlink("list", "routes"))?;
        let names: BTreeMap<u32, String> = if_nameindex()
            .map_err(NetworkError::system("list", "network devices"))?
            .iter()
            .map(|link| (link.index(), link.name().to_string_lossy().into_owned()))
            .collect();
        let foreign = routes.into_iter().filter_map(|(cidr, device)| {
            let device = device.map(|index| names.get(&index).cloned().unwrap_or_else(|| index.to_string()));
            let ours = match &device {
                Some(name) => name.starts_with(&config.veth_prefix) || *name == config.balancer_device,
                None => own.contains(&cidr),
            };
            (!ours && cidr.prefix > 0).then_some(ForeignRoute { cidr, device })
        });
        Ok(foreign.collect())
    }

    /// Makes the balancers' device hold exactly these addresses, beside the host's own.
    pub async fn set_balancer_addresses(&self, wanted: &[Ipv4Addr]) -> Result<(), NetworkError> {
        let index = self.balancer_index;
        let device = &self.config.balancer_device;
        let failed = |what| NetworkError::netlink(what, device);
        let present = link::addresses(&self.handle, index).await.map_err(failed("list addresses of"))?;
        for ip in wanted.iter().filter(|ip| !present.contains(ip)) {
            link::add_address(&self.handle, index, *ip).await.map_err(failed("add address to"))?;
        }
        for ip in present.iter().filter(|ip| !wanted.contains(ip) && **ip != self.config.host_address) {
            link::delete_address(&self.handle, index, *ip).await.map_err(failed("delete address from"))?;
        }
        Ok(())
    }

    /// Makes a slot without an address.
    pub async fn prepare(&self) -> Result<Slot, NetworkError> {
        let name = SlotName::draw(&self.config.veth_prefix)?;
        let path = self.config.netns_dir.join(name.as_str());
        let (namespace, (handle, connection)) = namespace::create(&path)?;
        tokio::spawn(connection);
        let raised = match self.raise(&name, &handle, namespace.as_raw_fd()).await {
            Ok(index) => namespace::lead_to_listeners(namespace.as_fd()).map(|()| index),
            Err(error) => Err(error),
        };
        match raised {
            Ok(index) => Ok(Slot { name, path, namespace, handle, index }),
            Err(error) => {
                namespace::forget(&path)?;
                Err(error)
            }
        }
    }

    async fn raise(&self, name: &SlotName, slot: &Handle, namespace: i32) -> Result<u32, NetworkError> {
        let failed = |what| NetworkError::netlink(what, name);
        link::add_veth(&self.handle, name.as_str(), namespace).await.map_err(failed("add veth"))?;
        link::up(slot, link::LOOPBACK).await.map_err(failed("set up loopback of"))?;
        for address in [METADATA_ADDRESS, RESOLVER_ADDRESS] {
            link::add_address(slot, link::LOOPBACK, *address.ip())
                .await
                .map_err(failed("add metadata and resolver addresses to"))?;
        }
        link::up(slot, link::ETH0).await.map_err(failed("set up eth0 of"))?;
        link::add_route(slot, link::unreachable_route(INSTANCE_METADATA))
            .await
            .map_err(failed("refuse instance metadata in"))?;
        require_index(name.as_str())
    }

    /// Gives a slot a task's address. Safe to repeat with the same one.
    pub async fn assign(&self, slot: &Slot, address: &Address) -> Result<(), NetworkError> {
        let failed = |what| NetworkError::netlink(what, &slot.name);
        let inside = async {
            link::set_mac(&slot.handle, link::ETH0, address.mac)
                .await
                .map_err(failed("set MAC address of"))?;
            link::add_address(&slot.handle, link::ETH0, address.ip)
                .await
                .map_err(failed("add address to"))?;
            link::add_neighbour(&slot.handle, link::ETH0, address.gateway, link::ROUTER_MAC)
                .await
                .map_err(failed("add router to"))?;
            link::add_route(&slot.handle, link::default_route(address.gateway, link::ETH0))
                .await
                .map_err(failed("add default route to"))
        };
        let outside = async {
            for ip in std::iter::once(address.ip).chain(address.public_ip) {
                link::add_route(&self.handle, link::host_route(ip, slot.index, self.config.host_address))
                    .await
                    .map_err(failed("add route to"))?;
            }
            link::add_neighbour(&self.handle, slot.index, address.ip, address.mac)
                .await
                .map_err(failed("add neighbour for"))
        };
        tokio::try_join!(inside, outside).map(|_| ())
    }

    /// Lets what the host sends from 127.0.0.1 to a slot's task come back. Packets of the task itself that are for
    /// 127.0.0.0/8 are the firewall's to drop.
    pub fn open_loopback(&self, slot: &Slot) -> Result<(), NetworkError> {
        let setting = format!("/proc/sys/net/ipv4/conf/{}/route_localnet", slot.name);
        fs::write(&setting, "1").map_err(NetworkError::system("write", &setting))
    }

    /// Returns the address a slot has, if it has one; a restarted agent checks it against its own record.
    pub async fn address_of(&self, slot: &Slot) -> Result<Option<Ipv4Addr>, NetworkError> {
        let found = link::addresses(&slot.handle, link::ETH0).await;
        Ok(found.map_err(NetworkError::netlink("list addresses of", &slot.name))?.first().copied())
    }

    /// Gives everything of a slot back. The address is free at once; the kernel removes the veth in the background
    /// when the last process and socket inside have gone.
    pub async fn release(&self, slot: Slot, public_ip: Option<Ipv4Addr>) -> Result<(), NetworkError> {
        let failed = |what| NetworkError::netlink(what, &slot.name);
        for ip in self.address_of(&slot).await?.into_iter().chain(public_ip) {
            let route = link::host_route(ip, slot.index, self.config.host_address);
            link::delete_route(&self.handle, route).await.map_err(failed("delete route to"))?;
        }
        namespace::forget(&slot.path)
    }

    /// Returns the slots that exist, with and without an address, and clears away what a crash left half made.
    pub async fn adopt(&self) -> Result<Vec<Slot>, NetworkError> {
        let dir = &self.config.netns_dir;
        let entries = dir.read_dir_utf8().map_err(NetworkError::system("list", dir))?;
        let mut slots = Vec::new();
        for entry in entries {
            let path = entry.map_err(NetworkError::system("list", dir))?.path().to_owned();
            let Some(name) = path.file_name().and_then(|name| name.parse::<SlotName>().ok()) else {
                continue;
            };
            let index = index_of(name.as_str());
            match (namespace::reopen(&path)?, index) {
                (Some((namespace, (handle, connection))), Some(index)) => {
                    tokio::spawn(connection);
                    slots.push(Slot { name, path, namespace, handle, index });
                }
                _ => namespace::forget(&path)?,
            }
        }
        Ok(slots)
    }

    /// Listens for what is sent to [`METADATA_ADDRESS`] inside a slot; non-blocking, ready for tokio.
    pub fn listen_for_metadata(&self, slot: &Slot) -> Result<TcpListener, NetworkError> {
        namespace::listen(slot.namespace.as_fd())
            .map_err(NetworkError::system("listen for metadata in", &slot.name))
    }

    /// Listens for questions that are sent to [`RESOLVER_ADDRESS`] inside a slot; non-blocking, ready for tokio.
    pub fn listen_for_names(&self, slot: &Slot) -> Result<(UdpSocket, TcpListener), NetworkError> {
        namespace::listen_for_names(slot.namespace.as_fd())
            .map_err(NetworkError::system("listen for names in", &slot.name))
    }

    /// Takes back what [`Network::open`] did; slots must have been released.
    pub async fn tear_down(self) -> Result<(), NetworkError> {
        self.serve(&[]).await?;
        if let Some(index) = index_of(&self.config.balancer_device) {
            let device = &self.config.balancer_device;
            let deleted = self.handle.link().del(index).execute().await;
            deleted.map_err(NetworkError::netlink("delete", device))?;
        }
        veths_gone(&self.handle, &self.config.veth_prefix).await?;
        restore_settings(&self.config)
    }
}

/// Waits until the kernel has taken down our veths, which it does in the background after their namespaces.
///
/// A connection whose peer went silent keeps a namespace for minutes after its last process: such a veth is deleted.
async fn veths_gone(handle: &Handle, prefix: &str) -> Result<(), NetworkError> {
    let begun = Instant::now();
    loop {
        let links = if_nameindex().map_err(NetworkError::system("list", "network devices"))?;
        let left = links.iter().find(|link| link.name().to_string_lossy().starts_with(prefix));
        let Some(left) = left else { return Ok(()) };
        let (index, name) = (left.index(), left.name().to_string_lossy().into_owned());
        drop(links);
        if begun.elapsed() >= VETHS_GONE_LIMIT {
            let late = std::io::Error::from(std::io::ErrorKind::TimedOut);
            return Err(NetworkError::system("see the end of", name)(late));
        }
        if begun.elapsed() >= VETHS_GO_ALONE {
            // It may have gone by itself at last; the next look says.
            if let Err(error) = handle.link().del(index).execute().await {
                tracing::debug!(name, %error, "veth not deleted");
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn open_handle() -> Result<Handle, NetworkError> {
    let (handle, connection) = namespace::connect().map_err(NetworkError::system("connect to", "netlink"))?;
    tokio::spawn(connection);
    Ok(handle)
}

fn index_of(device: &str) -> Option<u32> {
    if_nametoindex(device).ok()
}

fn require_index(device: &str) -> Result<u32, NetworkError> {
    if_nametoindex(device).map_err(NetworkError::system("find device", device))
}

fn remember_settings(config: &NetworkConfig) -> Result<(), NetworkError> {
    let file = &config.settings_file;
    if file.exists() {
        return Ok(());
    }
    let ip_forward = fs::read_to_string(FORWARD).map_err(NetworkError::system("read", FORWARD))?;
    let ip_forward = ip_forward.trim().to_owned();
    write_settings(config, &Settings { ip_forward, served: Some(Vec::new()) })
}

fn read_settings(config: &NetworkConfig) -> Result<Settings, NetworkError> {
    let file = &config.settings_file;
    let text = fs::read(file).map_err(NetworkError::system("read", file))?;
    serde_json::from_slice(&text).map_err(NetworkError::system("read", file))
}

fn write_settings(config: &NetworkConfig, settings: &Settings) -> Result<(), NetworkError> {
    let file = &config.settings_file;
    let text = serde_json::to_vec(settings).map_err(NetworkError::system("write", file))?;
    let new = file.with_extension("new");
    fs::write(&new, text).map_err(NetworkError::system("write", &new))?;
    fs::rename(&new, file).map_err(NetworkError::system("write", file))
}

fn restore_settings(config: &NetworkConfig) -> Result<(), NetworkError> {
    let file = &config.settings_file;
    if !file.exists() {
        return Ok(());
    }
    let settings = read_settings(config)?;
    fs::write(FORWARD, settings.ip_forward).map_err(NetworkError::system("write", FORWARD))?;
    fs::remove_file(file).map_err(NetworkError::system("remove", file))
}
