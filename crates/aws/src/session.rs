//! Session Manager's data channel: the messages that `session-manager-plugin` and an agent exchange over a WebSocket.
//!
//! The first message is text, [`Opening`]. Every other one is binary: a header of 116 bytes and the payload's length,
//! numbers in network order, then the payload.
//!
//! ```text
//! | header length 4 | type 32, padded with spaces | version 4 | created 8, ms | sequence 8 | flags 8 |
//! | id 16, its second half first | SHA-256 of the payload 32 | payload type 4 | payload length 4 | payload … |
//! ```

use crate::mac;
use serde::{Deserialize, Serialize};

mod payload;
#[cfg(test)]
mod tests;

pub use payload::{
    Acknowledged, ChannelClosed, HandshakeComplete, HandshakeRequest, HandshakeResponse, Opening, Size,
};

const HEADER_BYTES: usize = 116;
const TYPE_BYTES: usize = 32;
/// The longest payload that a client may send; theirs have 1,024 bytes at most.
pub const PAYLOAD_BYTES_MAX: usize = 64 * 1024;

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageType {
    /// From the client.
    InputStreamData,
    /// To the client.
    OutputStreamData,
    /// That a message arrived.
    Acknowledge,
    /// That the session is over.
    ChannelClosed,
    /// That the client may send.
    StartPublication,
    /// That the client may not send.
    PausePublication,
}

impl MessageType {
    const ALL: [MessageType; 6] = [
        MessageType::InputStreamData,
        MessageType::OutputStreamData,
        MessageType::Acknowledge,
        MessageType::ChannelClosed,
        MessageType::StartPublication,
        MessageType::PausePublication,
    ];

    /// Returns the name that the protocol uses.
    pub fn as_str(self) -> &'static str {
        match self {
            MessageType::InputStreamData => "input_stream_data",
            MessageType::OutputStreamData => "output_stream_data",
            MessageType::Acknowledge => "acknowledge",
            MessageType::ChannelClosed => "channel_closed",
            MessageType::StartPublication => "start_publication",
            MessageType::PausePublication => "pause_publication",
        }
    }
}

/// What the payload of stream data is.
pub mod payload_type {
    /// Bytes of the terminal, or of standard output; from the client those of standard input.
    pub const OUTPUT: u32 = 1;
    /// The terminal's size.
    pub const SIZE: u32 = 3;
    /// What the client is asked before anything else.
    pub const HANDSHAKE_REQUEST: u32 = 5;
    /// Its answer.
    pub const HANDSHAKE_RESPONSE: u32 = 6;
    /// That it was heard.
    pub const HANDSHAKE_COMPLETE: u32 = 7;
    /// A number that asks for something, such as [`TERMINATE`].
    pub const FLAG: u32 = 10;
    /// Bytes of standard error.
    pub const STANDARD_ERROR: u32 = 11;
    /// The exit code in decimal.
    pub const EXIT_CODE: u32 = 12;
    /// The flag that ends the session.
    pub const TERMINATE: u32 = 2;
}

/// A binary message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What it is.
    pub kind: MessageType,
    /// When it was made, in milliseconds since the epoch.
    pub created_ms: u64,
    /// Its place in its direction's stream.
    pub sequence: i64,
    /// 1 for the first of a stream, 2 for the last.
    pub flags: u64,
    /// A random UUID.
    pub id: [u8; 16],
    /// What the payload is.
    pub payload_type: u32,
    /// The payload.
    pub payload: Vec<u8>,
}

/// Bytes that are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The header is not all there, or says so itself.
    #[error("a message's header has {HEADER_BYTES} bytes and a length")]
    Header,
    /// The type is none of [`MessageType`].
    #[error("no message type has this name")]
    Type,
    /// The payload is not as long as the header says, or longer than [`PAYLOAD_BYTES_MAX`].
    #[error("the payload has another length than its header says, or is too long")]
    Length,
    /// The payload is not the one that was digested.
    #[error("the payload does not have its digest")]
    Digest,
}

impl Message {
    /// Returns the message as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + 4 + self.payload.len());
        bytes.extend(number(HEADER_BYTES).to_be_bytes());
        let mut kind = [b' '; TYPE_BYTES];
        kind[..self.kind.as_str().len()].copy_from_slice(self.kind.as_str().as_bytes());
        bytes.extend(kind);
        bytes.extend(1_u32.to_be_bytes());
        bytes.extend(self.created_ms.to_be_bytes());
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend(self.flags.to_be_bytes());
        bytes.extend(&self.id[8..]);
        bytes.extend(&self.id[..8]);
        bytes.extend(mac::sha256(&self.payload));
        bytes.extend(self.payload_type.to_be_bytes());
        bytes.extend(number(self.payload.len()).to_be_bytes());
        bytes.extend(&self.payload);
        bytes
    }

    /// Returns the message that bytes are. Only what clients need not fill may be missing: a length of the header other
    /// than today's moves the payload.
    pub fn decode(bytes: &[u8]) -> Result<Message, Malformed> {
        let header = usize::try_from(u32::from_be_bytes(part(bytes, 0)?)).map_err(|_| Malformed::Header)?;
        let name: [u8; TYPE_BYTES] = part(bytes, 4)?;
        let name = String::from_utf8_lossy(&name);
        let name = name.trim_matches(|letter: char| letter == '\0' || letter.is_whitespace());
        let kind = MessageType::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or(Malformed::Type)?;
        let (second, first): ([u8; 8], [u8; 8]) = (part(bytes, 64)?, part(bytes, 72)?);
        let mut id = [0; 16];
        id[..8].copy_from_slice(&first);
        id[8..].copy_from_slice(&second);
        let digest: [u8; 32] = part(bytes, 80)?;
        let length = usize::try_from(u32::from_be_bytes(part(bytes, 116)?)).map_err(|_| Malformed::Length)?;
        let begin = header.checked_add(4).ok_or(Malformed::Header)?;
        let payload = bytes.get(begin..).ok_or(Malformed::Header)?;
        if header < HEADER_BYTES {
            return Err(Malformed::Header);
        }
        if payload.len() != length || length > PAYLOAD_BYTES_MAX {
            return Err(Malformed::Length);
        }
        if length > 0 && mac::sha256(payload) != digest {
            return Err(Malformed::Digest);
        }
        Ok(Message {
            kind,
            created_ms: u64::from_be_bytes(part(bytes, 40)?),
            sequence: i64::from_be_bytes(part(bytes, 48)?),
            flags: u64::from_be_bytes(part(bytes, 56)?),
            id,
            payload_type: u32::from_be_bytes(part(bytes, 112)?),
            payload: payload.to_vec(),
        })
    }
}

fn part<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], Malformed> {
    let part = bytes.get(at..at + N).and_then(|part| part.try_into().ok());
    part.ok_or(Malformed::Header)
}

fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Returns an id as people write UUIDs.
pub fn uuid(id: [u8; 16]) -> String {
    let text = hex::encode(id);
    [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-")
}
