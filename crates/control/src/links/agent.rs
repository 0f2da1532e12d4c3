//! Control's side of the connection to an agent: settings and assignments go out, reports and logs come in.
//!
//! What goes out is computed anew whenever the store's bell rings, and sent where it differs from what was sent before;
//! so a task that was just committed is on its way at once, and a connection that was lost misses nothing.

mod asks;
mod assignment;
mod bells;
mod outgoing;
mod provisions;
mod report;
mod session;
mod settings;

pub(crate) use report::record;

use crate::Control;
use bells::Bells;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    net::UnixListener,
    task::{AbortHandle, JoinSet},
};
use wharf_model::NodeId;

/// The session of each node. A node that connects again ends its earlier session.
type Sessions = Arc<Mutex<HashMap<NodeId, AbortHandle>>>;

/// Serves agents that connect to `listener`, for ever.
pub(crate) async fn serve(control: Control, listener: UnixListener) {
    let sessions = Sessions::default();
    let bells = Bells::default();
    let ring = bells::run(&control, &bells);
    tokio::pin!(ring);
    // Dropped with this future, and its connections with it.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let (control, sessions, bells) = (control.clone(), Arc::clone(&sessions), bells.clone());
                    let own = Arc::new(Mutex::new(None));
                    let handle = connections.spawn({
                        let own = Arc::clone(&own);
                        async move {
                            let join = |node: &NodeId| replace(&sessions, node, &own);
                            session::attend(&control, &bells, stream, join).await;
                        }
                    });
                    *own.lock().unwrap_or_else(PoisonError::into_inner) = Some(handle);
                }
                Err(error) => {
                    tracing::error!(%error, "agent's connection cannot be accepted");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            },
            Some(_) = connections.join_next() => {}
            () = &mut ring => return,
        }
    }
}

/// Makes a session its node's only one.
fn replace(sessions: &Sessions, node: &NodeId, own: &Mutex<Option<AbortHandle>>) {
    let handle = own.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(handle) = handle else { return };
    let earlier = sessions.lock().unwrap_or_else(PoisonError::into_inner).insert(node.clone(), handle);
    if let Some(earlier) = earlier {
        earlier.abort();
    }
}
