//! Lines on stdout: the application's log, and the clock they begin with.

use std::fmt::Display;
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

/// Writes one line to stdout in one piece.
///
/// A reader that has gone away must not end the server, so a failed write is let go.
pub(crate) fn say(line: impl Display) {
    let _ = std::io::stdout().write_all(format!("{line}\n").as_bytes());
}

/// Returns the nanoseconds since 1970, as the wall clock has them.
pub(crate) fn unix_nanos() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()
}
