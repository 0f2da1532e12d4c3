//! The connection to control: kept up, and everything said again after it was down.

use crate::balancer::Balancer;
use camino::Utf8PathBuf;
use std::{sync::Arc, time::Duration};
use tokio::{
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc::UnboundedReceiver,
    time::{Instant, sleep},
};
use wharf_nodelink::{
    FrameError, VERSION,
    balancer::{FromBalancer, ToBalancer},
    read_frame, write_frame,
};

const BACKOFF_MIN: Duration = Duration::from_millis(20);
const BACKOFF_MAX: Duration = Duration::from_secs(1);

/// Connects to control again and again; the balancer serves meanwhile.
pub(crate) async fn keep(
    balancer: Arc<Balancer>,
    socket: Utf8PathBuf,
    mut outgoing: UnboundedReceiver<FromBalancer>,
) {
    let mut backoff = BACKOFF_MIN;
    loop {
        // What nobody heard is part of what is said first on the next connection.
        while outgoing.try_recv().is_ok() {}
        if let Ok(connection) = UnixStream::connect(socket.as_std_path()).await {
            let since = Instant::now();
            let ended = converse(&balancer, connection, &mut outgoing).await;
            tracing::info!(%socket, error = ended.err().map(tracing::field::display), "control is gone");
            if since.elapsed() > BACKOFF_MAX {
                backoff = BACKOFF_MIN;
            }
        }
        sleep(backoff).await;
        backoff = (backoff * 2).min(BACKOFF_MAX);
    }
}

/// Speaks with control until either side ends it.
async fn converse(
    balancer: &Arc<Balancer>,
    connection: UnixStream,
    outgoing: &mut UnboundedReceiver<FromBalancer>,
) -> Result<(), FrameError> {
    let (from, mut to) = connection.into_split();
    let hello = FromBalancer::Hello { version: VERSION, table_version: balancer.table().version };
    write_frame(&mut to, &hello).await?;
    for message in balancer.everything() {
        write_frame(&mut to, &message).await?;
    }
    tracing::info!("control is there");
    let mut reading = tokio::spawn(read(balancer.clone(), from));
    tokio::select! {
        ended = &mut reading => ended.unwrap_or(Ok(())),
        ended = write(to, outgoing) => {
            reading.abort();
            ended
        }
    }
}

async fn read(balancer: Arc<Balancer>, mut from: OwnedReadHalf) -> Result<(), FrameError> {
    while let Some(message) = read_frame(&mut from).await? {
        match message {
            ToBalancer::Table(table) => balancer.apply(table),
        }
    }
    Ok(())
}

async fn write(
    mut to: OwnedWriteHalf,
    outgoing: &mut UnboundedReceiver<FromBalancer>,
) -> Result<(), FrameError> {
    while let Some(message) = outgoing.recv().await {
        write_frame(&mut to, &message).await?;
    }
    Ok(())
}
