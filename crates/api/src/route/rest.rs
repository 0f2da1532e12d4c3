//! Services that are called by method and path. What stands in the path and the query becomes members of the input, beside
//! those of the body, so that the rest is as with every JSON service.

use bytes::Bytes;
use http::Method;
use http::request::Parts;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use wharf_aws::{Protocol, Service, form};

use super::Route;
use crate::Fault;

/// What paths of Elastic File System begin with.
const EFS: &str = "/2015-02-01/";
/// Members of queries that are numbers.
const NUMBERS: [&str; 2] = ["MaxItems", "MaxResults"];

/// Returns the service whose path this is.
pub(crate) fn service(path: &str) -> Option<Service> {
    path.starts_with(EFS).then_some(Service::Efs)
}

/// Returns what a request to such a service means.
pub(super) fn route(service: Service, parts: &Parts, body: &Bytes) -> Result<Route, Fault> {
    let path = parts.uri.path();
    let rest = path.strip_prefix(EFS).unwrap_or_default().trim_end_matches('/');
    let (kind, id) = rest.split_once('/').map_or((rest, None), |(kind, id)| (kind, Some(id)));
    let (operation, member) = match (&parts.method, kind, id) {
        (&Method::POST, "file-systems", None) => ("CreateFileSystem", ""),
        (&Method::GET, "file-systems", None) => ("DescribeFileSystems", ""),
        (&Method::DELETE, "file-systems", Some(_)) => ("DeleteFileSystem", "FileSystemId"),
        (&Method::POST, "mount-targets", None) => ("CreateMountTarget", ""),
        (&Method::GET, "mount-targets", None) => ("DescribeMountTargets", ""),
        (&Method::DELETE, "mount-targets", Some(_)) => ("DeleteMountTarget", "MountTargetId"),
        (&Method::POST, "access-points", None) => ("CreateAccessPoint", ""),
        (&Method::GET, "access-points", None) => ("DescribeAccessPoints", ""),
        (&Method::DELETE, "access-points", Some(_)) => ("DeleteAccessPoint", "AccessPointId"),
        _ => return Err(Fault::unknown_operation()),
    };
    let mut members: Map<String, Value> = if body.iter().all(u8::is_ascii_whitespace) {
        Map::new()
    } else {
        serde_json::from_slice(body)
            .map_err(|_| Fault::caller("BadRequest", "The request's body is not a JSON object."))?
    };
    if let Some(id) = id {
        let id = percent_decode_str(id).decode_utf8_lossy().into_owned();
        members.insert(member.to_owned(), Value::from(id));
    }
    let query = form::pairs(parts.uri.query().unwrap_or("").as_bytes()).map_err(Fault::undecodable)?;
    for (name, value) in query {
        let number = NUMBERS.contains(&name.as_str()).then(|| value.parse::<i64>().ok()).flatten();
        members.insert(name, number.map_or(Value::from(value), Value::from));
    }
    let content = Bytes::from(Value::Object(members).to_string());
    Ok(Route { service, protocol: Protocol::RestJson, operation: operation.to_owned(), content })
}
