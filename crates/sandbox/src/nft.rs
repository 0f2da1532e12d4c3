//! Loading nftables rules through the `nft` program, some milliseconds a time: for set-up, never for a hot path.

use std::{
    io::Write,
    process::{Command, Stdio},
};

/// Why rules were not loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The `nft` program did not start.
    #[error("run nft")]
    Run(#[source] std::io::Error),
    /// The kernel, or `nft` itself, refused the rules.
    #[error("nft refused the rule set: {0}")]
    Refused(String),
}

/// Loads a script in one transaction, in the calling thread's network namespace.
pub(crate) fn load(script: &str) -> Result<(), LoadError> {
    let mut command = Command::new("nft");
    command.args(["-f", "-"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(LoadError::Run)?;
    if let Some(mut stdin) = child.stdin.take() {
        // An error here means that nft gave up early, and what it says then is the better reason.
        let _gave_up = stdin.write_all(script.as_bytes());
    }
    let output = child.wait_with_output().map_err(LoadError::Run)?;
    if output.status.success() {
        return Ok(());
    }
    let reason = String::from_utf8_lossy(&output.stderr);
    Err(LoadError::Refused(reason.lines().take(4).collect::<Vec<_>>().join(" ")))
}
