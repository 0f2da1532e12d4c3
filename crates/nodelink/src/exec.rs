//! A command in a container, over a connection of its own.
//!
//! Each side sends at its own pace: a reader that does not read holds the other side up, and nothing else.

use serde::{Deserialize, Serialize};

/// From the one who looks to the command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToCommand {
    /// Bytes for its standard input.
    Input(#[serde(with = "text")] Vec<u8>),
    /// Its standard input is at its end.
    EndOfInput,
    /// Its terminal has another size.
    Size {
        /// Columns.
        columns: u16,
        /// Rows.
        rows: u16,
    },
}

/// From the command to the one who looks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromCommand {
    /// It runs.
    Started,
    /// Bytes of its terminal, or of its standard output.
    Output(#[serde(with = "text")] Vec<u8>),
    /// Bytes of its standard error, when it has no terminal.
    Error(#[serde(with = "text")] Vec<u8>),
    /// It ended; nothing comes after this.
    Ended {
        /// Its exit code, 128 + n for signal n; absent when nobody saw it.
        code: Option<i32>,
    },
    /// It could not be begun; nothing comes after this.
    Failed {
        /// Why.
        reason: String,
    },
}

/// Bytes as text, because the frames are JSON.
mod text {
    use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD_NO_PAD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        STANDARD_NO_PAD.decode(text.as_bytes()).map_err(D::Error::custom)
    }
}
