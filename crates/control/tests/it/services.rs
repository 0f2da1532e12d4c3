use crate::{
    balancer::{Balancer, load_balancer},
    node::Node,
    world::{World, cluster},
};
use std::{collections::BTreeSet, time::Duration};
use wharf_control::operations::{
    Error,
    run_task::run_task,
    service_deployments::{self, Filter},
    services::{self, UpdateService},
};
use wharf_model::{
    TaskId,
    service::{CircuitBreaker, DeploymentStatus, Rollout, ServiceStatus},
    target_group::{Target, TargetState},
    task::{StopCode, TaskStatus},
};
use wharf_nodelink::agent::{ProtectionChange, TaskAnswer, TaskAsk};

fn running(world: &World) -> BTreeSet<TaskId> {
    world.tasks(TaskStatus::Running).iter().map(|task| task.id.clone()).collect()
}

async fn update(world: &World, request: UpdateService) {
    services::update(&world.control, &cluster(), "shop", request).await.unwrap();
}

#[tokio::test]
async fn a_service_comes_up_and_says_so_as_on_aws() {
    let world = World::new().await;
    let _node = Node::join(&world).await;
    world.define().await;
    let created = services::create(&world.control, world.service(2, Vec::new())).await.unwrap();
    assert!(created.service.events.is_empty());
    assert_eq!(created.total().running, 0);
    world
        .until("it is stable", |world| {
            world.is_stable() && world.shop().service.deployments[0].rollout == Rollout::Completed
        })
        .await;
    let events = world.events();
    assert!(events[0].starts_with("(service shop) has started 2 tasks: (task "), "{events:#?}");
    assert!(events[1].ends_with(" deployment completed."), "{events:#?}");
    assert_eq!(events[2], "(service shop) has reached a steady state.");
    assert_eq!(events.len(), 3);
}

#[tokio::test]
async fn a_settled_service_writes_nothing() {
    let world = World::new().await;
    let node = Node::join(&world).await;
    world.define().await;
    services::create(&world.control, world.service(2, Vec::new())).await.unwrap();
    world.until("it is steady", World::is_steady).await;
    // The last of what led there is still on its way to the node.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let settled = world.control.store().view().revision();
    let frames = node.seen(|seen| seen.frames);
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(world.control.store().view().revision(), settled);
    assert_eq!(node.seen(|seen| seen.frames), frames);
}

#[tokio::test]
async fn a_task_that_dies_is_replaced_at_once() {
    let world = World::new().await;
    let node = Node::join(&world).await;
    world.define().await;
    services::create(&world.control, world.service(3, Vec::new())).await.unwrap();
    world.until("it is stable", World::is_stable).await;
    let victim = running(&world).into_iter().next().unwrap();
    node.exit(&victim, 137).await;
    world
        .until("three run again", |world| {
            let running = running(world);
            running.len() == 3 && !running.contains(&victim)
        })
        .await;
    assert_eq!(world.task(&victim).stop_code, Some(StopCode::EssentialContainerExited));
}

#[tokio::test]
async fn a_new_deployment_replaces_all_tasks_and_never_has_too_few() {
    let world = World::new().await;
    let (_node, balancer) = (Node::join(&world).await, Balancer::join(&world).await);
    world.define().await;
    let group = load_balancer(&world).await;
    services::create(&world.control, world.service(2, vec![group.clone()])).await.unwrap();
    world.until("it is stable", World::is_stable).await;
    world.until("it is steady", World::is_steady).await;
    let before = running(&world);

    balancer.new_targets_are(TargetState::Initial);
    update(&world, UpdateService { force_new_deployment: true, ..UpdateService::default() }).await;
    world.until("both sets run", |world| running(world).len() == 4).await;
    assert_eq!(world.shop().service.deployments[1].status, DeploymentStatus::Active);
    assert!(before.is_subset(&running(&world)), "nothing stops before the new tasks are healthy");
    balancer.all_targets_are(TargetState::Healthy);
    world.until("it is stable", |world| world.is_stable() && running(world).is_disjoint(&before)).await;
    for old in &before {
        let task = world.task(old);
        assert_eq!(task.stop_code, Some(StopCode::ServiceSchedulerInitiated));
        let reason = task.stopped_reason.clone().unwrap();
        assert!(reason.starts_with("Scaling activity initiated by (deployment ecs-svc/"), "{reason}");
    }
    let events = world.events();
    let said = |part: &str| assert!(events.iter().any(|event| event.contains(part)), "{part}\n{events:#?}");
    said(&format!("registered 2 targets in (target-group {})", group.target_group));
    said(&format!("deregistered 2 targets in (target-group {})", group.target_group));
    said("has begun draining connections on 2 tasks.");
    said("has stopped 2 running tasks: (task ");
}

#[tokio::test]
async fn a_control_plane_that_knows_no_health_yet_stops_nothing() {
    let world = World::new().await;
    let (node, balancer) = (Node::join(&world).await, Balancer::join(&world).await);
    world.define().await;
    let group = load_balancer(&world).await;
    services::create(&world.control, world.service(2, vec![group])).await.unwrap();
    world.until("it is stable", World::is_stable).await;
    world.until("it is steady", World::is_steady).await;
    let before = running(&world);
    drop((node, balancer));
    let world = world.restart().await;
    let _node = Node::join(&world).await;
    update(&world, UpdateService { force_new_deployment: true, ..UpdateService::default() }).await;
    world.until("both sets run", |world| running(world).len() == 4).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(before.is_subset(&running(&world)));
    let _balancer = Balancer::join(&world).await;
    world.until("it is stable", |world| world.is_stable() && running(world).is_disjoint(&before)).await;
}

#[tokio::test]
async fn a_task_is_told_to_stop_only_when_its_target_has_drained() {
    let world = World::new().await;
    let (node, balancer) = (Node::join(&world).await, Balancer::join(&world).await);
    world.define().await;
    let group = load_balancer(&world).await;
    services::create(&world.control, world.service(1, vec![group])).await.unwrap();
    world.until("it is steady", World::is_steady).await;
    balancer.drains(false);
    let id = running(&world).into_iter().next().unwrap();
    update(&world, UpdateService { desired_count: Some(0), ..UpdateService::default() }).await;
    world.until("it drains", |world| world.task(&id).last_status == TaskStatus::Deactivating).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(node.seen(|seen| seen.assignments[&id].generation), 1, "the node was told too early");
    balancer.drains(true);
    world.until("it stopped", |world| world.task(&id).last_status == TaskStatus::Stopped).await;
    assert!(world.control.store().view().list::<Target>("").is_empty());
}

#[tokio::test]
async fn a_target_that_fails_its_checks_costs_its_task() {
    let world = World::new().await;
    let (_node, balancer) = (Node::join(&world).await, Balancer::join(&world).await);
    world.define().await;
    let group = load_balancer(&world).await;
    let target_group = group.target_group.clone();
    services::create(&world.control, world.service(1, vec![group])).await.unwrap();
    world.until("it is stable", World::is_stable).await;
    let first = running(&world).into_iter().next().unwrap();
    balancer.all_targets_are(TargetState::Unhealthy);
    world.until("it is stopped", |world| world.task(&first).last_status == TaskStatus::Stopped).await;
    let reason = world.task(&first).stopped_reason.clone().unwrap();
    assert_eq!(reason, format!("Task failed ELB health checks in (target-group {target_group})"));
    assert!(world.shop().service.deployments[0].failed_tasks > 0);
    balancer.all_targets_are(TargetState::Healthy);
    world
        .until("it is well again", |world| {
            world.is_stable() && world.shop().service.deployments[0].failed_tasks == 0
        })
        .await;
}

#[tokio::test]
async fn starts_that_fail_are_counted_told_and_slowed_down() {
    let world = World::new().await;
    let node = Node::join(&world).await;
    node.seen(|seen| seen.broken = true);
    world.define().await;
    services::create(&world.control, world.service(1, Vec::new())).await.unwrap();
    world
        .until("it says so", |world| {
            world
                .events()
                .iter()
                .any(|event| event.contains("is unable to consistently start tasks successfully"))
        })
        .await;
    let primary = &world.shop().service.deployments[0];
    assert!(primary.failed_tasks >= 3);
    assert!(primary.retry_at.unwrap() > world.control.now());
    node.seen(|seen| seen.broken = false);
    world
        .until("it comes up all the same", |world| {
            world.is_stable() && world.shop().service.deployments[0].failed_tasks == 0
        })
        .await;
}

#[tokio::test]
async fn the_circuit_breaker_returns_to_what_worked() {
    let world = World::new().await;
    let node = Node::join(&world).await;
    let good = world.define().await;
    let breaker = CircuitBreaker { enable: true, rollback: true, ..CircuitBreaker::default() };
    let request = services::CreateService { circuit_breaker: breaker, ..world.service(2, Vec::new()) };
    services::create(&world.control, request).await.unwrap();
    world.until("it is done", |world| world.shop().service.last_completed.is_some()).await;
    let bad = world.define().await;
    node.seen(|seen| seen.broken = true);
    update(&world, UpdateService { definition: Some(bad), ..UpdateService::default() }).await;
    world.until("it is given up", |world| world.shop().service.deployments[0].rollout_reason.is_some()).await;
    node.seen(|seen| seen.broken = false);
    world.until("it is stable", World::is_stable).await;
    assert_eq!(world.shop().service.deployments[0].definition.to_string(), good);
    let pinned = |task: &TaskId| node.seen(|seen| !seen.assignments[task].pinned_images.is_empty());
    assert!(running(&world).iter().all(pinned), "it runs the very images that worked");
    let events = world.events();
    let said = |part: &str| assert!(events.iter().any(|event| event.contains(part)), "{part}\n{events:#?}");
    said("deployment failed: tasks failed to start.");
    said("rolling back to deployment ecs-svc/");
}

#[tokio::test]
async fn a_service_scales_to_nothing_is_deleted_and_made_again() {
    let world = World::new().await;
    let _node = Node::join(&world).await;
    world.define().await;
    services::create(&world.control, world.service(2, Vec::new())).await.unwrap();
    world.until("it is stable", World::is_stable).await;
    let refused = services::delete(&world.control, &cluster(), "shop", false).await;
    assert!(matches!(refused, Err(Error::InvalidParameter(why)) if why.contains("scaled above 0")));
    update(&world, UpdateService { desired_count: Some(4), ..UpdateService::default() }).await;
    world.until("four run", |world| running(world).len() == 4 && world.is_stable()).await;
    update(&world, UpdateService { desired_count: Some(0), ..UpdateService::default() }).await;
    world.until("none runs", |world| running(world).is_empty() && world.is_stable()).await;
    services::delete(&world.control, &cluster(), "shop", false).await.unwrap();
    world.until("it is gone", |world| world.shop().service.status == ServiceStatus::Inactive).await;
    services::create(&world.control, world.service(1, Vec::new())).await.unwrap();
    world.until("it is there again", World::is_stable).await;
    services::delete(&world.control, &cluster(), "shop", true).await.unwrap();
    world.until("it is gone again", |world| world.shop().service.status == ServiceStatus::Inactive).await;
    assert!(running(&world).is_empty());
}

#[tokio::test]
async fn a_service_without_a_node_says_why_and_starts_once_there_is_one() {
    let world = World::new().await;
    world.define().await;
    services::create(&world.control, world.service(1, Vec::new())).await.unwrap();
    world
        .until("it says why", |world| {
            world
                .events()
                .iter()
                .any(|event| event.contains("was unable to place a task because no container instance"))
        })
        .await;
    let _node = Node::join(&world).await;
    world.until("it is stable", World::is_stable).await;
}

#[tokio::test]
async fn a_service_starts_what_there_is_room_for_and_says_what_is_missing() {
    let world = World::new().await;
    let _node = Node::join(&world).await;
    world.define().await;
    // The node has 4 GiB, which tasks that share it get four times; each asks for 512 MiB.
    services::create(&world.control, world.service(40, Vec::new())).await.unwrap();
    let unplaced =
        |event: &String| event.contains("was unable to place a task because no container instance");
    let full = |world: &World| running(world).len() == 32 && world.events().iter().any(unplaced);
    world.until("what there is room for runs", full).await;
    update(&world, UpdateService { desired_count: Some(3), ..UpdateService::default() }).await;
    world.until("it is stable", World::is_stable).await;
    assert_eq!(world.events().iter().filter(|event| unplaced(event)).count(), 1);
}

#[tokio::test]
async fn later_tasks_of_a_deployment_run_the_image_of_its_first() {
    let world = World::new().await;
    let node = Node::join(&world).await;
    world.define().await;
    services::create(&world.control, world.service(1, Vec::new())).await.unwrap();
    world.until("a task runs", |world| !running(world).is_empty()).await;
    let first = running(&world).pop_first().unwrap();
    node.seen(|seen| assert!(seen.assignments[&first].pinned_images.is_empty()));
    node.exit(&first, 1).await;
    let another = |world: &World| running(world).iter().any(|task| *task != first);
    world.until("another task runs", another).await;
    let second = running(&world).into_iter().find(|task| *task != first).unwrap();
    let digest = format!("sha256:{}", "0".repeat(64));
    let pinned = |task: &TaskId| node.seen(|seen| seen.assignments[task].pinned_images.clone());
    assert_eq!(pinned(&second).into_values().collect::<Vec<_>>(), [digest.as_str()]);
    let deployments =
        service_deployments::list(&world.control, &cluster(), "shop", &Filter::default()).unwrap();
    let target = [deployments[0].target.to_string()];
    let revision = &service_deployments::describe_revisions(&world.control, &target).unwrap().found[0];
    assert_eq!(revision.images.values().collect::<Vec<_>>(), [&digest]);
    update(&world, UpdateService { force_new_deployment: true, ..UpdateService::default() }).await;
    world.until("it is replaced", |world| world.is_stable() && !running(world).contains(&second)).await;
    let third = running(&world).pop_first().unwrap();
    assert!(pinned(&third).is_empty(), "the next deployment asks anew");
}

#[tokio::test]
async fn a_task_protects_itself_from_scaling_in() {
    let world = World::new().await;
    let node = Node::join(&world).await;
    world.define().await;
    services::create(&world.control, world.service(4, Vec::new())).await.unwrap();
    world.until("it is stable", World::is_stable).await;
    let protected = running(&world).pop_last().unwrap();
    let change = |enabled, minutes| TaskAsk::Protection(Some(ProtectionChange { enabled, minutes }));
    let told = node.ask(&world, 1, &protected, change(true, Some(5))).await;
    let TaskAnswer::Protection { until: Some(until) } = told else { panic!("{told:?}") };
    assert_eq!(world.task(&protected).protected_until, Some(until));
    assert_eq!(node.ask(&world, 2, &protected, TaskAsk::Protection(None)).await, told);
    update(&world, UpdateService { desired_count: Some(1), ..UpdateService::default() }).await;
    world.until("one is left", |world| running(world).len() == 1).await;
    assert_eq!(running(&world).first(), Some(&protected));
    let none = TaskAnswer::Protection { until: None };
    assert_eq!(node.ask(&world, 3, &protected, change(false, None)).await, none);
    let refused = node.ask(&world, 4, &protected, change(true, Some(0))).await;
    assert!(matches!(&refused, TaskAnswer::Refused { code, .. } if code == "InvalidParameterException"));
    let alone = run_task(&world.control, world.request(1)).await.unwrap().found.remove(0).task.id.clone();
    let failed = node.ask(&world, 5, &alone, change(true, None)).await;
    assert!(matches!(&failed, TaskAnswer::Failed { reason, .. } if reason == "TASK_NOT_VALID"), "{failed:?}");
}
