//! `wharf lb`: what load balancers do, for people.

mod top;

use crate::options::Options;
use anyhow::{Context, bail};
use clap::Subcommand;
use std::{
    io::{IsTerminal, Read, Write},
    net::TcpStream,
    thread::sleep,
    time::{Duration, Instant},
};
use top::Samples;

/// What is done with load balancers.
#[derive(Subcommand)]
pub(crate) enum LbCommand {
    /// Shows again and again what load balancers and target groups do per second.
    Top {
        /// Seconds from one table to the next.
        #[arg(long, short, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=3600))]
        every: u64,
        /// Tables to show before it ends [default: no end].
        #[arg(long, short)]
        count: Option<u64>,
    },
}

/// Does it.
pub(crate) fn run(options: &Options, command: LbCommand) -> anyhow::Result<()> {
    let LbCommand::Top { every, count } = command;
    let mut before = (Instant::now(), samples(options)?);
    for _ in 0..count.unwrap_or(u64::MAX) {
        sleep(Duration::from_secs(every));
        let now = (Instant::now(), samples(options)?);
        show(&top::table(&before.1, &now.1, now.0.duration_since(before.0)))?;
        before = now;
    }
    Ok(())
}

/// Returns what was counted up to now.
fn samples(options: &Options) -> anyhow::Result<Samples> {
    let limit = Duration::from_secs(5);
    let endpoint = options.endpoint;
    let ask = || {
        let mut stream = TcpStream::connect_timeout(&endpoint, limit)?;
        stream.set_read_timeout(Some(limit))?;
        let request =
            format!("GET /_wharf/metrics HTTP/1.1\r\nHost: {endpoint}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map(|_| answer)
    };
    let answer = ask().with_context(|| format!("ask the API at {endpoint}"))?;
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.1 200") => Ok(Samples::read(body)),
        _ => bail!("the API at {endpoint} does not tell: {}", answer.lines().next().unwrap_or("no answer")),
    }
}

fn show(table: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if out.is_terminal() {
        // Clears the terminal, and goes to its first line.
        out.write_all(b"\x1b[2J\x1b[H")?;
    }
    out.write_all(table.as_bytes())?;
    Ok(out.flush()?)
}
