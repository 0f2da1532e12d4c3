use super::*;
use crate::spec::{ContainerSpec, capabilities};

fn process() -> Process {
    serde_json::from_value(serde_json::json!({
        "user": { "uid": 1000, "gid": 1001, "additionalGids": [1002] },
        "args": ["sleep"], "cwd": "/srv", "env": ["PATH=/bin", "HOME=/home/app", "A=1"],
        "capabilities": { "bounding": ["CAP_CHOWN", "CAP_KILL"], "effective": [], "permitted": [] },
        "rlimits": [{ "type": "RLIMIT_NOFILE", "soft": 1, "hard": 2 }], "noNewPrivileges": true,
    }))
    .unwrap()
}

#[test]
fn further_process_is_as_confined_as_the_container_and_adds_its_environment() {
    let mut adapted = process();
    adapted.adapt(&ExecSpec { env: vec!["A=2".to_owned(), "B=3".to_owned()], ..ExecSpec::default() }, &[]);
    assert_eq!(adapted.env, ["PATH=/bin", "HOME=/home/app", "A=2", "B=3"]);
    assert_eq!(Process { env: process().env, ..adapted }, process());
}

#[test]
fn root_of_the_container_gets_what_the_container_may_have_and_no_more() {
    let mut adapted = process();
    adapted.adapt(&ExecSpec { as_root: true, ..ExecSpec::default() }, &[]);
    assert_eq!(adapted.user, process::User::default());
    assert_eq!(adapted.capabilities.effective, ["CAP_CHOWN", "CAP_KILL"]);
    assert_eq!(adapted.capabilities.bounding, process().capabilities.bounding);
    adapted.find_home();
    assert!(adapted.env.contains(&"HOME=/root".to_owned()), "{:?}", adapted.env);
}

#[test]
fn capabilities_have_the_kernels_numbers() {
    let mask = |name: &str| privileges::mask(&[name.to_owned()]);
    assert_eq!(mask("CAP_CHOWN"), 1);
    assert_eq!(mask("CAP_SYS_ADMIN"), 1 << 21);
    assert_eq!(mask("CAP_SETFCAP"), 1 << 31);
    assert_eq!(mask("CAP_CHECKPOINT_RESTORE"), 1 << 40);
    assert_eq!(mask("CAP_NO_SUCH"), 0);
}

#[test]
fn further_process_has_the_containers_secrets_and_its_own_variables_before_them() {
    let mut adapted = process();
    let secrets =
        [("A", "hidden"), ("B", "hidden")].map(|(name, value)| (name.to_owned(), Plain::new(value)));
    adapted.adapt(&ExecSpec { env: vec!["B=3".to_owned()], ..ExecSpec::default() }, &secrets);
    assert_eq!(adapted.env, ["PATH=/bin", "HOME=/home/app", "A=hidden", "B=3"]);
}

#[test]
fn what_only_loading_the_filter_needed_is_not_handed_on() {
    let spec = ContainerSpec {
        layers: vec!["/layer".into()],
        args: vec!["true".to_owned()],
        gains_privileges: true,
        secret_env: vec![("TOKEN".to_owned(), Plain::new("hidden"))],
        ..ContainerSpec::default()
    };
    let user = crate::rootfs::User { uid: 7, ..Default::default() };
    let joins = crate::spec::Joins::default();
    let (config, _) = crate::spec::oci_spec(&spec, "/root".into(), &user, &joins, "/wharf/t/c").unwrap();
    let process = Process::of(&spec, &user, &config).unwrap();
    assert_eq!(process.capabilities.bounding, capabilities(&spec).unwrap());
    assert_eq!(process.capabilities.effective, [] as [String; 0]);
    assert!(!process.no_new_privileges && process.filtered);
    assert_eq!(process.secret_names, ["TOKEN"]);
    assert!(!serde_json::to_string(&process).unwrap().contains("hidden"));
}
