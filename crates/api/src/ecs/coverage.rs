//! What of the service is served, from the one table that says so.

use crate::Fault;

#[cfg(test)]
mod tests;

/// One operation a line; its head says how it reads.
const TABLE: &str = include_str!("operations.txt");

/// Returns the fault of an operation that AWS has and this version does not; nothing of one that nobody knows.
pub(super) fn unsupported(operation: &str) -> Option<Fault> {
    let mut lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    let known = lines.any(|line| line.split(' ').next() == Some(operation));
    known.then(|| {
        let message = format!("not supported by this version of Wharf: operation '{operation}'");
        Fault::caller("UnsupportedFeatureException", message)
    })
}
