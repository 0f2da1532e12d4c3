//! Volumes, and where containers see them.

use super::{given_word, refuse};
use crate::ecs::given;
use wharf_aws::ecs::{self, DockerVolumeConfiguration, EfsVolumeConfiguration};
use wharf_control::operations::Error;
use wharf_model::task_definition::{
    DockerVolume, DockerVolumeScope, EfsAuthorization, EfsVolume, MountPoint, Volume, VolumeFrom,
    VolumeSource,
};

pub(super) fn volume(given: ecs::Volume) -> Result<Volume, Error> {
    let of = format!(" of volume '{}'", given.name);
    for (member, asked) in [
        ("s3filesVolumeConfiguration", &given.s3_files_volume_configuration),
        ("fsxWindowsFileServerVolumeConfiguration", &given.fsx_windows_file_server_volume_configuration),
    ] {
        if asked.is_some() {
            return refuse(Err(given::unsupported(member, &of)));
        }
    }
    let source = match (given.host, given.docker_volume_configuration, given.efs_volume_configuration) {
        (host, None, None) => {
            VolumeSource::Host { source_path: host.and_then(|host| given_word(host.source_path)) }
        }
        (None, Some(docker), None) => VolumeSource::Docker(docker_volume(docker, &of)?),
        (None, None, Some(efs)) => VolumeSource::Efs(efs_volume(efs, &of)?),
        _ => {
            return Err(Error::client(format!(
                "Only one of 'host', 'dockerVolumeConfiguration' and 'efsVolumeConfiguration'{of} may be specified."
            )));
        }
    };
    Ok(Volume { name: given.name, source, configured_at_launch: given.configured_at_launch })
}

fn docker_volume(given: DockerVolumeConfiguration, of: &str) -> Result<DockerVolume, Error> {
    let scope = match given.scope.as_deref() {
        None | Some("") => None,
        Some("task") => Some(DockerVolumeScope::Task),
        Some("shared") => Some(DockerVolumeScope::Shared),
        Some(other) => return Err(Error::client(format!("Invalid scope '{other}'{of}."))),
    };
    Ok(DockerVolume {
        scope,
        autoprovision: given.autoprovision,
        driver: given_word(given.driver),
        driver_options: given.driver_opts,
        labels: given.labels,
    })
}

fn efs_volume(given: EfsVolumeConfiguration, of: &str) -> Result<EfsVolume, Error> {
    let port = given
        .transit_encryption_port
        .map(|port| refuse(given::port(Some(port), &format!("'transitEncryptionPort'{of}"))));
    let authorization = given.authorization_config.map(|given| -> Result<_, Error> {
        Ok(EfsAuthorization {
            access_point_id: given_word(given.access_point_id),
            iam: switch(given.iam, "iam", of)?,
        })
    });
    Ok(EfsVolume {
        file_system_id: given.file_system_id,
        root_directory: given_word(given.root_directory),
        transit_encryption: switch(given.transit_encryption, "transitEncryption", of)?,
        transit_encryption_port: port.transpose()?,
        authorization: authorization.transpose()?,
    })
}

fn switch(given: Option<String>, member: &str, of: &str) -> Result<Option<bool>, Error> {
    match given.as_deref() {
        None | Some("") => Ok(None),
        Some("ENABLED") => Ok(Some(true)),
        Some("DISABLED") => Ok(Some(false)),
        Some(other) => Err(Error::client(format!("Invalid {member} '{other}'{of}."))),
    }
}

pub(super) fn mount_point(given: ecs::MountPoint, of: &str) -> Result<MountPoint, Error> {
    let missing = |member: &str| Error::client(format!("mountPoints{of} must have a '{member}'."));
    Ok(MountPoint {
        source_volume: given_word(given.source_volume).ok_or_else(|| missing("sourceVolume"))?,
        container_path: given_word(given.container_path).ok_or_else(|| missing("containerPath"))?,
        read_only: given.read_only,
    })
}

pub(super) fn volume_from(given: ecs::VolumeFrom, of: &str) -> Result<VolumeFrom, Error> {
    let source = given_word(given.source_container);
    let missing = || Error::client(format!("volumesFrom{of} must have a 'sourceContainer'."));
    Ok(VolumeFrom { source_container: source.ok_or_else(missing)?, read_only: given.read_only })
}
