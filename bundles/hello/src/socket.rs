//! The WebSocket at `/ws`: says everything back, and says goodbye when the server ends.

use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, HeaderValue};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{Message, Role};

use crate::Application;
use crate::journal::say;

/// Returns what the handshake must be answered with, if the headers ask for a WebSocket.
pub(crate) fn accept_key(headers: &HeaderMap) -> Option<HeaderValue> {
    let has = |name: &str, wanted: &str| {
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|it| it.trim().eq_ignore_ascii_case(wanted))
    };
    let asked =
        has("connection", "upgrade") && has("upgrade", "websocket") && has("sec-websocket-version", "13");
    let key = headers.get("sec-websocket-key").filter(|_| asked)?;
    HeaderValue::from_str(&derive_accept_key(key.as_bytes())).ok()
}

/// Echoes messages until either side closes or the application ends.
pub(crate) async fn echo(upgrade: OnUpgrade, application: Arc<Application>) {
    let stream = match upgrade.await {
        Ok(upgraded) => TokioIo::new(upgraded),
        Err(reason) => return say(format_args!("websocket: {reason}")),
    };
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
    loop {
        let said = tokio::select! {
            said = socket.next() => said,
            _ = application.ended() => {
                let goodbye = CloseFrame { code: CloseCode::Away, reason: "ending".into() };
                let _ = socket.close(Some(goodbye)).await;
                return;
            }
        };
        let heard = match said {
            Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => socket.send(message).await,
            // Pings are answered and closes returned by the library itself, on the next poll.
            Some(Ok(_)) => Ok(()),
            Some(Err(reason)) => Err(reason),
            None => return,
        };
        if let Err(reason) = heard {
            return say(format_args!("websocket: {reason}"));
        }
    }
}
