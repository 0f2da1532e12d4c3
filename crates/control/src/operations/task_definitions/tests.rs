use super::*;
use wharf_model::task_definition::{
    Dependency, DependencyCondition, LogConfiguration, LogDriver, PortMapping,
};

fn container(name: &str) -> ContainerDefinition {
    ContainerDefinition::new(name, "hello")
}

fn fargate() -> NewDefinition {
    let registered_by = "arn:aws:iam::123456789012:root".to_owned();
    NewDefinition {
        cpu: Some(CpuUnits(256)),
        memory: Some(Mebibytes(512)),
        requires_compatibilities: vec![LaunchType::Fargate],
        ..NewDefinition::new("web".parse().unwrap(), vec![container("app")], registered_by)
    }
}

fn check(change: impl FnOnce(&mut NewDefinition), expected: &str) {
    let mut definition = fargate();
    change(&mut definition);
    let checked = validate::check(&definition).and_then(|()| honoured::check(&definition));
    let message = checked.err().map_or_else(|| "fine".to_owned(), |error| error.to_string());
    assert!(message.starts_with(expected), "{message}");
}

fn logs(options: &[&str]) -> Option<LogConfiguration> {
    let options = options.iter().map(|option| ((*option).to_owned(), "x".to_owned())).collect();
    Some(LogConfiguration { driver: LogDriver::Awslogs, options, secret_options: Vec::new() })
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
            new.containers[0].port_mappings =
                vec![PortMapping { host_port: Some(8080), ..PortMapping::tcp(80) }];
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

#[test]
fn what_the_node_does_not_do_yet_is_refused_by_name() {
    check(
        |new| {
            let condition = DependencyCondition::Start;
            new.containers[0].depends_on = vec![Dependency { container: "app".to_owned(), condition }];
        },
        "not supported by this version of Wharf: 'dependsOn' of container 'app'",
    );
    check(|new| new.pid_mode = Some(PidMode::Host), "not supported by this version of Wharf: 'pidMode'");
}
