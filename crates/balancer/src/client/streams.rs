//! A client's connection that speaks HTTP/2: each request is a stream and has a task of its own.
//!
//! What `strict` is for HTTP/1 is done by the parsers here: a stream's frames say how far its request goes, and names
//! and values cannot hold what ends a line. Only methods and paths are left to be looked at (`proxy`).

use super::{Client, Front, HANDSHAKE, Secured, Way};
use crate::session::ClientStream;
use pingora_core::{
    apps::HttpServerApp,
    protocols::{
        Digest, GetSocketDigest,
        http::{
            ServerSession,
            v2::server::{H2Accept, H2Options, HttpSession, default_h2_options, handshake},
        },
    },
};
use std::{
    net::{SocketAddr, SocketAddrV4},
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until, timeout},
};

/// How many requests of one client may be under way (AWS: 128).
const STREAMS_MAX: u32 = 128;
/// How much a client may send of one request, and of all, before it is passed on.
const STREAM_WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 1 << 20;
/// How much small frames may weigh that nobody has read yet: long streams of small messages must not end the
/// connection.
const FRAME_BUDGET: usize = 4 << 20;
/// How many requests that are none end the connection.
const NONSENSE_MAX: u32 = 32;
/// A target that does not answer in time is told of first, then the connection may end.
const GRACE: Duration = Duration::from_secs(5);

/// A connection with HTTP/2.
pub(super) struct Streams {
    pub(super) front: Arc<Front>,
    /// The listener's address that the client connected to.
    pub(super) at: SocketAddrV4,
    /// The client.
    pub(super) from: SocketAddr,
    /// The connection's id.
    pub(super) id: u64,
    /// When it began.
    pub(super) since: Instant,
    /// What was agreed on.
    pub(super) tls: Arc<Secured>,
}

impl Streams {
    /// Serves until either side ends it. A client that must go is told so first; its requests end in peace.
    pub(super) async fn serve(self, mut stream: Box<ClientStream>, mut closing: watch::Receiver<bool>) {
        stream.allow(u64::MAX);
        let traffic = stream.traffic().clone();
        let digest = Digest { socket_digest: stream.get_socket_digest(), ..Digest::default() };
        let digest = Arc::new(digest);
        let Ok(Ok(mut connection)) = timeout(HANDSHAKE, handshake(stream, Some(options()))).await else {
            return;
        };
        let Some((_, keep_alive)) = self.limits() else { return };
        let last = self.since + keep_alive;
        let open = Arc::new(());
        let (mut ending, mut nonsense) = (false, 0);
        let (mut seen, mut heard) = (traffic.so_far(), Instant::now());
        loop {
            // The table without its listener closes it soon.
            let idle = self.limits().map_or(GRACE, |(idle, _)| idle);
            let accepted = tokio::select! {
                biased;
                _ = closing.wait_for(|closing| *closing), if !ending => None,
                () = sleep_until(last), if !ending => None,
                accepted = HttpSession::from_h2_conn(&mut connection, digest.clone()) => Some(accepted),
                () = sleep(idle / 4) => {
                    let passed = traffic.so_far();
                    if passed != seen {
                        (seen, heard) = (passed, Instant::now());
                    }
                    let waiting = Arc::strong_count(&open) > 1;
                    let limit = if waiting { idle + GRACE } else { idle };
                    if heard.elapsed() >= limit {
                        return;
                    }
                    continue;
                }
            };
            match accepted {
                None => {
                    connection.graceful_shutdown();
                    ending = true;
                }
                Some(Ok(Some(H2Accept::Session(request)))) => {
                    let (client, open) = (self.client(&traffic), open.clone());
                    let (front, closing) = (self.front.clone(), closing.clone());
                    tokio::spawn(async move {
                        let _open = open;
                        front.answer(request, client, idle, &closing).await;
                    });
                }
                Some(Ok(Some(H2Accept::Rejected))) => {
                    nonsense += 1;
                    if nonsense >= NONSENSE_MAX {
                        return;
                    }
                }
                Some(Ok(None) | Err(_)) => return,
            }
        }
    }

    fn limits(&self) -> Option<(Duration, Duration)> {
        self.front.balancer.table().limits(self.at)
    }

    fn client(&self, traffic: &Arc<crate::session::Traffic>) -> Client {
        let way = Way {
            at: self.at,
            from: self.from,
            last: false,
            came: SystemTime::now(),
            start: Instant::now(),
            mended: false,
            before: traffic.so_far(),
            id: self.id,
            tls: Some(self.tls.clone()),
        };
        Client { way, upgrade: false, traffic: traffic.clone() }
    }
}

impl Front {
    async fn answer(
        &self,
        mut request: HttpSession,
        client: Client,
        idle: Duration,
        closing: &watch::Receiver<bool>,
    ) {
        // There is no other way to tell the proxy of a stream's connection.
        request.req_header_mut().extensions_mut().insert(client);
        let mut session = ServerSession::new_http2(request);
        session.set_write_timeout(Some(idle));
        session.set_total_drain_timeout(Some(idle));
        Box::pin(self.proxy.process_new_http(session, closing)).await;
    }
}

fn options() -> H2Options {
    let mut options = default_h2_options();
    options
        .max_concurrent_streams(STREAMS_MAX)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .data_frame_budget(FRAME_BUDGET);
    options
}
