use super::{ContainerSpec, First, Joins, Sharing, SpecError, Ulimit, capabilities, oci_spec};
use crate::rootfs::User;

fn spec() -> ContainerSpec {
    ContainerSpec {
        dir: "/task".into(),
        layers: vec!["/layer".into()],
        args: vec!["true".to_owned()],
        cgroup_parent: "/wharf/t".to_owned(),
        ..ContainerSpec::default()
    }
}

fn build(spec: &ContainerSpec) -> Result<(serde_json::Value, Vec<String>), SpecError> {
    let joins = Joins { network: "/proc/self/fd/3".to_owned(), pid: Some(7), ..Joins::default() };
    oci_spec(spec, "/root".into(), &User::default(), &joins, "/wharf/t/c")
}

#[test]
fn defaults_are_dockers() {
    let (value, notes) = build(&spec()).unwrap();
    assert_eq!(notes, [] as [String; 0]);
    assert_eq!(value["process"]["capabilities"]["bounding"].as_array().unwrap().len(), 13);
    assert_eq!(value["process"]["cwd"], "/");
    assert_eq!(
        value["process"]["env"][0],
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    );
    assert_eq!(value["linux"]["namespaces"][3]["path"], "/proc/self/fd/3");
    assert_eq!(value["process"]["noNewPrivileges"], true);
    serde_json::from_value::<libcontainer::oci_spec::runtime::Spec>(value).unwrap();
}

#[test]
fn capabilities_are_added_and_dropped_by_either_spelling() {
    let mut spec = spec();
    spec.capabilities_dropped = vec!["ALL".to_owned()];
    spec.capabilities_added = vec!["sys_ptrace".to_owned(), "CAP_KILL".to_owned()];
    assert_eq!(capabilities(&spec).unwrap(), ["CAP_SYS_PTRACE", "CAP_KILL"]);
    spec.capabilities_added = vec!["CAP_MAGIC".to_owned()];
    assert!(matches!(capabilities(&spec), Err(SpecError::UnknownCapability(name)) if name == "CAP_MAGIC"));
}

#[test]
fn ulimit_beyond_the_machines_is_clamped_and_said() {
    let mut spec = spec();
    spec.ulimits = vec![Ulimit { name: "nofile".to_owned(), soft: 1024, hard: u64::MAX - 1 }];
    let (_, notes) = build(&spec).unwrap();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].starts_with("ulimit nofile 1024:18446744073709551614 lowered to 1024:"), "{notes:?}");
    spec.ulimits[0].name = "files".to_owned();
    assert!(matches!(build(&spec), Err(SpecError::UnknownUlimit(name)) if name == "files"));
}

#[test]
fn nonsense_is_refused() {
    let mut nothing = spec();
    nothing.args.clear();
    assert!(matches!(build(&nothing), Err(SpecError::NoCommand)));
    let mut relative = spec();
    relative.mounts = vec![super::BindMount {
        source: "/tmp".into(),
        destination: "data".to_owned(),
        ..Default::default()
    }];
    assert!(matches!(build(&relative), Err(SpecError::RelativePath(path)) if path == "data"));
}

#[test]
fn capabilities_that_are_added_to_all_or_taken_from_all_are_dockers() {
    let with = |added: &[&str], dropped: &[&str]| {
        let words = |given: &[&str]| given.iter().map(|word| (*word).to_owned()).collect();
        let spec = ContainerSpec {
            capabilities_added: words(added),
            capabilities_dropped: words(dropped),
            ..spec()
        };
        capabilities(&spec).unwrap()
    };
    assert!(with(&[], &[]).iter().all(|name| name != "CAP_MKNOD"));
    assert!(with(&[], &["CHOWN"]).iter().all(|name| name != "CAP_CHOWN"));
    assert_eq!(with(&["CHOWN"], &["ALL"]), ["CAP_CHOWN"]);
    let all = with(&["ALL"], &["SYS_ADMIN"]);
    assert!(all.contains(&"CAP_MKNOD".to_owned()) && !all.contains(&"CAP_SYS_ADMIN".to_owned()));
}

#[test]
fn privileged_hides_nothing_and_lets_every_device_be_opened() {
    let (value, _) = build(&ContainerSpec { privileged: true, ..spec() }).unwrap();
    assert_eq!(value["process"]["noNewPrivileges"], false);
    assert_eq!(value["linux"]["maskedPaths"].as_array().unwrap().len(), 0);
    assert_eq!(value["linux"]["readonlyPaths"].as_array().unwrap().len(), 0);
    assert_eq!(value["linux"]["resources"]["devices"][0]["allow"], true);
    let mounts = value["mounts"].as_array().unwrap();
    let sys = mounts.iter().find(|mount| mount["destination"] == "/sys").unwrap();
    assert!(sys["options"].as_array().unwrap().contains(&"rw".into()));
    serde_json::from_value::<libcontainer::oci_spec::runtime::Spec>(value).unwrap();
}

#[test]
fn a_device_is_made_and_may_be_opened_as_was_asked() {
    let device = |destination: &str| super::Device {
        source: "/dev/full".into(),
        destination: destination.to_owned(),
        access: "r".to_owned(),
    };
    let spec = ContainerSpec { devices: vec![device("/dev/always"), device("/opt/always")], ..spec() };
    let (value, _) = build(&spec).unwrap();
    assert_eq!(value["linux"]["devices"].as_array().unwrap().len(), 1);
    assert_eq!(value["linux"]["devices"][0]["path"], "/dev/always");
    let rule = &value["linux"]["resources"]["devices"][1];
    assert_eq!((&rule["major"], &rule["minor"], &rule["access"]), (&1.into(), &7.into(), &"r".into()));
    assert_eq!(value["mounts"].as_array().unwrap().last().unwrap()["destination"], "/opt/always");
    let missing = ContainerSpec {
        devices: vec![super::Device { source: "/nowhere".into(), ..device("/dev/x") }],
        ..spec
    };
    assert!(matches!(build(&missing), Err(SpecError::Device { path, .. }) if path == "/nowhere"));
}

#[test]
fn namespaces_are_its_own_another_containers_or_the_hosts() {
    let kinds = |pid: Sharing| {
        let (value, _) = build(&ContainerSpec { pid, ..spec() }).unwrap();
        let all = value["linux"]["namespaces"].as_array().unwrap().clone();
        all.into_iter().find(|namespace| namespace["type"] == "pid")
    };
    assert!(kinds(Sharing::Own).unwrap()["path"].is_null());
    assert_eq!(kinds(Sharing::With("other".to_owned())).unwrap()["path"], "/proc/7/ns/pid");
    assert!(kinds(Sharing::Host).is_none());
}

#[test]
fn what_is_mounted_inside_of_another_mount_comes_after_it() {
    let tmpfs = |destination: &str| super::Tmpfs {
        destination: destination.to_owned(),
        size_mib: 1,
        options: vec!["exec".to_owned()],
    };
    let bind = |destination: &str| super::BindMount {
        source: "/tmp".into(),
        destination: destination.to_owned(),
        ..Default::default()
    };
    // The one that is in nothing of the runtime's is there before the runtime comes.
    let mounts = vec![bind("/a/b"), bind("/z"), bind("/dev/x")];
    let spec = ContainerSpec { tmpfs: vec![tmpfs("/a")], mounts, ..spec() };
    let (value, _) = build(&spec).unwrap();
    let mounts = value["mounts"].as_array().unwrap();
    let own: Vec<&str> = mounts[7..].iter().filter_map(|mount| mount["destination"].as_str()).collect();
    assert_eq!(own, ["/a", "/a/b", "/dev/x"]);
    assert_eq!(mounts[7]["options"], serde_json::json!(["nosuid", "noexec", "nodev", "size=1m", "exec"]));
}

#[test]
fn an_init_alone_needs_no_command() {
    let holder = ContainerSpec { first: First::Holder, args: Vec::new(), ..spec() };
    assert_eq!(build(&holder).unwrap().0["process"]["args"][0], "init");
}
