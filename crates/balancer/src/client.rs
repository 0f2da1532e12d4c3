//! A client's connection from its first byte to its last: requests are read, checked, and passed on one by one, the
//! short way (`direct`) or by pingora.

mod streams;

use crate::{
    answer,
    balancer::Balancer,
    direct::{self, Passed},
    forwarded::random,
    mend,
    patience::Patience,
    proxy::Proxy,
    session::{ClientStream, Traffic},
    strict::{Body, Framing, HEAD_MAX, Refused, check, head_end, is_spotless},
    table::{Speaks, Table},
    tls::{self, Agreed},
    transport::Transport,
};
use pingora_core::{apps::HttpServerApp, protocols::http::ServerSession, server::configuration::ServerConf};
use pingora_proxy::HttpProxy;
use std::{
    fmt,
    net::{SocketAddr, SocketAddrV4},
    sync::Arc,
    time::{Duration, SystemTime},
};
use streams::Streams;
use tokio::{
    net::TcpStream,
    sync::watch,
    time::{Instant, timeout},
};
use tokio_rustls::TlsAcceptor;
use wharf_model::attributes::DesyncMitigation;

/// How long a client may take to agree on TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Unused connections to targets that are kept, of all targets.
const KEPT: usize = 4096;

/// What connections are handed to.
pub(crate) struct Front {
    balancer: Arc<Balancer>,
    proxy: Arc<HttpProxy<Proxy>>,
}

/// What the proxy is told of a request's connection.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    /// What is known of the connection.
    pub(crate) way: Way,
    /// Whether the request asks for a WebSocket.
    pub(crate) upgrade: bool,
    /// Counts the connection's bytes.
    pub(crate) traffic: Arc<Traffic>,
}

/// What is known of a connection when a request has come.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    /// The listener's address that the client connected to.
    pub(crate) at: SocketAddrV4,
    /// The client.
    pub(crate) from: SocketAddr,
    /// Whether the connection ends with this request.
    pub(crate) last: bool,
    /// When the request had come.
    pub(crate) came: SystemTime,
    /// The same on a clock that only goes forward.
    pub(crate) start: Instant,
    /// Its head came in other words.
    pub(crate) mended: bool,
    /// The bytes received and sent before it.
    pub(crate) before: [u64; 2],
    /// The connection's id.
    pub(crate) id: u64,
    /// What was agreed on, with TLS.
    pub(crate) tls: Option<Arc<Secured>>,
}

/// What is known of a connection with TLS.
#[derive(Debug)]
pub(crate) struct Secured {
    /// What was agreed on.
    pub(crate) agreed: Agreed,
    /// The host that the client named then.
    pub(crate) host: Option<String>,
    /// How long it took.
    pub(crate) took: Duration,
    /// Whether HTTP/2 is spoken.
    pub(crate) http2: bool,
}

impl Way {
    /// Returns the connection's id as logs have it.
    pub(crate) fn name(&self) -> String {
        format!("TID_{:032x}", self.id)
    }
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
        let mut patience = None;
        let since = Instant::now();
        let id = random();
        let first = self.balancer.table().at(at).first().cloned();
        let _open = first.as_ref().map(|listener| listener.tally.opened());
        let secured = self.transport(tcp, at).await;
        if let Some(listener) = first {
            let tls = secured.as_ref().and_then(|(_, tls)| tls.as_deref());
            self.balancer.logs().connection(&listener, from, id, tls);
        }
        let Some((transport, tls)) = secured else { return };
        let mut stream = Box::new(ClientStream::new(transport, at.into(), from));
        if let Some(tls) = tls.clone().filter(|tls| tls.http2) {
            let streams = Streams { front: self, at, from, id, since, tls };
            return Box::pin(streams.serve(stream, closing)).await;
        }
        loop {
            let Some((idle, keep_alive)) = self.balancer.table().limits(at) else { return };
            let patience = patience.get_or_insert_with(|| Patience::new(idle));
            patience.set(idle);
            let framing = match self.read_head(&mut stream, at, patience, &mut closing).await {
                Head::Whole(framing) => framing,
                Head::Refused(status) => {
                    if let [listener, ..] = self.balancer.table().at(at) {
                        listener.tally.refused(status);
                    }
                    return stream.say(&answer::raw(status)).await;
                }
                Head::Ended => return,
            };
            let [received, sent] = stream.traffic().so_far();
            let way = Way {
                at,
                from,
                last: framing.mended || since.elapsed() >= keep_alive,
                came: SystemTime::now(),
                start: Instant::now(),
                mended: framing.mended,
                before: [received.saturating_sub(stream.came.len() as u64), sent],
                id,
                tls: tls.clone(),
            };
            match direct::pass(&self.balancer, &mut stream, &way, &framing, patience, &closing).await {
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
            let traffic = stream.traffic().clone();
            let mut session = ServerSession::new_http1(stream);
            let limit = (!framing.upgrade).then_some(idle);
            session.set_keepalive((!way.last).then_some(idle.as_secs()));
            session.set_read_timeout(limit);
            session.set_write_timeout(limit);
            session.set_total_drain_timeout(limit);
            // A client that has only stopped sending still wants its answer.
            session.set_abort_on_close(false);
            let client = Client { way, upgrade: framing.upgrade, traffic };
            session.set_connection_user_context(Some(Box::new(client)));
            // Boxed, because connections that wait or take the short way should not hold room for it.
            let long_way = Box::pin(self.proxy.process_new_http(session, &closing));
            let Some(reused) = long_way.await else { return };
            match reused.consume().0.into_any().downcast() {
                Ok(again) => stream = again,
                Err(_) => return,
            }
        }
    }

    /// Agrees on TLS where it is spoken; nothing when that fails.
    async fn transport(&self, tcp: TcpStream, at: SocketAddrV4) -> Option<(Transport, Option<Arc<Secured>>)> {
        let speaks = self.balancer.table().speaks(at);
        let config = match speaks {
            Speaks::Plain => return Some((Transport::Plain(tcp), None)),
            Speaks::Nothing => return None,
            Speaks::Tls(config) => config,
        };
        let start = Instant::now();
        let stream = match timeout(HANDSHAKE, TlsAcceptor::from(config).accept(tcp)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                tracing::debug!(%at, %error, "no TLS was agreed on");
                return None;
            }
            Err(_) => return None,
        };
        let (_, connection) = stream.get_ref();
        let host = connection.server_name().map(str::to_owned);
        let http2 = connection.alpn_protocol() == Some(tls::HTTP2);
        let secured = Secured { agreed: Agreed::of(connection)?, host, took: start.elapsed(), http2 };
        Some((Transport::Tls(Box::new(stream)), Some(Arc::new(secured))))
    }

    /// Reads a request's head, all of it within the idle time. An unused connection ends when its listener does.
    async fn read_head(
        &self,
        stream: &mut ClientStream,
        at: SocketAddrV4,
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
        match patience.wait(self.whole_head(stream, at)).await {
            Some(head) => head,
            None if stream.came.is_empty() => Head::Ended,
            None => Head::Refused(408),
        }
    }

    async fn whole_head(&self, stream: &mut ClientStream, at: SocketAddrV4) -> Head {
        let lenient = is_lenient(&self.balancer.table(), at);
        let mut seen = 0;
        loop {
            let end = match head_end(&stream.came, seen) {
                Err(_) if lenient && stream.came.len() <= HEAD_MAX => Ok(mend::head_end(&stream.came)),
                end => end,
            };
            match end.and_then(|end| end.map(|end| self.judge(stream, at, end)).transpose()) {
                Ok(Some(framing)) => return Head::Whole(framing),
                Ok(None) => {}
                Err(Refused(status)) => return Head::Refused(status),
            }
            // A head that is read leniently is looked at anew: its lines may end in either way.
            seen = if lenient { 0 } else { stream.came.len() };
            match stream.read_more().await {
                Ok(0) | Err(_) => return Head::Ended,
                Ok(_) => {}
            }
        }
    }

    /// Returns what a whole head says, by the mode of its load balancer; the head is mended if it may be.
    fn judge(&self, stream: &mut ClientStream, at: SocketAddrV4, end: usize) -> Result<Framing, Refused> {
        let head = &stream.came[..end];
        let table = self.balancer.table();
        let listener = match table.at(at) {
            [only] => Some(only),
            _ => table.listener(at, host_in(head)),
        };
        let mode = listener.map(|listener| listener.settings.desync_mitigation);
        match (check(head), mode, listener) {
            (Ok(_), Some(DesyncMitigation::Strictest), _) if !is_spotless(head) => Err(Refused(400)),
            (Err(Refused(400)), Some(DesyncMitigation::Monitor), Some(listener)) => {
                let mended = mend::mend(head, &listener.dns_name).ok_or(Refused(400))?;
                let framing = check(&mended)?;
                let rest = stream.came.split_off(end);
                stream.came = mended.as_slice().into();
                stream.came.unsplit(rest);
                Ok(Framing { mended: true, ..framing })
            }
            (checked, _, _) => checked,
        }
    }
}

impl fmt::Debug for Front {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Front").finish_non_exhaustive()
    }
}

/// Returns whether an address is one where doubtful requests may pass.
fn is_lenient(table: &Table, at: SocketAddrV4) -> bool {
    let of = table.at(at).iter();
    of.map(|listener| listener.settings.desync_mitigation).any(|mode| mode == DesyncMitigation::Monitor)
}

/// Returns the value of the first `Host` header in a head.
fn host_in(head: &[u8]) -> Option<&str> {
    head.split(|byte| *byte == b'\n').find_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let is_host = line[..colon].eq_ignore_ascii_case(b"host");
        std::str::from_utf8(line[colon + 1..].trim_ascii()).ok().filter(|_| is_host)
    })
}
