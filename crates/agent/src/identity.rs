//! Who this node is and what it offers.

use crate::{
    disk::{self, Durability},
    error::Error,
};
use camino::Utf8Path;
use std::{fs, io::Read};
use wharf_model::{CpuUnits, Mebibytes, NodeId};

/// The node as it introduces itself.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) node: NodeId,
    pub(crate) boot_id: String,
    pub(crate) cpu: CpuUnits,
    pub(crate) memory: Mebibytes,
}

impl Identity {
    /// Reads the node's id, made and stored at the first start, and looks at the machine.
    pub(crate) fn establish(state_dir: &Utf8Path) -> Result<Identity, Error> {
        let boot_file = Utf8Path::new("/proc/sys/kernel/random/boot_id");
        let boot_id = fs::read_to_string(boot_file).map_err(Error::file("read", boot_file))?;
        let processors =
            std::thread::available_parallelism().map_err(Error::file("count processors of", "/proc"))?;
        let cpu = u32::try_from(processors.get()).unwrap_or(u32::MAX).saturating_mul(1024);
        Ok(Identity {
            node: node_id(state_dir)?,
            boot_id: boot_id.trim().to_owned(),
            cpu: CpuUnits(cpu),
            memory: memory()?,
        })
    }
}

fn node_id(state_dir: &Utf8Path) -> Result<NodeId, Error> {
    let path = state_dir.join("node-id");
    if let Some(text) = disk::load::<String>(&path)? {
        return text.parse().map_err(|source| Error::NodeId { path, source });
    }
    let mut bytes = [0_u8; 16];
    let random = Utf8Path::new("/dev/urandom");
    let read = fs::File::open(random).and_then(|mut file| file.read_exact(&mut bytes));
    read.map_err(Error::file("read", random))?;
    let text = hex::encode(bytes);
    disk::store(&path, &text, Durability::Disk)?;
    text.parse().map_err(|source| Error::NodeId { path, source })
}

fn memory() -> Result<Mebibytes, Error> {
    let path = Utf8Path::new("/proc/meminfo");
    let text = fs::read_to_string(path).map_err(Error::file("read", path))?;
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kibibytes =
        total.and_then(|rest| rest.trim().strip_suffix(" kB")).and_then(|number| number.parse::<u64>().ok());
    Ok(Mebibytes(u32::try_from(kibibytes.unwrap_or(0) / 1024).unwrap_or(u32::MAX)))
}
