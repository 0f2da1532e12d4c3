//! What the balancer should serve and what it says it serves, for whoever has to wait for it; and what it counts.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::watch;
use wharf_model::{Timestamp, measures::Measures, routing::RoutingTable};
use wharf_nodelink::balancer::ListenProblem;

/// The board; clones share it.
#[derive(Debug, Clone)]
pub struct Board {
    state: watch::Sender<State>,
    measures: Arc<Mutex<Arc<Measures>>>,
}

#[derive(Debug, Default)]
struct State {
    /// The newest table; none until the first pass of the routing loop.
    table: Option<Arc<RoutingTable>>,
    /// The store's revision that the table takes account of.
    revision: u64,
    /// The newest table that any balancer said it serves.
    seen_version: u64,
    /// The newest connection; an older one is a balancer that is being replaced.
    connection: Option<u64>,
    connections: u64,
    applied: Option<Applied>,
}

/// A table in force, with what of it is not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Applied {
    version: u64,
    problems: Vec<ListenProblem>,
}

/// What came of waiting for the balancer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Served {
    /// It serves the table, but for these problems.
    Applied(Vec<ListenProblem>),
    /// It is not connected.
    Away,
    /// It has not answered in time.
    Late,
}

impl Default for Board {
    fn default() -> Board {
        Board { state: watch::Sender::new(State::default()), measures: Arc::default() }
    }
}

impl Board {
    /// Puts up the table of a store's revision. It gets a new version only when it says something new.
    pub(crate) fn publish(&self, revision: u64, mut table: RoutingTable, now: Timestamp) {
        self.state.send_modify(|state| {
            state.revision = revision;
            let version = state.table.as_ref().map_or(0, |known| known.version);
            table.version = version;
            if state.table.as_deref() != Some(&table) {
                // The clock makes versions grow across restarts even when no balancer is there to ask.
                let clock = u64::try_from(now.0).unwrap_or(0);
                table.version = clock.max(version + 1).max(state.seen_version + 1);
                state.table = Some(Arc::new(table));
            }
        });
    }

    /// Notes a connection of a balancer that serves `table_version`, and returns the connection's number.
    pub(crate) fn connect(&self, table_version: u64) -> u64 {
        let mut number = 0;
        self.state.send_modify(|state| {
            state.connections += 1;
            number = state.connections;
            state.connection = Some(number);
            state.applied = None;
            state.seen_version = state.seen_version.max(table_version);
            if let Some(table) = &mut state.table
                && table.version <= table_version
            {
                Arc::make_mut(table).version = table_version + 1;
            }
        });
        number
    }

    /// Notes what the balancer of a connection has counted.
    pub(crate) fn measured(&self, number: u64, measures: &Measures) {
        if self.state.borrow().connection == Some(number) {
            *self.measures.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(measures.clone());
        }
    }

    /// Returns what the balancer counted last, as far as it has said.
    pub fn measures(&self) -> Arc<Measures> {
        self.measures.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns whether a balancer is connected.
    pub fn is_connected(&self) -> bool {
        self.state.borrow().connection.is_some()
    }

    /// Notes that a connection is over.
    pub(crate) fn disconnect(&self, number: u64) {
        self.state.send_modify(|state| {
            if state.connection == Some(number) {
                state.connection = None;
                state.applied = None;
            }
        });
    }

    /// Notes that a table is in force; returns it if it is the newest one, on the newest connection.
    pub(crate) fn applied(
        &self,
        number: u64,
        version: u64,
        problems: Vec<ListenProblem>,
    ) -> Option<Arc<RoutingTable>> {
        let mut current = None;
        self.state.send_modify(|state| {
            if state.connection == Some(number) {
                state.applied = Some(Applied { version, problems });
                current = state.table.clone().filter(|table| table.version == version);
            }
        });
        current
    }

    /// Returns the next table with a version after `sent`.
    pub(crate) async fn next_table(&self, sent: u64) -> Arc<RoutingTable> {
        let mut state = self.state.subscribe();
        let newer = state
            .wait_for(|state| state.table.as_ref().is_some_and(|table| table.version > sent))
            .await
            .map(|state| state.table.clone());
        match newer {
            Ok(Some(table)) => table,
            // The sender is `self`, and `wait_for` has seen a table.
            Ok(None) | Err(_) => std::future::pending().await,
        }
    }

    /// Waits until the balancer serves what the store held at `revision`.
    pub async fn served(&self, revision: u64, timeout: Duration) -> Served {
        tokio::time::timeout(timeout, self.wait(revision)).await.unwrap_or(Served::Late)
    }

    async fn wait(&self, revision: u64) -> Served {
        let mut state = self.state.subscribe();
        let mut wanted = None;
        loop {
            {
                let state = state.borrow_and_update();
                if state.connection.is_none() {
                    return Served::Away;
                }
                if state.revision >= revision && wanted.is_none() {
                    wanted = state.table.as_ref().map(|table| table.version);
                }
                if let (Some(wanted), Some(applied)) = (wanted, &state.applied)
                    && applied.version >= wanted
                {
                    return Served::Applied(applied.problems.clone());
                }
            }
            if state.changed().await.is_err() {
                return Served::Away;
            }
        }
    }
}

#[cfg(test)]
mod tests;
