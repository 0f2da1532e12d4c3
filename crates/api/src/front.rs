//! Which service and operation a request means, and in which words it wants its answer.

use wharf_aws::{Protocol, Service};

/// How to write to a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wire {
    /// The service, if the request named one that exists.
    pub(crate) service: Option<Service>,
    /// The protocol the caller speaks.
    pub(crate) protocol: Protocol,
    /// Whether a JSON caller wants the code of the service's former Query protocol beside.
    pub(crate) query_mode: bool,
}
