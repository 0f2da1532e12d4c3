//! Mount targets: shapes to model and back.

use wharf_aws::efs::{CreateMountTargetInput, MountTarget, MountTargetsOutput, NamedInput};
use wharf_control::Control;
use wharf_control::operations::file_systems;
use wharf_model::file_system;

use super::{page, required, unsupported};
use crate::Fault;

pub(super) async fn create(control: &Control, input: CreateMountTargetInput) -> Result<MountTarget, Fault> {
    // Tasks find the tree on their own machine, so nothing passes an address or a group.
    let asked = [
        (input.ip_address.is_some(), "IpAddress"),
        (input.ipv6_address.is_some(), "Ipv6Address"),
        (input.ip_address_type.is_some_and(|kind| kind != "IPV4_ONLY"), "IpAddressType"),
        (!input.security_groups.is_empty(), "SecurityGroups"),
    ];
    if let Some((_, member)) = asked.iter().find(|(asked, _)| *asked) {
        return Err(unsupported(member));
    }
    let file_system = required("FileSystemId", input.file_system_id)?;
    let subnet = required("SubnetId", input.subnet_id)?;
    let made = file_systems::create_mount_target(control, &file_system, &subnet).await?;
    Ok(show(control, &made))
}

pub(super) async fn describe(control: &Control, input: NamedInput) -> Result<MountTargetsOutput, Fault> {
    let NamedInput { file_system_id, mount_target_id, access_point_id, .. } = &input;
    let found = file_systems::mount_targets(
        control,
        file_system_id.as_deref(),
        mount_target_id.as_deref(),
        access_point_id.as_deref(),
    )?;
    let (found, next_marker) =
        page(found, |found| found.id.clone(), input.marker.as_deref(), input.max_items)?;
    Ok(MountTargetsOutput {
        mount_targets: found.iter().map(|found| show(control, found)).collect(),
        next_marker,
    })
}

pub(super) async fn delete(control: &Control, input: NamedInput) -> Result<(), Fault> {
    let id = required("MountTargetId", input.mount_target_id)?;
    Ok(file_systems::delete_mount_target(control, &id).await?)
}

fn show(control: &Control, found: &file_system::MountTarget) -> MountTarget {
    MountTarget {
        owner_id: control.config().place.account.clone(),
        mount_target_id: found.id.clone(),
        file_system_id: found.file_system.clone(),
        subnet_id: found.subnet.to_string(),
        life_cycle_state: "available",
        availability_zone_name: found.zone.clone(),
        vpc_id: found.vpc.to_string(),
    }
}
