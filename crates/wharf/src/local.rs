//! Asking a process of the Wharf that runs on this machine.

use anyhow::{Context, bail};
use camino::Utf8Path;
use serde::{Serialize, de::DeserializeOwned};
use wharf_nodelink::local;

/// Asks the process that listens at `socket`, and waits for its answer.
pub(crate) fn ask<Asked: Serialize, Answered: DeserializeOwned>(
    socket: &Utf8Path,
    asked: &Asked,
) -> anyhow::Result<Answered> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("start the asynchronous runtime")?;
    runtime.block_on(async {
        let stream = tokio::net::UnixStream::connect(socket).await.with_context(|| {
            format!("reach Wharf at {socket}; does it run, with this --run-dir, and are you root?")
        })?;
        match local::ask(stream, asked).await.with_context(|| format!("ask at {socket}"))? {
            Some(answered) => Ok(answered),
            None => bail!("the process at {socket} ended before it answered"),
        }
    })
}
