//! Which of several load balancers on one port of the host a request is for.

/// Returns the index of the load balancer whose DNS name the `Host` header gives; else 0, the oldest.
pub(crate) fn choose<'a>(mut dns_names: impl Iterator<Item = &'a str>, host: Option<&str>) -> usize {
    let host = host.map(bare).unwrap_or_default();
    dns_names.position(|name| name.eq_ignore_ascii_case(host)).unwrap_or(0)
}

/// Returns the name in a `Host` header, without its port and the root's dot.
pub(crate) fn bare(host: &str) -> &str {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    name.strip_suffix('.').unwrap_or(name)
}

/// Returns the host as targets are told it when it is not preserved; nothing when it stays as it came. A port that
/// is not the protocol's own is always named, and one that is never.
pub(crate) fn told(host: &str, port: u16) -> Option<String> {
    let named = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    match (port, named) {
        (80 | 443, Some((bare, _))) => Some(bare.to_owned()),
        (80 | 443, None) | (_, Some(_)) => None,
        (_, None) if host.is_empty() => None,
        (port, None) => Some(format!("{host}:{port}")),
    }
}

#[cfg(test)]
mod tests;
