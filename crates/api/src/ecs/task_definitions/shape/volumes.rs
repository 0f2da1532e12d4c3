//! Volumes, and where containers see them.

use wharf_aws::ecs;
use wharf_model::task_definition::{
    DockerVolume, DockerVolumeScope, EfsVolume, MountPoint, Volume, VolumeFrom, VolumeSource,
};

pub(super) fn volume(given: &Volume) -> ecs::Volume {
    let mut shown = ecs::Volume {
        name: given.name.clone(),
        configured_at_launch: given.configured_at_launch,
        ..ecs::Volume::default()
    };
    match &given.source {
        // What it is becomes known only when tasks are started.
        VolumeSource::Host { source_path: None } if given.configured_at_launch == Some(true) => {}
        VolumeSource::Host { source_path } => {
            shown.host = Some(ecs::HostVolumeProperties { source_path: source_path.clone() });
        }
        VolumeSource::Docker(docker) => shown.docker_volume_configuration = Some(docker_volume(docker)),
        VolumeSource::Efs(efs) => shown.efs_volume_configuration = Some(efs_volume(efs)),
    }
    shown
}

fn docker_volume(given: &DockerVolume) -> ecs::DockerVolumeConfiguration {
    ecs::DockerVolumeConfiguration {
        scope: given.scope.map(|scope| match scope {
            DockerVolumeScope::Task => "task".to_owned(),
            DockerVolumeScope::Shared => "shared".to_owned(),
        }),
        autoprovision: given.autoprovision,
        driver: given.driver.clone(),
        driver_opts: given.driver_options.clone(),
        labels: given.labels.clone(),
    }
}

fn efs_volume(given: &EfsVolume) -> ecs::EfsVolumeConfiguration {
    let switch = |on: bool| if on { "ENABLED".to_owned() } else { "DISABLED".to_owned() };
    ecs::EfsVolumeConfiguration {
        file_system_id: given.file_system_id.clone(),
        root_directory: given.root_directory.clone(),
        transit_encryption: given.transit_encryption.map(switch),
        transit_encryption_port: given.transit_encryption_port.map(i32::from),
        authorization_config: given.authorization.as_ref().map(|given| ecs::EfsAuthorizationConfig {
            access_point_id: given.access_point_id.clone(),
            iam: given.iam.map(switch),
        }),
    }
}

pub(super) fn mount_point(given: &MountPoint) -> ecs::MountPoint {
    ecs::MountPoint {
        source_volume: Some(given.source_volume.clone()),
        container_path: Some(given.container_path.clone()),
        read_only: given.read_only,
    }
}

pub(super) fn volume_from(given: &VolumeFrom) -> ecs::VolumeFrom {
    ecs::VolumeFrom { source_container: Some(given.source_container.clone()), read_only: given.read_only }
}
