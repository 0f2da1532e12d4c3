use super::*;
use std::collections::BTreeMap;
use wharf_model::task_definition::{LogConfiguration, LogDriver, PortMapping, Transport};

fn container(name: &str) -> ContainerDefinition {
    ContainerDefinition {
        name: name.to_owned(),
        image: "hello".to_owned(),
        cpu: CpuUnits(0),
        memory: None,
        memory_reservation: None,
        essential: true,
        entry_point: None,
        command: None,
        environment: Vec::new(),
        port_mappings: Vec::new(),
        log_configuration: None,
        working_directory: None,
        user: None,
        readonly_root_filesystem: false,
        stop_timeout_secs: None,
        ulimits: Vec::new(),
        docker_labels: BTreeMap::new(),
    }
}

fn fargate() -> NewDefinition {
    NewDefinition {
        family: "web".parse().unwrap(),
        network_mode: NetworkMode::Awsvpc,
        cpu: Some(CpuUnits(256)),
        memory: Some(Mebibytes(512)),
        containers: vec![container("app")],
        requires_compatibilities: vec![LaunchType::Fargate],
        runtime_platform: None,
        task_role_arn: None,
        execution_role_arn: None,
        tags: Vec::new(),
        registered_by: "arn:aws:iam::123456789012:root".to_owned(),
    }
}

fn check(change: impl FnOnce(&mut NewDefinition), expected: &str) {
    let mut definition = fargate();
    change(&mut definition);
    let message =
        validate::check(&definition).err().map_or_else(|| "fine".to_owned(), |error| error.to_string());
    assert!(message.starts_with(expected), "{message}");
}

fn logs(options: &[&str]) -> Option<LogConfiguration> {
    let options = options.iter().map(|option| ((*option).to_owned(), "x".to_owned())).collect();
    Some(LogConfiguration { driver: LogDriver::Awslogs, options })
}

#[test]
fn what_ecs_accepts_is_accepted() {
    check(|_| {}, "fine");
    check(|new| new.containers.push(ContainerDefinition { essential: false, ..container("side") }), "fine");
}

#[test]
fn what_ecs_refuses_is_refused_in_its_words() {
    check(|new| new.cpu = None, "Fargate requires that 'cpu' be defined at the task level.");
    check(
        |new| new.memory = Some(Mebibytes(600)),
        "No Fargate configuration exists for given values: 256 CPU",
    );
    check(|new| new.containers.clear(), "Container list cannot be empty.");
    check(|new| new.containers[0].image.clear(), "Container.image should not be null or empty.");
    check(|new| new.containers[0].essential = false, "Task definition does not have any essential");
    check(|new| new.containers.push(container("app")), "Container name 'app' is used more than once");
    check(
        |new| new.containers[0].memory = Some(Mebibytes(513)),
        "The 'memory' setting for container is greater than for the task.",
    );
    check(
        |new| {
            let port = PortMapping {
                container_port: 80,
                host_port: Some(8080),
                protocol: Transport::Tcp,
                name: None,
            };
            new.containers[0].port_mappings = vec![port];
        },
        "When networkMode=awsvpc, the host ports and container ports in port mappings must match.",
    );
    check(
        |new| {
            new.requires_compatibilities.clear();
            new.memory = None;
        },
        "Invalid setting for container 'app'. At least one of 'memory' or 'memoryReservation'",
    );
}

#[test]
fn log_options_are_known_and_complete() {
    let all = ["awslogs-group", "awslogs-region", "awslogs-stream-prefix"];
    let with = |options: &'static [&'static str], role: bool| {
        move |new: &mut NewDefinition| {
            new.containers[0].log_configuration = logs(options);
            new.execution_role_arn = role.then(|| "arn:aws:iam::123456789012:role/run".to_owned());
        }
    };
    check(with(&["awslogs-group", "awslogs-region", "awslogs-stream-prefix"], true), "fine");
    check(
        |new| {
            new.execution_role_arn = None;
            new.containers[0].log_configuration = logs(&all);
        },
        "Fargate requires task definition to have execution role ARN",
    );
    check(
        with(&["awslogs-group"], true),
        "Log driver awslogs requires option 'awslogs-region' in container 'app'.",
    );
    check(
        with(&["awslogs-group", "awslogs-region", "tag"], true),
        "The log option 'tag' of container 'app' is not supported",
    );
}
