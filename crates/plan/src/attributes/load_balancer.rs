//! Those of application load balancers.

use super::{Attributes, flag, invalid, number, only};
use wharf_model::{
    attributes::{DesyncMitigation, ForwardedFor, LogDelivery},
    load_balancer::LoadBalancer,
};

/// The attributes of application load balancers.
#[derive(Debug, Clone, Copy)]
pub struct LoadBalancers;

const FORWARDED_FOR: [(ForwardedFor, &str); 3] = [
    (ForwardedFor::Append, "append"),
    (ForwardedFor::Preserve, "preserve"),
    (ForwardedFor::Remove, "remove"),
];

const DESYNC: [(DesyncMitigation, &str); 3] = [
    (DesyncMitigation::Monitor, "monitor"),
    (DesyncMitigation::Defensive, "defensive"),
    (DesyncMitigation::Strictest, "strictest"),
];

impl Attributes for LoadBalancers {
    type Of = LoadBalancer;
    const WHAT: &'static str = "Load balancer";
    const KEYS: &'static [&'static str] = &[
        "access_logs.s3.enabled",
        "access_logs.s3.bucket",
        "access_logs.s3.prefix",
        "idle_timeout.timeout_seconds",
        "deletion_protection.enabled",
        "routing.http2.enabled",
        "routing.http.drop_invalid_header_fields.enabled",
        "routing.http.xff_client_port.enabled",
        "routing.http.preserve_host_header.enabled",
        "routing.http.xff_header_processing.mode",
        "load_balancing.cross_zone.enabled",
        "routing.http.desync_mitigation_mode",
        "client_keep_alive.seconds",
        "waf.fail_open.enabled",
        "routing.http.x_amzn_tls_version_and_cipher_suite.enabled",
        "zonal_shift.config.enabled",
        "connection_logs.s3.enabled",
        "connection_logs.s3.bucket",
        "connection_logs.s3.prefix",
    ];

    fn get(of: &LoadBalancer, key: &str) -> String {
        let set = &of.attributes;
        match key {
            "access_logs.s3.enabled" => set.access_logs.enabled.to_string(),
            "access_logs.s3.bucket" => set.access_logs.bucket.clone(),
            "access_logs.s3.prefix" => set.access_logs.prefix.clone(),
            "connection_logs.s3.enabled" => set.connection_logs.enabled.to_string(),
            "connection_logs.s3.bucket" => set.connection_logs.bucket.clone(),
            "connection_logs.s3.prefix" => set.connection_logs.prefix.clone(),
            "idle_timeout.timeout_seconds" => of.idle_timeout_secs.to_string(),
            "client_keep_alive.seconds" => set.client_keep_alive_secs.to_string(),
            "deletion_protection.enabled" => set.deletion_protection.to_string(),
            "routing.http2.enabled" => set.http2.to_string(),
            "routing.http.drop_invalid_header_fields.enabled" => set.drop_invalid_header_fields.to_string(),
            "routing.http.xff_client_port.enabled" => set.forwarded_for_port.to_string(),
            "routing.http.preserve_host_header.enabled" => set.preserve_host_header.to_string(),
            "routing.http.x_amzn_tls_version_and_cipher_suite.enabled" => set.tls_headers.to_string(),
            "routing.http.xff_header_processing.mode" => name(&FORWARDED_FOR, set.forwarded_for).to_owned(),
            "routing.http.desync_mitigation_mode" => name(&DESYNC, set.desync_mitigation).to_owned(),
            other => fixed(other).to_owned(),
        }
    }

    fn set(of: &mut LoadBalancer, key: &str, value: &str) -> Result<(), String> {
        let set = &mut of.attributes;
        match key {
            "access_logs.s3.enabled" => set.access_logs.enabled = flag(key, value)?,
            "access_logs.s3.bucket" => set.access_logs.bucket = bucket(key, value)?,
            "access_logs.s3.prefix" => set.access_logs.prefix = prefix(key, value)?,
            "connection_logs.s3.enabled" => set.connection_logs.enabled = flag(key, value)?,
            "connection_logs.s3.bucket" => set.connection_logs.bucket = bucket(key, value)?,
            "connection_logs.s3.prefix" => set.connection_logs.prefix = prefix(key, value)?,
            "idle_timeout.timeout_seconds" => of.idle_timeout_secs = number(key, value, 1..=4000)?,
            "client_keep_alive.seconds" => set.client_keep_alive_secs = number(key, value, 60..=604_800)?,
            "deletion_protection.enabled" => set.deletion_protection = flag(key, value)?,
            "routing.http2.enabled" => set.http2 = flag(key, value)?,
            "routing.http.drop_invalid_header_fields.enabled" => {
                set.drop_invalid_header_fields = flag(key, value)?;
            }
            "routing.http.xff_client_port.enabled" => set.forwarded_for_port = flag(key, value)?,
            "routing.http.preserve_host_header.enabled" => set.preserve_host_header = flag(key, value)?,
            "routing.http.x_amzn_tls_version_and_cipher_suite.enabled" => set.tls_headers = flag(key, value)?,
            "routing.http.xff_header_processing.mode" => {
                set.forwarded_for = named(&FORWARDED_FOR, key, value)?;
            }
            "routing.http.desync_mitigation_mode" => set.desync_mitigation = named(&DESYNC, key, value)?,
            other => only(other, value, fixed(other))?,
        }
        Ok(())
    }

    fn check(of: &LoadBalancer) -> Result<(), String> {
        let logs = [
            ("access_logs", &of.attributes.access_logs),
            ("connection_logs", &of.attributes.connection_logs),
        ];
        match logs.into_iter().find(|(_, LogDelivery { enabled, bucket, .. })| *enabled && bucket.is_empty())
        {
            Some((kind, _)) => {
                Err(format!("'{kind}.s3.bucket' must be specified when '{kind}.s3.enabled' is true"))
            }
            None => Ok(()),
        }
    }
}

/// Returns the value of an attribute that cannot be changed.
fn fixed(key: &str) -> &'static str {
    match key {
        "load_balancing.cross_zone.enabled" => "true",
        _ => "false",
    }
}

pub(super) fn name<T: PartialEq>(names: &[(T, &'static str)], value: T) -> &'static str {
    names.iter().find(|(known, _)| *known == value).map(|(_, name)| *name).unwrap_or_default()
}

pub(super) fn named<T: Copy>(names: &[(T, &'static str)], key: &str, given: &str) -> Result<T, String> {
    let allowed = || names.iter().map(|(_, name)| *name).collect::<Vec<_>>().join(", ");
    let found = names.iter().find(|(_, name)| *name == given);
    found.map(|(value, _)| *value).ok_or_else(|| invalid(key, given, &format!("one of {}", allowed())))
}

/// Takes the name of a bucket, by S3's rules: it names a directory, too.
fn bucket(key: &str, value: &str) -> Result<String, String> {
    let fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
    let ends = value.starts_with(['-', '.']) || value.ends_with(['-', '.']) || value.contains("..");
    if value.is_empty() || (3..=63).contains(&value.len()) && value.bytes().all(fine) && !ends {
        Ok(value.to_owned())
    } else {
        Err(invalid(key, value, "the name of an S3 bucket"))
    }
}

fn prefix(key: &str, value: &str) -> Result<String, String> {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./!*'()".contains(&byte);
    let parts = || value.split('/').all(|part| !matches!(part, "" | "." | ".." | "AWSLogs"));
    if value.is_empty() || value.len() <= 512 && value.bytes().all(fine) && parts() {
        Ok(value.to_owned())
    } else {
        Err(invalid(key, value, "a path without a slash at its ends and without 'AWSLogs'"))
    }
}
