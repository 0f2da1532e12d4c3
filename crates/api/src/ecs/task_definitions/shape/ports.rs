//! The ports that a container listens on.

use wharf_aws::ecs;
use wharf_model::task_definition::{ApplicationProtocol, NetworkMode, PortMapping, Transport};

pub(super) fn mapping(port: &PortMapping, network_mode: NetworkMode) -> ecs::PortMapping {
    let protocol = match port.protocol {
        Transport::Tcp => "tcp",
        Transport::Udp => "udp",
    };
    let (single, range) = match port.container_port_last {
        None => (Some(port.container_port), None),
        Some(last) => (None, Some(format!("{}-{last}", port.container_port))),
    };
    let host_port = match network_mode {
        // The host's ports are the container's own.
        NetworkMode::Awsvpc | NetworkMode::Host => port.host_port.or(single),
        // 0 is a port that the host chooses.
        NetworkMode::Bridge | NetworkMode::None => port.host_port.or(single.map(|_| 0)),
    };
    ecs::PortMapping {
        container_port: single.map(i32::from),
        host_port: host_port.map(i32::from),
        protocol: Some(protocol.to_owned()),
        name: port.name.clone(),
        app_protocol: port.app_protocol.map(|given| match given {
            ApplicationProtocol::Http => "http".to_owned(),
            ApplicationProtocol::Http2 => "http2".to_owned(),
            ApplicationProtocol::Grpc => "grpc".to_owned(),
        }),
        container_port_range: range,
    }
}
