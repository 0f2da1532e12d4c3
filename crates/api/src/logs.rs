//! CloudWatch Logs: action name to operation.

mod events;
mod given;
mod groups;
mod streams;

use wharf_control::Control;
use wharf_control::operations::log_groups::Error;

use crate::{Answer, Body, Caller, Fault, answer};

/// Runs one operation of the service.
pub async fn dispatch(
    control: &Control,
    _caller: &Caller,
    operation: &str,
    body: Body,
) -> Result<Answer, Fault> {
    match operation {
        "CreateLogGroup" => answer(body, |input| groups::create(control, input)).await,
        "DescribeLogGroups" => answer(body, |input| groups::describe(control, input)).await,
        "DeleteLogGroup" => answer(body, |input| groups::delete(control, input)).await,
        "ListTagsForResource" => answer(body, |input| groups::list_tags(control, input)).await,
        "CreateLogStream" => answer(body, |input| streams::create(control, input)).await,
        "DescribeLogStreams" => answer(body, |input| streams::describe(control, input)).await,
        "PutLogEvents" => answer(body, |input| events::put(control, input)).await,
        "GetLogEvents" => answer(body, |input| events::get(control, input)).await,
        "FilterLogEvents" => answer(body, |input| events::filter(control, input)).await,
        _ => Err(Fault::unknown_operation()),
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        let code = match &error {
            Error::GroupExists | Error::StreamExists => "ResourceAlreadyExistsException",
            Error::GroupNotFound | Error::StreamNotFound => "ResourceNotFoundException",
            Error::Logs(_) => return Fault::ours(&error),
            Error::Store(error) => return Fault::store(error),
        };
        Fault::caller(code, error.to_string())
    }
}

#[cfg(test)]
mod tests;
