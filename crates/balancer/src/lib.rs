//! The load balancer's data plane: listeners, target choice, health checks, on pingora as a library.
//!
//! Control sends versioned tables over a unix socket. [`run`] compiles each one, swaps it in at once, and answers
//! when no request can start by an older one any more. The request path reads the table that it holds and calls
//! nobody. State that outlives tables (a target's health, its requests in flight, its connections) is in `Arc`s.
//!
//! ```text
//! control ── link ──► balancer::apply ──► table (ArcSwap) ◄── direct or proxy ◄── client ◄── listen
//!                        │                                      │
//!                        └──► target: health ◄── probe          └──► connect ──► targets
//! ```
//!
//! Most requests take the short way (`direct`), which only passes bytes on; what needs more (bodies that are not there
//! yet, hops to negotiate, all of HTTP/2) takes pingora's (`proxy`).
//!
//! Reading order: the decisions, which are pure (`strict`, `mend`, `host`, `pattern`, `index`, `rule`, `rewrite`, `redirect`,
//! `choose`, `sticky`, `forwarded`, `head`, `chunks`, `matcher`, `health`), then what lives (`target`, `pool`, `group`,
//! `tally`, `table`, `balancer`), then input and output.

mod choose;
mod chunks;
mod entry;
mod forwarded;
mod head;
mod health;
mod host;
mod index;
mod matcher;
mod mend;
mod pattern;
mod redirect;
mod rewrite;
mod rule;
mod sticky;
mod strict;

mod balancer;
mod group;
mod table;
mod tally;
mod target;
mod tls;

mod answer;
mod buffer;
mod client;
mod connect;
mod direct;
mod link;
mod listen;
mod logs;
mod patience;
mod pool;
mod probe;
mod proxy;
mod relay;
mod saved;
mod session;
mod transport;

use camino::Utf8PathBuf;
use std::{future::Future, time::Duration};
use thiserror::Error;

/// What the balancer needs to know before it starts.
#[derive(Debug, Clone)]
pub struct BalancerConfig {
    /// The unix socket on which control listens for its balancer.
    pub control_socket: Utf8PathBuf,
    /// Where the last table is kept, so that a restarted balancer serves at once.
    pub state_dir: Utf8PathBuf,
    /// Where the buckets are that logs are put into, each a directory of its name.
    pub buckets: Utf8PathBuf,
    /// How often logs are put there.
    pub log_every: Duration,
}

/// How often an application load balancer delivers its logs.
pub const LOG_EVERY: Duration = Duration::from_secs(300);

/// Why the balancer cannot start.
#[derive(Debug, Error)]
pub enum Error {
    /// The state directory cannot be made.
    #[error("make state directory {path}")]
    StateDir {
        /// The directory.
        path: Utf8PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Serves for ever. Needs a multi-threaded tokio runtime with time and input and output enabled; pingora uses it too.
pub async fn run(config: BalancerConfig) -> Result<(), Error> {
    run_until(config, std::future::pending()).await
}

/// Serves until `stop` is ready; then accepts no more, lets requests in flight end for up to 30 s, and returns.
pub async fn run_until(config: BalancerConfig, stop: impl Future<Output = ()>) -> Result<(), Error> {
    let path = config.state_dir.clone();
    std::fs::create_dir_all(&path).map_err(|source| Error::StateDir { path, source })?;
    let (balancer, outgoing) = balancer::Balancer::start(&config);
    let link = tokio::spawn(link::keep(balancer.clone(), config.control_socket, outgoing));
    stop.await;
    link.abort();
    balancer.stop().await;
    Ok(())
}
