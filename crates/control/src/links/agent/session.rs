//! One connection of an agent, from its hello to its end.

use super::{asks, bells::Bells, outgoing::Outgoing, provisions, report};
use crate::{Control, operations::log_groups};
use std::time::Duration;
use thiserror::Error;
use tokio::{
    net::{UnixStream, unix::OwnedReadHalf},
    sync::mpsc,
    task::JoinSet,
};
use wharf_model::{NodeId, TaskId, logs::LogEvent, node::Node};
use wharf_nodelink::{
    FrameError, VERSION,
    agent::{FromAgent, TaskAsk, TaskReport, ToAgent},
    read_frame, write_frame,
};
use wharf_store::StoreError;

/// How long a new connection may take to say who it is.
const HELLO_TIMEOUT: Duration = Duration::from_secs(5);
/// How many reports are taken into one change.
const REPORTS_MAX: usize = 256;
/// How many questions of tasks may wait.
const ASKS_MAX: usize = 64;
/// How many batches of log lines may wait.
const LOGS_MAX: usize = 64;

/// Why a connection to an agent ended.
#[derive(Debug, Error)]
pub(super) enum LinkError {
    /// It failed.
    #[error("talk to the agent")]
    Frame(#[from] FrameError),
    /// The first frame did not come, or was another.
    #[error("the agent did not say hello")]
    NoHello,
    /// The other side is of another version.
    #[error("the agent speaks version {0} of the protocol, not {VERSION}")]
    Version(u32),
    /// What it said could not be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Lines for a log group.
struct LogBatch {
    number: u64,
    group: String,
    stream: String,
    create_group: bool,
    events: Vec<LogEvent>,
}

/// Serves a connection to its end. `join` is called once it is known whose it is.
pub(super) async fn attend(control: &Control, bells: &Bells, stream: UnixStream, join: impl FnOnce(&NodeId)) {
    match Box::pin(converse(control, bells, stream, join)).await {
        Ok(()) => tracing::info!("agent's connection ended"),
        Err(error) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::warn!(%error, cause, "agent disconnected");
        }
    }
}

async fn converse(
    control: &Control,
    bells: &Bells,
    stream: UnixStream,
    join: impl FnOnce(&NodeId),
) -> Result<(), LinkError> {
    let (mut from, mut to) = stream.into_split();
    let hello = tokio::time::timeout(HELLO_TIMEOUT, read_frame(&mut from)).await;
    let (version, node, boot_id, cpu, memory) = match hello.map_err(|_| LinkError::NoHello)? {
        Ok(Some(FromAgent::Hello { version, node, boot_id, cpu, memory })) => {
            (version, node, boot_id, cpu, memory)
        }
        Ok(Some(FromAgent::Session { ticket })) => {
            control.commands().claim(&ticket, from, to);
            return Ok(());
        }
        _ => return Err(LinkError::NoHello),
    };
    if version != VERSION {
        return Err(LinkError::Version(version));
    }
    join(&node);
    tracing::info!(%node, "agent connected");
    let now = control.now();
    let joined = Node { id: node.clone(), boot_id, cpu, memory, registered_at: now, connected: true };
    control.store().change(|draft| report::join(draft, joined, now)).await?;
    let _present = control.agent_session();

    let (heard, mut reports) = mpsc::channel(REPORTS_MAX);
    let (logged, mut logs) = mpsc::channel(LOGS_MAX);
    // Answers are few and small, and each of them follows a frame that was read.
    let (answer, mut answers) = mpsc::unbounded_channel();
    let _reachable = control.commands().reach(&node, answer.clone());
    let mut reader = JoinSet::new();
    let (wondered, mut asks) = mpsc::channel(ASKS_MAX);
    reader.spawn(listen(from, heard, logged, wondered));

    let speak = async {
        let bell = bells.of(&node);
        let mut outgoing = Outgoing::new(node.clone());
        loop {
            let frames = {
                let view = control.store().view();
                outgoing.next(&view, control.config())
            };
            for frame in &provisions::add(control, frames).await {
                write_frame(&mut to, frame).await?;
            }
            tokio::select! {
                () = bell.rung() => {}
                Some(frame) = answers.recv() => write_frame::<ToAgent>(&mut to, &frame).await?,
            }
        }
    };
    let hear = async {
        let mut batch: Vec<TaskReport> = Vec::new();
        while reports.recv_many(&mut batch, REPORTS_MAX).await > 0 {
            for task in take_in(control, &node, std::mem::take(&mut batch)).await? {
                let _ = answer.send(ToAgent::Forget(task));
            }
        }
        Ok::<(), LinkError>(())
    };
    let keep_logs = async {
        // Several at a time, so that what arrives together is written together. A stream has one batch under way, so
        // its lines stay in order.
        let mut keeping = JoinSet::new();
        loop {
            tokio::select! {
                Some(batch) = logs.recv(), if keeping.len() < LOGS_MAX => {
                    let (control, answer) = (control.clone(), answer.clone());
                    keeping.spawn(async move {
                        let batch = keep(&control, batch).await;
                        let _ = answer.send(ToAgent::LogsStored { batch });
                    });
                }
                Some(_) = keeping.join_next() => {}
                else => return,
            }
        }
    };
    let answer_asks = async {
        while let Some((number, task, ask)) = asks.recv().await {
            let told = asks::answer(control, &node, &task, ask).await;
            let _ = answer.send(ToAgent::Answer { number, answer: told });
        }
    };
    let hear = async { tokio::join!(hear, keep_logs, answer_asks).0 };
    let ended = tokio::select! {
        failed = speak => failed,
        ended = hear => match (ended, reader.join_next().await) {
            (Ok(()), Some(Ok(ended))) => ended,
            (ended, _) => ended,
        },
    };
    control.store().change(|draft| report::leave(draft, &node)).await?;
    ended
}

/// Stores a batch and returns its number. The agent waits for the answer, so lines that a full disk refuses are tried
/// until they are kept.
async fn keep(control: &Control, batch: LogBatch) -> u64 {
    let LogBatch { number, group, stream, create_group, events } = batch;
    while let Err(error) =
        log_groups::deliver(control, &group, &stream, create_group, number, events.clone()).await
    {
        // Nobody will make the group for lines that are there already: they are let go, as on AWS.
        if matches!(error, log_groups::Error::GroupNotFound) {
            tracing::warn!(group, stream, "log group does not exist, its lines are dropped");
            break;
        }
        tracing::error!(%error, group, stream, "log lines cannot be kept yet");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    number
}

/// Reads frames until the connection ends. A task of its own, because reading cannot be interrupted.
async fn listen(
    mut from: OwnedReadHalf,
    heard: mpsc::Sender<TaskReport>,
    logged: mpsc::Sender<LogBatch>,
    wondered: mpsc::Sender<(u64, TaskId, TaskAsk)>,
) -> Result<(), LinkError> {
    while let Some(message) = read_frame(&mut from).await? {
        let taken = match message {
            FromAgent::Report(report) => heard.send(*report).await.is_ok(),
            FromAgent::Logs { batch, group, stream, create_group, events } => {
                let batch = LogBatch { number: batch, group, stream, create_group, events };
                logged.send(batch).await.is_ok()
            }
            FromAgent::Ask { number, task, ask } => wondered.send((number, task, ask)).await.is_ok(),
            FromAgent::Hello { .. } | FromAgent::Session { .. } => true,
        };
        if !taken {
            break;
        }
    }
    Ok(())
}

/// Records reports; returns the tasks that their node may forget.
async fn take_in(
    control: &Control,
    node: &NodeId,
    reports: Vec<TaskReport>,
) -> Result<Vec<TaskId>, StoreError> {
    let now = control.now();
    control
        .store()
        .change(|draft| {
            reports.into_iter().filter_map(|report| report::record(draft, node, report, now)).collect()
        })
        .await
}
