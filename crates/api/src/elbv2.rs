//! Elastic Load Balancing, version 2: action name to operation.

use wharf_control::Control;

use crate::{Answer, Body, Caller, Fault};

/// Runs one operation of the service.
pub async fn dispatch(
    _control: &Control,
    _caller: &Caller,
    _operation: &str,
    _body: Body,
) -> Result<Answer, Fault> {
    Err(Fault::unknown_operation())
}
