//! The parameter store of Systems Manager: action name to operation.

mod filters;
mod given;
mod listing;
mod parameters;
mod tags;

use wharf_control::Control;
use wharf_control::operations::parameters::Error;

use crate::{Answer, Body, Caller, Fault, answer};

/// Runs one operation of the service.
pub async fn dispatch(
    control: &Control,
    caller: &Caller,
    operation: &str,
    body: Body,
) -> Result<Answer, Fault> {
    match operation {
        "PutParameter" => answer(body, |input| parameters::put(control, caller, input)).await,
        "GetParameter" => answer(body, |input| parameters::get(control, input)).await,
        "GetParameters" => answer(body, |input| parameters::get_several(control, input)).await,
        "DeleteParameter" => answer(body, |input| parameters::delete(control, input)).await,
        "DeleteParameters" => answer(body, |input| parameters::delete_several(control, input)).await,
        "GetParametersByPath" => answer(body, |input| listing::by_path(control, input)).await,
        "DescribeParameters" => answer(body, |input| listing::describe(control, input)).await,
        "GetParameterHistory" => answer(body, |input| listing::history(control, input)).await,
        "AddTagsToResource" => answer(body, |input| tags::add(control, input)).await,
        "RemoveTagsFromResource" => answer(body, |input| tags::remove(control, input)).await,
        "ListTagsForResource" => answer(body, |input| tags::list(control, input)).await,
        _ => Err(Fault::unknown_operation()),
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        let code = match &error {
            Error::NotFound(_) => "ParameterNotFound",
            Error::VersionNotFound { .. } => "ParameterVersionNotFound",
            Error::Exists => "ParameterAlreadyExists",
            Error::PatternMismatch(_) => "ParameterPatternMismatchException",
            Error::InvalidPattern(_) => "InvalidAllowedPatternException",
            Error::TooDeep => "HierarchyLevelLimitExceededException",
            Error::Validation(_) => "ValidationException",
            Error::Vault(_) => return Fault::ours(&error),
            Error::Store(error) => return Fault::store(error),
        };
        Fault::caller(code, error.to_string())
    }
}
