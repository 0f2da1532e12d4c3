//! A namespace with its veth pair, made ahead of need.

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::str::FromStr;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use super::NetworkError;

/// Name of a slot, of its veth's host end and of its file: the configured prefix and 8 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SlotName(String);

impl SlotName {
    /// Draws a name at random.
    pub(super) fn draw(prefix: &str) -> Result<SlotName, NetworkError> {
        let mut bytes = [0_u8; 4];
        let mut random =
            std::fs::File::open("/dev/urandom").map_err(NetworkError::system("open", "/dev/urandom"))?;
        std::io::Read::read_exact(&mut random, &mut bytes)
            .map_err(NetworkError::system("read", "/dev/urandom"))?;
        Ok(SlotName(format!("{prefix}{}", hex::encode(bytes))))
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A name that no slot can have.
#[derive(Debug, thiserror::Error)]
#[error("{0} is not a slot's name")]
pub struct InvalidSlotName(String);

impl FromStr for SlotName {
    type Err = InvalidSlotName;

    fn from_str(given: &str) -> Result<SlotName, InvalidSlotName> {
        let fits = (9..=13).contains(&given.len()) && given.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if fits { Ok(SlotName(given.to_owned())) } else { Err(InvalidSlotName(given.to_owned())) }
    }
}

impl TryFrom<String> for SlotName {
    type Error = InvalidSlotName;

    fn try_from(given: String) -> Result<SlotName, InvalidSlotName> {
        given.parse()
    }
}

impl From<SlotName> for String {
    fn from(name: SlotName) -> String {
        name.0
    }
}

impl fmt::Display for SlotName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A network namespace with `eth0` up and without an address, or a task's with one.
///
/// The kernel keeps it by the bind mount at [`Slot::path`], so it outlives this process; dropping the value
/// gives nothing back, [`super::Network::release`] does.
#[derive(Debug)]
pub struct Slot {
    pub(super) name: SlotName,
    pub(super) path: Utf8PathBuf,
    pub(super) namespace: OwnedFd,
    pub(super) handle: rtnetlink::Handle,
    /// Index of the veth's host end.
    pub(super) index: u32,
}

impl Slot {
    /// Returns the slot's name.
    pub fn name(&self) -> &SlotName {
        &self.name
    }

    /// Returns the name of the veth's host end, which the firewall knows the task by.
    pub fn veth(&self) -> &str {
        self.name.as_str()
    }

    /// Returns the file that keeps the namespace.
    pub fn path(&self) -> &Utf8PathBuf {
        &self.path
    }

    /// Returns the namespace's descriptor, as keeper wants it.
    pub fn namespace(&self) -> BorrowedFd<'_> {
        self.namespace.as_fd()
    }
}
