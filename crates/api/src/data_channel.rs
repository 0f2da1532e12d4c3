//! A command in a container, talked to over a WebSocket as `session-manager-plugin` does.
//!
//! ```text
//!  GET …/v1/data-channel/{session} ──▶ 101 ──▶ text: token ──▶ handshake ──▶ bytes in both directions ──▶ channel_closed
//! ```
//!
//! The token is what lets a caller in: nobody can guess it, it opens its session once, and not for long. Messages are
//! numbered, acknowledged and sent again (`channel`); the command is held up while its reader is behind.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use http::header::{CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message as Frame};
use wharf_aws::session::{Opening, PAYLOAD_BYTES_MAX};
use wharf_control::links::commands::{Command, FromCommand, NotOpened, ToCommand};

use crate::front::{ResponseBody, Running, whole};

mod channel;

use channel::{Channel, Heard};

/// Opens a session by its id and token.
pub(crate) type Open = Arc<dyn Fn(String, String) -> Running<Result<Command, NotOpened>> + Send + Sync>;

/// How long the token and then the handshake may take.
const OPENING_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the last messages are waited to be acknowledged.
const CLOSING_TIMEOUT: Duration = Duration::from_secs(5);
/// How many messages may wait for the command to take them, before no more are taken of the client.
const TYPED_MAX: usize = 256;
/// From how many on what was taken is not acknowledged yet. A client that has fewer than the difference under way, as
/// Wharf's own, never has to send one again.
const TYPED_HELD: usize = 128;
/// How often it is looked whether something is to be sent again.
const RESEND_INTERVAL: Duration = Duration::from_millis(100);
/// The longest message: its header, its payload, and room to say that it is too long.
const MESSAGE_BYTES_MAX: usize = PAYLOAD_BYTES_MAX + 1024;

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Answers the request for a WebSocket; the session goes on by itself.
pub(crate) fn accept(request: Request<Incoming>, session: String, open: Open) -> Response<ResponseBody> {
    let asks = request
        .headers()
        .get(UPGRADE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.eq_ignore_ascii_case("websocket"));
    let key = request.headers().get(SEC_WEBSOCKET_KEY).filter(|_| asks);
    let accepted = key.and_then(|key| HeaderValue::from_str(&derive_accept_key(key.as_bytes())).ok());
    let Some(accepted) = accepted else {
        let mut response = Response::new(whole("a data channel is a WebSocket"));
        *response.status_mut() = StatusCode::UPGRADE_REQUIRED;
        response.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
        return response;
    };
    tokio::spawn(async move {
        match hyper::upgrade::on(request).await {
            Ok(upgraded) => {
                let config = WebSocketConfig::default()
                    .max_message_size(Some(MESSAGE_BYTES_MAX))
                    .max_frame_size(Some(MESSAGE_BYTES_MAX));
                let io = TokioIo::new(upgraded);
                let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
                converse(socket, session, open).await;
            }
            Err(error) => tracing::debug!(%error, "data channel not upgraded"),
        }
    });
    let mut response = Response::new(whole(""));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    response.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
    response.headers_mut().insert(SEC_WEBSOCKET_ACCEPT, accepted);
    response
}

#[tracing::instrument(name = "data channel", skip_all, fields(session))]
async fn converse(mut socket: Socket, session: String, open: Open) {
    let Some(opening) = opening(&mut socket).await else {
        tracing::info!("data channel was not opened with a token");
        let _gone = socket.close(None).await;
        return;
    };
    let mut channel = Channel::new(&session, opening.client_version.starts_with("wharf/"));
    let why = match open(session.clone(), opening.token_value).await {
        Ok(command) => match serve(&mut socket, &mut channel, command).await {
            Ok(why) => why,
            Err(error) => {
                tracing::info!(%error, "data channel broke");
                return;
            }
        },
        Err(error) => {
            tracing::info!(%error, "data channel refused");
            error.to_string()
        }
    };
    tracing::info!(why, "data channel closed");
    let closed = Frame::binary(channel.closed(&why, now_ms()));
    let _gone = (socket.send(closed).await, socket.close(None).await);
}

/// Reads the first message.
async fn opening(socket: &mut Socket) -> Option<Opening> {
    let first = tokio::time::timeout(OPENING_TIMEOUT, socket.next()).await.ok()??.ok()?;
    serde_json::from_str(first.to_text().ok()?).ok()
}

/// Serves a session to the command's end; returns what people are told of it.
async fn serve(socket: &mut Socket, channel: &mut Channel, command: Command) -> Result<String, Error> {
    let Command { input, mut output } = command;
    let mut ticks = tokio::time::interval(RESEND_INTERVAL);
    let began = Instant::now();
    let mut over: Option<(String, Instant)> = None;
    // A command that does not read its input must not keep what it writes from being heard.
    let mut typed: VecDeque<ToCommand> = VecDeque::new();
    let mut acknowledgements: VecDeque<Vec<u8>> = VecDeque::new();
    socket.send(Frame::binary(channel.ask(now_ms()))).await?;
    loop {
        if let Some((why, since)) = &over
            && (channel.is_quiet() || since.elapsed() > CLOSING_TIMEOUT)
        {
            return Ok(why.clone());
        }
        let listens = over.is_none() && channel.is_open() && channel.has_room();
        tokio::select! {
            frame = socket.next() => {
                let bytes = match frame.transpose()? {
                    Some(Frame::Binary(bytes)) => bytes,
                    // The library answers pings itself.
                    Some(Frame::Ping(_) | Frame::Pong(_) | Frame::Text(_) | Frame::Frame(_)) => continue,
                    Some(Frame::Close(_)) | None => return Ok("The client has closed the session.".to_owned()),
                };
                let heard = match channel.hear(&bytes, typed.len() < TYPED_MAX, now_ms()) {
                    Ok(heard) => heard,
                    Err(error) => return Ok(format!("A message could not be understood: {error}.")),
                };
                for heard in heard {
                    typed.push_back(match heard {
                        Heard::Input(bytes) if bytes.is_empty() => ToCommand::EndOfInput,
                        Heard::Input(bytes) => ToCommand::Input(bytes),
                        Heard::Size { columns, rows } => ToCommand::Size { columns, rows },
                        Heard::Terminate => return Ok(String::new()),
                    });
                }
                // One that finds no room is asked for again by the message that is sent again.
                let room = TYPED_MAX.saturating_sub(acknowledgements.len());
                acknowledgements.extend(channel.outgoing().into_iter().take(room));
                acknowledge(socket, &typed, &mut acknowledgements).await?;
            }
            room = input.reserve(), if !typed.is_empty() => {
                match room {
                    Ok(room) => {
                        if let Some(message) = typed.pop_front() {
                            room.send(message);
                        }
                    }
                    // A command that has ended needs nothing more; its end is being said.
                    Err(_) => typed.clear(),
                }
                acknowledge(socket, &typed, &mut acknowledgements).await?;
            }
            said = output.recv(), if listens => {
                match said {
                    Some(FromCommand::Started) => {}
                    Some(FromCommand::Output(bytes)) => channel.say(&bytes, false, now_ms()),
                    Some(FromCommand::Error(bytes)) => channel.say(&bytes, true, now_ms()),
                    Some(FromCommand::Ended { code }) => {
                        channel.say_exit(code, now_ms());
                        over = Some((String::new(), Instant::now()));
                    }
                    Some(FromCommand::Failed { reason }) => {
                        over = Some((format!("The command could not be run: {reason}."), Instant::now()));
                    }
                    None => over = Some(("The connection to the node is lost.".to_owned(), Instant::now())),
                }
                for frame in channel.outgoing() {
                    socket.feed(Frame::binary(frame)).await?;
                }
                socket.flush().await?;
            }
            _ = ticks.tick() => {
                if !channel.is_open() && began.elapsed() > OPENING_TIMEOUT {
                    return Ok("The client did not answer the handshake.".to_owned());
                }
                if let Some(frame) = channel.due(Instant::now()) {
                    socket.send(Frame::binary(frame)).await?;
                }
            }
        }
    }
}

/// Sends the acknowledgements that are due, unless the command is behind.
async fn acknowledge(
    socket: &mut Socket,
    typed: &VecDeque<ToCommand>,
    acknowledgements: &mut VecDeque<Vec<u8>>,
) -> Result<(), Error> {
    if typed.len() >= TYPED_HELD || acknowledgements.is_empty() {
        return Ok(());
    }
    for frame in acknowledgements.drain(..) {
        socket.feed(Frame::binary(frame)).await?;
    }
    socket.flush().await
}

fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
