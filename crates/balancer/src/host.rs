//! Which of several load balancers on one port of the host a request is for.

/// Returns the index of the load balancer whose DNS name the `Host` header gives, else of the one with a certificate
/// for it, else 0, the oldest. Each is given by its DNS name and the names of its certificates.
pub(crate) fn choose<'a>(
    balancers: impl Iterator<Item = (&'a str, &'a [String])> + Clone,
    host: Option<&str>,
) -> usize {
    let host = host.map(bare).unwrap_or_default();
    let named = |exact: bool| {
        let mut balancers = balancers.clone();
        balancers.position(|(_, certified)| certified.iter().any(|name| covers(name, host, exact)))
    };
    let dns_name = balancers.clone().position(|(name, _)| name.eq_ignore_ascii_case(host));
    dns_name.or_else(|| named(true)).or_else(|| named(false)).unwrap_or(0)
}

/// Returns whether a certificate's name is a host's: the same, or if not `exact`, a wildcard for its first label.
pub(crate) fn covers(name: &str, host: &str, exact: bool) -> bool {
    match name.strip_prefix("*.") {
        None => exact && name.eq_ignore_ascii_case(host),
        Some(domain) => {
            !exact && host.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(domain))
        }
    }
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
