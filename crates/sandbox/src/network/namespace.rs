//! Network namespaces: making them, keeping them by a bind mount, and doing things inside them.
//!
//! A namespace belongs to a thread, so everything that must happen inside one happens on a thread of its
//! own that ends afterwards. A socket keeps the namespace it was opened in for life, wherever it is used.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use camino::{Utf8Path, Utf8PathBuf};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::statfs::fstatfs;

use super::NetworkError;
use super::redirect::{self, Redirect, Transport};

/// Where a task asks for its metadata and credentials; exists in every slot.
pub const METADATA_ADDRESS: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(169, 254, 170, 2), 80);

/// Where it is really served: a port that ECS reserves for its agent on every instance.
const METADATA_PORT: u16 = 51679;

/// Where a task asks for names: the address that a VPC's resolver has on AWS, too.
pub const RESOLVER_ADDRESS: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(169, 254, 169, 253), 53);

/// Where it is really served: the next port that nobody else uses.
const RESOLVER_PORT: u16 = 51681;

const NSFS_MAGIC: i64 = 0x6e73_6673;

/// A route netlink connection and the future that drives it.
pub(super) type Connected = (rtnetlink::Handle, std::pin::Pin<Box<dyn Future<Output = ()> + Send>>);

/// Makes a namespace that lives as long as the bind mount at `path`, and connects to its route netlink.
pub(super) fn create(path: &Utf8Path) -> Result<(OwnedFd, Connected), NetworkError> {
    let refused = |what| NetworkError::system::<nix::Error>(what, path);
    let failed = |what| NetworkError::system::<std::io::Error>(what, path);
    on_thread(move || {
        unshare(CloneFlags::CLONE_NEWNET).map_err(refused("unshare network namespace for"))?;
        settle();
        File::create_new(path).map_err(failed("create"))?;
        mount(
            Some("/proc/thread-self/ns/net"),
            path.as_std_path(),
            None::<&str>,
            MsFlags::MS_BIND,
            None::<&str>,
        )
        .map_err(refused("mount network namespace at"))?;
        let namespace = File::open(path).map_err(failed("open network namespace"))?;
        Ok((namespace.into(), connect().map_err(failed("connect to netlink in"))?))
    })
}

/// Opens the namespace kept at `path`; `None` where a crash left a file that holds none.
pub(super) fn reopen(path: &Utf8Path) -> Result<Option<(OwnedFd, Connected)>, NetworkError> {
    let failed = |what| NetworkError::system(what, path);
    let namespace = File::open(path).map_err(failed("open network namespace"))?;
    let kind = fstatfs(&namespace).map_err(NetworkError::system("inspect", path))?.filesystem_type();
    if kind.0 != NSFS_MAGIC {
        return Ok(None);
    }
    let connected = within(namespace.as_fd(), connect).map_err(failed("connect to netlink in"))?;
    Ok(Some((namespace.into(), connected)))
}

/// Takes the bind mount and its file away. Safe to repeat.
pub(super) fn forget(path: &Utf8PathBuf) -> Result<(), NetworkError> {
    match umount2(path.as_std_path(), MntFlags::MNT_DETACH) {
        Ok(()) | Err(nix::Error::EINVAL | nix::Error::ENOENT) => {}
        Err(error) => return Err(NetworkError::system("unmount network namespace", path)(error)),
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(NetworkError::system("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// Runs something inside a namespace, on a thread made for it.
pub(crate) fn within<T: Send>(
    namespace: BorrowedFd<'_>,
    inside: impl FnOnce() -> std::io::Result<T> + Send,
) -> std::io::Result<T> {
    on_thread(|| {
        setns(namespace, CloneFlags::CLONE_NEWNET)?;
        inside()
    })
}

/// Makes [`METADATA_ADDRESS`] and [`RESOLVER_ADDRESS`] lead to the ports that [`listen`] and [`listen_for_names`] have,
/// inside a namespace.
///
/// A listener on port 80 or 53 itself would keep the application from listening there on every address. Ports are
/// rewritten without connection tracking: both directions leave through the output hook, over loopback.
pub(super) fn lead_to_listeners(namespace: BorrowedFd<'_>) -> Result<(), NetworkError> {
    let redirect = |protocol, asked, served| Redirect { protocol, asked, served };
    let redirects = [
        redirect(Transport::Tcp, METADATA_ADDRESS, METADATA_PORT),
        redirect(Transport::Udp, RESOLVER_ADDRESS, RESOLVER_PORT),
        redirect(Transport::Tcp, RESOLVER_ADDRESS, RESOLVER_PORT),
    ];
    within(namespace, || redirect::make(&redirects))
        .map_err(NetworkError::system("lead to metadata and names in", "namespace"))
}

/// Listens for questions inside a namespace.
pub(super) fn listen_for_names(namespace: BorrowedFd<'_>) -> std::io::Result<(UdpSocket, TcpListener)> {
    within(namespace, || {
        let address = (*RESOLVER_ADDRESS.ip(), RESOLVER_PORT);
        let (udp, tcp) = (UdpSocket::bind(address)?, TcpListener::bind(address)?);
        udp.set_nonblocking(true)?;
        tcp.set_nonblocking(true)?;
        Ok((udp, tcp))
    })
}

/// Listens for metadata requests inside a namespace.
pub(super) fn listen(namespace: BorrowedFd<'_>) -> std::io::Result<TcpListener> {
    within(namespace, || {
        let listener = TcpListener::bind((*METADATA_ADDRESS.ip(), METADATA_PORT))?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    })
}

/// Connects to the route netlink of the calling thread's namespace.
pub(super) fn connect() -> std::io::Result<Connected> {
    let (connection, handle, _) = rtnetlink::new_connection()?;
    Ok((handle, Box::pin(connection)))
}

fn on_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let runtime = tokio::runtime::Handle::current();
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let _entered = runtime.enter();
            work()
        });
        match thread.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Gives a fresh namespace the settings that container images count on: unprivileged ping and low ports, and no
/// IPv6 on `eth0`, which would only wait for duplicate address detection.
fn settle() {
    let settings = [
        ("/proc/sys/net/ipv4/ping_group_range", "0 2147483647"),
        ("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0"),
        ("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1"),
    ];
    for (path, value) in settings {
        if let Err(error) = fs::write(path, value) {
            // A machine without IPv6 has no such file; a task can live without the others.
            tracing::debug!(path, %error, "network setting not available");
        }
    }
}
