//! File systems of EFS: here each is a directory tree, which tasks find below their mount points.

use crate::{Arn, SubnetId, Timestamp, VpcId, tag::Tag};
use serde::{Deserialize, Serialize};

/// A file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSystem {
    /// `fs-` and 17 hexadecimal digits.
    pub id: String,
    /// Its ARN.
    pub arn: Arn,
    /// What makes its creation one that can be repeated.
    pub creation_token: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its tags; the one with the key `Name` is its name.
    pub tags: Vec<Tag>,
}

/// A subnet from which a file system is reached. It has no address: tasks find the tree itself on their machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountTarget {
    /// `fsmt-` and 17 hexadecimal digits.
    pub id: String,
    /// The file system.
    pub file_system: String,
    /// The subnet.
    pub subnet: SubnetId,
    /// The subnet's zone.
    pub zone: String,
    /// The subnet's VPC.
    pub vpc: VpcId,
}

/// A door to a file system: a directory of it, entered as somebody else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessPoint {
    /// `fsap-` and 17 hexadecimal digits.
    pub id: String,
    /// Its ARN.
    pub arn: Arn,
    /// What makes its creation one that can be repeated.
    pub client_token: String,
    /// The file system.
    pub file_system: String,
    /// The ids that all who enter by it have.
    pub posix_user: Option<PosixUser>,
    /// The directory that it shows as the root.
    pub root_directory: String,
    /// How that directory is made when it is not there.
    pub creation: Option<Creation>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// A user and group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PosixUser {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

/// How a directory is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Creation {
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Its mode.
    pub mode: u32,
}
