//! Certificate Manager: action name to operation.

mod certificates;
mod given;
mod listing;
mod shown;

use wharf_control::Control;
use wharf_control::operations::certificates::Error;

use crate::{Answer, Body, Caller, Fault, answer};

/// Runs one operation of the service.
pub async fn dispatch(
    control: &Control,
    _caller: &Caller,
    operation: &str,
    body: Body,
) -> Result<Answer, Fault> {
    match operation {
        "ImportCertificate" => answer(body, |input| certificates::import(control, input)).await,
        "RequestCertificate" => answer(body, |input| certificates::request(control, input)).await,
        "DescribeCertificate" => answer(body, |input| certificates::describe(control, input)).await,
        "GetCertificate" => answer(body, |input| certificates::get(control, input)).await,
        "DeleteCertificate" => answer(body, |input| certificates::delete(control, input)).await,
        "ListCertificates" => answer(body, |input| listing::list(control, input)).await,
        "AddTagsToCertificate" => answer(body, |input| certificates::tag(control, input)).await,
        "RemoveTagsFromCertificate" => answer(body, |input| certificates::untag(control, input)).await,
        "ListTagsForCertificate" => answer(body, |input| certificates::tags(control, input)).await,
        _ => Err(Fault::unknown_operation()),
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        let code = match &error {
            Error::NotFound(_) => "ResourceNotFoundException",
            Error::InvalidArn(_) => "InvalidArnException",
            Error::InUse { .. } => "ResourceInUseException",
            Error::Invalid(_) => "ValidationException",
            Error::InvalidTag(_) => "InvalidTagException",
            Error::Vault(_) | Error::Issue(_) => return Fault::ours(&error),
            Error::Store(error) => return Fault::store(error),
        };
        Fault::caller(code, error.to_string())
    }
}
