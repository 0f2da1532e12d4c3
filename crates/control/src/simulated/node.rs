//! One simulated node, from its hello to the end of its connection.

use super::{Fate, Fleet, report::report};
use crate::{Control, operations::tasks};
use std::{collections::HashMap, path::Path, sync::Arc};
use tokio::{
    net::{UnixStream, unix::OwnedWriteHalf},
    sync::Mutex,
    task::JoinSet,
};
use wharf_model::{
    TaskId,
    task::{DesiredStatus, HealthStatus, StopCode, TaskStatus},
};
use wharf_nodelink::{
    FrameError, VERSION,
    agent::{Assignment, FromAgent, TaskReport, ToAgent},
    read_frame, write_frame,
};

/// Its boot id never changes: what ran before control was restarted runs on.
const BOOT_ID: &str = "simulated";

type Writer = Arc<Mutex<OwnedWriteHalf>>;

struct Playing<'a> {
    control: &'a Control,
    fleet: &'a Fleet,
    number: u32,
    to: Writer,
    /// How many tasks have come.
    count: u64,
    /// The tasks there are, with what ends their start.
    tasks: HashMap<TaskId, Option<tokio::task::AbortHandle>>,
    starting: JoinSet<()>,
}

/// Plays a node over one connection.
pub(super) async fn play(
    control: &Control,
    socket: &Path,
    fleet: &Fleet,
    number: u32,
) -> Result<(), FrameError> {
    let stream = UnixStream::connect(socket).await?;
    let (mut from, mut to) = stream.into_split();
    let hello = FromAgent::Hello {
        version: VERSION,
        node: Fleet::node(number),
        boot_id: BOOT_ID.to_owned(),
        cpu: fleet.cpu,
        memory: fleet.memory,
    };
    write_frame(&mut to, &hello).await?;
    let mut playing = Playing {
        control,
        fleet,
        number,
        to: Arc::new(Mutex::new(to)),
        count: 0,
        tasks: HashMap::new(),
        starting: JoinSet::new(),
    };
    while let Some(frame) = read_frame::<ToAgent>(&mut from).await? {
        playing.obey(frame).await?;
        while playing.starting.try_join_next().is_some() {}
    }
    Ok(())
}

impl Playing<'_> {
    async fn obey(&mut self, frame: ToAgent) -> Result<(), FrameError> {
        match frame {
            ToAgent::Everything(all) => {
                self.tasks.retain(|id, _| all.iter().any(|assignment| assignment.task == *id));
                for assignment in all {
                    self.take(assignment).await?;
                }
            }
            ToAgent::Assign(assignment) => self.take(*assignment).await?,
            ToAgent::Forget(task) => {
                self.tasks.remove(&task);
            }
            ToAgent::Settings(_)
            | ToAgent::Provide { .. }
            | ToAgent::Exec(_)
            | ToAgent::LogsStored { .. }
            | ToAgent::PinnedImages(_)
            | ToAgent::Answer { .. } => {}
        }
        Ok(())
    }

    async fn take(&mut self, assignment: Assignment) -> Result<(), FrameError> {
        match assignment.desired_status {
            DesiredStatus::Stopped => {
                let starting = self.tasks.insert(assignment.task.clone(), None);
                if let Some(Some(starting)) = starting {
                    starting.abort();
                }
                for status in [TaskStatus::Stopping, TaskStatus::Stopped] {
                    let stop = assignment.stop.clone();
                    say(&self.to, report(&assignment, status, self.control.now(), stop)).await?;
                }
                Ok(())
            }
            DesiredStatus::Running if self.tasks.contains_key(&assignment.task) => Ok(()),
            DesiredStatus::Running => {
                // A task that runs already was started by this node before control was.
                let known = tasks::of_id(&self.control.store().view(), &assignment.task);
                if known.is_some_and(|known| known.last_status >= TaskStatus::Running) {
                    self.tasks.insert(assignment.task, None);
                    return Ok(());
                }
                self.count += 1;
                let fate = self.fleet.fate(self.number, self.count);
                say(&self.to, report(&assignment, TaskStatus::Activating, self.control.now(), None)).await?;
                let id = assignment.task.clone();
                let (control, to) = (self.control.clone(), Arc::clone(&self.to));
                let starting = self.starting.spawn(async move {
                    if let Err(error) = start(&control, &to, &assignment, fate).await {
                        tracing::debug!(%error, task = %assignment.task, "nobody hears of a simulated task");
                    }
                });
                self.tasks.insert(id, Some(starting));
                Ok(())
            }
        }
    }
}

/// Starts a task as its fate wants it.
async fn start(
    control: &Control,
    to: &Writer,
    assignment: &Assignment,
    fate: Fate,
) -> Result<(), FrameError> {
    tokio::time::sleep(fate.start).await;
    if fate.fails {
        let why = (StopCode::TaskFailedToStart, "CannotPullContainerError: simulated".to_owned());
        return say(to, report(assignment, TaskStatus::Stopped, control.now(), Some(why))).await;
    }
    let mut running = report(assignment, TaskStatus::Running, control.now(), None);
    let is_checked = assignment.containers.iter().any(|(container, _)| container.health_check.is_some());
    if !is_checked {
        return say(to, running).await;
    }
    running = with_health(running, HealthStatus::Healthy);
    say(to, running.clone()).await?;
    if fate.unhealthy {
        tokio::time::sleep(fate.start).await;
        say(to, with_health(running, HealthStatus::Unhealthy)).await?;
    }
    Ok(())
}

fn with_health(report: TaskReport, health: HealthStatus) -> TaskReport {
    let mut report = TaskReport { health: Some(health), ..report };
    report.containers.iter_mut().for_each(|container| container.health = health);
    report
}

async fn say(to: &Writer, report: TaskReport) -> Result<(), FrameError> {
    write_frame(&mut *to.lock().await, &FromAgent::Report(Box::new(report))).await
}
