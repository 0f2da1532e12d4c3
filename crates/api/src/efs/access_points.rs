//! Access points: shapes to model and back.

use wharf_aws::efs::{
    AccessPoint, AccessPointsOutput, CreateAccessPointInput, CreationInfo, NamedInput, PosixUser,
    RootDirectory,
};
use wharf_control::Control;
use wharf_control::operations::file_systems::{self, NewAccessPoint};
use wharf_model::file_system;

use super::{invalid, page, required, shown_tags, unsupported};
use crate::{Fault, given};

pub(super) async fn create(control: &Control, input: CreateAccessPointInput) -> Result<AccessPoint, Fault> {
    let root = input.root_directory.unwrap_or_default();
    let posix_user = input.posix_user.map(|user| {
        if !user.secondary_gids.is_empty() {
            return Err(unsupported("PosixUser.SecondaryGids"));
        }
        Ok(file_system::PosixUser { uid: user.uid, gid: user.gid })
    });
    let new = NewAccessPoint {
        file_system: required("FileSystemId", input.file_system_id)?,
        client_token: required("ClientToken", input.client_token)?,
        posix_user: posix_user.transpose()?,
        root_directory: root.path.unwrap_or_else(|| "/".to_owned()),
        creation: root.creation_info.map(creation).transpose()?,
        tags: given::tags(input.tags),
    };
    let made = file_systems::create_access_point(control, new).await?;
    Ok(show(control, &made))
}

fn creation(given: CreationInfo) -> Result<file_system::Creation, Fault> {
    let octal = (3..=4).contains(&given.permissions.len());
    let mode = u32::from_str_radix(&given.permissions, 8).ok().filter(|_| octal);
    let mode = mode.ok_or_else(|| {
        invalid(format!(
            "RootDirectory.CreationInfo.Permissions '{}' must be three or four octal digits.",
            given.permissions
        ))
    })?;
    Ok(file_system::Creation { uid: given.owner_uid, gid: given.owner_gid, mode })
}

pub(super) async fn describe(control: &Control, input: NamedInput) -> Result<AccessPointsOutput, Fault> {
    let (file_system, id) = (input.file_system_id.as_deref(), input.access_point_id.as_deref());
    let found = file_systems::access_points(control, file_system, id)?;
    let (found, next_token) =
        page(found, |found| found.id.clone(), input.next_token.as_deref(), input.max_results)?;
    Ok(AccessPointsOutput {
        access_points: found.iter().map(|found| show(control, found)).collect(),
        next_token,
    })
}

pub(super) async fn delete(control: &Control, input: NamedInput) -> Result<(), Fault> {
    let id = required("AccessPointId", input.access_point_id)?;
    Ok(file_systems::delete_access_point(control, &id).await?)
}

fn show(control: &Control, found: &file_system::AccessPoint) -> AccessPoint {
    let (tags, name) = shown_tags(&found.tags);
    let user = found.posix_user.as_ref();
    let creation_info = found.creation.map(|creation| CreationInfo {
        owner_uid: creation.uid,
        owner_gid: creation.gid,
        permissions: format!("{:04o}", creation.mode),
    });
    AccessPoint {
        client_token: found.client_token.clone(),
        name,
        tags,
        access_point_id: found.id.clone(),
        access_point_arn: found.arn.to_string(),
        file_system_id: found.file_system.clone(),
        posix_user: user.map(|user| PosixUser { uid: user.uid, gid: user.gid, secondary_gids: Vec::new() }),
        root_directory: RootDirectory { path: Some(found.root_directory.clone()), creation_info },
        owner_id: control.config().place.account.clone(),
        life_cycle_state: "available",
    }
}
