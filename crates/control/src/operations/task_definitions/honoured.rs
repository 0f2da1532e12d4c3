//! What a definition may say and a node of this version does not do: refused by name, so that nothing is kept and
//! ignored. A member that asks for what is done anyway is fine.

use super::NewDefinition;
use crate::operations::Error;
use wharf_model::task_definition::{ContainerDefinition, NetworkMode};

/// Refuses the first member that asks for something that no node does.
pub(super) fn check(new: &NewDefinition) -> Result<(), Error> {
    for container in &new.containers {
        let of = format!(" of container '{}'", container.name);
        refuse(&of, connected(container, new.network_mode))?;
        refuse(&of, absent(container))?;
    }
    Ok(())
}

/// How it is reached.
fn connected(container: &ContainerDefinition, network_mode: NetworkMode) -> [(bool, &'static str); 2] {
    let is_range = container.port_mappings.iter().any(|port| port.container_port_last.is_some());
    [
        // The host would have to choose as many ports in a row.
        (is_range && network_mode == NetworkMode::Bridge, "containerPortRange"),
        // The containers of a task share its network, also where that is none.
        (
            container.disable_networking == Some(true) && network_mode != NetworkMode::None,
            "disableNetworking",
        ),
    ]
}

/// What no node of this version has.
fn absent(container: &ContainerDefinition) -> [(bool, &'static str); 2] {
    [
        // Neither graphics processors nor Elastic Inference, which AWS has given up.
        (!container.resource_requirements.is_empty(), "resourceRequirements"),
        (!container.credential_specs.is_empty(), "credentialSpecs"),
    ]
}

fn refuse(of: &str, members: impl IntoIterator<Item = (bool, &'static str)>) -> Result<(), Error> {
    match members.into_iter().find(|(asked_for, _)| *asked_for) {
        Some((_, member)) => Err(unsupported(member, of)),
        None => Ok(()),
    }
}

fn unsupported(member: &str, of: &str) -> Error {
    Error::client(format!("not supported by this version of Wharf: '{member}'{of}"))
}
