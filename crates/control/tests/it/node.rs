//! A node that is played: it does what it is told at once, unless it is told to be slow.

use crate::world::World;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};
use tokio::{
    net::{UnixStream, unix::OwnedWriteHalf},
    sync::Mutex as AsyncMutex,
    task::JoinHandle,
};
use wharf_control::{Control, simulated};
use wharf_model::{
    CpuUnits, Mebibytes, NodeId, TaskId,
    task::{DesiredStatus, StopCode, TaskStatus},
};
use wharf_nodelink::{
    VERSION,
    agent::{Assignment, FromAgent, TaskAnswer, TaskAsk, TaskReport, ToAgent},
    provisions::Provisions,
    read_frame, write_frame,
};

pub(crate) struct Node {
    control: Control,
    to: Arc<AsyncMutex<OwnedWriteHalf>>,
    seen: Arc<Mutex<Seen>>,
    reader: JoinHandle<()>,
}

#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) assignments: HashMap<TaskId, Assignment>,
    pub(crate) provided: HashMap<TaskId, Result<Provisions, String>>,
    pub(crate) forgotten: Vec<TaskId>,
    pub(crate) frames: usize,
    /// What tasks were told, by the number of their question.
    pub(crate) answers: HashMap<u64, TaskAnswer>,
    /// Whether tasks fail to start.
    pub(crate) broken: bool,
}

impl Drop for Node {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

pub(crate) fn id() -> NodeId {
    "0123456789abcdef0123456789abcdef".parse().unwrap()
}

impl Node {
    pub(crate) async fn join(world: &World) -> Node {
        Node::booted(world, "boot").await
    }

    pub(crate) async fn booted(world: &World, boot_id: &str) -> Node {
        let (mut from, mut to) = UnixStream::connect(world.socket("node")).await.unwrap().into_split();
        let hello = FromAgent::Hello {
            version: VERSION,
            node: id(),
            boot_id: boot_id.into(),
            cpu: CpuUnits(2048),
            memory: Mebibytes(4096),
        };
        write_frame(&mut to, &hello).await.unwrap();
        let to = Arc::new(AsyncMutex::new(to));
        let seen = Arc::new(Mutex::new(Seen::default()));
        let reader = tokio::spawn({
            let (seen, to, control) = (Arc::clone(&seen), Arc::clone(&to), world.control.clone());
            async move {
                while let Ok(Some(frame)) = read_frame::<ToAgent>(&mut from).await {
                    let reports = obey(&mut seen.lock().unwrap(), frame, &control);
                    for report in reports {
                        let _ =
                            write_frame(&mut *to.lock().await, &FromAgent::Report(Box::new(report))).await;
                    }
                }
            }
        });
        Node { control: world.control.clone(), to, seen, reader }
    }

    pub(crate) fn seen<T>(&self, look: impl FnOnce(&mut Seen) -> T) -> T {
        look(&mut self.seen.lock().unwrap())
    }

    /// A container of a task ends by itself.
    pub(crate) async fn exit(&self, task: &TaskId, code: i32) {
        let assignment = self.seen(|seen| seen.assignments[task].clone());
        let why = (StopCode::EssentialContainerExited, "Essential container in task exited".to_owned());
        let mut last = report(&assignment, TaskStatus::Stopped, &self.control, Some(why));
        last.containers[0].exit_code = Some(code);
        self.report(last).await;
    }

    /// A task asks something, as its question of this number; returns what it is told.
    pub(crate) async fn ask(&self, world: &World, number: u64, task: &TaskId, ask: TaskAsk) -> TaskAnswer {
        let ask = FromAgent::Ask { number, task: task.clone(), ask };
        write_frame(&mut *self.to.lock().await, &ask).await.unwrap();
        world.until("it is answered", |_| self.seen(|seen| seen.answers.contains_key(&number))).await;
        self.seen(|seen| seen.answers[&number].clone())
    }

    pub(crate) async fn report(&self, report: TaskReport) {
        write_frame(&mut *self.to.lock().await, &FromAgent::Report(Box::new(report))).await.unwrap();
    }
}

fn obey(seen: &mut Seen, frame: ToAgent, control: &Control) -> Vec<TaskReport> {
    seen.frames += 1;
    let assignments = match frame {
        ToAgent::Everything(all) => all,
        ToAgent::Assign(one) => vec![*one],
        ToAgent::Forget(task) => {
            seen.forgotten.push(task);
            Vec::new()
        }
        ToAgent::Provide { task, provisions } => {
            seen.provided.insert(task, *provisions);
            Vec::new()
        }
        ToAgent::Answer { number, answer } => {
            seen.answers.insert(number, answer);
            Vec::new()
        }
        ToAgent::Settings(_) | ToAgent::Exec(_) | ToAgent::PinnedImages(_) | ToAgent::LogsStored { .. } => {
            Vec::new()
        }
    };
    let mut reports = Vec::new();
    for assignment in assignments {
        let on_the_way = [TaskStatus::Pending, TaskStatus::Activating];
        let report = |status, why| report(&assignment, status, control, why);
        match assignment.desired_status {
            DesiredStatus::Running if seen.broken => {
                let why = "CannotPullContainerError: no such image".to_owned();
                reports.push(report(TaskStatus::Stopped, Some((StopCode::TaskFailedToStart, why))));
            }
            DesiredStatus::Running => {
                reports.extend(on_the_way.map(|status| report(status, None)));
                reports.push(report(TaskStatus::Running, None));
            }
            DesiredStatus::Stopped => {
                reports.push(report(TaskStatus::Stopping, assignment.stop.clone()));
                reports.push(report(TaskStatus::Stopped, assignment.stop.clone()));
            }
        }
        seen.assignments.insert(assignment.task.clone(), assignment);
    }
    reports
}

/// What a node says of a task in this state.
pub(crate) fn report(
    assignment: &Assignment,
    last_status: TaskStatus,
    control: &Control,
    stop: Option<(StopCode, String)>,
) -> TaskReport {
    simulated::report(assignment, last_status, control.now(), stop)
}
