use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;

use super::{Address, Cidr, METADATA_ADDRESS, Network, NetworkConfig, Slot};
use crate::network::namespace;
use crate::testbed::in_own_host;

pub(crate) fn config(dir: &std::path::Path) -> NetworkConfig {
    let dir = Utf8PathBuf::from_path_buf(dir.to_owned()).unwrap();
    NetworkConfig {
        served: vec![
            Cidr { address: Ipv4Addr::new(172, 31, 0, 0), prefix: 16 },
            Cidr { address: Ipv4Addr::new(198, 18, 0, 0), prefix: 16 },
        ],
        host_address: Ipv4Addr::new(172, 31, 0, 1),
        balancer_device: "wharf-lb".to_owned(),
        veth_prefix: "wh".to_owned(),
        netns_dir: dir.join("netns"),
        settings_file: dir.join("host-settings.json"),
    }
}

pub(crate) fn address(last: u8) -> Address {
    Address {
        ip: Ipv4Addr::new(172, 31, 0, last),
        gateway: Ipv4Addr::new(172, 31, 0, 1),
        mac: [0x02, 0, 0, 0, 0, last],
        public_ip: None,
    }
}

pub(crate) fn serve_once(slot: &Slot, at: SocketAddrV4) -> std::thread::JoinHandle<Option<String>> {
    let listener = namespace::within(slot.namespace(), || TcpListener::bind(at)).unwrap();
    std::thread::spawn(move || {
        let (mut stream, peer) = listener.accept().ok()?;
        stream.write_all(b"hello").ok()?;
        Some(peer.ip().to_string())
    })
}

pub(crate) fn greet(from: Option<&Slot>, to: SocketAddrV4) -> std::io::Result<String> {
    let talk = || {
        // On a busy machine a first packet may be lost; the second goes out after a second.
        let mut stream = TcpStream::connect_timeout(&to.into(), Duration::from_millis(1500))?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok(text)
    };
    match from {
        Some(slot) => namespace::within(slot.namespace(), talk),
        None => talk(),
    }
}

#[test]
fn host_reaches_a_task_by_its_address_and_the_task_sees_the_hosts() {
    in_own_host(|dir| async move {
        let network = Network::open(config(&dir)).await.unwrap();
        let slot = network.prepare().await.unwrap();
        network.assign(&slot, &address(20)).await.unwrap();
        network.assign(&slot, &address(20)).await.unwrap();
        let at = SocketAddrV4::new(address(20).ip, 8080);
        let server = serve_once(&slot, at);
        assert_eq!(greet(None, at).unwrap(), "hello");
        assert_eq!(server.join().unwrap().unwrap(), "172.31.0.1");
        network.release(slot, None).await.unwrap();
        network.tear_down().await.unwrap();
    });
}

#[test]
fn address_without_a_task_is_refused_at_once() {
    in_own_host(|dir| async move {
        let network = Network::open(config(&dir)).await.unwrap();
        let begun = Instant::now();
        let refused = greet(None, SocketAddrV4::new(Ipv4Addr::new(172, 31, 9, 9), 80)).unwrap_err();
        assert!(matches!(refused.raw_os_error(), Some(libc::EHOSTUNREACH | libc::ENETUNREACH)), "{refused}");
        assert!(begun.elapsed() < Duration::from_millis(100));
        network.tear_down().await.unwrap();
    });
}

#[test]
fn metadata_is_served_inside_the_slot_and_instance_metadata_is_unreachable() {
    in_own_host(|dir| async move {
        let network = Network::open(config(&dir)).await.unwrap();
        let slot = network.prepare().await.unwrap();
        network.assign(&slot, &address(21)).await.unwrap();
        let listener = network.listen_for_metadata(&slot).unwrap();
        // The application's own port 80 stays free.
        namespace::within(slot.namespace(), || TcpListener::bind("0.0.0.0:80")).unwrap();
        namespace::within(slot.namespace(), || TcpStream::connect(METADATA_ADDRESS)).unwrap();
        listener.set_nonblocking(false).unwrap();
        listener.accept().unwrap();
        let refused =
            greet(Some(&slot), SocketAddrV4::new(Ipv4Addr::new(169, 254, 169, 254), 80)).unwrap_err();
        assert!(matches!(refused.raw_os_error(), Some(libc::EHOSTUNREACH | libc::ENETUNREACH)), "{refused}");
        // Its socket would keep the namespace, and with it the veth.
        drop(listener);
        network.release(slot, None).await.unwrap();
        network.tear_down().await.unwrap();
    });
}

#[test]
fn restarted_agent_adopts_slots_with_and_without_address() {
    in_own_host(|dir| async move {
        let network = Network::open(config(&dir)).await.unwrap();
        let (used, spare) = (network.prepare().await.unwrap(), network.prepare().await.unwrap());
        network.assign(&used, &address(22)).await.unwrap();
        let used_name = used.name().clone();
        drop((used, spare, network));
        // What a crash leaves between making the file and mounting the namespace on it.
        std::fs::write(dir.join("netns/wh00000000"), "").unwrap();

        let network = Network::open(config(&dir)).await.unwrap();
        let slots = network.adopt().await.unwrap();
        assert_eq!(slots.len(), 2);
        for slot in slots {
            let expected = (*slot.name() == used_name).then_some(address(22).ip);
            assert_eq!(network.address_of(&slot).await.unwrap(), expected);
            network.release(slot, None).await.unwrap();
        }
        assert_eq!(network.adopt().await.unwrap().len(), 0);
        assert_eq!(std::fs::read_dir(dir.join("netns")).unwrap().count(), 0);
        network.tear_down().await.unwrap();
    });
}

#[test]
fn balancer_device_holds_exactly_the_addresses_it_is_told() {
    in_own_host(|dir| async move {
        let network = Network::open(config(&dir)).await.unwrap();
        let ip = |last| Ipv4Addr::new(172, 31, 0, last);
        network.set_balancer_addresses(&[ip(10), ip(11)]).await.unwrap();
        TcpListener::bind(SocketAddrV4::new(ip(10), 0)).unwrap();
        network.set_balancer_addresses(&[ip(11), ip(12)]).await.unwrap();
        assert!(TcpListener::bind(SocketAddrV4::new(ip(10), 0)).is_err());
        for last in [1, 11, 12] {
            TcpListener::bind(SocketAddrV4::new(ip(last), 0)).unwrap();
        }
        network.tear_down().await.unwrap();
    });
}

#[test]
fn tear_down_restores_what_the_host_had() {
    in_own_host(|dir| async move {
        std::fs::write("/proc/sys/net/ipv4/ip_forward", "0").unwrap();
        let forward = || std::fs::read_to_string("/proc/sys/net/ipv4/ip_forward").unwrap();
        drop(Network::open(config(&dir)).await.unwrap());
        // A second start must not take its predecessor's setting for the host's.
        let network = Network::open(config(&dir)).await.unwrap();
        assert_eq!(forward(), "1\n");
        network.tear_down().await.unwrap();
        assert_eq!(forward(), "0\n");
        assert!(!dir.join("host-settings.json").exists());
    });
}

#[test]
fn time_to_prepare_assign_and_release_is_measured() {
    in_own_host(|dir| async move {
        let network = Network::open(config(&dir)).await.unwrap();
        let mut times = [Vec::new(), Vec::new(), Vec::new()];
        for last in 30..60 {
            let clock = Instant::now();
            let slot = network.prepare().await.unwrap();
            times[0].push(clock.elapsed().as_micros());
            let clock = Instant::now();
            network.assign(&slot, &address(last)).await.unwrap();
            times[1].push(clock.elapsed().as_micros());
            let clock = Instant::now();
            network.release(slot, None).await.unwrap();
            times[2].push(clock.elapsed().as_micros());
        }
        for (what, mut times) in ["prepare", "assign", "release"].into_iter().zip(times) {
            times.sort_unstable();
            println!("{what}: median {} µs", times[15]);
        }
        network.tear_down().await.unwrap();
    });
}

#[test]
fn work_on_the_network_can_move_between_threads() {
    fn movable<T: Send>(_: T) {}
    fn all(network: &Network, slot: &Slot, address: &Address) {
        movable(network.prepare());
        movable(network.assign(slot, address));
        movable(network.adopt());
        movable(network.set_balancer_addresses(&[]));
    }
    let _checked_by_the_compiler = all;
}
