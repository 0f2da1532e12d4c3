use super::*;
use wharf_model::task_definition::{EfsAuthorization, MountPoint, VolumeFrom};

fn docker(options: &[(&str, &str)], change: impl FnOnce(&mut DockerVolume)) -> VolumeSource {
    let driver_options =
        options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let mut docker =
        DockerVolume { scope: Some(DockerVolumeScope::Shared), driver_options, ..DockerVolume::default() };
    change(&mut docker);
    VolumeSource::Docker(docker)
}

fn efs(change: impl FnOnce(&mut EfsVolume)) -> VolumeSource {
    let mut efs = EfsVolume { file_system_id: "fs-0123456789abcdef0".to_owned(), ..EfsVolume::default() };
    change(&mut efs);
    VolumeSource::Efs(efs)
}

fn definition(source: VolumeSource, path: &str) -> NewDefinition {
    let mut container = ContainerDefinition::new("web", "web");
    container.mount_points.push(MountPoint {
        source_volume: "data".to_owned(),
        container_path: path.to_owned(),
        read_only: None,
    });
    let mut new = NewDefinition::new("web".parse().unwrap(), vec![container], "me".to_owned());
    new.volumes = vec![Volume { name: "data".to_owned(), source, configured_at_launch: None }];
    new
}

/// Checks a volume; `""` is for one that is fine.
fn volume(source: VolumeSource, says: &str) {
    let shown = format!("{source:?}");
    let said = check(&definition(source, "/data")).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(if says.is_empty() { said.is_empty() } else { said.contains(says) }, "{shown}: {said}");
}

#[test]
fn volumes_are_of_the_kinds_that_nodes_have() {
    let host = |path: &str| VolumeSource::Host { source_path: Some(path.to_owned()) };
    volume(VolumeSource::Host { source_path: None }, "");
    volume(host("/srv"), "");
    volume(host("srv"), "host.sourcePath");
    volume(host("/srv/../etc"), "host.sourcePath");
    volume(docker(&[], |_| {}), "");
    volume(docker(&[("type", "tmpfs"), ("device", "tmpfs"), ("o", "size=64m,noexec")], |_| {}), "");
    volume(docker(&[("type", "tmpfs"), ("o", "size=64m,huge=always")], |_| {}), "huge=always");
    volume(docker(&[("type", "none"), ("device", "/srv"), ("o", "bind")], |_| {}), "");
    volume(
        docker(&[("type", "nfs"), ("device", ":/x"), ("o", "addr=10.0.0.1")], |_| {}),
        "driverOpts.type nfs",
    );
    volume(docker(&[("size", "1")], |_| {}), "driverOpts.size");
    volume(docker(&[], |docker| docker.driver = Some("rexray/ebs".to_owned())), "driver rexray/ebs");
    let task = |docker: &mut DockerVolume| {
        docker.scope = Some(DockerVolumeScope::Task);
        docker.autoprovision = Some(true);
    };
    volume(docker(&[], task), "autoprovision");
    let mut at_launch = definition(VolumeSource::Host { source_path: None }, "/data");
    at_launch.volumes[0].configured_at_launch = Some(true);
    assert!(check(&at_launch).unwrap_err().to_string().contains("configuredAtLaunch"));
}

#[test]
fn a_file_system_is_entered_by_an_access_point_only_at_its_root_and_encrypted() {
    let point = |efs: &mut EfsVolume| {
        let access_point_id = Some("fsap-0123456789abcdef0".to_owned());
        efs.authorization = Some(EfsAuthorization { access_point_id, iam: None });
    };
    volume(efs(|_| {}), "");
    volume(efs(|efs| efs.root_directory = Some("/app".to_owned())), "");
    volume(efs(|efs| efs.root_directory = Some("app".to_owned())), "rootDirectory");
    volume(efs(|efs| efs.file_system_id = "../../etc".to_owned()), "id of a file system");
    volume(efs(point), "transitEncryption");
    volume(efs(|efs| efs.transit_encryption = Some(true)), "");
    volume(efs(|efs| efs.transit_encryption_port = Some(2999)), "transitEncryptionPort");
    let encrypted = |efs: &mut EfsVolume| {
        point(efs);
        efs.transit_encryption = Some(true);
    };
    volume(efs(encrypted), "");
    let deeper = |efs: &mut EfsVolume| {
        encrypted(efs);
        efs.root_directory = Some("/app".to_owned());
    };
    volume(efs(deeper), "rootDirectory");
}

#[test]
fn mount_points_are_absolute_and_each_path_is_there_once() {
    let at = |path: &str| check(&definition(VolumeSource::Host { source_path: None }, path));
    for good in ["/data", "/dev/shm", "/var/lib/app/", "/data/./x"] {
        assert!(at(good).is_ok(), "{good}");
    }
    for bad in ["data", "/", "", "/..", "/data/../etc", "/proc", "/proc/sys"] {
        assert!(at(bad).is_err(), "{bad}");
    }
    let mut new = definition(VolumeSource::Host { source_path: None }, "/data");
    let again =
        MountPoint { container_path: "/data/".to_owned(), ..new.containers[0].mount_points[0].clone() };
    new.containers[0].mount_points.push(again);
    assert!(check(&new).unwrap_err().to_string().starts_with("Duplicate mount point"));
    new.volumes.clear();
    assert_eq!(check(&new).unwrap_err().to_string(), "Unknown volume 'data'.");
}

#[test]
fn volumes_come_from_containers_that_are_there_and_never_in_a_circle() {
    let mut new = definition(VolumeSource::Host { source_path: None }, "/data");
    let from = |name: &str| VolumeFrom { source_container: name.to_owned(), read_only: None };
    new.containers[0].volumes_from.push(from("db"));
    assert!(check(&new).unwrap_err().to_string().starts_with("Unknown container 'db'"));
    new.containers.push(ContainerDefinition::new("db", "db"));
    assert!(check(&new).is_ok());
    new.containers[1].volumes_from.push(from("web"));
    assert!(check(&new).unwrap_err().to_string().contains("has its own volumes"));
}

#[test]
fn fargate_has_neither_directories_of_the_host_nor_volumes_of_docker() {
    for source in [VolumeSource::Host { source_path: Some("/srv".to_owned()) }, docker(&[], |_| {})] {
        let mut new = definition(source, "/data");
        new.requires_compatibilities = vec![LaunchType::Fargate];
        assert!(check(&new).unwrap_err().to_string().contains("Fargate does not support"));
    }
}
