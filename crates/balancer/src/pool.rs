//! Connections to a target that wait for their next request. The one used last is used next, so that the others age.

use crate::connect::KEEP;
use std::{net::Ipv4Addr, time::Instant};
use tokio::net::TcpStream;

/// The most of one target; more are closed the next time somebody looks.
const KEPT_MAX: usize = 1024;

/// A target's kept connections, the one used last at the end.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    kept: Vec<Kept>,
    looked_after: bool,
}

#[derive(Debug)]
struct Kept {
    source: Option<Ipv4Addr>,
    number: u64,
    tcp: TcpStream,
    since: Instant,
}

impl Pool {
    /// Returns a connection from this address, and its number.
    pub(crate) fn take(&mut self, source: Option<Ipv4Addr>) -> Option<(u64, TcpStream)> {
        let index = self.kept.iter().rposition(|kept| kept.source == source)?;
        let kept = self.kept.remove(index);
        Some((kept.number, kept.tcp))
    }

    /// Keeps a connection; returns whether somebody has to look after the pool from now on.
    pub(crate) fn put(&mut self, source: Option<Ipv4Addr>, number: u64, tcp: TcpStream) -> bool {
        self.kept.push(Kept { source, number, tcp, since: Instant::now() });
        !std::mem::replace(&mut self.looked_after, true)
    }

    /// Removes and returns those that have waited too long or are too many.
    pub(crate) fn old(&mut self) -> Vec<(u64, TcpStream)> {
        let excess = self.kept.len().saturating_sub(KEPT_MAX);
        let old = self.kept.iter().take_while(|kept| kept.since.elapsed() >= KEEP).count().max(excess);
        let old = self.kept.drain(..old).map(|kept| (kept.number, kept.tcp)).collect();
        self.looked_after = !self.kept.is_empty();
        old
    }

    /// Returns whether anything is kept, or was when this was last looked at.
    pub(crate) fn is_looked_after(&self) -> bool {
        self.looked_after
    }
}
