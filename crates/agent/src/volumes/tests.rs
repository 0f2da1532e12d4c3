use super::*;
use crate::examples::assignment;
use wharf_model::{file_system::Creation, task_definition::EfsVolume};
use wharf_nodelink::provisions::FileTree;

struct Node {
    _dir: tempfile::TempDir,
    state: Utf8PathBuf,
    places: Places,
}

fn node() -> Node {
    let dir = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
    let config = AgentConfig::new(path.join("state"), path.join("run"));
    Node { _dir: dir, state: path.join("state"), places: Places::new(&config) }
}

fn with(source: VolumeSource) -> Assignment {
    let volume = Volume { name: "data".to_owned(), source, configured_at_launch: None };
    Assignment { volumes: vec![volume], ..assignment() }
}

fn shared(change: impl FnOnce(&mut DockerVolume)) -> Assignment {
    let mut docker = DockerVolume { scope: Some(DockerVolumeScope::Shared), ..DockerVolume::default() };
    change(&mut docker);
    with(VolumeSource::Docker(docker))
}

impl Node {
    fn found(&self, assignment: &Assignment, given: &Provisions) -> Result<Found, VolumeError> {
        self.places.found(assignment, 0, given)
    }
}

#[test]
fn a_directory_of_the_host_is_made_when_it_is_not_there_and_never_filled() {
    let node = node();
    let path = node.state.join("srv/web");
    let found =
        node.found(&with(VolumeSource::Host { source_path: Some(path.to_string()) }), &Provisions::default());
    let found = found.unwrap();
    assert!(path.is_dir() && found.source == path && !found.fill);
}

#[test]
fn a_volume_without_a_source_lies_with_its_task() {
    let node = node();
    let assignment = with(VolumeSource::Host { source_path: None });
    let found = node.found(&assignment, &Provisions::default()).unwrap();
    assert!(found.source.starts_with(node.state.join("tasks").join(assignment.task.as_str())));
    assert!(found.source.is_dir() && found.fill);
}

#[test]
fn a_named_volume_is_made_once_and_is_then_the_same() {
    let node = node();
    let none = Provisions::default();
    let known_only = shared(|_| {});
    assert!(matches!(node.found(&known_only, &none), Err(VolumeError::Unknown(_))));
    let label = |value: &'static str| {
        move |docker: &mut DockerVolume| {
            docker.autoprovision = Some(true);
            docker.labels.insert("team".to_owned(), value.to_owned());
        }
    };
    let found = node.found(&shared(label("a")), &none).unwrap();
    assert_eq!(found.source, node.state.join("volumes/data/data"));
    assert_eq!(node.found(&shared(label("a")), &none).unwrap().source, found.source);
    assert_eq!(node.found(&known_only, &none).unwrap().source, found.source);
    let other = node.found(&shared(label("b")), &none);
    assert!(matches!(other, Err(VolumeError::Different { what: "labels", .. })));
}

#[test]
fn a_bound_volume_is_another_directory_which_has_to_be_there() {
    let node = node();
    let elsewhere = node.state.join("elsewhere");
    let assignment = shared(|docker| {
        docker.autoprovision = Some(true);
        let options = [("type", "none"), ("o", "bind,ro"), ("device", elsewhere.as_str())];
        docker.driver_options = options.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    });
    let none = Provisions::default();
    assert!(matches!(node.found(&assignment, &none), Err(VolumeError::File { .. })));
    fs::create_dir_all(&elsewhere).unwrap();
    let found = node.found(&assignment, &none).unwrap();
    assert!(found.source == elsewhere && found.read_only && !found.fill);
}

#[test]
fn a_file_systems_directory_has_to_be_there_unless_its_access_point_makes_it() {
    let node = node();
    let assignment = with(VolumeSource::Efs(EfsVolume::default()));
    let given = |directory: &str, creation| Provisions {
        trees: vec![FileTree {
            volume: "data".to_owned(),
            file_system: "fs-1".to_owned(),
            directory: directory.to_owned(),
            creation,
            posix_user: None,
        }],
        ..Provisions::default()
    };
    let root = node.state.join("efs/fs-1");
    assert!(node.found(&assignment, &given("/", None)).is_err(), "no such file system here");
    fs::create_dir_all(&root).unwrap();
    assert_eq!(node.found(&assignment, &given("/", None)).unwrap().source, root);
    let missing = node.found(&assignment, &given("/app", None));
    assert!(matches!(missing, Err(VolumeError::NoDirectory { .. })));
    let creation = Some(Creation { uid: 0, gid: 0, mode: 0o750 });
    node.found(&assignment, &given("/app", creation)).unwrap();
    assert_eq!(fs::metadata(root.join("app")).unwrap().permissions().mode() & 0o7777, 0o750);
    // A symlink in it leads nowhere but into it.
    std::os::unix::fs::symlink("/etc", root.join("out")).unwrap();
    assert!(matches!(node.found(&assignment, &given("/out", None)), Err(VolumeError::NoDirectory { .. })));
}
