//! Commands that people run in containers: offered by an operation, opened by whoever has the token, and passed on to the
//! node over a connection that its agent makes for it.
//!
//! ```text
//!  ExecuteCommand ──▶ offered (id, token) ──open──▶ ordered (ticket) ──agent connects──▶ Command
//! ```
//!
//! Nothing of it is stored: a command ends with the control plane that it goes through.

use crate::ids;
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use thiserror::Error;
use tokio::{
    net::unix::{OwnedReadHalf, OwnedWriteHalf},
    sync::{mpsc, oneshot},
};
use wharf_model::NodeId;
pub use wharf_nodelink::exec::{FromCommand, ToCommand};
use wharf_nodelink::{
    agent::{ExecOrder, ToAgent},
    read_frame, write_frame,
};

/// How long a token opens its session.
const OFFER_LASTS: Duration = Duration::from_secs(60);
/// How long a node may take to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Sessions that are offered and not opened, at most: a caller cannot fill the memory with them.
const OFFERS_MAX: usize = 1_000;
/// Messages under way in each direction.
const UNDER_WAY_MAX: usize = 8;

/// Why a session cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotOpened {
    /// There is none with this id and token, or not any more.
    #[error("the session is not known, was opened before, or its token is wrong or too old")]
    Unknown,
    /// The node is not connected, or did not answer.
    #[error("the container's node cannot be reached")]
    Unreachable,
}

/// A command that runs, or is about to.
#[derive(Debug)]
pub struct Command {
    /// What it is told. It is killed when this is dropped.
    pub input: mpsc::Sender<ToCommand>,
    /// What it says.
    pub output: mpsc::Receiver<FromCommand>,
}

/// What opens a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// `ecs-execute-command-` and 17 hexadecimal digits.
    pub session_id: String,
    /// The token.
    pub token: String,
}

/// The commands.
#[derive(Debug, Default, Clone)]
pub struct Commands {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    offered: HashMap<String, Offered>,
    ordered: HashMap<String, oneshot::Sender<(OwnedReadHalf, OwnedWriteHalf)>>,
    agents: HashMap<NodeId, mpsc::UnboundedSender<ToAgent>>,
}

#[derive(Debug)]
struct Offered {
    token: [u8; 32],
    until: Instant,
    node: NodeId,
    order: ExecOrder,
}

/// A node that can be told of commands, for as long as this value lives.
pub(crate) struct Reachable {
    commands: Commands,
    node: NodeId,
    sender: mpsc::UnboundedSender<ToAgent>,
}

impl Drop for Reachable {
    fn drop(&mut self) {
        let mut inner = self.commands.lock();
        // A later connection of the same node may have taken its place.
        if inner.agents.get(&self.node).is_some_and(|sender| sender.same_channel(&self.sender)) {
            inner.agents.remove(&self.node);
        }
    }
}

impl Commands {
    /// Offers a command to whoever shows the token soon. Nothing when too many are offered already.
    pub(crate) fn offer(&self, node: &NodeId, order: ExecOrder) -> Option<Offer> {
        let offer = Offer {
            session_id: format!("ecs-execute-command-{}", ids::hex(17)),
            token: format!("{}{}", ids::hex(32), ids::hex(32)),
        };
        let now = Instant::now();
        let offered =
            Offered { token: digest(&offer.token), until: now + OFFER_LASTS, node: node.clone(), order };
        let mut inner = self.lock();
        inner.offered.retain(|_, offered| offered.until > now);
        if inner.offered.len() >= OFFERS_MAX {
            return None;
        }
        inner.offered.insert(offer.session_id.clone(), offered);
        Some(offer)
    }

    /// Opens a session, once: has its node begin the command, and connects to it.
    pub async fn open(&self, session_id: &str, token: &str) -> Result<Command, NotOpened> {
        let (ticket, connected) = {
            let mut inner = self.lock();
            let known = inner.offered.get(session_id).ok_or(NotOpened::Unknown)?;
            // Of what is compared nobody can choose the bytes, so how long it takes says nothing.
            if known.token != digest(token) || known.until <= Instant::now() {
                return Err(NotOpened::Unknown);
            }
            let Offered { node, order, .. } = inner.offered.remove(session_id).ok_or(NotOpened::Unknown)?;
            let (sender, connected) = oneshot::channel();
            let ticket = order.ticket.clone();
            let agent = inner.agents.get(&node).ok_or(NotOpened::Unreachable)?;
            agent.send(ToAgent::Exec(Box::new(order))).map_err(|_| NotOpened::Unreachable)?;
            inner.ordered.insert(ticket.clone(), sender);
            (ticket, connected)
        };
        match tokio::time::timeout(CONNECT_TIMEOUT, connected).await {
            Ok(Ok((from, to))) => Ok(command(from, to)),
            Ok(Err(_)) | Err(_) => {
                self.lock().ordered.remove(&ticket);
                Err(NotOpened::Unreachable)
            }
        }
    }

    /// Takes the connection that an agent made for a command.
    pub(crate) fn claim(&self, ticket: &str, from: OwnedReadHalf, to: OwnedWriteHalf) {
        match self.lock().ordered.remove(ticket) {
            // Whoever waited may have given up a moment ago.
            Some(waiting) => drop(waiting.send((from, to))),
            None => tracing::warn!("an agent connected for a command that nobody waits for"),
        }
    }

    /// Says how a node is told of commands.
    pub(crate) fn reach(&self, node: &NodeId, sender: mpsc::UnboundedSender<ToAgent>) -> Reachable {
        self.lock().agents.insert(node.clone(), sender.clone());
        Reachable { commands: self.clone(), node: node.clone(), sender }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// Moves messages between a connection and two channels, until one of them ends.
fn command(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> Command {
    let (input, mut told) = mpsc::channel::<ToCommand>(UNDER_WAY_MAX);
    let (said, output) = mpsc::channel(UNDER_WAY_MAX);
    tokio::spawn(async move {
        while let Some(message) = told.recv().await {
            if write_frame(&mut to, &message).await.is_err() {
                return;
            }
        }
        // Dropping this half tells the agent that nobody is there any more.
    });
    tokio::spawn(async move {
        while let Ok(Some(message)) = read_frame::<FromCommand>(&mut from).await {
            if said.send(message).await.is_err() {
                return;
            }
        }
    });
    Command { input, output }
}

#[cfg(test)]
mod tests;
