//! A task for tests.

use std::collections::BTreeMap;
use wharf_model::{
    CpuUnits, Mebibytes, Place, Timestamp,
    task::DesiredStatus,
    task_definition::{ContainerDefinition, LaunchType, NetworkMode, Revision},
};
use wharf_nodelink::agent::{Assignment, InterfaceAssignment};

const TASK: &str = "0123456789abcdef0123456789abcdef";

/// Returns a container that runs an image's own command.
pub(crate) fn container(name: &str) -> ContainerDefinition {
    ContainerDefinition::new(name, "123456789012.dkr.ecr.us-east-1.amazonaws.com/web:1")
}

/// Returns a task with one container, `web`.
pub(crate) fn assignment() -> Assignment {
    let place = Place { region: "us-east-1".to_owned(), account: "123456789012".to_owned() };
    Assignment {
        generation: 1,
        task: TASK.parse().unwrap(),
        arn: place.arn("ecs", format!("task/default/{TASK}")),
        cluster: "default".parse().unwrap(),
        cluster_arn: place.arn("ecs", "cluster/default"),
        definition: Revision { family: "web".parse().unwrap(), revision: 3 },
        launch_type: LaunchType::Fargate,
        service: None,
        group: "family:web".to_owned(),
        zone: "us-east-1a".to_owned(),
        desired_status: DesiredStatus::Running,
        stop: None,
        cpu: CpuUnits(256),
        memory: Mebibytes(512),
        cpu_limit: Some(CpuUnits(256)),
        memory_limit: Some(Mebibytes(512)),
        pid_mode: None,
        ipc_mode: None,
        containers: vec![(container("web"), place.arn("ecs", format!("container/default/{TASK}/1")))],
        volumes: Vec::new(),
        ephemeral_storage_gib: None,
        network_mode: NetworkMode::Awsvpc,
        interface: Some(InterfaceAssignment {
            id: "eni-00000001".parse().unwrap(),
            private_ip: [172, 31, 0, 10].into(),
            subnet_cidr: "172.31.0.0/20".parse().unwrap(),
            vpc_cidr: "172.31.0.0/16".parse().unwrap(),
            vpc_id: "vpc-00000001".to_owned(),
            mac: "0a:00:00:00:00:01".parse().unwrap(),
            public_ip: None,
            groups: vec!["sg-00000001".parse().unwrap()],
            private_dns_name: "ip-172-31-0-10.us-east-1.compute.internal".to_owned(),
        }),
        pinned_images: BTreeMap::new(),
        task_role_arn: None,
        tags: BTreeMap::from([("team".to_owned(), "harbour".to_owned())]),
        created_at: Timestamp(1_000),
    }
}
