//! Those of target groups with HTTP.

use super::{
    Attributes, flag, invalid,
    load_balancer::{name, named},
    number, only,
};
use wharf_model::{
    attributes::{Algorithm, StickinessType},
    target_group::TargetGroup,
};

/// The attributes of target groups.
#[derive(Debug, Clone, Copy)]
pub struct TargetGroups;

const ALGORITHMS: [(Algorithm, &str); 3] = [
    (Algorithm::RoundRobin, "round_robin"),
    (Algorithm::LeastOutstandingRequests, "least_outstanding_requests"),
    (Algorithm::WeightedRandom, "weighted_random"),
];

const STICKINESS: [(StickinessType, &str); 2] =
    [(StickinessType::LbCookie, "lb_cookie"), (StickinessType::AppCookie, "app_cookie")];

const CROSS_ZONE_DEFAULT: &str = "use_load_balancer_configuration";
const HEALTHY_MIN_COUNT: &str = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count";
const HEALTHY_MIN_PERCENT: &str =
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage";
const DNS_COUNT: &str = "target_group_health.dns_failover.minimum_healthy_targets.count";
const DNS_PERCENT: &str = "target_group_health.dns_failover.minimum_healthy_targets.percentage";

impl Attributes for TargetGroups {
    type Of = TargetGroup;
    const WHAT: &'static str = "Target group";
    const KEYS: &'static [&'static str] = &[
        "deregistration_delay.timeout_seconds",
        "stickiness.enabled",
        "stickiness.type",
        "stickiness.lb_cookie.duration_seconds",
        "stickiness.app_cookie.cookie_name",
        "stickiness.app_cookie.duration_seconds",
        "slow_start.duration_seconds",
        "load_balancing.algorithm.type",
        "load_balancing.algorithm.anomaly_mitigation",
        "load_balancing.cross_zone.enabled",
        DNS_COUNT,
        DNS_PERCENT,
        HEALTHY_MIN_COUNT,
        HEALTHY_MIN_PERCENT,
    ];

    fn get(of: &TargetGroup, key: &str) -> String {
        let set = &of.attributes;
        match key {
            "deregistration_delay.timeout_seconds" => of.deregistration_delay_secs.to_string(),
            "stickiness.enabled" => set.sticky.to_string(),
            "stickiness.type" => name(&STICKINESS, set.stickiness).to_owned(),
            "stickiness.lb_cookie.duration_seconds" => set.lb_cookie_secs.to_string(),
            "stickiness.app_cookie.cookie_name" => set.app_cookie_name.clone(),
            "stickiness.app_cookie.duration_seconds" => set.app_cookie_secs.to_string(),
            "slow_start.duration_seconds" => set.slow_start_secs.to_string(),
            "load_balancing.algorithm.type" => name(&ALGORITHMS, set.algorithm).to_owned(),
            "load_balancing.algorithm.anomaly_mitigation" => {
                if set.anomaly_mitigation { "on" } else { "off" }.to_owned()
            }
            "load_balancing.cross_zone.enabled" => {
                set.cross_zone.map_or_else(|| CROSS_ZONE_DEFAULT.to_owned(), |enabled| enabled.to_string())
            }
            HEALTHY_MIN_COUNT => set.healthy_min_count.to_string(),
            HEALTHY_MIN_PERCENT => {
                set.healthy_min_percent.map_or_else(|| "off".to_owned(), |percent| percent.to_string())
            }
            other => fixed(other).to_owned(),
        }
    }

    fn set(of: &mut TargetGroup, key: &str, value: &str) -> Result<(), String> {
        const WEEK: u32 = 604_800;
        let set = &mut of.attributes;
        match key {
            "deregistration_delay.timeout_seconds" => {
                of.deregistration_delay_secs = number(key, value, 0..=3600)?;
            }
            "stickiness.enabled" => set.sticky = flag(key, value)?,
            "stickiness.type" => set.stickiness = named(&STICKINESS, key, value)?,
            "stickiness.lb_cookie.duration_seconds" => set.lb_cookie_secs = number(key, value, 1..=WEEK)?,
            "stickiness.app_cookie.cookie_name" => set.app_cookie_name = cookie(key, value)?,
            "stickiness.app_cookie.duration_seconds" => set.app_cookie_secs = number(key, value, 1..=WEEK)?,
            "slow_start.duration_seconds" => {
                let secs = number(key, value, 0..=900)?;
                if (1..30).contains(&secs) {
                    return Err(invalid(key, value, "0 or a number between 30 and 900"));
                }
                set.slow_start_secs = secs;
            }
            "load_balancing.algorithm.type" => set.algorithm = named(&ALGORITHMS, key, value)?,
            "load_balancing.algorithm.anomaly_mitigation" => {
                set.anomaly_mitigation = match value {
                    "on" => true,
                    "off" => false,
                    other => return Err(invalid(key, other, "on or off")),
                };
            }
            "load_balancing.cross_zone.enabled" => {
                set.cross_zone = match value {
                    CROSS_ZONE_DEFAULT => None,
                    "true" => Some(true),
                    other => return Err(invalid(key, other, &format!("true or {CROSS_ZONE_DEFAULT} here"))),
                };
            }
            HEALTHY_MIN_COUNT => set.healthy_min_count = number(key, value, 1..=1000)?,
            HEALTHY_MIN_PERCENT if value == "off" => set.healthy_min_percent = None,
            HEALTHY_MIN_PERCENT => set.healthy_min_percent = Some(number(key, value, 1..=100)?),
            other => only(other, value, fixed(other))?,
        }
        Ok(())
    }

    fn check(of: &TargetGroup) -> Result<(), String> {
        let set = &of.attributes;
        if set.anomaly_mitigation && set.algorithm != Algorithm::WeightedRandom {
            return Err("'load_balancing.algorithm.anomaly_mitigation' can only be on when \
                        'load_balancing.algorithm.type' is weighted_random"
                .to_owned());
        }
        if set.sticky && set.stickiness == StickinessType::AppCookie && set.app_cookie_name.is_empty() {
            return Err(
                "'stickiness.app_cookie.cookie_name' must be specified for stickiness of type app_cookie"
                    .to_owned(),
            );
        }
        Ok(())
    }
}

/// Returns the value of an attribute that cannot be changed.
fn fixed(key: &str) -> &'static str {
    match key {
        DNS_COUNT => "1",
        _ => "off",
    }
}

/// Takes the name of an application's cookie.
fn cookie(key: &str, value: &str) -> Result<String, String> {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if value.len() <= 256 && value.bytes().all(fine) && !value.starts_with("AWSALB") {
        Ok(value.to_owned())
    } else {
        Err(invalid(key, value, "the name of a cookie that does not begin with AWSALB"))
    }
}
