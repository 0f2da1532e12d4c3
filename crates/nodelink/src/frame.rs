//! Frames: a length and JSON.

use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The largest frame that is read.
pub const MAX_FRAME_BYTES: usize = 64 << 20;

/// A frame that could not be read or written.
#[derive(Debug, Error)]
pub enum FrameError {
    /// The connection failed.
    #[error("use the connection to the other process")]
    Connection(#[from] std::io::Error),
    /// The frame is longer than [`MAX_FRAME_BYTES`].
    #[error("frame of {0} bytes is too long")]
    TooLong(usize),
    /// The frame is not a message of this protocol.
    #[error("understand the frame")]
    Message(#[from] serde_json::Error),
}

/// Reads a frame; nothing when the other side has closed the connection between two frames.
///
/// Not safe to cancel: give it a task of its own rather than an arm of `select!`.
pub async fn read_frame<T: DeserializeOwned>(
    from: &mut (impl AsyncRead + Unpin),
) -> Result<Option<T>, FrameError> {
    let mut length = [0; 4];
    match from.read_exact(&mut length).await {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let length = u32::from_be_bytes(length) as usize;
    if length > MAX_FRAME_BYTES {
        return Err(FrameError::TooLong(length));
    }
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes).await?;
    Ok(Some(serde_json::from_slice(&bytes)?))
}

/// Writes a frame.
pub async fn write_frame<T: Serialize>(
    to: &mut (impl AsyncWrite + Unpin),
    message: &T,
) -> Result<(), FrameError> {
    let mut bytes = vec![0; 4];
    serde_json::to_writer(&mut bytes, message)?;
    let length = bytes.len() - 4;
    let header = u32::try_from(length).ok().filter(|_| length <= MAX_FRAME_BYTES);
    bytes[..4].copy_from_slice(&header.ok_or(FrameError::TooLong(length))?.to_be_bytes());
    to.write_all(&bytes).await?;
    Ok(to.flush().await?)
}
