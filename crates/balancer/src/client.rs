//! A client's connection from its first byte to its last: requests are read, checked, and passed on one by one, the
//! short way (`direct`) or by pingora.

use crate::{
    answer,
    balancer::Balancer,
    direct::{self, Passed},
    patience::Patience,
    proxy::Proxy,
    session::ClientStream,
    strict::{Body, Framing, Refused, check, head_end},
};
use pingora_core::{apps::HttpServerApp, protocols::http::ServerSession, server::configuration::ServerConf};
use pingora_proxy::HttpProxy;
use std::{
    fmt,
    net::{SocketAddr, SocketAddrV4},
    sync::Arc,
};
use tokio::{net::TcpStream, sync::watch};

/// Unused connections to targets that are kept, of all targets.
const KEPT: usize = 4096;

/// What connections are handed to.
pub(crate) struct Front {
    balancer: Arc<Balancer>,
    proxy: Arc<HttpProxy<Proxy>>,
}

/// What the proxy is told of a request's connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client {
    /// The listener's address that the client connected to.
    pub(crate) at: SocketAddrV4,
    /// The client.
    pub(crate) from: SocketAddr,
    /// Whether the request asks for a WebSocket.
    pub(crate) upgrade: bool,
}

/// What reading a head came to.
enum Head {
    Whole(Framing),
    Refused(u16),
    Ended,
}

impl Front {
    /// Makes the one proxy of the process.
    pub(crate) fn new(balancer: Arc<Balancer>) -> Arc<Front> {
        let conf = ServerConf { upstream_keepalive_pool_size: KEPT, ..ServerConf::default() };
        let mut proxy = HttpProxy::new(Proxy::new(balancer.clone()), Arc::new(conf));
        proxy.handle_init_modules();
        Arc::new(Front { balancer, proxy: Arc::new(proxy) })
    }

    /// Serves a connection until either side ends it.
    pub(crate) async fn serve(
        self: Arc<Front>,
        tcp: TcpStream,
        at: SocketAddrV4,
        from: SocketAddr,
        mut closing: watch::Receiver<bool>,
    ) {
        let mut stream = Box::new(ClientStream::new(tcp, at.into(), from));
        let mut patience = None;
        loop {
            let Some(idle) = self.balancer.table().idle(at) else { return };
            let patience = patience.get_or_insert_with(|| Patience::new(idle));
            patience.set(idle);
            let framing = match read_head(&mut stream, patience, &mut closing).await {
                Head::Whole(framing) => framing,
                Head::Refused(status) => return stream.say(&answer::raw(status)).await,
                Head::Ended => return,
            };
            let ends = (at, from);
            match direct::pass(&self.balancer, &mut stream, ends, &framing, patience, &closing).await {
                Passed::Next => continue,
                Passed::Over => return,
                Passed::Failed(answer) => return stream.say(&answer).await,
                Passed::NotThisWay => {}
            }
            // How far an upgraded or chunked request goes is only known while it is read.
            stream.allow(match framing.body {
                Body::Length(length) if !framing.upgrade => length.saturating_add(framing.head as u64),
                Body::Length(_) | Body::Chunked => u64::MAX,
            });
            stream.end_when_idle(framing.upgrade.then_some(idle));
            let mut session = ServerSession::new_http1(stream);
            let limit = (!framing.upgrade).then_some(idle);
            session.set_keepalive(Some(idle.as_secs()));
            session.set_read_timeout(limit);
            session.set_write_timeout(limit);
            session.set_total_drain_timeout(limit);
            // A client that has only stopped sending still wants its answer.
            session.set_abort_on_close(false);
            session.set_connection_user_context(Some(Box::new(Client {
                at,
                from,
                upgrade: framing.upgrade,
            })));
            // Boxed, because connections that wait or take the short way should not hold room for it.
            let long_way = Box::pin(self.proxy.process_new_http(session, &closing));
            let Some(reused) = long_way.await else { return };
            match reused.consume().0.into_any().downcast() {
                Ok(again) => stream = again,
                Err(_) => return,
            }
        }
    }
}

impl fmt::Debug for Front {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Front").finish_non_exhaustive()
    }
}

/// Reads a request's head, all of it within the idle time. An unused connection ends when its listener does.
async fn read_head(
    stream: &mut ClientStream,
    patience: &mut Patience,
    closing: &mut watch::Receiver<bool>,
) -> Head {
    stream.allow(0);
    if stream.came.is_empty() {
        tokio::select! {
            biased;
            ready = patience.wait(stream.readable()) => if !matches!(ready, Some(Ok(()))) {
                return Head::Ended;
            },
            _ = closing.wait_for(|closing| *closing) => return Head::Ended,
        }
    }
    match patience.wait(whole_head(stream)).await {
        Some(head) => head,
        None if stream.came.is_empty() => Head::Ended,
        None => Head::Refused(408),
    }
}

async fn whole_head(stream: &mut ClientStream) -> Head {
    let mut seen = 0;
    loop {
        match head_end(&stream.came, seen)
            .and_then(|end| end.map(|end| check(&stream.came[..end])).transpose())
        {
            Ok(Some(framing)) => return Head::Whole(framing),
            Ok(None) => {}
            Err(Refused(status)) => return Head::Refused(status),
        }
        seen = stream.came.len();
        match stream.read_more().await {
            Ok(0) | Err(_) => return Head::Ended,
            Ok(_) => {}
        }
    }
}
