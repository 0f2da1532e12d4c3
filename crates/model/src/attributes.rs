//! What can be set of load balancers, listeners and target groups; the defaults are those of AWS.

use serde::{Deserialize, Serialize};

/// The attributes of an application load balancer, but for its idle time-out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LoadBalancerAttributes {
    /// Seconds that a client's connection may be used for at most.
    pub client_keep_alive_secs: u32,
    /// Whether it cannot be deleted.
    pub deletion_protection: bool,
    /// Whether clients over TLS may speak HTTP/2.
    pub http2: bool,
    /// Whether targets are told a client's TLS version and cipher.
    pub tls_headers: bool,
    /// Whether headers with unusual names are removed.
    pub drop_invalid_header_fields: bool,
    /// Whether the `Host` header goes to targets as it came.
    pub preserve_host_header: bool,
    /// What is done with `X-Forwarded-For`.
    pub forwarded_for: ForwardedFor,
    /// Whether `X-Forwarded-For` names the client's port.
    pub forwarded_for_port: bool,
    /// What is done with requests that others may read differently.
    pub desync_mitigation: DesyncMitigation,
    /// Where requests are written down.
    pub access_logs: LogDelivery,
    /// Where connections are written down.
    pub connection_logs: LogDelivery,
}

impl Default for LoadBalancerAttributes {
    fn default() -> LoadBalancerAttributes {
        LoadBalancerAttributes {
            client_keep_alive_secs: 3600,
            deletion_protection: false,
            http2: true,
            tls_headers: false,
            drop_invalid_header_fields: false,
            preserve_host_header: false,
            forwarded_for: ForwardedFor::Append,
            forwarded_for_port: false,
            desync_mitigation: DesyncMitigation::Defensive,
            access_logs: LogDelivery::default(),
            connection_logs: LogDelivery::default(),
        }
    }
}

/// What is done with `X-Forwarded-For`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ForwardedFor {
    /// The client is added to it.
    Append,
    /// It goes on as it came.
    Preserve,
    /// It goes.
    Remove,
}

/// What is done with requests that others may read differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DesyncMitigation {
    /// Only what cannot be passed on safely is refused.
    Monitor,
    /// What is ambiguous is refused, too, or costs the connection.
    Defensive,
    /// Everything is refused that does not follow the RFC to the letter.
    Strictest,
}

/// Where a log goes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogDelivery {
    /// Whether it is written.
    pub enabled: bool,
    /// The bucket.
    pub bucket: String,
    /// What its names begin with.
    pub prefix: String,
}

/// The attributes of a listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ListenerAttributes {
    /// Whether answers have a `Server` header.
    pub server_header: bool,
    /// Headers that all answers have, with their values.
    pub response_headers: Vec<(String, String)>,
}

impl Default for ListenerAttributes {
    fn default() -> ListenerAttributes {
        ListenerAttributes { server_header: true, response_headers: Vec::new() }
    }
}

/// The attributes of a target group, but for its deregistration delay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TargetGroupAttributes {
    /// How the target of a request is chosen.
    pub algorithm: Algorithm,
    /// Whether targets that fail more than others get less; only with weighted random.
    pub anomaly_mitigation: bool,
    /// Seconds in which a target that became healthy comes to its full share; 0 for at once.
    pub slow_start_secs: u32,
    /// Whether a client stays with its target.
    pub sticky: bool,
    /// By which cookie.
    pub stickiness: StickinessType,
    /// Seconds that a client stays with its target, by the load balancer's cookie.
    pub lb_cookie_secs: u32,
    /// Seconds that a client stays with its target, by the application's cookie.
    pub app_cookie_secs: u32,
    /// The application's cookie.
    pub app_cookie_name: String,
    /// Whether targets get requests from other zones; as the load balancer has it when absent.
    pub cross_zone: Option<bool>,
    /// With fewer healthy targets all get requests.
    pub healthy_min_count: u32,
    /// With a smaller share of healthy targets, in percent, all get requests.
    pub healthy_min_percent: Option<u32>,
}

impl Default for TargetGroupAttributes {
    fn default() -> TargetGroupAttributes {
        TargetGroupAttributes {
            algorithm: Algorithm::RoundRobin,
            anomaly_mitigation: false,
            slow_start_secs: 0,
            sticky: false,
            stickiness: StickinessType::LbCookie,
            lb_cookie_secs: 86_400,
            app_cookie_secs: 86_400,
            app_cookie_name: String::new(),
            cross_zone: None,
            healthy_min_count: 1,
            healthy_min_percent: None,
        }
    }
}

/// How the target of a request is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// They take turns.
    RoundRobin,
    /// The one with fewer requests in flight.
    LeastOutstandingRequests,
    /// Any of them, by weight.
    WeightedRandom,
}

/// Which cookie keeps a client with its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StickinessType {
    /// The load balancer's own, from the first answer on.
    LbCookie,
    /// One beside the application's, as long as there is that.
    AppCookie,
}
