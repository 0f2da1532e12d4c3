//! One health check: a program in the container, its end, and the beginning of what it wrote.

use super::{LAST_WORDS, begin};
use crate::keeper::Keeper;
use std::time::Duration;
use tokio::{io::AsyncReadExt, net::unix::pipe};
use wharf_keeper::ClientError;
use wharf_plan::task::Probe;
use wharf_sandbox::exec::ExecSpec;

/// How much of its output is kept, as in Docker.
const OUTPUT_BYTES_MAX: usize = 4096;
/// The exit code of a check that was not to be had.
const NONE: i32 = -1;

/// What a definition says of a check.
#[derive(Debug, Clone)]
pub(crate) struct Check {
    /// Program and arguments.
    pub(crate) args: Vec<String>,
    /// How long it may take.
    pub(crate) timeout: Duration,
}

impl Check {
    /// Returns what a definition's command means: `CMD` and a program, or `CMD-SHELL` and a line for the shell.
    pub(crate) fn new(command: &[String], timeout: Duration) -> Check {
        let args = match command.split_first() {
            Some((kind, rest)) if kind == "CMD" => rest.to_vec(),
            Some((kind, rest)) if kind == "CMD-SHELL" => {
                let line = rest.join(" ");
                ["/bin/sh", "-c", &line].map(str::to_owned).to_vec()
            }
            _ => command.to_vec(),
        };
        Check { args, timeout }
    }
}

/// Runs a check in a container. Nothing comes of it while keeper is away.
pub(crate) async fn run(keeper: &Keeper, id: &str, check: &Check) -> Option<Probe> {
    let spec = ExecSpec { args: check.args.clone(), ..ExecSpec::default() };
    let (mut execution, pipes) = match begin(keeper, id, spec).await {
        Ok(begun) => begun,
        Err(ClientError::Refused(refusal)) => {
            return Some(Probe { exit_code: NONE, output: refusal.to_string() });
        }
        Err(_away) => return None,
    };
    drop(pipes.input);
    let read = async {
        let (mut output, error) = tokio::join!(keep(pipes.output), keep(pipes.error));
        output.extend(error);
        output
    };
    let whole = async {
        let ended = execution.ended();
        tokio::pin!(ended, read);
        tokio::select! {
            ended = &mut ended => {
                // Something that the check left behind may hold the pipes open for ever.
                let output = tokio::time::timeout(LAST_WORDS, &mut read).await.unwrap_or_default();
                ended.map(|ended| (ended, output))
            }
            output = &mut read => ended.await.map(|ended| (ended, output)),
        }
    };
    let whole = tokio::time::timeout(check.timeout, whole).await;
    match whole {
        // The execution is dropped with this, which kills the process.
        Err(_late) => {
            let output = format!("Health check exceeded timeout ({}s)", check.timeout.as_secs());
            Some(Probe { exit_code: NONE, output })
        }
        Ok(Err(_away)) => None,
        Ok(Ok((ended, mut output))) => {
            output.truncate(OUTPUT_BYTES_MAX);
            Some(Probe { exit_code: ended.code, output: String::from_utf8_lossy(&output).into_owned() })
        }
    }
}

/// Reads a stream to its end, so that its writer never waits, and keeps the beginning.
async fn keep(mut stream: pipe::Receiver) -> Vec<u8> {
    let (mut kept, mut buffer) = (Vec::new(), vec![0; 4096]);
    while let Ok(length) = stream.read(&mut buffer).await {
        if length == 0 {
            break;
        }
        let room = OUTPUT_BYTES_MAX.saturating_sub(kept.len());
        kept.extend_from_slice(&buffer[..length.min(room)]);
    }
    kept
}
