use crate::{node::Node, world::World};
use wharf_control::operations::{
    file_systems, log_groups,
    run_task::run_task,
    task_definitions::{self, NewDefinition},
};
use wharf_model::{
    CpuUnits, Mebibytes, TaskId,
    task_definition::{
        ContainerDefinition, EfsAuthorization, EfsVolume, LaunchType, LogConfiguration, LogDriver, Volume,
        VolumeSource,
    },
};
use wharf_nodelink::provisions::Provisions;

fn definition(container: ContainerDefinition) -> NewDefinition {
    let registered_by = "arn:aws:iam::123456789012:root".into();
    NewDefinition {
        cpu: Some(CpuUnits(256)),
        memory: Some(Mebibytes(512)),
        requires_compatibilities: vec![LaunchType::Fargate],
        ..NewDefinition::new("web".parse().unwrap(), vec![container], registered_by)
    }
}

/// Registers a definition, runs a task of it, and returns what the node was told before it.
async fn provided(
    world: &World,
    node: &Node,
    new: NewDefinition,
    role: Option<&str>,
) -> Result<Provisions, String> {
    task_definitions::register(&world.control, new).await.unwrap();
    let mut request = world.request(1);
    request.overrides.task_role_arn = role.map(str::to_owned);
    let task: TaskId = run_task(&world.control, request).await.unwrap().found[0].task.id.clone();
    world.until("the task is assigned", |_| node.seen(|seen| seen.assignments.contains_key(&task))).await;
    node.seen(|seen| seen.provided.remove(&task)).expect("the node is told before the assignment")
}

#[tokio::test]
async fn a_missing_log_group_is_told_before_the_task_starts() {
    let world = World::new().await;
    let node = Node::join(&world).await;
    let new = || {
        let role = Some("arn:aws:iam::123456789012:role/ecsTaskExecutionRole".into());
        let options =
            [("awslogs-group", "/web"), ("awslogs-region", "us-east-1"), ("awslogs-stream-prefix", "t")];
        let container = ContainerDefinition {
            log_configuration: Some(LogConfiguration {
                driver: LogDriver::Awslogs,
                options: options.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
                secret_options: Vec::new(),
            }),
            ..ContainerDefinition::new("app", "hello")
        };
        NewDefinition { execution_role_arn: role, ..definition(container) }
    };
    let why = provided(&world, &node, new(), None).await.unwrap_err();
    assert!(why.contains("The specified log group does not exist") && why.contains("/web"), "{why}");

    log_groups::create(&world.control, "/web", Vec::new()).await.unwrap();
    assert!(provided(&world, &node, new(), None).await.is_ok());
}

#[tokio::test]
async fn a_file_system_that_is_mounted_by_iam_needs_a_task_role() {
    let world = World::new().await;
    let node = Node::join(&world).await;
    let file_system = file_systems::create(&world.control, "t".into(), Vec::new()).await.unwrap().id;
    let new = |iam| {
        let efs = EfsVolume {
            file_system_id: file_system.clone(),
            transit_encryption: Some(true),
            authorization: Some(EfsAuthorization { access_point_id: None, iam: Some(iam) }),
            ..EfsVolume::default()
        };
        let volume =
            Volume { name: "data".into(), source: VolumeSource::Efs(efs), configured_at_launch: None };
        NewDefinition { volumes: vec![volume], ..definition(ContainerDefinition::new("app", "hello")) }
    };
    assert!(provided(&world, &node, new(false), None).await.is_ok());
    let why = provided(&world, &node, new(true), None).await.unwrap_err();
    assert!(why.starts_with("ResourceInitializationError: ") && why.contains("'taskRoleArn'"), "{why}");
    let role = Some("arn:aws:iam::123456789012:role/app");
    assert_eq!(provided(&world, &node, new(true), role).await.unwrap().trees[0].file_system, file_system);
}
