//! Elastic File System: action name to operation.

mod access_points;
mod file_systems;
mod mount_targets;

use http::StatusCode;
use wharf_control::Control;
use wharf_control::operations::file_systems::Error;
use wharf_model::tag::Tag;

use crate::{Answer, Body, Caller, Fault, answer, given};

/// Runs one operation of the service. Making a file system and deleting have statuses of their own, as in its model.
pub async fn dispatch(
    control: &Control,
    _caller: &Caller,
    operation: &str,
    body: Body,
) -> Result<Answer, Fault> {
    match operation {
        "CreateFileSystem" => {
            answer(body, |input| file_systems::create(control, input)).await.map(Answer::created)
        }
        "DescribeFileSystems" => answer(body, |input| file_systems::describe(control, input)).await,
        "DeleteFileSystem" => {
            answer(body, |input| file_systems::delete(control, input)).await.map(Answer::silent)
        }
        "CreateMountTarget" => answer(body, |input| mount_targets::create(control, input)).await,
        "DescribeMountTargets" => answer(body, |input| mount_targets::describe(control, input)).await,
        "DeleteMountTarget" => {
            answer(body, |input| mount_targets::delete(control, input)).await.map(Answer::silent)
        }
        "CreateAccessPoint" => answer(body, |input| access_points::create(control, input)).await,
        "DescribeAccessPoints" => answer(body, |input| access_points::describe(control, input)).await,
        "DeleteAccessPoint" => {
            answer(body, |input| access_points::delete(control, input)).await.map(Answer::silent)
        }
        _ => Err(Fault::unknown_operation()),
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        let (code, status) = match &error {
            Error::FileSystemNotFound(_) => ("FileSystemNotFound", StatusCode::NOT_FOUND),
            Error::FileSystemExists(..) => ("FileSystemAlreadyExists", StatusCode::CONFLICT),
            Error::FileSystemInUse(_) => ("FileSystemInUse", StatusCode::CONFLICT),
            Error::MountTargetNotFound(_) => ("MountTargetNotFound", StatusCode::NOT_FOUND),
            Error::MountTargetConflict => ("MountTargetConflict", StatusCode::CONFLICT),
            Error::SubnetNotFound(_) => ("SubnetNotFound", StatusCode::BAD_REQUEST),
            Error::AccessPointNotFound(_) => ("AccessPointNotFound", StatusCode::NOT_FOUND),
            Error::AccessPointExists(..) => ("AccessPointAlreadyExists", StatusCode::CONFLICT),
            Error::Invalid(_) => ("BadRequest", StatusCode::BAD_REQUEST),
            Error::Directory { .. } => return Fault::ours(&error),
            Error::Store(error) => return Fault::store(error),
        };
        let fault = Fault::caller(code, error.to_string()).status(status);
        if let Error::FileSystemExists(id, _) = error {
            fault.with("FileSystemId", id)
        } else if let Error::AccessPointExists(id, _) = error {
            fault.with("AccessPointId", id)
        } else {
            fault
        }
    }
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::caller("BadRequest", message)
}

fn unsupported(member: &str) -> Fault {
    invalid(format!("{member} is not supported here; leave it out"))
}

fn required<T>(member: &str, given: Option<T>) -> Result<T, Fault> {
    given.ok_or_else(|| invalid(format!("Missing required parameter: {member}")))
}

/// Returns tags as they are shown, and the name among them.
fn shown_tags(tags: &[Tag]) -> (Vec<wharf_aws::Tag>, Option<String>) {
    let name = tags.iter().find(|tag| tag.key == "Name").map(|tag| tag.value.clone());
    (given::shown_tags(tags), name)
}

/// Returns a page of items, which are in the order of their ids.
fn page<T>(
    items: Vec<T>,
    id: impl Fn(&T) -> String,
    token: Option<&str>,
    limit: Option<i64>,
) -> Result<(Vec<T>, Option<String>), Fault> {
    let limit = usize::try_from(limit.unwrap_or(100)).ok().filter(|limit| *limit > 0);
    let limit = limit.ok_or_else(|| invalid("MaxItems must be at least 1."))?.min(100);
    let page = wharf_aws::page::page(items, id, token, limit)
        .map_err(|_| invalid("The Marker or NextToken is not one that was returned."))?;
    Ok((page.items, page.next))
}
