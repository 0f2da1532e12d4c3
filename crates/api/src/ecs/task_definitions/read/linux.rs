//! What the kernel gives a container.

use super::{container::each, given_word, refuse};
use crate::ecs::given;
use wharf_aws::ecs;
use wharf_control::operations::Error;
use wharf_model::{
    Mebibytes,
    task_definition::{Device, DevicePermission, KernelCapabilities, LinuxParameters, Tmpfs},
};

pub(super) fn parameters(given: ecs::LinuxParameters, of: &str) -> Result<LinuxParameters, Error> {
    let number =
        |value: i32, member: &str| refuse(given::count(value, &format!("'{member}' of linuxParameters{of}")));
    Ok(LinuxParameters {
        capabilities: given.capabilities.map(|given| KernelCapabilities { add: given.add, drop: given.drop }),
        devices: each(given.devices, |given| device(given, of))?,
        init_process_enabled: given.init_process_enabled,
        shared_memory_size: given
            .shared_memory_size
            .map(|size| number(size, "sharedMemorySize").map(Mebibytes))
            .transpose()?,
        tmpfs: each(given.tmpfs, |given| {
            Ok(Tmpfs {
                size: Mebibytes(number(given.size, "size")?),
                container_path: given.container_path,
                mount_options: given.mount_options,
            })
        })?,
        max_swap: given.max_swap.map(|size| number(size, "maxSwap").map(Mebibytes)).transpose()?,
        swappiness: given.swappiness.map(|given| number(given, "swappiness")).transpose()?,
    })
}

fn device(given: ecs::Device, of: &str) -> Result<Device, Error> {
    let permission = |given: String| match given.as_str() {
        "read" => Ok(DevicePermission::Read),
        "write" => Ok(DevicePermission::Write),
        "mknod" => Ok(DevicePermission::Mknod),
        other => Err(Error::client(format!("Invalid device permission '{other}'{of}."))),
    };
    Ok(Device {
        host_path: given.host_path,
        container_path: given_word(given.container_path),
        permissions: each(given.permissions, permission)?,
    })
}
