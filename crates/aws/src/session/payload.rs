//! What messages carry that is not just bytes.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The first message, which is text: who opens the channel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Opening {
    /// `1.0`.
    pub message_schema_version: String,
    /// A UUID.
    pub request_id: String,
    /// The session's token.
    pub token_value: String,
    /// A UUID of the client.
    pub client_id: String,
    /// The client's version.
    pub client_version: String,
}

/// Which message arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Acknowledged {
    /// Its type.
    pub acknowledged_message_type: String,
    /// Its id.
    pub acknowledged_message_id: String,
    /// Its place in its stream.
    pub acknowledged_message_sequence_number: i64,
    /// Whether it has one.
    pub is_sequential_message: bool,
}

/// That the session is over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ChannelClosed {
    /// `channel_closed`.
    pub message_type: String,
    /// A UUID.
    pub message_id: String,
    /// What the session was with.
    pub destination_id: String,
    /// The session.
    pub session_id: String,
    /// 1.
    pub schema_version: u32,
    /// When, in milliseconds since the epoch.
    pub created_date: String,
    /// Why, when it did not just end; shown to people.
    pub output: String,
}

/// What the client is asked before anything else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct HandshakeRequest {
    /// The agent's version, which tells clients what they may send.
    pub agent_version: String,
    /// What the client is to do, each an object of `ActionType` and `ActionParameters`.
    pub requested_client_actions: Vec<Value>,
}

/// What the client says to that.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct HandshakeResponse {
    /// The client's version.
    pub client_version: String,
    /// What it did, each an object with `ActionType` and `ActionStatus`.
    pub processed_client_actions: Vec<Value>,
    /// What it could not do.
    pub errors: Option<Vec<String>>,
}

/// That the session begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct HandshakeComplete {
    /// In nanoseconds.
    pub handshake_time_to_complete: u64,
    /// Shown to people.
    pub customer_message: String,
}

/// A terminal's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Columns.
    pub cols: u32,
    /// Rows.
    pub rows: u32,
}
