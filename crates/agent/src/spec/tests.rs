use super::*;
use crate::examples;
use wharf_image::ImageConfig;
use wharf_model::{Mebibytes, task_definition::ContainerDefinition};

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn image() -> Image {
    let digest: wharf_image::Digest = format!("sha256:{}", "0".repeat(64)).parse().unwrap();
    let config = ImageConfig {
        entrypoint: words("/entry -a"),
        cmd: words("serve"),
        env: words("PATH=/bin MODE=image"),
        working_dir: "/srv".to_owned(),
        user: "web".to_owned(),
        ..ImageConfig::default()
    };
    Image {
        reference: String::new(),
        digest: digest.clone(),
        manifest: digest.clone(),
        id: digest,
        config,
        layers: vec!["/layers/1".into()],
        size: 0,
        lease: None,
    }
}

fn describe(change: impl FnOnce(&mut Record)) -> ContainerSpec {
    let mut record = Record::new(examples::assignment(), "boot");
    change(&mut record);
    container(&record, 0, &image(), Utf8Path::new("/tasks/t"), "/wharf/t".to_owned(), &[]).unwrap()
}

fn args(entry_point: Option<&str>, command: Option<&str>) -> Vec<String> {
    let spec = describe(|record| {
        record.assignment.containers[0].0.entry_point = entry_point.map(words);
        record.assignment.containers[0].0.command = command.map(words);
    });
    spec.args
}

#[test]
fn command_and_entry_point_replace_the_images_as_in_docker() {
    assert_eq!(args(None, None), ["/entry", "-a", "serve"]);
    assert_eq!(args(None, Some("test")), ["/entry", "-a", "test"]);
    assert_eq!(args(Some("/other"), None), ["/other"]);
    assert_eq!(args(Some("/other"), Some("x y")), ["/other", "x", "y"]);
}

#[test]
fn environment_is_the_images_then_the_definitions_then_ecs_own() {
    let spec = describe(|record| {
        record.assignment.containers[0].0.environment = vec![("MODE".to_owned(), "mine".to_owned())];
    });
    let id = Record::new(examples::assignment(), "boot").notes[0].id.clone();
    let expected = [
        "PATH=/bin".to_owned(),
        "MODE=mine".to_owned(),
        "HOSTNAME=ip-172-31-0-10.us-east-1.compute.internal".to_owned(),
        format!("ECS_CONTAINER_METADATA_URI_V4=http://169.254.170.2/v4/{id}"),
        format!("ECS_CONTAINER_METADATA_URI=http://169.254.170.2/v3/{id}"),
        format!("ECS_AGENT_URI=http://169.254.170.2/api/{id}"),
        "AWS_EXECUTION_ENV=AWS_ECS_FARGATE".to_owned(),
        "AWS_DEFAULT_REGION=us-east-1".to_owned(),
        "AWS_REGION=us-east-1".to_owned(),
    ];
    assert_eq!(spec.env, expected);
}

#[test]
fn definition_wins_over_the_image_and_limits_are_in_bytes() {
    let spec = describe(|record| {
        let definition = &mut record.assignment.containers[0].0;
        definition.user = Some("0".to_owned());
        definition.memory = Some(Mebibytes(64));
        definition.ulimits =
            vec![wharf_model::task_definition::Ulimit { name: "nofile".to_owned(), soft: 10, hard: -1 }];
    });
    assert_eq!((spec.user.as_str(), spec.cwd.as_str()), ("0", "/srv"));
    assert_eq!(spec.limits.memory_bytes, 64 << 20);
    assert_eq!((spec.ulimits[0].soft, spec.ulimits[0].hard), (10, u64::MAX));
}

#[test]
fn what_a_definition_asks_of_the_kernel_is_passed_on() {
    use wharf_model::task_definition::{Device, DevicePermission, KernelCapabilities, LinuxParameters};
    let spec = describe(|record| {
        let definition = &mut record.assignment.containers[0].0;
        definition.memory = Some(Mebibytes(64));
        definition.pseudo_terminal = Some(true);
        definition.docker_security_options = vec!["no-new-privileges:false".to_owned()];
        let device = |permissions: &[DevicePermission]| Device {
            host_path: "/dev/fuse".to_owned(),
            container_path: None,
            permissions: permissions.to_vec(),
        };
        definition.linux_parameters = Some(LinuxParameters {
            capabilities: Some(KernelCapabilities { add: words("NET_ADMIN"), drop: words("ALL") }),
            devices: vec![device(&[]), device(&[DevicePermission::Read])],
            init_process_enabled: Some(true),
            max_swap: Some(Mebibytes(16)),
            swappiness: Some(10),
            ..LinuxParameters::default()
        });
    });
    assert_eq!(spec.first, wharf_sandbox::spec::First::Init);
    assert!(spec.terminal && spec.gains_privileges && !spec.interactive && !spec.privileged);
    let access: Vec<_> = spec.devices.iter().map(|device| device.access.as_str()).collect();
    assert_eq!((access.as_slice(), spec.devices[0].destination.as_str()), (&["rwm", "r"][..], "/dev/fuse"));
    assert_eq!((spec.capabilities_added, spec.capabilities_dropped), (words("NET_ADMIN"), words("ALL")));
    assert_eq!((spec.limits.swap_bytes, spec.limits.swappiness), (16 << 20, Some(10)));
}

#[test]
fn shared_namespaces_are_those_of_the_holder_which_is_there_only_for_them() {
    use wharf_model::task_definition::{IpcMode, PidMode};
    use wharf_sandbox::spec::Sharing;
    let record = |pid, ipc| {
        let mut record = Record::new(examples::assignment(), "boot");
        (record.assignment.pid_mode, record.assignment.ipc_mode) = (pid, ipc);
        record
    };
    let spec = |record: &Record| {
        let dir = Utf8Path::new("/tasks/t");
        container(record, 0, &image(), dir, "/wharf/t".to_owned(), &[]).unwrap()
    };
    let own = spec(&record(None, Some(IpcMode::None)));
    assert_eq!((own.pid, own.ipc), (Sharing::Own, Sharing::Own));
    let shared = record(Some(PidMode::Task), None);
    let holder = holder_id(&shared.assignment.task);
    assert_eq!((spec(&shared).pid, spec(&shared).ipc), (Sharing::With(holder), Sharing::Own));
    assert!(shares(&shared.assignment) && !shares(&record(None, None).assignment));
    assert_eq!(spec(&record(Some(PidMode::Host), None)).pid, Sharing::Host);
    assert!(!shares(&record(Some(PidMode::Host), Some(IpcMode::Host)).assignment));
}

#[test]
fn a_role_brings_its_keys_and_the_way_to_where_they_are_good() {
    let env = |change: fn(&mut Record)| {
        let all = describe(change).env;
        all.into_iter().filter(|entry| entry.contains("CREDENTIALS") || entry.contains("ENDPOINT")).collect()
    };
    let none: Vec<String> = env(|_| ());
    assert!(none.is_empty(), "{none:?}");
    let role = |record: &mut Record| record.assignment.task_role_arn = Some("arn:aws:iam::1:role/app".into());
    let all: Vec<String> = env(role);
    assert!(all[0].starts_with("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/credentials/"), "{all:?}");
    assert!(all.contains(&"AWS_ENDPOINT_URL_ECS=http://169.254.170.2".to_owned()), "{all:?}");
    let own: Vec<String> = env(|record| {
        record.assignment.task_role_arn = Some("arn:aws:iam::1:role/app".into());
        let given = ("AWS_ENDPOINT_URL".to_owned(), "http://elsewhere".to_owned());
        record.assignment.containers[0].0.environment.push(given);
    });
    assert_eq!(
        (own.len(), own.contains(&"AWS_ENDPOINT_URL=http://elsewhere".to_owned())),
        (2, true),
        "{own:?}"
    );
}

#[test]
fn swappiness_is_refused_by_name_where_the_kernel_has_none_for_a_container() {
    use wharf_model::task_definition::LinuxParameters;
    use wharf_sandbox::cgroup::Hierarchy;
    let asking = |max_swap| ContainerDefinition {
        linux_parameters: Some(LinuxParameters {
            max_swap,
            swappiness: Some(10),
            ..LinuxParameters::default()
        }),
        ..ContainerDefinition::new("db", "postgres")
    };
    let (asks, plain) = (asking(Some(Mebibytes(16))), ContainerDefinition::new("app", "hello"));
    let second = Hierarchy::V2 { mount: "/sys/fs/cgroup".into() };
    let first = Hierarchy::V1 { mounts: Default::default() };
    let why = refusal(&[&plain, &asks], &second).unwrap();
    assert!(why.contains("'swappiness' of container 'db'") && why.contains("cgroup v2"), "{why}");
    assert_eq!(refusal(&[&plain, &asks], &first), None);
    assert_eq!(refusal(&[&plain], &second), None);
    assert_eq!(refusal(&[&asking(None)], &second), None, "without swap it means nothing");
}
