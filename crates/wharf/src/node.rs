//! The node's processes: agent, balancer and keeper.

use crate::{instance::Instance, options::Options};
use anyhow::Context;
use std::future::Future;
use tokio::signal::unix::{SignalKind, signal};
use wharf_agent::{AgentConfig, ImageLimits};
use wharf_balancer::BalancerConfig;

/// Runs the agent.
pub(crate) fn agent(options: &Options) -> anyhow::Result<()> {
    let config = agent_config(options);
    run(async {
        let stop = stop_signal()?;
        tokio::select! {
            ended = Box::pin(wharf_agent::run(config)) => ended.context("run the agent"),
            () = stop => Ok(()),
        }
    })
}

/// Runs the balancer.
pub(crate) fn balancer(options: &Options) -> anyhow::Result<()> {
    let config = BalancerConfig {
        control_socket: options.balancer_socket(),
        state_dir: options.state_dir.join("balancer"),
        buckets: options.state_dir.join("buckets"),
        log_every: wharf_balancer::LOG_EVERY,
    };
    run(async {
        let stop = stop_signal()?;
        wharf_balancer::run_until(config, stop).await.context("run the balancer")
    })
}

/// Removes what the node made in the kernel.
pub(crate) fn purge(options: &Options) -> anyhow::Result<()> {
    let config = agent_config(options);
    run(async { wharf_agent::purge(config).await.context("remove what the node made") })
}

/// Refuses blocks of addresses that this host has routes to: another Wharf's, or its own network's.
pub(crate) fn check_addresses(options: &Options) -> anyhow::Result<()> {
    let config = agent_config(options);
    let blocks = [("--vpc-cidr", options.vpc_cidr), ("--public-cidr", options.public_cidr)];
    let taken = run(async {
        let mut taken = Vec::new();
        for (option, block) in blocks {
            let found = wharf_agent::foreign_route(&config, block).await;
            taken.push((option, block, found.context("list this host's routes")?));
        }
        Ok(taken)
    })?;
    for (option, block, route) in taken {
        if let Some(route) = route {
            anyhow::bail!(
                "{option} {block} overlaps this host's route {route}; choose other addresses with {option}"
            );
        }
    }
    Ok(())
}

fn agent_config(options: &Options) -> AgentConfig {
    let Instance { veth_prefix, balancer_device, firewall_table, cgroup_root } = Instance::of(options);
    AgentConfig {
        control_socket: options.node_socket(),
        keeper_socket: options.keeper_socket(),
        slots: options.ready_slots,
        veth_prefix,
        balancer_device,
        firewall_table,
        cgroup_root,
        image_limits: ImageLimits {
            bytes_max: options.image_cache_max,
            disk_free_percent: options.image_disk_free,
            ..ImageLimits::default()
        },
        ..AgentConfig::new(options.state_dir.clone(), options.run_dir.clone())
    }
}

/// Runs one of the processes to its end, without waiting for threads that wait for another process.
pub(crate) fn run<T>(process: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("start the asynchronous runtime")?;
    let ended = runtime.block_on(process);
    runtime.shutdown_background();
    ended
}

/// Returns a future that is done when the process is asked to end.
pub(crate) fn stop_signal() -> anyhow::Result<impl Future<Output = ()> + Send> {
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for SIGINT")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
