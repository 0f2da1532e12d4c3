use crate::{
    node::{self, Node},
    world::{World, cluster},
};
use std::collections::BTreeSet;
use wharf_control::operations::{Error, restored, run_task::run_task, tasks};
use wharf_model::{
    NodeId,
    network::{InterfaceStatus, NetworkInterface},
    task::{ContainerOverride, DesiredStatus, StopCode, TaskStatus},
};

#[tokio::test]
async fn a_task_runs_and_is_stopped() {
    let world = World::new().await;
    let node = Node::join(&world).await;
    world.define().await;
    let started = run_task(&world.control, world.request(1)).await.unwrap();
    assert_eq!(started.found.len(), 1);
    let first = &started.found[0];
    assert_eq!((first.task.last_status, first.task.version), (TaskStatus::Provisioning, 1));
    assert_eq!(first.task.group, "family:web");
    let id = first.task.id.clone();

    world.until("it runs", |world| world.task(&id).last_status == TaskStatus::Running).await;
    let running = world.task(&id);
    assert!(running.times.started_at.is_some());
    assert!(running.containers[0].runtime_id.is_some());
    let assigned = node.seen(|seen| seen.assignments[&id].clone());
    assert_eq!(assigned.interface.as_ref().unwrap().private_ip, first.interface.as_ref().unwrap().private_ip);
    assert_eq!(assigned.generation, 1);

    tasks::stop(&world.control, &cluster(), id.as_str(), Some("enough".into())).await.unwrap();
    world.until("it stopped", |world| world.task(&id).last_status == TaskStatus::Stopped).await;
    let stopped = world.task(&id);
    assert_eq!(stopped.stop_code, Some(StopCode::UserInitiated));
    assert_eq!(stopped.stopped_reason.as_deref(), Some("enough"));
    assert_eq!(stopped.containers[0].exit_code, Some(143));
    world.until("the node may forget it", |_| node.seen(|seen| seen.forgotten.contains(&id))).await;
    let interface =
        world.control.store().view().get::<NetworkInterface>(stopped.interface.as_ref().unwrap().as_str());
    assert!(matches!(interface.unwrap().status, InterfaceStatus::Quarantined { .. }));
}

#[tokio::test]
async fn an_exit_is_shown_with_its_code_and_reason() {
    let world = World::new().await;
    let node = Node::join(&world).await;
    world.define().await;
    let id = run_task(&world.control, world.request(1)).await.unwrap().found[0].task.id.clone();
    world.until("it runs", |world| world.task(&id).last_status == TaskStatus::Running).await;
    node.exit(&id, 7).await;
    world.until("it stopped", |world| world.task(&id).last_status == TaskStatus::Stopped).await;
    let task = world.task(&id);
    assert_eq!(task.containers[0].exit_code, Some(7));
    assert_eq!(task.stopped_reason.as_deref(), Some("Essential container in task exited"));
    assert_eq!(task.desired_status, DesiredStatus::Stopped);
}

#[tokio::test]
async fn the_same_token_starts_tasks_once_and_another_request_with_it_is_refused() {
    let world = World::new().await;
    let _node = Node::join(&world).await;
    world.define().await;
    let mut request = world.request(2);
    request.client_token = Some("once".into());
    let first = run_task(&world.control, request.clone()).await.unwrap();
    let again = run_task(&world.control, request.clone()).await.unwrap();
    let ids = |described: &wharf_control::operations::Described<tasks::TaskDetail>| {
        described.found.iter().map(|detail| detail.task.id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&first), ids(&again));
    request.count = 1;
    let refused = run_task(&world.control, request).await;
    assert!(matches!(refused, Err(Error::Conflict(_, tasks)) if tasks.len() == 2));
}

#[tokio::test]
async fn a_task_that_was_accepted_is_started_by_the_next_control_plane_and_by_a_node_that_was_away() {
    let world = World::new().await;
    let node = Node::join(&world).await;
    world.define().await;
    world
        .until("the node is known", |world| {
            !world.control.store().view().list::<wharf_model::node::Node>("").is_empty()
        })
        .await;
    drop(node);
    let mut request = world.request(1);
    request.overrides.containers = vec![ContainerOverride {
        name: "app".into(),
        command: Some(vec!["serve".into()]),
        environment: vec![("COLOUR".into(), "green".into()), ("SIZE".into(), "9".into())],
        ..ContainerOverride::default()
    }];
    let id = run_task(&world.control, request).await.unwrap().found[0].task.id.clone();
    let world = world.restart().await;
    assert_eq!(world.task(&id).last_status, TaskStatus::Provisioning);
    let node = Node::join(&world).await;
    world.until("it runs", |world| world.task(&id).last_status == TaskStatus::Running).await;
    let container = node.seen(|seen| seen.assignments[&id].containers[0].0.clone());
    assert_eq!(container.command, Some(vec!["serve".to_owned()]));
    let pairs: Vec<_> = container.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(pairs, ["COLOUR=green", "SIZE=9"]);
}

#[tokio::test]
async fn a_node_that_was_booted_again_has_lost_its_tasks() {
    let world = World::new().await;
    let first = Node::join(&world).await;
    world.define().await;
    let id = run_task(&world.control, world.request(1)).await.unwrap().found[0].task.id.clone();
    world.until("it runs", |world| world.task(&id).last_status == TaskStatus::Running).await;
    drop(first);
    let _second = Node::booted(&world, "another boot").await;
    world.until("it stopped", |world| world.task(&id).last_status == TaskStatus::Stopped).await;
    let task = world.task(&id);
    assert_eq!(task.stop_code, Some(StopCode::TerminationNotice));
    assert_eq!(task.stopped_reason, Some(format!("Host (node {}) was restarted.", node::id())));
}

#[tokio::test]
async fn f18_a_restored_state_has_only_the_tasks_that_this_machine_runs() {
    let world = World::new().await;
    let node = Node::join(&world).await;
    world.define().await;
    let found = run_task(&world.control, world.request(2)).await.unwrap().found;
    let (kept, lost) = (found[0].task.id.clone(), found[1].task.id.clone());
    let is = |world: &World, id, status| world.task(id).last_status == status;
    world.until("one runs", |world| is(world, &kept, TaskStatus::Running)).await;
    world.until("the other runs", |world| is(world, &lost, TaskStatus::Running)).await;
    drop(node);
    let settle = async |node: Option<&NodeId>| {
        let (has, now) = (BTreeSet::from([kept.clone()]), world.control.now());
        let settled = world.control.store().change(|draft| restored::settle(draft, node, &has, now));
        let ended = settled.await.unwrap();
        (ended, world.control.store().view().list::<wharf_model::node::Node>("").len())
    };

    // On the same machine, which has ended one of them since.
    assert_eq!(settle(Some(&node::id())).await, (1, 1));
    assert!(is(&world, &kept, TaskStatus::Running));
    let task = world.task(&lost);
    assert_eq!((task.last_status, task.stop_code), (TaskStatus::Stopped, Some(StopCode::TerminationNotice)));
    assert!(task.stopped_reason.as_deref().unwrap().contains("restored from a backup"));
    let interface =
        world.control.store().view().get::<NetworkInterface>(task.interface.as_ref().unwrap().as_str());
    assert!(matches!(interface.unwrap().status, InterfaceStatus::Quarantined { .. }));
    assert_eq!(settle(Some(&node::id())).await, (0, 1), "once is enough");

    // On another machine, even when it has a task of that id.
    let other = "fedcba9876543210fedcba9876543210".parse().unwrap();
    assert_eq!(settle(Some(&other)).await, (1, 0));
    assert!(is(&world, &kept, TaskStatus::Stopped));
}

#[tokio::test]
async fn what_does_not_fit_is_a_failure_and_not_an_error() {
    let world = World::new().await;
    let _node = Node::join(&world).await;
    world.define().await;
    let mut request = world.request(1);
    request.overrides.cpu = Some(wharf_model::CpuUnits(1024));
    request.overrides.memory = Some(wharf_model::Mebibytes(8192));
    let described = run_task(&world.control, request).await.unwrap();
    assert!(described.found.is_empty());
    assert_eq!(described.failures[0].reason, "RESOURCE:MEMORY");
    assert!(described.failures[0].arn.ends_with(node::id().as_str()));
}

#[tokio::test]
async fn a_late_report_does_not_move_a_task_back() {
    let world = World::new().await;
    let node = Node::join(&world).await;
    world.define().await;
    let id = run_task(&world.control, world.request(1)).await.unwrap().found[0].task.id.clone();
    world.until("it runs", |world| world.task(&id).last_status == TaskStatus::Running).await;
    let assignment = node.seen(|seen| seen.assignments[&id].clone());
    let late = node::report(&assignment, TaskStatus::Pending, &world.control, None);
    node.report(late).await;
    node.exit(&id, 0).await;
    world.until("it stopped", |world| world.task(&id).last_status == TaskStatus::Stopped).await;
    node.report(node::report(&assignment, TaskStatus::Running, &world.control, None)).await;
    world.until("told twice to forget", |_| node.seen(|seen| seen.forgotten.len() > 1)).await;
    assert_eq!(world.task(&id).last_status, TaskStatus::Stopped);
}
