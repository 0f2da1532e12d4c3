//! What of this Wharf is in the kernel and belongs to no task.

use crate::{AgentConfig, disk, error::Error, fabric::Fabric, keeper::Keeper, node::Node, record::Record};
use std::{collections::HashSet, time::Duration};
use wharf_sandbox::cgroup::{Cgroup, Hierarchy};

/// How long killed processes may take to go.
const PATIENCE: Duration = Duration::from_secs(10);

/// Removes the cgroups of no task, with the processes in them.
pub(crate) fn cgroups(node: &Node, records: &[Record]) -> Result<(), Error> {
    let owned: HashSet<&str> = records.iter().map(|record| record.assignment.task.as_str()).collect();
    for name in children(&node.hierarchy, &node.config.cgroup_root) {
        if !owned.contains(name.as_str()) {
            tracing::info!(cgroup = name, "cgroup of no task removed");
            let cgroup = Cgroup::new(&node.hierarchy, &format!("{}/{name}", node.config.cgroup_root));
            cgroup.kill_all(PATIENCE)?;
            cgroup.remove()?;
        }
    }
    Ok(())
}

fn children(hierarchy: &Hierarchy, root: &str) -> Vec<String> {
    let mount = match hierarchy {
        Hierarchy::V1 { mounts } => mounts.get("pids"),
        Hierarchy::V2 { mount } => Some(mount),
    };
    let Some(dir) = mount.map(|mount| mount.join(root.trim_start_matches('/'))) else { return Vec::new() };
    let Ok(entries) = dir.read_dir_utf8() else { return Vec::new() }; // No task ever ran.
    let dirs = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    dirs.map(|entry| entry.file_name().to_owned()).collect()
}

/// Removes everything that this Wharf's agent made on the machine: tasks with their processes, cgroups, networks, the
/// firewall's table, routes, the load balancers' device, kernel settings, and the tasks' files. Images stay. The agent
/// must not run; keeper may, and then forgets its containers. Safe to repeat.
pub async fn purge(config: AgentConfig) -> Result<(), Error> {
    let hierarchy = Hierarchy::detect()?;
    let root = Cgroup::new(&hierarchy, &config.cgroup_root);
    if root.exists() {
        let killed = root.clone();
        let work = tokio::task::spawn_blocking(move || killed.kill_all(PATIENCE));
        work.await.map_err(std::io::Error::other).map_err(Error::file("end processes of", root.path()))??;
    }
    let keeper = Keeper::new(config.keeper_socket.clone());
    match keeper.list().await {
        Ok(containers) => {
            for container in containers {
                keeper.delete_and_forget(&container.id).await?;
            }
        }
        Err(wharf_keeper::ClientError::Connect { .. }) => {} // Its mounts went with it.
        Err(error) => return Err(error.into()),
    }
    if root.exists() {
        root.remove()?;
    }
    let settings_file = Node::settings_file(&config);
    if let Some(settings) = disk::load(&settings_file)? {
        Fabric::open(&config, settings).await?.tear_down().await?;
        std::fs::remove_file(&settings_file).map_err(Error::file("remove", &settings_file))?;
    }
    crate::volumes::purge(&config)?;
    disk::remove_dir(&config.tasks_dir())?;
    disk::remove_dir(&config.run_dir.join("netns"))
}
