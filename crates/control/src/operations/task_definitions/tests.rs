use super::*;
use wharf_model::task_definition::{
    Dependency, DependencyCondition, HealthCheck, IpcMode, KernelCapabilities, LinuxParameters,
    LogConfiguration, LogDriver, PidMode, PortMapping, RestartPolicy, SystemControl, Tmpfs, Ulimit,
};

fn container(name: &str) -> ContainerDefinition {
    ContainerDefinition::new(name, "hello")
}

fn fargate() -> NewDefinition {
    let registered_by = "arn:aws:iam::123456789012:root".to_owned();
    NewDefinition {
        cpu: Some(CpuUnits(256)),
        memory: Some(Mebibytes(512)),
        placement_constraints: Vec::new(),
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
        "Invalid logConfiguration of container 'app': log driver awslogs requires option 'awslogs-region'.",
    );
    check(
        with(&["awslogs-group", "awslogs-region", "tag"], true),
        "Invalid logConfiguration of container 'app': log option 'tag' of driver awslogs is not supported",
    );
}

#[test]
fn what_the_node_does_not_do_yet_is_refused_by_name() {
    check(
        |new| new.containers[0].credential_specs = vec!["credentialspec:file://x.json".to_owned()],
        "not supported by this version of Wharf: 'credentialSpecs' of container 'app'",
    );
}

/// A second container, on which the first one depends.
fn depends_on(
    condition: DependencyCondition,
    change: fn(&mut ContainerDefinition),
) -> impl Fn(&mut NewDefinition) {
    move |new| {
        let mut other = ContainerDefinition { name: "other".to_owned(), ..new.containers[0].clone() };
        other.port_mappings.clear();
        other.essential = false;
        change(&mut other);
        new.containers.push(other);
        new.containers[0].depends_on = vec![Dependency { container: "other".to_owned(), condition }];
    }
}

fn checked(container: &mut ContainerDefinition) {
    let command = vec!["CMD".to_owned(), "true".to_owned()];
    container.health_check = Some(HealthCheck { command, ..HealthCheck::default() });
}

#[test]
fn containers_wait_for_others_that_can_become_what_is_waited_for() {
    use DependencyCondition::{Complete, Healthy, Start, Success};
    for condition in [Start, Complete, Success] {
        check(depends_on(condition, |_| ()), "fine");
    }
    check(depends_on(Healthy, checked), "fine");
    check(
        depends_on(Healthy, |_| ()),
        "Container 'app' depends on container 'other' with the condition HEALTHY",
    );
    let essential =
        "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container";
    check(depends_on(Complete, |other| other.essential = true), essential);
    check(depends_on(Success, |other| other.essential = true), essential);
    check(depends_on(Start, |other| other.essential = true), "fine");
    check(
        depends_on(Start, |other| other.name = "another".to_owned()),
        "Cannot depend on container + 'other' because it does not exist",
    );
}

#[test]
fn containers_do_not_wait_for_each_other_in_a_circle() {
    let circle = "Container dependencies should not have a cycle";
    check(
        depends_on(DependencyCondition::Start, |other| {
            let condition = DependencyCondition::Start;
            other.depends_on = vec![Dependency { container: "app".to_owned(), condition }];
        }),
        circle,
    );
    check(
        |new| {
            let condition = DependencyCondition::Start;
            new.containers[0].depends_on = vec![Dependency { container: "app".to_owned(), condition }];
        },
        circle,
    );
}

fn ec2(change: impl FnOnce(&mut NewDefinition)) -> impl FnOnce(&mut NewDefinition) {
    |new| {
        new.requires_compatibilities.clear();
        change(new);
    }
}

fn linux(change: impl FnOnce(&mut LinuxParameters)) -> impl FnOnce(&mut NewDefinition) {
    ec2(|new| change(new.containers[0].linux_parameters.get_or_insert_default()))
}

fn control(name: &str, value: &str) -> SystemControl {
    SystemControl { namespace: name.to_owned(), value: value.to_owned() }
}

#[test]
fn what_a_container_is_allowed_is_known_by_name() {
    let capabilities = |add: &str, drop: &str| {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        Some(KernelCapabilities { add: words(add), drop: words(drop) })
    };
    check(linux(|linux| linux.capabilities = capabilities("SYS_PTRACE NET_ADMIN", "ALL")), "fine");
    check(linux(|linux| linux.capabilities = capabilities("MAGIC", "")), "Invalid capability 'MAGIC'");
    let tmpfs = |path: &str, options: &[&str]| Tmpfs {
        container_path: path.to_owned(),
        size: Mebibytes(1),
        mount_options: options.iter().map(|option| (*option).to_owned()).collect(),
    };
    check(linux(|linux| linux.tmpfs = vec![tmpfs("/scratch", &["ro", "mode=700"])]), "fine");
    check(linux(|linux| linux.tmpfs = vec![tmpfs("/a", &["rbind"])]), "Invalid tmpfs mount option 'rbind'");
    check(linux(|linux| linux.tmpfs = vec![tmpfs("scratch", &[])]), "Invalid tmpfs 'scratch'");
    check(linux(|linux| linux.swappiness = Some(101)), "Invalid 'swappiness' in container 'app'");
    check(linux(|linux| linux.max_swap = Some(Mebibytes(64))), "Invalid 'maxSwap' in container 'app'");
    check(
        ec2(|new| new.containers[0].docker_security_options = vec!["apparmor:x".to_owned()]),
        "not supported by this version of Wharf: the security option 'apparmor:x'",
    );
    let limit = |name: &str, soft, hard| Ulimit { name: name.to_owned(), soft, hard };
    check(|new| new.containers[0].ulimits = vec![limit("nofile", 1024, -1)], "fine");
    check(|new| new.containers[0].ulimits = vec![limit("files", 1, 1)], "Invalid ulimit name 'files'");
    check(|new| new.containers[0].ulimits = vec![limit("core", -1, 5)], "Invalid ulimit 'core'");
}

#[test]
fn kernel_parameters_belong_to_a_namespace_of_the_task() {
    check(|new| new.containers[0].system_controls = vec![control("net.core.somaxconn", "64")], "fine");
    check(
        |new| new.containers[0].system_controls = vec![control("kernel.panic", "1")],
        "The system control 'kernel.panic' in container 'app' is not supported",
    );
    check(
        |new| new.containers[0].system_controls = vec![control("net...kernel.panic", "1")],
        "The system control 'net...kernel.panic'",
    );
    check(
        ec2(|new| {
            new.ipc_mode = Some(IpcMode::Host);
            new.containers[0].system_controls = vec![control("kernel.shmmax", "1")];
        }),
        "The system control 'kernel.shmmax' in container 'app' is not supported when ipcMode=host.",
    );
}

#[test]
fn an_interface_of_the_tasks_own_names_its_containers() {
    check(
        |new| new.containers[0].hostname = Some("web".to_owned()),
        "hostname is not supported on container when networkMode=awsvpc.",
    );
    check(
        |new| new.containers[0].dns_servers = vec!["9.9.9.9".to_owned()],
        "DNS servers are not supported on container when networkMode=awsvpc.",
    );
    check(
        |new| new.containers[0].links = vec!["db".to_owned()],
        "Links are not supported when networkMode=awsvpc.",
    );
}

#[test]
fn fargate_allows_less() {
    let with = |change: fn(&mut LinuxParameters)| {
        move |new: &mut NewDefinition| change(new.containers[0].linux_parameters.get_or_insert_default())
    };
    check(|new| new.pid_mode = Some(PidMode::Task), "fine");
    check(
        |new| new.pid_mode = Some(PidMode::Host),
        "Tasks using the Fargate launch type do not support pidMode 'host'",
    );
    check(
        |new| new.ipc_mode = Some(IpcMode::Task),
        "Fargate compatible task definitions do not support ipcMode",
    );
    check(
        |new| new.containers[0].privileged = Some(true),
        "Fargate requires that the 'privileged' setting be 'false'",
    );
    check(
        with(|linux| linux.shared_memory_size = Some(Mebibytes(64))),
        "Fargate compatible task definitions do not support sharedMemorySize",
    );
    check(
        with(|linux| {
            let add = vec!["NET_ADMIN".to_owned()];
            linux.capabilities = Some(KernelCapabilities { add, drop: Vec::new() });
        }),
        "NET_ADMIN is not allowed on Fargate.",
    );
}

#[test]
fn sizes_are_within_what_ecs_takes() {
    check(ec2(|new| new.cpu = Some(CpuUnits(100))), "Invalid 'cpu' setting for task.");
    check(
        |new| new.containers[0].cpu = CpuUnits(257),
        "The sum of all container 'cpu' values cannot be greater than the task-level 'cpu' value.",
    );
    check(
        |new| new.containers.extend((0..10).map(|number| container(&format!("side-{number}")))),
        "Too many containers.",
    );
    check(
        |new| new.containers[0].environment = vec![("A=B".to_owned(), "1".to_owned())],
        "Invalid name \"A=B\" of an environment variable in container 'app'.",
    );
}

#[test]
fn health_checks_and_restarts_keep_to_their_ranges() {
    let with = |change: fn(&mut HealthCheck)| {
        move |new: &mut NewDefinition| {
            checked(&mut new.containers[0]);
            new.containers[0].health_check.iter_mut().for_each(change);
        }
    };
    check(with(|_| ()), "fine");
    check(with(|check| check.command.truncate(1)), "Invalid 'healthCheck' setting for container 'app'.");
    check(
        with(|check| check.command[0] = "curl".to_owned()),
        "Invalid 'healthCheck' setting for container 'app'.",
    );
    check(
        with(|check| check.interval_secs = Some(4)),
        "Invalid 'interval' of the healthCheck setting for container 'app'. It must be between 5 and 300.",
    );
    check(with(|check| check.retries = Some(11)), "Invalid 'retries' of the healthCheck");
    let restarts = |secs| {
        move |new: &mut NewDefinition| {
            let (enabled, attempt_period_secs) = (true, Some(secs));
            new.containers[0].restart_policy =
                Some(RestartPolicy { enabled, attempt_period_secs, ..RestartPolicy::default() });
        }
    };
    check(restarts(60), "fine");
    check(restarts(59), "Invalid 'restartAttemptPeriod' of the restartPolicy setting for container 'app'.");
}
