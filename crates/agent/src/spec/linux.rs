//! What the kernel gives a container beyond, or short of, the defaults.

use wharf_model::{
    Mebibytes,
    task_definition::{ContainerDefinition, DevicePermission, LinuxParameters},
};
use wharf_sandbox::cgroup::Hierarchy;
use wharf_sandbox::spec::{ContainerSpec, Device, First, Limits, Tmpfs};

/// With this among its security options, a container's programs can gain privileges, as everywhere outside of Wharf.
const GAINS_PRIVILEGES: [&str; 2] = ["no-new-privileges:false", "no-new-privileges=false"];

/// Returns the limits of a container's own cgroup.
pub(super) fn limits(definition: &ContainerDefinition) -> Limits {
    let bytes = |size: Option<Mebibytes>| size.map_or(0, Mebibytes::bytes);
    let linux = definition.linux_parameters.as_ref();
    let max_swap = linux.and_then(|linux| linux.max_swap);
    Limits {
        // The kernel's least, which is what ECS gives a container without shares of its own.
        cpu_shares: u64::from(definition.cpu.0.max(2)),
        memory_bytes: bytes(definition.memory),
        memory_reservation_bytes: bytes(definition.memory_reservation),
        pids: 0,
        swap_bytes: bytes(max_swap),
        // As on ECS, without swap to be used it means nothing.
        swappiness: linux.and_then(|linux| linux.swappiness).filter(|_| max_swap.is_some()).map(u64::from),
    }
}

/// Returns what of a task this machine cannot give, before anything is fetched or made for it.
///
/// With cgroup v2 the kernel knows swappiness for the whole machine only. Docker drops the wish there with a warning that
/// nobody sees.
pub(crate) fn refusal(definitions: &[&ContainerDefinition], hierarchy: &Hierarchy) -> Option<String> {
    let Hierarchy::V2 { .. } = hierarchy else { return None };
    let asking = definitions.iter().find(|definition| limits(definition).swappiness.is_some())?;
    Some(format!(
        "CannotCreateContainerError: 'swappiness' of container '{}' cannot be honoured: with cgroup v2, which this \
         machine has, the kernel keeps no swappiness for a container. Leave linuxParameters.swappiness out",
        asking.name
    ))
}

/// Gives a container what its definition asks for.
pub(super) fn allow(spec: &mut ContainerSpec, definition: &ContainerDefinition) {
    let asked = |given: Option<bool>| given == Some(true);
    let none = LinuxParameters::default();
    let linux = definition.linux_parameters.as_ref().unwrap_or(&none);
    if let Some(capabilities) = &linux.capabilities {
        spec.capabilities_added.clone_from(&capabilities.add);
        spec.capabilities_dropped.clone_from(&capabilities.drop);
    }
    if asked(linux.init_process_enabled) {
        spec.first = First::Init;
    }
    spec.devices = linux.devices.iter().map(device).collect();
    spec.shm_size_mib = linux.shared_memory_size.map_or(0, |size| u64::from(size.0));
    spec.tmpfs = linux
        .tmpfs
        .iter()
        .map(|tmpfs| Tmpfs {
            destination: tmpfs.container_path.clone(),
            size_mib: u64::from(tmpfs.size.0),
            options: tmpfs.mount_options.clone(),
        })
        .collect();
    let controls = definition.system_controls.iter();
    spec.sysctls = controls.map(|control| (control.namespace.clone(), control.value.clone())).collect();
    spec.privileged = asked(definition.privileged);
    let options = &definition.docker_security_options;
    spec.gains_privileges = options.iter().any(|option| GAINS_PRIVILEGES.contains(&option.as_str()));
    spec.interactive = asked(definition.interactive);
    spec.terminal = asked(definition.pseudo_terminal);
}

fn device(device: &wharf_model::task_definition::Device) -> Device {
    let letter = |permission: &DevicePermission| match permission {
        DevicePermission::Read => 'r',
        DevicePermission::Write => 'w',
        DevicePermission::Mknod => 'm',
    };
    let access: String = device.permissions.iter().map(letter).collect();
    Device {
        source: device.host_path.clone().into(),
        destination: device.container_path.clone().unwrap_or_else(|| device.host_path.clone()),
        access: if access.is_empty() { "rwm".to_owned() } else { access },
    }
}
