//! Accepting connections, and ending without cutting any that has work in flight.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

use crate::Application;
use crate::answers::answer;
use crate::journal::{say, unix_nanos};

/// How long to wait before accepting again when the kernel refuses, for want of descriptors say.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// Serves until the application is ending and every connection has finished, and returns the
/// code to exit with.
pub(crate) async fn serve(listener: TcpListener, application: Arc<Application>) -> u8 {
    let open = TaskTracker::new();
    let code = loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    open.spawn(connection(stream, peer, Arc::clone(&application), open.clone()));
                }
                Err(reason) => {
                    say(format_args!("accept: {reason}"));
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            code = application.ended() => break code,
        }
    };
    drop(listener);
    open.close();
    open.wait().await;
    code
}

async fn connection(stream: TcpStream, peer: SocketAddr, application: Arc<Application>, open: TaskTracker) {
    let _ = stream.set_nodelay(true);
    let ending = Arc::clone(&application);
    let service = service_fn(|request| {
        let (application, open) = (Arc::clone(&application), open.clone());
        async move {
            let began = Instant::now();
            let asked = format!("{} {}", request.method(), request.uri());
            let forwarded = request.headers().get("x-forwarded-for").cloned();
            let response = answer(request, peer, application, &open).await;
            let client = forwarded.as_ref().and_then(|value| value.to_str().ok()).unwrap_or("-");
            let (now, status, took) = (unix_nanos(), response.status(), began.elapsed());
            say(format_args!("{now} {asked} {} {took:.1?} {peer} {client}", status.as_u16()));
            Ok::<_, Infallible>(response)
        }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new());
    let mut served = pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        _ = ending.ended() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    // A client that goes away in mid-request is its own affair, but worth a line.
    if let Err(reason) = ended {
        say(format_args!("connection from {peer}: {reason}"));
    }
}
