//! The file systems behind volumes.

use crate::Control;
use wharf_model::{
    file_system::{AccessPoint, FileSystem},
    task_definition::{EfsVolume, VolumeSource},
};
use wharf_nodelink::{agent::Assignment, provisions::FileTree};

/// Returns the directory tree behind each volume that is one's.
pub(super) fn of(control: &Control, assignment: &Assignment) -> Result<Vec<FileTree>, String> {
    let efs = assignment.volumes.iter().filter_map(|volume| match &volume.source {
        VolumeSource::Efs(efs) => Some((&volume.name, efs)),
        VolumeSource::Host { .. } | VolumeSource::Docker(_) => None,
    });
    let has_role = assignment.task_role_arn.is_some();
    efs.map(|(name, efs)| tree(control, name, efs, has_role)).collect()
}

fn tree(control: &Control, volume: &str, efs: &EfsVolume, has_role: bool) -> Result<FileTree, String> {
    let failed = |why: String| {
        format!(
            "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: {why}"
        )
    };
    let view = control.store().view();
    let id = &efs.file_system_id;
    if view.get::<FileSystem>(id).is_none() {
        let region = &control.config().place.region;
        return Err(failed(format!(
            "Failed to resolve \"{id}.efs.{region}.amazonaws.com\" - check that your file system ID is correct"
        )));
    }
    // File systems have no policies here, and on AWS one without a policy lets every client in. What is left of `iam` is
    // that there must be somebody to mount it as.
    if efs.authorization.as_ref().is_some_and(|authorization| authorization.iam == Some(true)) && !has_role {
        return Err(failed(format!(
            "volume '{volume}' is mounted with 'iam' ENABLED, which needs a task role, and neither the task definition \
             nor the task's overrides name one in 'taskRoleArn'"
        )));
    }
    let point = efs.authorization.as_ref().and_then(|authorization| authorization.access_point_id.as_ref());
    let plain = FileTree {
        volume: volume.to_owned(),
        file_system: id.clone(),
        directory: efs.root_directory.clone().unwrap_or_else(|| "/".to_owned()),
        creation: None,
        posix_user: None,
    };
    let Some(point) = point else { return Ok(plain) };
    let found = view.get::<AccessPoint>(point).filter(|found| found.file_system == *id);
    let found =
        found.ok_or_else(|| failed(format!("access point {point} of file system {id} does not exist")))?;
    Ok(FileTree {
        directory: found.root_directory.clone(),
        creation: found.creation,
        posix_user: found.posix_user.clone(),
        ..plain
    })
}
