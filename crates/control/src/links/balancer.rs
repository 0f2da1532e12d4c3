//! Control's side of the connection to the balancer: tables go out, what came of them comes in.

use crate::{Control, operations::targets};
use std::{sync::Arc, time::Duration};
use thiserror::Error;
use tokio::{
    net::{UnixListener, UnixStream, unix::OwnedReadHalf},
    sync::mpsc,
    task::JoinSet,
};
use wharf_model::{
    load_balancer::{LoadBalancer, LoadBalancerState},
    routing::RoutingTable,
    target_group::Target,
};
use wharf_nodelink::{
    FrameError, VERSION,
    balancer::{FromBalancer, ListenProblem, ToBalancer},
    read_frame, write_frame,
};
use wharf_store::{Draft, StoreError, TargetHealthRecord, target_key};

/// How long a new connection may take to say who it is.
const HELLO_TIMEOUT: Duration = Duration::from_secs(5);

/// How many messages are taken into one change.
const MESSAGES_MAX: usize = 512;

/// Why a connection to a balancer ended.
#[derive(Debug, Error)]
enum LinkError {
    /// It failed.
    #[error("talk to the balancer")]
    Frame(#[from] FrameError),
    /// The first frame did not come, or was another.
    #[error("the balancer did not say hello")]
    NoHello,
    /// The other side is of another version.
    #[error("the balancer speaks version {0} of the protocol, not {VERSION}")]
    Version(u32),
    /// What it said could not be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Serves balancers that connect to `listener`, for ever.
pub async fn serve(control: Control, listener: UnixListener) {
    // Dropped with this future, and its connections with it.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(attend(control.clone(), stream));
                }
                Err(error) => {
                    tracing::error!(%error, "balancer's connection cannot be accepted");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn attend(control: Control, stream: UnixStream) {
    match Box::pin(converse(&control, stream)).await {
        Ok(()) => tracing::info!("balancer disconnected"),
        Err(error) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::warn!(%error, cause, "balancer disconnected");
        }
    }
}

async fn converse(control: &Control, stream: UnixStream) -> Result<(), LinkError> {
    let (mut from, mut to) = stream.into_split();
    let hello = tokio::time::timeout(HELLO_TIMEOUT, read_frame(&mut from)).await;
    let Ok(Some(FromBalancer::Hello { version, table_version })) = hello.map_err(|_| LinkError::NoHello)?
    else {
        return Err(LinkError::NoHello);
    };
    if version != VERSION {
        return Err(LinkError::Version(version));
    }
    tracing::info!(table_version, "balancer connected");
    let connection = Connection { control, number: control.balancer().connect(table_version) };
    let (heard, mut messages) = mpsc::channel(MESSAGES_MAX);
    let mut reader = JoinSet::new();
    reader.spawn(listen(from, heard));
    let speak = async {
        let mut sent = 0;
        loop {
            let table = control.balancer().next_table(sent).await;
            sent = table.version;
            tracing::debug!(version = sent, "table sent to balancer");
            write_frame(&mut to, &ToBalancer::Table((*table).clone())).await?;
        }
    };
    let hear = async {
        let mut batch = Vec::new();
        while messages.recv_many(&mut batch, MESSAGES_MAX).await > 0 {
            connection.take_in(std::mem::take(&mut batch)).await?;
        }
        Ok(())
    };
    tokio::select! {
        failed = speak => failed,
        ended = hear => match (ended, reader.join_next().await) {
            (Ok(()), Some(Ok(ended))) => ended,
            (ended, _) => ended,
        },
    }
}

/// Reads frames until the connection ends. A task of its own, because reading cannot be interrupted.
async fn listen(mut from: OwnedReadHalf, heard: mpsc::Sender<FromBalancer>) -> Result<(), LinkError> {
    while let Some(message) = read_frame(&mut from).await? {
        if heard.send(message).await.is_err() {
            break;
        }
    }
    Ok(())
}

struct Connection<'a> {
    control: &'a Control,
    number: u64,
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        self.control.balancer().disconnect(self.number);
    }
}

impl Connection<'_> {
    async fn take_in(&self, messages: Vec<FromBalancer>) -> Result<(), StoreError> {
        let mut applied: Option<(Arc<RoutingTable>, Vec<ListenProblem>)> = None;
        for message in &messages {
            if let FromBalancer::Applied { version, problems } = message {
                let table = self.control.balancer().applied(self.number, *version, problems.clone());
                applied = table.map(|table| (table, problems.clone())).or(applied);
            }
        }
        for message in &messages {
            if let FromBalancer::Measured(measures) = message {
                self.control.balancer().measured(self.number, measures);
            }
        }
        if messages.iter().all(|message| matches!(message, FromBalancer::Measured(_))) {
            return Ok(());
        }
        let update = self.control.store().change(|draft| {
            for message in &messages {
                note(draft, message);
            }
            if let Some((table, problems)) = &applied {
                note_states(draft, table, problems);
            }
        });
        update.await
    }
}

fn note(draft: &mut Draft<'_>, message: &FromBalancer) {
    match message {
        FromBalancer::Health { target_group, target, health } => {
            let key = target_key(target_group, target);
            let same = draft.get::<TargetHealthRecord>(&key).is_some_and(|known| known.health == *health);
            if !same && draft.get::<Target>(&key).is_some() {
                draft.put_volatile(TargetHealthRecord {
                    target_group: target_group.clone(),
                    target: *target,
                    health: health.clone(),
                });
            }
        }
        FromBalancer::Drained { target_group, target } => targets::drained(draft, target_group, target),
        FromBalancer::Hello { .. } | FromBalancer::Applied { .. } | FromBalancer::Measured(_) => {}
    }
}

/// Writes what the balancer serves into the states of load balancers.
fn note_states(draft: &mut Draft<'_>, table: &RoutingTable, problems: &[ListenProblem]) {
    for routes in &table.load_balancers {
        let Some(known) = draft.get::<LoadBalancer>(&routes.arn.to_string()) else { continue };
        let own: Vec<String> = problems
            .iter()
            .filter(|problem| routes.listeners.iter().any(|listener| listener.arn == problem.listener))
            .map(|problem| format!("{}: {}", problem.address, problem.reason))
            .collect();
        let state = if own.is_empty() {
            LoadBalancerState::Active
        } else {
            LoadBalancerState::Failed(format!("cannot listen on {}", own.join("; ")))
        };
        if known.state != state {
            draft.put(LoadBalancer { state, ..(*known).clone() });
        }
    }
}

#[cfg(test)]
mod tests;
