//! The sockets that clients connect to: opened and closed while the balancer runs, tried again when a port is taken.

use crate::{client::Front, table::Table};
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    io,
    net::SocketAddrV4,
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpListener, sync::watch, task::AbortHandle, time::sleep};
use wharf_nodelink::balancer::ListenProblem;

const BACKLOG: i32 = 4096;

/// The sockets, by address.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    front: Option<Arc<Front>>,
    open: BTreeMap<SocketAddrV4, Open>,
    failed: BTreeMap<SocketAddrV4, String>,
}

#[derive(Debug)]
struct Open {
    closing: watch::Sender<bool>,
    accepting: AbortHandle,
}

impl Listeners {
    /// Hands connections to this front.
    pub(crate) fn serve_with(&mut self, front: Arc<Front>) {
        self.front = Some(front);
    }

    /// Opens what is wanted and not open, closes what is no longer wanted. Requests in flight end in peace.
    pub(crate) fn update(&mut self, table: &Table) {
        let Some(front) = &self.front else { return };
        let wanted: BTreeSet<_> = table.ports().map(|(at, _)| at).collect();
        self.open.retain(|at, open| {
            let keep = wanted.contains(at);
            if !keep {
                open.close();
                tracing::info!(%at, "listener closed");
            }
            keep
        });
        self.failed.clear();
        for at in wanted {
            if self.open.contains_key(&at) {
                continue;
            }
            match listen(at) {
                Ok(listener) => {
                    let (closing, closed) = watch::channel(false);
                    let accepting = tokio::spawn(accept(listener, at, front.clone(), closed));
                    self.open.insert(at, Open { closing, accepting: accepting.abort_handle() });
                    tracing::info!(%at, "listener opened");
                }
                Err(error) => {
                    let reason = match error.kind() {
                        io::ErrorKind::AddrInUse => "the port is taken by another program".to_owned(),
                        _ => error.to_string(),
                    };
                    self.failed.insert(at, reason);
                }
            }
        }
    }

    /// Returns what of the table cannot be served.
    pub(crate) fn problems(&self, table: &Table) -> Vec<ListenProblem> {
        let failed = table.ports().filter_map(|(at, listeners)| Some((at, listeners, self.failed.get(&at)?)));
        failed
            .flat_map(|(at, listeners, reason)| {
                listeners.iter().map(move |listener| ListenProblem {
                    listener: listener.arn.clone(),
                    address: at.to_string(),
                    reason: reason.clone(),
                })
            })
            .chain(table.problems().iter().cloned())
            .collect()
    }

    /// Closes all; the future ends when the last connection has.
    pub(crate) fn close(&mut self) -> impl Future<Output = ()> + use<> {
        for open in self.open.values() {
            open.close();
        }
        let closing: Vec<_> = std::mem::take(&mut self.open).into_values().map(|open| open.closing).collect();
        self.front = None;
        async move {
            for open in closing {
                open.closed().await;
            }
        }
    }
}

impl Open {
    fn close(&self) {
        self.accepting.abort();
        self.closing.send_replace(true);
    }
}

/// Opens a socket, also at an address that its device does not have yet.
fn listen(at: SocketAddrV4) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_freebind_v4(true)?;
    // Connections inherit it; small answers go out at once.
    socket.set_tcp_nodelay(true)?;
    socket.bind(&at.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

async fn accept(listener: TcpListener, at: SocketAddrV4, front: Arc<Front>, closing: watch::Receiver<bool>) {
    loop {
        match listener.accept().await {
            Ok((tcp, from)) => {
                tokio::spawn(front.clone().serve(tcp, at, from, closing.clone()));
            }
            Err(error) => {
                // Out of descriptors, most likely: others must end first.
                tracing::warn!(%at, %error, "connection not accepted");
                sleep(Duration::from_millis(20)).await;
            }
        }
    }
}
