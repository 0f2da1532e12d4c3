//! CloudWatch Logs: action name to operation.

mod events;
mod given;
mod groups;
mod streams;

use wharf_control::Control;
use wharf_control::operations::log_groups::Error;

use crate::{Answer, Body, Caller, Fault, answer};

/// Operations that tools of ECS users ask for, and that are refused by name.
const NOT_SUPPORTED: [&str; 9] = [
    "StartQuery",
    "StopQuery",
    "GetQueryResults",
    "DescribeQueries",
    "StartLiveTail",
    "PutMetricFilter",
    "DeleteMetricFilter",
    "PutSubscriptionFilter",
    "DeleteSubscriptionFilter",
];

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
        "DeleteLogStream" => answer(body, |input| streams::delete(control, input)).await,
        "PutRetentionPolicy" => answer(body, |input| groups::put_retention(control, input)).await,
        "DeleteRetentionPolicy" => answer(body, |input| groups::delete_retention(control, input)).await,
        "TagResource" | "TagLogGroup" => answer(body, |input| groups::tag(control, input)).await,
        "UntagResource" | "UntagLogGroup" => answer(body, |input| groups::untag(control, input)).await,
        "ListTagsLogGroup" => answer(body, |input| groups::list_tags_by_name(control, input)).await,
        "DescribeMetricFilters" => answer(body, |input| groups::metric_filters(control, input)).await,
        "DescribeSubscriptionFilters" => {
            answer(body, |input| groups::subscription_filters(control, input)).await
        }
        "TestMetricFilter" => answer(body, async |input| events::test(input)).await,
        operation if NOT_SUPPORTED.contains(&operation) => Err(Fault::caller(
            "UnknownOperationException",
            format!("{operation} is not supported by this version of Wharf."),
        )),
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
            Error::Invalid(_) => "InvalidParameterException",
            Error::Logs(_) => return Fault::ours(&error),
            Error::Store(error) => return Fault::store(error),
        };
        Fault::caller(code, error.to_string())
    }
}

#[cfg(test)]
mod tests;
