use super::{ContainerSpec, SpecError, Ulimit, capabilities, oci_spec};
use crate::rootfs::User;

fn spec() -> ContainerSpec {
    ContainerSpec {
        layers: vec!["/layer".into()],
        args: vec!["true".to_owned()],
        cgroup_parent: "/wharf/t".to_owned(),
        ..ContainerSpec::default()
    }
}

fn build(spec: &ContainerSpec) -> Result<(serde_json::Value, Vec<String>), SpecError> {
    oci_spec(spec, "/root".into(), &User::default(), "/proc/self/fd/3", "/wharf/t/c")
}

#[test]
fn defaults_are_dockers() {
    let (value, notes) = build(&spec()).unwrap();
    assert_eq!(notes, [] as [String; 0]);
    assert_eq!(value["process"]["capabilities"]["bounding"].as_array().unwrap().len(), 14);
    assert_eq!(value["process"]["cwd"], "/");
    assert_eq!(
        value["process"]["env"][0],
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    );
    assert_eq!(value["linux"]["namespaces"][5]["path"], "/proc/self/fd/3");
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
    relative.mounts =
        vec![super::BindMount { source: "/tmp".into(), destination: "data".to_owned(), read_only: true }];
    assert!(matches!(build(&relative), Err(SpecError::RelativePath(path)) if path == "data"));
}
