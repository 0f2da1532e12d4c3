//! Secrets Manager: action name to operation.

mod given;
mod listing;
mod secrets;
mod values;

use wharf_control::Control;
use wharf_control::operations::secrets::Error;

use crate::{Answer, Body, Caller, Fault, answer};

/// Runs one operation of the service.
pub async fn dispatch(
    control: &Control,
    _caller: &Caller,
    operation: &str,
    body: Body,
) -> Result<Answer, Fault> {
    match operation {
        "CreateSecret" => answer(body, |input| secrets::create(control, input)).await,
        "UpdateSecret" => answer(body, |input| secrets::update(control, input)).await,
        "DescribeSecret" => answer(body, |input| secrets::describe(control, input)).await,
        "DeleteSecret" => answer(body, |input| secrets::delete(control, input)).await,
        "RestoreSecret" => answer(body, |input| secrets::restore(control, input)).await,
        "GetResourcePolicy" => answer(body, |input| secrets::resource_policy(control, input)).await,
        "TagResource" => answer(body, |input| secrets::tag(control, input)).await,
        "UntagResource" => answer(body, |input| secrets::untag(control, input)).await,
        "GetSecretValue" => answer(body, |input| values::get(control, input)).await,
        "PutSecretValue" => answer(body, |input| values::put(control, input)).await,
        "UpdateSecretVersionStage" => answer(body, |input| values::move_stage(control, input)).await,
        "ListSecrets" => answer(body, |input| listing::secrets(control, input)).await,
        "ListSecretVersionIds" => answer(body, |input| listing::versions(control, input)).await,
        _ => Err(Fault::unknown_operation()),
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        let code = match &error {
            Error::NotFound | Error::ValueNotFound(_) => "ResourceNotFoundException",
            Error::Exists(_) | Error::VersionExists { .. } => "ResourceExistsException",
            Error::InvalidParameter(_) => "InvalidParameterException",
            Error::InvalidRequest(_) => "InvalidRequestException",
            Error::Vault(cause) => {
                tracing::error!(%cause, "a secret cannot be read");
                "DecryptionFailure"
            }
            Error::Store(error) => return Fault::store(error),
        };
        Fault::caller(code, error.to_string())
    }
}
