//! The ports that a container listens on.

use super::{given_word, refuse};
use crate::ecs::given;
use wharf_aws::ecs;
use wharf_control::operations::Error;
use wharf_model::task_definition::{ApplicationProtocol, PortMapping, Transport};

pub(super) fn mapping(given: ecs::PortMapping, of: &str) -> Result<PortMapping, Error> {
    let host_port = match given.host_port {
        None | Some(0) => None,
        given => Some(refuse(given::port(given, &format!("'hostPort'{of}")))?),
    };
    let (container_port, container_port_last) = match (given.container_port, given.container_port_range) {
        (Some(_), Some(_)) => {
            return Err(Error::client(format!(
                "Specify either 'containerPort' or 'containerPortRange'{of}, but not both."
            )));
        }
        (None, Some(given)) => {
            let (first, last) = range(&given)
                .ok_or_else(|| Error::client(format!("Invalid containerPortRange '{given}'{of}.")))?;
            (first, Some(last))
        }
        (given, None) => (refuse(given::port(given, &format!("'containerPort'{of}")))?, None),
    };
    Ok(PortMapping {
        container_port,
        container_port_last,
        host_port,
        protocol: match given.protocol.as_deref() {
            None | Some("" | "tcp") => Transport::Tcp,
            Some("udp") => Transport::Udp,
            Some(other) => return Err(Error::client(format!("Invalid protocol '{other}'{of}."))),
        },
        name: given.name,
        app_protocol: given_word(given.app_protocol)
            .map(|word| application_protocol(&word, of))
            .transpose()?,
    })
}

/// Reads `first-last`.
fn range(given: &str) -> Option<(u16, u16)> {
    let (first, last) = given.split_once('-')?;
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (1 <= first && first <= last).then_some((first, last))
}

fn application_protocol(given: &str, of: &str) -> Result<ApplicationProtocol, Error> {
    match given {
        "http" => Ok(ApplicationProtocol::Http),
        "http2" => Ok(ApplicationProtocol::Http2),
        "grpc" => Ok(ApplicationProtocol::Grpc),
        other => Err(Error::client(format!("Invalid appProtocol '{other}'{of}."))),
    }
}
