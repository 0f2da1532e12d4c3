//! The agent's side of a data channel: numbering, acknowledging, sending again, and the handshake.
//!
//! A client takes a message when it is ready for it, and only then acknowledges it; until then it is sent again. What
//! comes is taken in its order, whatever order it comes in.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use serde_json::json;
use wharf_aws::session::{
    Acknowledged, ChannelClosed, HandshakeComplete, HandshakeRequest, Malformed, Message, MessageType, Size,
    payload_type, uuid,
};

#[cfg(test)]
mod tests;

/// What clients take for the agent's version: one from which on they may send the flag that ends a session.
const AGENT_VERSION: &str = "3.0.0.0";
/// The longest payload that is sent; clients make theirs no longer either.
const PAYLOAD_BYTES: usize = 1024;
/// After how long what was not acknowledged is sent again.
const PATIENCE: Duration = Duration::from_millis(200);
/// How many messages may wait to be acknowledged before the command is held up.
const WAITING_MAX: usize = 64;
/// How many messages may come before their turn.
const EARLY_MAX: usize = 256;

/// One end of a session.
#[derive(Debug)]
pub(super) struct Channel {
    session: String,
    wants_exit_code: bool,
    open: bool,
    asked_ms: u64,
    next: i64,
    waiting: VecDeque<Waiting>,
    outgoing: Vec<Vec<u8>>,
    expected: i64,
    early: BTreeMap<i64, Message>,
}

#[derive(Debug)]
struct Waiting {
    sequence: i64,
    bytes: Vec<u8>,
    sent: Instant,
}

/// What a client said to the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    /// Bytes for its input.
    Input(Vec<u8>),
    /// Its terminal's size.
    Size { columns: u16, rows: u16 },
    /// That it is to end.
    Terminate,
}

impl Channel {
    /// Returns a channel on which nothing was said. Only Wharf's own client is told the exit code, because others would
    /// show it.
    pub(super) fn new(session: &str, wants_exit_code: bool) -> Channel {
        Channel {
            session: session.to_owned(),
            wants_exit_code,
            open: false,
            asked_ms: 0,
            next: 0,
            waiting: VecDeque::new(),
            outgoing: Vec::new(),
            expected: 0,
            early: BTreeMap::new(),
        }
    }

    /// Returns the first message: what kind of session this is.
    pub(super) fn ask(&mut self, now_ms: u64) -> Vec<u8> {
        self.asked_ms = now_ms;
        let action = json!({
            "ActionType": "SessionType",
            "ActionParameters": { "SessionType": "InteractiveCommands", "Properties": {} },
        });
        let request = HandshakeRequest {
            agent_version: AGENT_VERSION.to_owned(),
            requested_client_actions: vec![action],
        };
        self.push(payload_type::HANDSHAKE_REQUEST, json_bytes(&request), now_ms);
        self.outgoing.pop().unwrap_or_default()
    }

    /// Says whether the client has answered that.
    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// Says whether more can be said before something is acknowledged.
    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < WAITING_MAX
    }

    /// Says whether everything that was said is acknowledged.
    pub(super) fn is_quiet(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes what is to be sent now.
    pub(super) fn outgoing(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.outgoing)
    }

    /// Says what the command wrote.
    pub(super) fn say(&mut self, bytes: &[u8], is_error: bool, now_ms: u64) {
        let kind = if is_error { payload_type::STANDARD_ERROR } else { payload_type::OUTPUT };
        for part in bytes.chunks(PAYLOAD_BYTES) {
            self.push(kind, part.to_vec(), now_ms);
        }
    }

    /// Says how the command ended, to a client that wants to know.
    pub(super) fn say_exit(&mut self, code: Option<i32>, now_ms: u64) {
        if let Some(code) = code.filter(|_| self.wants_exit_code) {
            self.push(payload_type::EXIT_CODE, code.to_string().into_bytes(), now_ms);
        }
    }

    /// Returns the last message.
    pub(super) fn closed(&self, why: &str, now_ms: u64) -> Vec<u8> {
        let id = random_id();
        let content = ChannelClosed {
            message_type: MessageType::ChannelClosed.as_str().to_owned(),
            message_id: uuid(id),
            destination_id: self.session.clone(),
            session_id: self.session.clone(),
            schema_version: 1,
            created_date: now_ms.to_string(),
            output: why.to_owned(),
        };
        let kind = MessageType::ChannelClosed;
        Message { payload: json_bytes(&content), ..message(kind, id, now_ms) }.encode()
    }

    /// Returns the oldest message that was not acknowledged in time, to be sent again.
    pub(super) fn due(&mut self, now: Instant) -> Option<Vec<u8>> {
        let oldest =
            self.waiting.front_mut().filter(|waiting| now.duration_since(waiting.sent) >= PATIENCE)?;
        oldest.sent = now;
        Some(oldest.bytes.clone())
    }

    /// Takes a message of the client; what it asks for comes in the client's order. Acknowledgements of it are among
    /// what is to be sent afterwards. Without room for more nothing is taken, and the client sends it again.
    pub(super) fn hear(
        &mut self,
        bytes: &[u8],
        has_room: bool,
        now_ms: u64,
    ) -> Result<Vec<Heard>, Malformed> {
        let heard = Message::decode(bytes)?;
        match heard.kind {
            MessageType::Acknowledge => {
                // One that says of nothing that it arrived changes nothing.
                if let Ok(content) = serde_json::from_slice::<Acknowledged>(&heard.payload) {
                    let sequence = content.acknowledged_message_sequence_number;
                    self.waiting.retain(|waiting| waiting.sequence != sequence);
                }
                Ok(Vec::new())
            }
            MessageType::InputStreamData if has_room => Ok(self.take(heard, now_ms)),
            MessageType::InputStreamData
            | MessageType::OutputStreamData
            | MessageType::ChannelClosed
            | MessageType::StartPublication
            | MessageType::PausePublication => Ok(Vec::new()),
        }
    }

    fn take(&mut self, message: Message, now_ms: u64) -> Vec<Heard> {
        if message.sequence > self.expected && self.early.len() >= EARLY_MAX {
            return Vec::new(); // It will be sent again.
        }
        self.acknowledge(&message, now_ms);
        if message.sequence < self.expected {
            return Vec::new();
        }
        self.early.insert(message.sequence, message);
        let mut heard = Vec::new();
        while let Some(message) = self.early.remove(&self.expected) {
            self.expected += 1;
            heard.extend(self.understand(&message, now_ms));
        }
        heard
    }

    fn understand(&mut self, message: &Message, now_ms: u64) -> Option<Heard> {
        let payload = &message.payload;
        match message.payload_type {
            payload_type::OUTPUT => Some(Heard::Input(payload.clone())),
            payload_type::SIZE => {
                let size: Size = serde_json::from_slice(payload).ok()?;
                let side = |given: u32| u16::try_from(given.clamp(1, 10_000)).unwrap_or(1);
                Some(Heard::Size { columns: side(size.cols), rows: side(size.rows) })
            }
            payload_type::FLAG => {
                let flag = payload.as_slice().try_into().map(u32::from_be_bytes).ok()?;
                (flag == payload_type::TERMINATE).then_some(Heard::Terminate)
            }
            payload_type::HANDSHAKE_RESPONSE if !self.open => {
                self.open = true;
                let took = Duration::from_millis(now_ms.saturating_sub(self.asked_ms)).as_nanos();
                let complete = HandshakeComplete {
                    handshake_time_to_complete: u64::try_from(took).unwrap_or(u64::MAX),
                    customer_message: String::new(),
                };
                self.push(payload_type::HANDSHAKE_COMPLETE, json_bytes(&complete), now_ms);
                None
            }
            _ => None,
        }
    }

    fn push(&mut self, payload_type: u32, payload: Vec<u8>, now_ms: u64) {
        let sequence = self.next;
        self.next += 1;
        let kind = MessageType::OutputStreamData;
        let flags = u64::from(sequence == 0);
        let made = Message { sequence, flags, payload_type, payload, ..message(kind, random_id(), now_ms) };
        let bytes = made.encode();
        self.waiting.push_back(Waiting { sequence, bytes: bytes.clone(), sent: Instant::now() });
        self.outgoing.push(bytes);
    }

    fn acknowledge(&mut self, heard: &Message, now_ms: u64) {
        let content = Acknowledged {
            acknowledged_message_type: heard.kind.as_str().to_owned(),
            acknowledged_message_id: uuid(heard.id),
            acknowledged_message_sequence_number: heard.sequence,
            is_sequential_message: true,
        };
        let made = message(MessageType::Acknowledge, random_id(), now_ms);
        self.outgoing.push(Message { flags: 3, payload: json_bytes(&content), ..made }.encode());
    }
}

fn message(kind: MessageType, id: [u8; 16], created_ms: u64) -> Message {
    Message { kind, created_ms, sequence: 0, flags: 0, id, payload_type: 0, payload: Vec::new() }
}

fn json_bytes(content: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(content).expect("texts and numbers can be written")
}

/// Returns a random UUID, version 4.
fn random_id() -> [u8; 16] {
    let mut id = [0; 16];
    getrandom::fill(&mut id).expect("the kernel's random numbers are always there");
    id[6] = id[6] & 0x0f | 0x40;
    id[8] = id[8] & 0x3f | 0x80;
    id
}
