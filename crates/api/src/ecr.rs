//! Amazon ECR: action name to operation.

mod images;
pub(crate) mod layers;
mod policies;
mod repositories;

use wharf_aws::Empty;
use wharf_aws::Timestamp;
use wharf_aws::ecr::{AuthorizationData, GetAuthorizationTokenOutput};
use wharf_control::Control;
use wharf_control::operations::repositories::Error;

use crate::{Answer, Body, Caller, Fault, RegistryTokens, answer};

/// Runs one operation of the service.
pub async fn dispatch(
    control: &Control,
    _caller: &Caller,
    operation: &str,
    body: Body,
) -> Result<Answer, Fault> {
    match operation {
        "CreateRepository" => answer(body, |input| repositories::create(control, input)).await,
        "DescribeRepositories" => answer(body, |input| repositories::describe(control, input)).await,
        "DeleteRepository" => answer(body, |input| repositories::delete(control, input)).await,
        "ListTagsForResource" => answer(body, |input| repositories::list_tags(control, input)).await,
        "GetAuthorizationToken" => {
            answer(body, async |_: Empty| Ok::<_, Fault>(authorization_token(control))).await
        }
        "DescribeImages" => answer(body, |input| images::describe(control, input)).await,
        "ListImages" => answer(body, |input| images::list(control, input)).await,
        "BatchDeleteImage" => answer(body, |input| images::delete(control, input)).await,
        "BatchGetImage" => answer(body, |input| layers::get(control, input)).await,
        "PutImage" => answer(body, |input| layers::put(control, input)).await,
        "BatchCheckLayerAvailability" => answer(body, |input| layers::check(control, input)).await,
        "InitiateLayerUpload" => answer(body, |input| layers::begin(control, input)).await,
        "UploadLayerPart" => answer(body, |input| layers::part(control, input)).await,
        "CompleteLayerUpload" => answer(body, |input| layers::complete(control, input)).await,
        "GetDownloadUrlForLayer" => answer(body, |input| layers::download_url(control, input)).await,
        "PutLifecyclePolicy" => answer(body, |input| policies::put_lifecycle(control, input)).await,
        "GetLifecyclePolicy" => answer(body, |input| policies::get_lifecycle(control, input)).await,
        "DeleteLifecyclePolicy" => answer(body, |input| policies::delete_lifecycle(control, input)).await,
        "SetRepositoryPolicy" => answer(body, |input| policies::set_policy(control, input)).await,
        "GetRepositoryPolicy" => answer(body, |input| policies::get_policy(control, input)).await,
        "DeleteRepositoryPolicy" => answer(body, |input| policies::delete_policy(control, input)).await,
        "PutImageTagMutability" => answer(body, |input| policies::put_mutability(control, input)).await,
        "PutImageScanningConfiguration" => answer(body, |input| policies::put_scanning(control, input)).await,
        "TagResource" => answer(body, |input| policies::tag(control, input)).await,
        "UntagResource" => answer(body, |input| policies::untag(control, input)).await,
        "DescribeRegistry" => {
            answer(body, async |_: Empty| Ok::<_, Fault>(policies::registry(control))).await
        }
        _ => Err(Fault::unknown_operation()),
    }
}

fn authorization_token(control: &Control) -> GetAuthorizationTokenOutput {
    let config = control.config();
    let tokens = RegistryTokens::new(&config.registry_password);
    let token = tokens.issue(Timestamp::from_millis(control.now().0));
    let host = format!("{}.dkr.ecr.{}.localhost", config.place.account, config.place.region);
    GetAuthorizationTokenOutput {
        authorization_data: vec![AuthorizationData {
            authorization_token: token.authorization_token(),
            expires_at: token.expires_at,
            proxy_endpoint: format!("http://{host}:{}", config.endpoint.port()),
        }],
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        let code = match &error {
            Error::InvalidName(_) => "InvalidParameterException",
            Error::Exists { .. } => "RepositoryAlreadyExistsException",
            Error::NotFound { .. } => "RepositoryNotFoundException",
            Error::NotEmpty { .. } => "RepositoryNotEmptyException",
            Error::Invalid(_) => "InvalidParameterException",
            Error::NoLifecyclePolicy { .. } => "LifecyclePolicyNotFoundException",
            Error::NoPolicy { .. } => "RepositoryPolicyNotFoundException",
            Error::Registry(_) => return Fault::ours(&error),
            Error::Store(error) => return Fault::store(error),
        };
        Fault::caller(code, error.to_string())
    }
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::caller("InvalidParameterException", message)
}

fn required<T>(member: &str, given: Option<T>) -> Result<T, Fault> {
    given.ok_or_else(|| {
        invalid(format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
        ))
    })
}

/// Refuses every registry but the own one.
fn check_registry(control: &Control, given: Option<&str>) -> Result<(), Fault> {
    let account = &control.config().place.account;
    match given {
        Some(other) if other != account => Err(Fault::caller(
            "RepositoryNotFoundException",
            format!("registryId '{other}' is not served here; only '{account}' is"),
        )),
        Some(_) | None => Ok(()),
    }
}

/// Returns a page of items, which are in the order of their keys.
fn page<T>(
    items: Vec<T>,
    key: impl Fn(&T) -> String,
    token: Option<&str>,
    limit: Option<i64>,
) -> Result<(Vec<T>, Option<String>), Fault> {
    let limit = match limit {
        None => 100,
        Some(limit) => usize::try_from(limit)
            .ok()
            .filter(|limit| (1..=1000).contains(limit))
            .ok_or_else(|| invalid(format!("maxResults '{limit}' must be between 1 and 1000")))?,
    };
    let page = wharf_aws::page::page(items, key, token, limit)
        .map_err(|_| invalid("The specified nextToken is not valid"))?;
    Ok((page.items, page.next))
}
