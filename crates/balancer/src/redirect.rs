//! Where a redirect action sends the client.

/// The parts of the request that a redirect may repeat.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// Whether it came by TLS.
    pub(crate) secure: bool,
    /// The `Host` header without its port.
    pub(crate) host: &'a str,
    /// The listener's port.
    pub(crate) port: u16,
    /// The path, with its slash.
    pub(crate) path: &'a str,
    /// The query, without its question mark.
    pub(crate) query: &'a str,
}

/// The parts of a redirect action.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts<'a> {
    /// `HTTP`, `HTTPS` or `#{protocol}`.
    pub(crate) protocol: &'a str,
    /// The host.
    pub(crate) host: &'a str,
    /// The port.
    pub(crate) port: &'a str,
    /// The path.
    pub(crate) path: &'a str,
    /// The query.
    pub(crate) query: &'a str,
}

/// Returns the `Location` header. The port is always in it, as an application load balancer has it.
pub(crate) fn location(parts: Parts<'_>, asked: Asked<'_>) -> String {
    let expand = |given: &str| {
        let path = asked.path.strip_prefix('/').unwrap_or(asked.path);
        given
            .replace("#{protocol}", if asked.secure { "https" } else { "http" })
            .replace("#{host}", asked.host)
            .replace("#{port}", &asked.port.to_string())
            .replace("#{path}", path)
            .replace("#{query}", asked.query)
    };
    let protocol = expand(parts.protocol).to_ascii_lowercase();
    let path = expand(parts.path);
    let path = path.strip_prefix('/').unwrap_or(&path);
    let mut location = format!("{protocol}://{}:{}/{path}", expand(parts.host), expand(parts.port));
    let query = expand(parts.query);
    if !query.is_empty() {
        location.push('?');
        location.push_str(&query);
    }
    location
}

#[cfg(test)]
mod tests;
