//! Request and response shapes of Elastic File System. Fields are AWS's members; what stands in the path or the query is
//! among them too.

use crate::{Tag, Timestamp};
use serde::{Deserialize, Serialize};

/// Input of CreateFileSystem.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct CreateFileSystemInput {
    pub creation_token: Option<String>,
    pub performance_mode: Option<String>,
    pub encrypted: bool,
    pub kms_key_id: Option<String>,
    pub throughput_mode: Option<String>,
    pub provisioned_throughput_in_mibps: Option<f64>,
    pub availability_zone_name: Option<String>,
    pub backup: bool,
    pub tags: Vec<Tag>,
}

/// Input of the describe and delete operations.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct NamedInput {
    pub file_system_id: Option<String>,
    pub mount_target_id: Option<String>,
    pub access_point_id: Option<String>,
    pub creation_token: Option<String>,
    pub max_items: Option<i64>,
    pub marker: Option<String>,
    pub max_results: Option<i64>,
    pub next_token: Option<String>,
}

/// A file system.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct FileSystem {
    pub owner_id: String,
    pub creation_token: String,
    pub file_system_id: String,
    pub file_system_arn: String,
    pub creation_time: Timestamp,
    pub life_cycle_state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub number_of_mount_targets: usize,
    pub size_in_bytes: Size,
    pub performance_mode: &'static str,
    pub encrypted: bool,
    pub throughput_mode: &'static str,
    pub tags: Vec<Tag>,
}

/// How much is in a file system.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Size {
    pub value: u64,
    pub timestamp: Timestamp,
}

/// Output of DescribeFileSystems.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct FileSystemsOutput {
    pub file_systems: Vec<FileSystem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<String>,
}

/// Input of CreateMountTarget.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct CreateMountTargetInput {
    pub file_system_id: Option<String>,
    pub subnet_id: Option<String>,
    pub ip_address: Option<String>,
    pub ipv6_address: Option<String>,
    pub ip_address_type: Option<String>,
    pub security_groups: Vec<String>,
}

/// A mount target.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MountTarget {
    pub owner_id: String,
    pub mount_target_id: String,
    pub file_system_id: String,
    pub subnet_id: String,
    pub life_cycle_state: &'static str,
    pub availability_zone_name: String,
    pub vpc_id: String,
}

/// Output of DescribeMountTargets.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MountTargetsOutput {
    pub mount_targets: Vec<MountTarget>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<String>,
}

/// Input of CreateAccessPoint.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct CreateAccessPointInput {
    pub client_token: Option<String>,
    pub tags: Vec<Tag>,
    pub file_system_id: Option<String>,
    pub posix_user: Option<PosixUser>,
    pub root_directory: Option<RootDirectory>,
}

/// A user and group.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct PosixUser {
    pub uid: u32,
    pub gid: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secondary_gids: Vec<u32>,
}

/// A directory that an access point shows as the root.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct RootDirectory {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_info: Option<CreationInfo>,
}

/// How it is made when it is not there.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct CreationInfo {
    pub owner_uid: u32,
    pub owner_gid: u32,
    pub permissions: String,
}

/// An access point.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccessPoint {
    pub client_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub tags: Vec<Tag>,
    pub access_point_id: String,
    pub access_point_arn: String,
    pub file_system_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub posix_user: Option<PosixUser>,
    pub root_directory: RootDirectory,
    pub owner_id: String,
    pub life_cycle_state: &'static str,
}

/// Output of DescribeAccessPoints.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccessPointsOutput {
    pub access_points: Vec<AccessPoint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}
