//! What the kernel gives a container.

use super::container::{mebibytes, number};
use wharf_aws::ecs;
use wharf_model::task_definition::{Device, DevicePermission, LinuxParameters, Tmpfs};

pub(super) fn parameters(given: &LinuxParameters) -> ecs::LinuxParameters {
    ecs::LinuxParameters {
        capabilities: given
            .capabilities
            .as_ref()
            .map(|given| ecs::KernelCapabilities { add: given.add.clone(), drop: given.drop.clone() }),
        devices: given.devices.iter().map(device).collect(),
        init_process_enabled: given.init_process_enabled,
        shared_memory_size: given.shared_memory_size.map(mebibytes),
        tmpfs: given.tmpfs.iter().map(tmpfs).collect(),
        max_swap: given.max_swap.map(mebibytes),
        swappiness: given.swappiness.map(number),
    }
}

fn device(given: &Device) -> ecs::Device {
    let permission = |given: &DevicePermission| match given {
        DevicePermission::Read => "read".to_owned(),
        DevicePermission::Write => "write".to_owned(),
        DevicePermission::Mknod => "mknod".to_owned(),
    };
    ecs::Device {
        host_path: given.host_path.clone(),
        container_path: given.container_path.clone(),
        permissions: given.permissions.iter().map(permission).collect(),
    }
}

fn tmpfs(given: &Tmpfs) -> ecs::Tmpfs {
    ecs::Tmpfs {
        container_path: given.container_path.clone(),
        size: mebibytes(given.size),
        mount_options: given.mount_options.clone(),
    }
}
