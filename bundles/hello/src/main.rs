//! The sample application: a small HTTP server that says which task it is.
//!
//! `hello` serves on `PORT` (80 unless told) until SIGTERM, and then finishes what is in flight.
//! `hello clock` writes the time and ends, which is what the launch benchmark waits for, and
//! `hello exit 7` ends with that code. The image holds this binary and nothing else, so it needs
//! no shell to be useful in a standalone task.

mod answers;
mod connections;
mod identity;
mod journal;
mod socket;
mod zeros;

use std::process::ExitCode;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::identity::Identity;
use crate::journal::{say, unix_nanos};

/// What every connection shares: who this task is, and whether it is on its way out.
struct Application {
    identity: Identity,
    /// The code to exit with, once something has asked for the end.
    ending: watch::Sender<Option<u8>>,
}

impl Application {
    /// Returns, once the end has been asked for, the code to exit with.
    async fn ended(&self) -> u8 {
        let mut ending = self.ending.subscribe();
        let code = ending.wait_for(Option::is_some).await.map_or(None, |code| *code);
        code.unwrap_or(0)
    }
}

/// Why the server could not start.
#[derive(Debug, thiserror::Error)]
enum Unable {
    #[error("PORT is {0:?}, which is not a port number")]
    Port(String),
    #[error("listen on port {port}: {source}")]
    Listen { port: u16, source: std::io::Error },
    #[error("start: {0}")]
    Start(#[from] std::io::Error),
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] | ["serve"] => run(),
        ["clock"] => {
            say(unix_nanos());
            ExitCode::SUCCESS
        }
        ["exit", code] if code.parse::<u8>().is_ok() => {
            say(format_args!("ends with {code}, as asked"));
            code.parse::<u8>().map_or(ExitCode::FAILURE, ExitCode::from)
        }
        other => {
            say(format_args!("unknown arguments {other:?}: hello [serve | clock | exit <0-255>]"));
            ExitCode::from(2)
        }
    }
}

fn run() -> ExitCode {
    let runtime = Builder::new_current_thread().enable_all().build();
    let ended = runtime.map_err(Unable::Start).and_then(|runtime| runtime.block_on(serve()));
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(reason) => {
            say(format_args!("cannot serve: {reason}"));
            ExitCode::FAILURE
        }
    }
}

/// Serves until a signal or `/exit` asks for the end, and returns the code to exit with.
async fn serve() -> Result<u8, Unable> {
    let port = port()?;
    // Process 1 of a container has no default action for SIGTERM: without handlers it would be
    // ignored until the task's stop timeout.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let listener =
        TcpListener::bind(("0.0.0.0", port)).await.map_err(|source| Unable::Listen { port, source })?;
    let (ending, _) = watch::channel(None);
    let application = Arc::new(Application { identity: Identity::of_this_process(), ending });
    say(format_args!("{} listening on port {port}", unix_nanos()));

    let asked = Arc::clone(&application);
    tokio::spawn(async move {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        say(format_args!("{name}: finishing what is in flight"));
        asked.ending.send_replace(Some(0));
    });
    Ok(connections::serve(listener, application).await)
}

fn port() -> Result<u16, Unable> {
    match std::env::var("PORT") {
        Ok(given) => given.parse().map_err(|_| Unable::Port(given)),
        Err(_) => Ok(80),
    }
}
