//! File systems of EFS: here each is a directory tree, which tasks find below their mount points.

use crate::{Arn, SubnetId, Timestamp, tag::Tag};
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// A file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSystem {
    /// `fs-` and 17 hexadecimal digits.
    pub id: String,
    /// Its ARN.
    pub arn: Arn,
    /// What makes its creation one that can be repeated.
    pub creation_token: String,
    /// Whether it was asked to be encrypted at rest, as shown.
    pub encrypted: bool,
    /// `generalPurpose` or `maxIO`, as given: a directory has no such modes.
    pub performance_mode: String,
    /// `bursting` or `elastic`, as given.
    pub throughput_mode: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its tags; the one with the key `Name` is its name.
    pub tags: Vec<Tag>,
}

/// An address in a subnet by which tasks would reach a file system.
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
    /// The VPC, as text.
    pub vpc: String,
    /// Its address: one that was asked for, or none, because no traffic ever goes there.
    pub address: Option<Ipv4Addr>,
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
    /// Further groups.
    pub secondary_gids: Vec<u32>,
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
