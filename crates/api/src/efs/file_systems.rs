//! File systems: shapes to model and back.

use wharf_aws::Timestamp;
use wharf_aws::efs::{CreateFileSystemInput, FileSystem, FileSystemsOutput, NamedInput, Size};
use wharf_control::Control;
use wharf_control::operations::file_systems;
use wharf_model::file_system;

use super::{page, required, shown_tags, unsupported};
use crate::{Fault, given};

pub(super) async fn create(control: &Control, input: CreateFileSystemInput) -> Result<FileSystem, Fault> {
    let asked = [
        (input.encrypted, "Encrypted"),
        (input.kms_key_id.is_some(), "KmsKeyId"),
        (input.backup, "Backup"),
        (input.availability_zone_name.is_some(), "AvailabilityZoneName"),
        (input.provisioned_throughput_in_mibps.is_some(), "ProvisionedThroughputInMibps"),
    ];
    if let Some((_, member)) = asked.iter().find(|(asked, _)| *asked) {
        return Err(unsupported(member));
    }
    // A directory is as fast as its disk: nothing but the default can be promised.
    for (given, default, member) in [
        (&input.performance_mode, "generalPurpose", "PerformanceMode"),
        (&input.throughput_mode, "bursting", "ThroughputMode"),
    ] {
        if given.as_deref().is_some_and(|given| given != default) {
            return Err(unsupported(member));
        }
    }
    let token = required("CreationToken", input.creation_token)?;
    let made = file_systems::create(control, token, given::tags(input.tags)).await?;
    show(control, &made).await
}

pub(super) async fn describe(control: &Control, input: NamedInput) -> Result<FileSystemsOutput, Fault> {
    let found =
        file_systems::list(control, input.file_system_id.as_deref(), input.creation_token.as_deref())?;
    let (found, next_marker) =
        page(found, |found| found.id.clone(), input.marker.as_deref(), input.max_items)?;
    let mut file_systems = Vec::new();
    for file_system in found {
        file_systems.push(show(control, &file_system).await?);
    }
    Ok(FileSystemsOutput { file_systems, next_marker })
}

pub(super) async fn delete(control: &Control, input: NamedInput) -> Result<(), Fault> {
    Ok(file_systems::delete(control, &required("FileSystemId", input.file_system_id)?).await?)
}

async fn show(control: &Control, found: &file_system::FileSystem) -> Result<FileSystem, Fault> {
    let targets = file_systems::mount_targets(control, Some(&found.id), None, None)?;
    let (tags, name) = shown_tags(&found.tags);
    Ok(FileSystem {
        owner_id: control.config().place.account.clone(),
        creation_token: found.creation_token.clone(),
        file_system_id: found.id.clone(),
        file_system_arn: found.arn.to_string(),
        creation_time: Timestamp::from_millis(found.created_at.0),
        life_cycle_state: "available",
        name,
        number_of_mount_targets: targets.len(),
        size_in_bytes: Size {
            value: file_systems::bytes(control, &found.id).await,
            timestamp: Timestamp::from_millis(control.now().0),
        },
        performance_mode: "generalPurpose",
        encrypted: false,
        throughput_mode: "bursting",
        tags,
    })
}
