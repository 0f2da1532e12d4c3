//! The control plane at work: its loops and the connections to its nodes.

use crate::{Control, links, loops};
use thiserror::Error;
use tokio::{net::UnixListener, task::JoinSet};
use wharf_store::StoreError;

/// Why a control plane does not go on.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The default network cannot be made.
    #[error("make the default network")]
    Network(#[from] StoreError),
    /// A loop has ended by a mistake of ours.
    #[error("a loop of the control plane has ended")]
    LoopEnded(#[source] Option<tokio::task::JoinError>),
}

/// Runs the loops and serves agents and balancers, until `stop` is ready.
pub async fn serve(
    control: Control,
    node_socket: UnixListener,
    balancer_socket: UnixListener,
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    crate::operations::networks::ensure_default(&control).await?;
    if let Err(error) = crate::operations::repositories::repair(&control).await {
        tracing::error!(%error, "a repository whose making was cut short cannot be made");
    }
    // Dropped, and thereby ended, with this future.
    let mut loops = JoinSet::new();
    loops.spawn(loops::services::run(control.clone()));
    loops.spawn(loops::tasks::run(control.clone()));
    loops.spawn(loops::routing::run(control.clone()));
    loops.spawn(loops::upkeep::run(control.clone()));
    loops.spawn(loops::images::run(control.clone()));
    loops.spawn(loops::retention::run(control.clone()));
    loops.spawn(links::agent::serve(control.clone(), node_socket));
    loops.spawn(links::balancer::serve(control, balancer_socket));
    tokio::select! {
        () = stop => Ok(()),
        ended = loops.join_next() => Err(ServeError::LoopEnded(ended.and_then(Result::err))),
    }
}
