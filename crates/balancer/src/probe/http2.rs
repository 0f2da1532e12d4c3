//! Health checks of targets that speak HTTP/2 without TLS, and of those that take calls of gRPC.

use super::AGENT;
use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest, handshake};
use http::{HeaderMap, Method, Request, Uri, request::Builder};
use std::{io, net::SocketAddrV4};
use tokio::net::TcpStream;

/// An empty message, as calls have them: not compressed, no bytes.
const MESSAGE: Bytes = Bytes::from_static(&[0; 5]);

/// Asks for a path and returns the status.
pub(super) async fn ask(connection: TcpStream, address: SocketAddrV4, path: &str) -> io::Result<u16> {
    let request = request(Method::GET, address, path)?.body(()).map_err(io::Error::other)?;
    with(connection, async move |mut to: SendRequest<Bytes>| {
        let (answer, _) = to.send_request(request, true).map_err(io::Error::other)?;
        Ok(answer.await.map_err(io::Error::other)?.status().as_u16())
    })
    .await
}

/// Calls the method of a path and returns gRPC's status.
pub(super) async fn call(connection: TcpStream, address: SocketAddrV4, path: &str) -> io::Result<u16> {
    let request = request(Method::POST, address, path)?;
    let request = request.header("content-type", "application/grpc").header("te", "trailers");
    let request = request.body(()).map_err(io::Error::other)?;
    with(connection, async move |mut to: SendRequest<Bytes>| {
        let (answer, mut body) = to.send_request(request, false).map_err(io::Error::other)?;
        body.send_data(MESSAGE, true).map_err(io::Error::other)?;
        outcome(answer).await
    })
    .await
}

fn request(method: Method, address: SocketAddrV4, path: &str) -> io::Result<Builder> {
    let uri = Uri::builder().scheme("http").authority(address.to_string()).path_and_query(path);
    let uri = uri.build().map_err(io::Error::other)?;
    Ok(Request::builder().method(method).uri(uri).header("user-agent", AGENT))
}

/// Has one exchange on a connection of its own.
async fn with(
    connection: TcpStream,
    exchange: impl AsyncFnOnce(SendRequest<Bytes>) -> io::Result<u16>,
) -> io::Result<u16> {
    let (to, driver) = handshake(connection).await.map_err(io::Error::other)?;
    let exchange = async { exchange(to.ready().await.map_err(io::Error::other)?).await };
    tokio::select! {
        // What has come counts, also when the target ends the connection with it.
        biased;
        status = exchange => status,
        _ = driver => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

async fn outcome(answer: ResponseFuture) -> io::Result<u16> {
    let answer = answer.await.map_err(io::Error::other)?;
    if let Some(status) = status(answer.headers()) {
        return Ok(status);
    }
    let mut body = answer.into_body();
    while let Some(bytes) = body.data().await {
        let count = bytes.map_err(io::Error::other)?.len();
        body.flow_control().release_capacity(count).map_err(io::Error::other)?;
    }
    let trailers = body.trailers().await.map_err(io::Error::other)?;
    trailers.as_ref().and_then(status).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn status(of: &HeaderMap) -> Option<u16> {
    of.get("grpc-status")?.to_str().ok()?.parse().ok()
}
