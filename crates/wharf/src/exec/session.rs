//! The client's side of a session: what is typed goes in, what the command writes comes out, and its exit code at the end.

use super::screen::{self, Raw};
use anyhow::{Context, bail};
use futures_util::{SinkExt, StreamExt};
use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::SocketAddr,
};
use tokio::{
    net::TcpStream,
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};
use tokio_tungstenite::tungstenite::{Message as Frame, client::IntoClientRequest};
use wharf_aws::session::{
    Acknowledged, ChannelClosed, HandshakeResponse, Message, MessageType, Opening, payload_type, uuid,
};

/// The longest payload; what the agent's side sends is no longer either.
const PAYLOAD_BYTES: usize = 1024;
/// How many messages may be under way: fewer than the other side keeps, so that none has to be sent again.
const UNDER_WAY_MAX: i64 = 64;
/// The exit code when the command's own is not known.
const UNKNOWN: u8 = 255;

/// A session to be opened.
pub(super) struct Session {
    pub(super) url: String,
    pub(super) token: String,
    /// Where it is reached: the URL may name an address that is only the server's.
    pub(super) address: SocketAddr,
    /// Whether standard input is passed on.
    pub(super) input: bool,
    /// Whether the command has a terminal.
    pub(super) terminal: bool,
}

/// What is known of the conversation.
#[derive(Default)]
struct State {
    sent: i64,
    /// How many of these the other side has taken.
    taken: i64,
    expected: i64,
    early: BTreeMap<i64, Message>,
    began: bool,
    code: Option<u8>,
}

/// Serves the session to its end; returns the command's exit code.
pub(super) async fn run(session: Session) -> anyhow::Result<u8> {
    let stream = TcpStream::connect(session.address).await.context("connect to the data channel")?;
    let request =
        session.url.as_str().into_client_request().context("understand the data channel's address")?;
    let (mut socket, _) =
        tokio_tungstenite::client_async(request, stream).await.context("open the data channel")?;
    let opening = Opening {
        message_schema_version: "1.0".to_owned(),
        request_id: uuid(random()),
        token_value: session.token,
        client_id: uuid(random()),
        client_version: format!("wharf/{}", env!("CARGO_PKG_VERSION")),
    };
    socket.send(Frame::text(serde_json::to_string(&opening)?)).await?;
    let raw = if session.terminal && session.input { Raw::begin()? } else { None };
    let (keys, mut typed) = mpsc::channel::<Vec<u8>>(4);
    let mut keys = Some(keys);
    let mut resized = signal(SignalKind::window_change())?;
    let mut state = State::default();
    loop {
        tokio::select! {
            frame = socket.next() => {
                let Some(frame) = frame else { break };
                let Frame::Binary(bytes) = frame? else { continue };
                let message = Message::decode(&bytes).context("understand the data channel")?;
                match message.kind {
                    MessageType::OutputStreamData => {
                        socket.send(Frame::binary(acknowledge(&message)?)).await?;
                        for answer in state.take(message)? {
                            socket.send(Frame::binary(answer)).await?;
                        }
                    }
                    MessageType::ChannelClosed => {
                        drop(raw);
                        return closed(&message, &state);
                    }
                    MessageType::Acknowledge => state.taken += 1,
                    MessageType::InputStreamData | MessageType::StartPublication
                    | MessageType::PausePublication => {}
                }
                if state.began && let Some(keys) = keys.take() {
                    if session.terminal && let Some(size) = screen::size() {
                        let payload = serde_json::to_vec(&size)?;
                        socket.send(Frame::binary(state.message(payload_type::SIZE, payload))).await?;
                    }
                    if session.input {
                        std::thread::spawn(move || read_keys(&keys));
                    } else {
                        socket.send(Frame::binary(state.message(payload_type::OUTPUT, Vec::new()))).await?;
                    }
                }
            }
            Some(bytes) = typed.recv(), if state.sent - state.taken < UNDER_WAY_MAX => {
                socket.send(Frame::binary(state.message(payload_type::OUTPUT, bytes))).await?;
            }
            Some(()) = resized.recv(), if session.terminal => {
                if let Some(size) = screen::size() {
                    let payload = serde_json::to_vec(&size)?;
                    socket.send(Frame::binary(state.message(payload_type::SIZE, payload))).await?;
                }
            }
        }
    }
    drop(raw);
    bail!("the data channel ended before the command did")
}

fn closed(message: &Message, state: &State) -> anyhow::Result<u8> {
    let content: ChannelClosed = serde_json::from_slice(&message.payload).unwrap_or_default();
    if !content.output.is_empty() {
        bail!("{}", content.output);
    }
    Ok(state.code.unwrap_or(UNKNOWN))
}

/// Passes standard input on, a piece at a time; an empty piece is its end. A thread, because reading cannot be given up.
fn read_keys(keys: &mpsc::Sender<Vec<u8>>) {
    let mut buffer = [0; PAYLOAD_BYTES];
    loop {
        let length = std::io::stdin().read(&mut buffer).unwrap_or(0);
        if keys.blocking_send(buffer[..length].to_vec()).is_err() || length == 0 {
            return;
        }
    }
}

impl State {
    /// Returns the next message to the command.
    fn message(&mut self, payload_type: u32, payload: Vec<u8>) -> Vec<u8> {
        let sequence = self.sent;
        self.sent += 1;
        let kind = MessageType::InputStreamData;
        let (created_ms, flags, id) = (now_ms(), 0, random());
        Message { kind, created_ms, sequence, flags, id, payload_type, payload }.encode()
    }

    /// Takes what the command's side says, in its order; returns what is to be said to it.
    fn take(&mut self, message: Message) -> anyhow::Result<Vec<Vec<u8>>> {
        if message.sequence >= self.expected {
            self.early.insert(message.sequence, message);
        }
        let mut answers = Vec::new();
        while let Some(message) = self.early.remove(&self.expected) {
            self.expected += 1;
            match message.payload_type {
                payload_type::OUTPUT => write(std::io::stdout(), &message.payload)?,
                payload_type::STANDARD_ERROR => write(std::io::stderr(), &message.payload)?,
                payload_type::HANDSHAKE_REQUEST => {
                    let done = serde_json::json!({ "ActionType": "SessionType", "ActionStatus": 1 });
                    let response = HandshakeResponse {
                        client_version: env!("CARGO_PKG_VERSION").to_owned(),
                        processed_client_actions: vec![done],
                        errors: None,
                    };
                    let payload = serde_json::to_vec(&response)?;
                    answers.push(self.message(payload_type::HANDSHAKE_RESPONSE, payload));
                }
                payload_type::HANDSHAKE_COMPLETE => self.began = true,
                payload_type::EXIT_CODE => {
                    let code: Option<i32> = std::str::from_utf8(&message.payload)?.parse().ok();
                    self.code = code.and_then(|code| u8::try_from(code).ok());
                }
                _ => {}
            }
        }
        Ok(answers)
    }
}

fn write(mut to: impl Write, bytes: &[u8]) -> std::io::Result<()> {
    to.write_all(bytes)?;
    to.flush()
}

fn acknowledge(message: &Message) -> anyhow::Result<Vec<u8>> {
    let content = Acknowledged {
        acknowledged_message_type: message.kind.as_str().to_owned(),
        acknowledged_message_id: uuid(message.id),
        acknowledged_message_sequence_number: message.sequence,
        is_sequential_message: true,
    };
    let kind = MessageType::Acknowledge;
    let (created_ms, id, payload) = (now_ms(), random(), serde_json::to_vec(&content)?);
    Ok(Message { kind, created_ms, sequence: 0, flags: 3, id, payload_type: 0, payload }.encode())
}

fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the kernel gives random bytes once it has booted");
    bytes
}

fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
