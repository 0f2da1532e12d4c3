//! Attributes: what they are at first, and which of them can be changed.

use wharf_aws::elbv2::Attribute;

use super::given::invalid;
use crate::Fault;

/// Attributes with the values they have unless something else is stored.
pub(super) type Defaults = &'static [(&'static str, &'static str)];

/// Those of application load balancers.
pub(super) const LOAD_BALANCER: Defaults = &[
    ("access_logs.s3.enabled", "false"),
    ("access_logs.s3.bucket", ""),
    ("access_logs.s3.prefix", ""),
    (IDLE_TIMEOUT, "60"),
    ("deletion_protection.enabled", "false"),
    ("routing.http2.enabled", "true"),
    ("routing.http.drop_invalid_header_fields.enabled", "false"),
    ("routing.http.xff_client_port.enabled", "false"),
    ("routing.http.preserve_host_header.enabled", "false"),
    ("routing.http.xff_header_processing.mode", "append"),
    ("load_balancing.cross_zone.enabled", "true"),
    ("routing.http.desync_mitigation_mode", "defensive"),
    ("client_keep_alive.seconds", "3600"),
    ("waf.fail_open.enabled", "false"),
    ("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", "false"),
    ("zonal_shift.config.enabled", "false"),
    ("connection_logs.s3.enabled", "false"),
    ("connection_logs.s3.bucket", ""),
    ("connection_logs.s3.prefix", ""),
];

/// Those of target groups with HTTP.
pub(super) const TARGET_GROUP: Defaults = &[
    (DEREGISTRATION_DELAY, "300"),
    ("stickiness.enabled", "false"),
    ("stickiness.type", "lb_cookie"),
    ("stickiness.lb_cookie.duration_seconds", "86400"),
    ("stickiness.app_cookie.cookie_name", ""),
    ("stickiness.app_cookie.duration_seconds", "86400"),
    ("slow_start.duration_seconds", "0"),
    ("load_balancing.algorithm.type", "round_robin"),
    ("load_balancing.algorithm.anomaly_mitigation", "off"),
    ("load_balancing.cross_zone.enabled", "use_load_balancer_configuration"),
    ("target_group_health.dns_failover.minimum_healthy_targets.count", "1"),
    ("target_group_health.dns_failover.minimum_healthy_targets.percentage", "off"),
    ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "1"),
    ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", "off"),
];

/// Those of listeners with HTTP.
pub(super) const LISTENER: Defaults = &[
    ("routing.http.response.server.enabled", "true"),
    ("routing.http.response.strict_transport_security.header_value", ""),
    ("routing.http.response.access_control_allow_origin.header_value", ""),
    ("routing.http.response.access_control_allow_methods.header_value", ""),
    ("routing.http.response.access_control_allow_headers.header_value", ""),
    ("routing.http.response.access_control_allow_credentials.header_value", ""),
    ("routing.http.response.access_control_expose_headers.header_value", ""),
    ("routing.http.response.access_control_max_age.header_value", ""),
    ("routing.http.response.content_security_policy.header_value", ""),
    ("routing.http.response.x_content_type_options.header_value", ""),
    ("routing.http.response.x_frame_options.header_value", ""),
];

/// How long a connection may be silent.
pub(super) const IDLE_TIMEOUT: &str = "idle_timeout.timeout_seconds";

/// How long the requests of a deregistered target may take.
pub(super) const DEREGISTRATION_DELAY: &str = "deregistration_delay.timeout_seconds";

/// Returns the attributes, with the stored value of the one that is stored.
pub(super) fn list(defaults: Defaults, stored: Option<(&str, u32)>) -> Vec<Attribute> {
    defaults
        .iter()
        .map(|(key, default)| {
            let value = stored.filter(|(name, _)| name == key).map(|(_, value)| value.to_string());
            Attribute { key: (*key).to_owned(), value: value.unwrap_or_else(|| (*default).to_owned()) }
        })
        .collect()
}

/// Returns the new value of the one attribute that is `stored`, if it is given. The others may only be what they are.
pub(super) fn change(
    defaults: Defaults,
    stored: Option<&str>,
    given: &[Attribute],
) -> Result<Option<u32>, Fault> {
    let mut changed = None;
    for Attribute { key, value } in given {
        let Some((_, default)) = defaults.iter().find(|(known, _)| known == key) else {
            return Err(invalid(format!("The attribute '{key}' is not recognized")));
        };
        if stored == Some(key.as_str()) {
            let number = value.parse::<u32>();
            let number =
                number.map_err(|_| invalid(format!("The value '{value}' of '{key}' is not a number")))?;
            changed = Some(number);
        } else if value != default {
            return Err(invalid(format!(
                "The attribute '{key}' cannot be '{value}' here; only its default '{default}' is supported"
            )));
        }
    }
    Ok(changed)
}
