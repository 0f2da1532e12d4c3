//! The connection to control: made again for ever, with a growing wait.

use crate::{
    error::{Error, chain},
    node::Node,
};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::net::{
    UnixStream,
    unix::{OwnedReadHalf, OwnedWriteHalf},
};
use wharf_nodelink::{
    FrameError, VERSION,
    agent::{FromAgent, ToAgent},
    read_frame, write_frame,
};

const WAIT_MIN: Duration = Duration::from_millis(20);
const WAIT_MAX: Duration = Duration::from_secs(1);

/// Keeps the connection. Tasks run on while there is none.
pub(crate) async fn hold(node: Arc<Node>) -> Infallible {
    let mut wait = WAIT_MIN;
    let mut told = String::new();
    loop {
        match session(&node, &mut wait, &mut told).await {
            Ok(()) => tracing::warn!("control closed the connection"),
            Err(error) => {
                // The same trouble is told once.
                let trouble = chain(&error);
                if trouble != told {
                    tracing::warn!(error = trouble, "control is away");
                    told = trouble;
                }
            }
        }
        node.outbox.disconnect();
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(WAIT_MAX);
    }
}

async fn session(node: &Arc<Node>, wait: &mut Duration, told: &mut String) -> Result<(), Error> {
    let socket = &node.config.control_socket;
    let stream = UnixStream::connect(socket).await.map_err(Error::file("connect to control at", socket))?;
    let (mut from, mut to) = stream.into_split();
    let identity = &node.identity;
    let hello = FromAgent::Hello {
        version: VERSION,
        node: identity.node.clone(),
        boot_id: identity.boot_id.clone(),
        cpu: identity.cpu,
        memory: identity.memory,
    };
    write_frame(&mut to, &hello).await?;
    // Control answers at once, or refuses this agent by closing.
    let Some(first) = read_frame::<ToAgent>(&mut from).await? else { return Ok(()) };
    node.obey(first).await?;
    *wait = WAIT_MIN;
    told.clear();
    tracing::info!("connected to control");
    node.outbox.connect();
    // Reading a frame cannot be cancelled; here it only is when the connection ends.
    tokio::select! {
        read = listen(node, from) => read,
        written = tell(node, to) => match written {
            Err(error) => Err(error.into()),
        },
    }
}

async fn listen(node: &Arc<Node>, mut from: OwnedReadHalf) -> Result<(), Error> {
    while let Some(message) = read_frame::<ToAgent>(&mut from).await? {
        let settings = matches!(message, ToAgent::Settings(_));
        match node.obey(message).await {
            // Rules that cannot be applied must not cost the connection; those in force stay.
            Err(error) if settings => tracing::error!(error = chain(&error), "settings not applied"),
            result => result?,
        }
    }
    Ok(())
}

async fn tell(node: &Node, mut to: OwnedWriteHalf) -> Result<Infallible, FrameError> {
    loop {
        let message = node.outbox.next().await;
        write_frame(&mut to, &message).await?;
    }
}
