//! The listener: one task per connection, HTTP/1.1 and HTTP/2 without TLS, limits and an orderly end.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use wharf_control::Control;

use crate::auth::{Auth, RegistryTokens};
use crate::front::{BoxError, Dispatch, Front};
use crate::services;
use crate::throttle::{Rate, Throttle};

/// Connections that are served at once; more wait in the listener's queue.
const CONNECTIONS_MAX: usize = 512;
/// How long the head of a request may take, and how long a kept connection may be idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);
const HEAD_BYTES_MAX: usize = 64 * 1024;
const HEADERS_MAX: usize = 100;
const STREAMS_MAX: u32 = 128;
/// How long requests under way may take once the server is asked to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// Why the API does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Without authentication only this machine may be served.
    #[error("authentication may only be off on a loopback address, not on {0}")]
    Exposed(SocketAddr),
    /// The listening socket is not usable.
    #[error("listen for API requests")]
    Listen(#[source] io::Error),
}

/// The API of one Wharf, ready to be served.
pub struct Api {
    front: Front,
}

impl Api {
    /// Returns the API over a control plane. Image registry passwords are checked with the registry
    /// secret of the control plane's configuration.
    pub fn new(control: Control, auth: Auth) -> Api {
        let (shown, written, measured) = (control.clone(), control.clone(), control.clone());
        let commands = control.commands().clone();
        let auth = auth.with_tasks(&control);
        let mut api = Api::over(
            auth,
            Box::new(move |call| {
                let control = control.clone();
                Box::pin(async move { services::dispatch(&control, call).await })
            }),
        );
        api.front.missing = Box::new(move || shown.missing());
        api.front.trouble = Box::new(move || written.store().trouble());
        api.front.measures = Box::new(move || measured.balancer().measures());
        api.front.commands = Some(Arc::new(move |session, token| {
            let commands = commands.clone();
            Box::pin(async move { commands.open(&session, &token).await })
        }));
        api
    }

    /// Returns an API whose calls go to `dispatch`.
    pub(crate) fn over(auth: Auth, dispatch: Dispatch) -> Api {
        let throttle = Throttle::new(Rate::default());
        let missing = Box::new(Vec::new);
        let trouble = Box::new(|| None);
        let measures = Box::new(Default::default);
        let front = Front {
            auth,
            throttle,
            dispatch,
            registry: None,
            commands: None,
            missing,
            trouble,
            measures,
            reset: None,
        };
        Api { front }
    }

    /// Serves the image registry under `/v2/`, to those whom `tokens` let in.
    #[must_use]
    pub fn registry<Handle, Answering, Body>(mut self, tokens: RegistryTokens, handle: Handle) -> Api
    where
        Handle: Fn(Request<Incoming>) -> Answering + Send + Sync + 'static,
        Answering: Future<Output = Response<Body>> + Send + 'static,
        Body: hyper::body::Body<Data = Bytes> + Send + 'static,
        Body::Error: Into<BoxError>,
    {
        self.front.registry = Some((
            tokens,
            Box::new(move |request| {
                let answering = handle(request);
                Box::pin(async move { answering.await.map(|body| body.map_err(Into::into).boxed_unsync()) })
            }),
        ));
        self
    }

    /// Offers `POST /_wharf/reset`, which runs `forget`.
    #[must_use]
    pub fn reset<Forget, Forgetting>(mut self, forget: Forget) -> Api
    where
        Forget: Fn() -> Forgetting + Send + Sync + 'static,
        Forgetting: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        self.front.reset = Some(Box::new(move || Box::pin(forget())));
        self
    }

    /// Sets how fast one access key may call.
    #[must_use]
    pub fn rate(mut self, rate: Rate) -> Api {
        self.front.throttle = Throttle::new(rate);
        self
    }

    /// Answers requests until `stop` is done, then lets those under way end.
    pub async fn serve(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<(), ServeError> {
        let address = listener.local_addr().map_err(ServeError::Listen)?;
        if !self.front.auth.is_on() && !address.ip().is_loopback() {
            return Err(ServeError::Exposed(address));
        }
        listener.set_nonblocking(true).map_err(ServeError::Listen)?;
        let listener = tokio::net::TcpListener::from_std(listener).map_err(ServeError::Listen)?;
        tracing::info!(%address, "serving the API");

        let front = Arc::new(self.front);
        let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let (stopping, stop_seen) = watch::channel(false);
        let mut connections = JoinSet::new();
        tokio::pin!(stop);
        loop {
            let accepted = async {
                let permit = Arc::clone(&room).acquire_owned().await.expect("the semaphore is never closed");
                (permit, listener.accept().await)
            };
            tokio::select! {
                () = &mut stop => break,
                Some(_) = connections.join_next() => {}
                (permit, accepted) = accepted => match accepted {
                    Ok((stream, peer)) => {
                        let connection = connection(stream, peer, Arc::clone(&front), stop_seen.clone());
                        connections.spawn(async move {
                            connection.await;
                            drop(permit);
                        });
                    }
                    Err(error) => {
                        // Out of file descriptors, mostly: connections that end will free some.
                        tracing::warn!(%error, "accept failed");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                },
            }
        }
        drop(listener);
        // Nobody listens any more if no connection is left.
        let _ = stopping.send(true);
        let all_ended = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(STOP_TIMEOUT, all_ended).await.is_err() {
            tracing::warn!(count = connections.len(), "requests under way were cut off");
        }
        Ok(())
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    front: Arc<Front>,
    mut stop_seen: watch::Receiver<bool>,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "connection gone before its first request");
        return;
    }
    let service = service_fn(move |request| {
        let front = Arc::clone(&front);
        async move { Ok::<_, Infallible>(front.respond(request, peer).await) }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(u32::try_from(HEAD_BYTES_MAX).expect("64 KiB fit"))
        .keep_alive_interval(HEAD_TIMEOUT);
    let served = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    tokio::pin!(served);
    let stopping = async { stop_seen.wait_for(|stopping| *stopping).await.is_ok() };
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        _ = stopping => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, error, "connection ended badly");
    }
}

#[cfg(test)]
mod tests;
