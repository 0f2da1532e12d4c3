//! Namespaces that the containers of a task share.
//!
//! A namespace must outlive any one of them, and the first process of a PID namespace takes all others with it, so such a
//! task has one more container, the holder, in which nothing but the small init runs.

use crate::{error::Error, record::Record};
use camino::Utf8Path;
use wharf_model::{
    TaskId,
    task_definition::{IpcMode, PidMode},
};
use wharf_nodelink::agent::Assignment;
use wharf_sandbox::spec::{ContainerSpec, First, Limits, Sharing};

/// Who the holder is: nobody, and in no group.
const NOBODY: &str = "65534:65534";

/// Returns the id of a task's holder.
pub(crate) fn holder_id(task: &TaskId) -> String {
    format!("{task}-holder")
}

/// Returns the holder of a task's namespaces, where its containers share some. Its root file system is empty.
pub(crate) fn holder(
    record: &Record,
    task_dir: &Utf8Path,
    cgroup_parent: &str,
) -> Result<Option<ContainerSpec>, Error> {
    let assignment = &record.assignment;
    if !shares(assignment) {
        return Ok(None);
    }
    let dir = task_dir.join(holder_id(&assignment.task));
    let layer = dir.join("layer");
    std::fs::create_dir_all(&layer).map_err(Error::file("create", &layer))?;
    let shm = assignment.containers.iter().filter_map(|(definition, _)| definition.linux_parameters.as_ref());
    let sysctls = assignment.containers.iter().flat_map(|(definition, _)| &definition.system_controls);
    let ipc_sysctls = sysctls.filter(|control| !control.namespace.starts_with("net."));
    Ok(Some(ContainerSpec {
        dir,
        layers: vec![layer],
        first: First::Holder,
        user: NOBODY.to_owned(),
        hostname: assignment.task.to_string(),
        cgroup_parent: cgroup_parent.to_owned(),
        limits: Limits { cpu_shares: 2, ..Limits::default() },
        capabilities_dropped: vec!["ALL".to_owned()],
        readonly_root: true,
        // The containers' shared memory is the holder's, and so is what they say of it.
        shm_size_mib: shm
            .filter_map(|linux| linux.shared_memory_size)
            .map(|size| u64::from(size.0))
            .max()
            .unwrap_or(0),
        sysctls: match shares_ipc(assignment) {
            true => ipc_sysctls.map(|given| (given.namespace.clone(), given.value.clone())).collect(),
            false => Vec::new(),
        },
        ..ContainerSpec::default()
    }))
}

/// Puts a container into the namespaces that its task's containers share.
pub(super) fn share(spec: &mut ContainerSpec, record: &Record) {
    let assignment = &record.assignment;
    let holder = || Sharing::With(holder_id(&assignment.task));
    spec.pid = match assignment.pid_mode {
        Some(PidMode::Task) => holder(),
        Some(PidMode::Host) => Sharing::Host,
        None => Sharing::Own,
    };
    spec.ipc = match assignment.ipc_mode {
        Some(IpcMode::Task) => holder(),
        Some(IpcMode::Host) => Sharing::Host,
        Some(IpcMode::None) | None => Sharing::Own,
    };
}

/// Says whether a task's containers share a namespace that has to be held.
pub(crate) fn shares(assignment: &Assignment) -> bool {
    assignment.pid_mode == Some(PidMode::Task) || shares_ipc(assignment)
}

fn shares_ipc(assignment: &Assignment) -> bool {
    assignment.ipc_mode == Some(IpcMode::Task)
}
