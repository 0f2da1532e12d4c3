//! The ports that a container listens on.

use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// A port, or a range of ports, that a container listens on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortMapping {
    /// The port inside the task; the first of a range.
    pub container_port: u16,
    /// The last port of a range (`containerPortRange`); absent for a single port.
    #[serde(default)]
    pub container_port_last: Option<u16>,
    /// The port of the host; with `awsvpc` the same as in the task. Absent when none, or 0, was given.
    pub host_port: Option<u16>,
    /// The transport.
    pub protocol: Transport,
    /// A name for service discovery.
    pub name: Option<String>,
    /// What is spoken on it, for Service Connect.
    #[serde(default)]
    pub app_protocol: Option<ApplicationProtocol>,
}

impl PortMapping {
    /// Returns a single TCP port that the host chooses its own for.
    pub fn tcp(container_port: u16) -> PortMapping {
        PortMapping {
            container_port,
            container_port_last: None,
            host_port: None,
            protocol: Transport::Tcp,
            name: None,
            app_protocol: None,
        }
    }

    /// Returns every port it stands for.
    pub fn container_ports(&self) -> RangeInclusive<u16> {
        self.container_port..=self.container_port_last.unwrap_or(self.container_port)
    }
}

/// A transport protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// What is spoken on a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ApplicationProtocol {
    /// HTTP/1.
    Http,
    /// HTTP/2.
    Http2,
    /// gRPC.
    Grpc,
}
