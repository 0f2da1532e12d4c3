//! Connections to targets, from the load balancer's own address, so that security groups can judge them.

use crate::target::{Connection, Target};
use async_trait::async_trait;
use nix::sys::socket::{setsockopt, sockopt};
use pingora_core::{
    Error, ErrorType, Result,
    connectors::L4Connect,
    protocols::l4::{socket::SocketAddr as L4Address, stream::Stream},
    upstreams::peer::{ALPN, HttpPeer, Tracer, Tracing},
};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    os::fd::AsFd,
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use wharf_model::target_group::ProtocolVersion;

/// An application load balancer's time for a connection to a target.
const CONNECT: Duration = Duration::from_secs(10);

/// How long an unused connection is kept. Shorter than the keep-alive of common servers, so that a request which may
/// not be sent twice hardly ever meets a connection that its target is just closing.
pub(crate) const KEEP: Duration = Duration::from_secs(4);

/// How many requests a connection to a target carries at once, with HTTP/2.
const STREAMS_MAX: usize = 128;

/// Connects from an address that may not be there yet; the port is chosen with the destination in mind, so that as
/// many connections fit as there are ports for each target.
pub(crate) async fn connect(source: Option<Ipv4Addr>, to: SocketAddrV4) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if let Some(source) = source {
        setsockopt(&socket, sockopt::IpFreebind, &true)?;
        setsockopt(&socket, sockopt::IpBindAddressNoPort, &true)?;
        socket.bind(SocketAddrV4::new(source, 0).into())?;
    }
    socket.connect(to.into()).await
}

/// Connects to a target within the time for it. A target that has left is not connected to.
pub(crate) async fn open(target: &Arc<Target>, source: Option<Ipv4Addr>) -> io::Result<Connection> {
    let to = SocketAddrV4::new(target.address.ip, target.address.port);
    let tcp = timeout(CONNECT, connect(source, to)).await.map_err(|_| io::ErrorKind::TimedOut)??;
    tcp.set_nodelay(true)?;
    Connection::new(target, tcp)?.ok_or_else(|| io::ErrorKind::NotConnected.into())
}

/// Returns how pingora reaches a target: connections are shared by the load balancers with the same address only, and
/// never with another registration of the target's address.
pub(crate) fn peer(
    target: &Arc<Target>,
    source: Option<Ipv4Addr>,
    idle: Duration,
    version: ProtocolVersion,
) -> HttpPeer {
    let to = SocketAddr::from((target.address.ip, target.address.port));
    let mut peer = HttpPeer::new(to, false, String::new());
    peer.group_key = target.id.rotate_left(32) ^ u64::from(source.map_or(0, u32::from));
    peer.options.custom_l4 = Some(Arc::new(Connect { target: target.clone(), source }));
    peer.options.read_timeout = Some(idle);
    peer.options.write_timeout = Some(idle);
    peer.options.idle_timeout = Some(KEEP);
    match version {
        ProtocolVersion::Http1 => {}
        ProtocolVersion::Http2 | ProtocolVersion::Grpc => {
            peer.options.alpn = ALPN::H2;
            peer.options.max_h2_streams = STREAMS_MAX;
        }
    }
    peer
}

/// Connects for pingora.
#[derive(Debug)]
struct Connect {
    target: Arc<Target>,
    source: Option<Ipv4Addr>,
}

#[async_trait]
impl L4Connect for Connect {
    async fn connect(&self, _: &L4Address) -> Result<Stream> {
        let to = SocketAddrV4::new(self.target.address.ip, self.target.address.port);
        let tcp = match timeout(CONNECT, connect(self.source, to)).await {
            Ok(Ok(tcp)) => tcp,
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
                return Err(Error::because(ErrorType::ConnectRefused, "connect to target", error));
            }
            Ok(Err(error)) => {
                return Err(Error::because(ErrorType::ConnectError, "connect to target", error));
            }
            Err(late) => return Err(Error::because(ErrorType::ConnectTimedout, "connect to target", late)),
        };
        let failed =
            |error| Error::because(ErrorType::ConnectError, "keep a handle of the connection", error);
        let handle = tcp.as_fd().try_clone_to_owned().map_err(failed)?;
        let Some(number) = self.target.connected(handle) else {
            return Err(Error::explain(ErrorType::ConnectError, "target has left"));
        };
        let mut stream = Stream::from(tcp);
        stream.tracer = Some(Tracer(Box::new(Open { target: self.target.clone(), number })));
        Ok(stream)
    }
}

/// Tells the target when a connection goes.
#[derive(Debug)]
struct Open {
    target: Arc<Target>,
    number: u64,
}

impl Tracing for Open {
    fn on_connected(&self) {}

    fn on_disconnected(&self) {
        self.target.disconnected(self.number);
    }

    fn boxed_clone(&self) -> Box<dyn Tracing> {
        Box::new(Open { target: self.target.clone(), number: self.number })
    }
}
