//! What the endpoint asks control: keys of the task's role, and the task's protection.

use super::Source;
use crate::{clock, node::Node, outbox::Outbox, record::Record};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{net::Ipv4Addr, sync::Arc, time::Duration};
use tokio::sync::Mutex;
use wharf_model::{TaskId, Timestamp};
use wharf_nodelink::agent::{ProtectionChange, TaskAnswer, TaskAsk};

/// How long keys are still good that are given out again.
const REST_MIN: Duration = Duration::from_secs(3600);
const BODY_MAX: usize = 64 << 10;

/// The way to control, and what came over it.
#[derive(Debug)]
pub(crate) struct Uplink {
    /// Where questions go.
    pub(super) outbox: Arc<Outbox>,
    /// Where the API answers; nothing while that is not known.
    pub(super) api: Option<String>,
    /// The task's name servers.
    pub(super) nameservers: Vec<Ipv4Addr>,
    keys: Mutex<Option<(Value, Timestamp)>>,
}

impl Uplink {
    /// Returns the way from a node.
    pub(crate) fn of(node: &Node) -> Uplink {
        let api = node.fabric().map(|fabric| fabric.settings().registry);
        Uplink::new(node.outbox.clone(), api, node.nameservers.clone())
    }

    pub(super) fn new(outbox: Arc<Outbox>, api: Option<String>, nameservers: Vec<Ipv4Addr>) -> Uplink {
        Uplink { outbox, api, nameservers, keys: Mutex::new(None) }
    }
}

/// Returns whether a task is given keys: it has a role, and an address for its metadata that only it can reach. Tasks
/// in the host's network could have each other's.
pub(crate) fn gives_keys(record: &Record) -> bool {
    record.assignment.task_role_arn.is_some() && record.metadata_port.is_none()
}

/// Returns the path under which a task finds its keys.
pub(crate) fn credentials_path(task: &TaskId) -> String {
    let digits = hex::encode(Sha256::digest(format!("credentials of {task}")));
    let uuid = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..32]];
    format!("/v2/credentials/{}", uuid.join("-"))
}

/// Returns the task's keys.
pub(super) async fn credentials(
    source: &Source,
    record: &Record,
    method: &Method,
    path: &str,
) -> (StatusCode, Value) {
    if method != Method::GET {
        return (StatusCode::METHOD_NOT_ALLOWED, Value::from("Method Not Allowed"));
    }
    // Another task's path is as unknown as any other: who asks is known by the socket.
    let own = gives_keys(record) && path == credentials_path(&record.assignment.task);
    if !own {
        return unknown_id();
    }
    let mut keys = source.uplink.keys.lock().await;
    if let Some((known, expires_at)) = keys.as_ref()
        && expires_at.since(clock::now()) > REST_MIN
    {
        return (StatusCode::OK, known.clone());
    }
    match source.uplink.outbox.ask(&record.assignment.task, TaskAsk::Credentials).await {
        Some(TaskAnswer::Credentials { role_arn, access_key_id, secret_access_key, token, expires_at }) => {
            let shown = json!({
                "RoleArn": role_arn,
                "AccessKeyId": access_key_id,
                "SecretAccessKey": secret_access_key,
                "Token": token,
                "Expiration": expires_at.to_rfc3339(),
            });
            *keys = Some((shown.clone(), expires_at));
            (StatusCode::OK, shown)
        }
        Some(TaskAnswer::Refused { .. } | TaskAnswer::Failed { .. } | TaskAnswer::Protection { .. }) => {
            unknown_id()
        }
        None => {
            let message = "CredentialsV2Request: the control plane does not answer";
            let body = json!({"code": "InternalServerError", "message": message, "HTTPErrorCode": 500});
            (StatusCode::INTERNAL_SERVER_ERROR, body)
        }
    }
}

fn unknown_id() -> (StatusCode, Value) {
    let message = "CredentialsV2Request: ID not found";
    (StatusCode::NOT_FOUND, json!({"code": "InvalidIdInRequest", "message": message, "HTTPErrorCode": 404}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Wanted {
    protection_enabled: Option<bool>,
    expires_in_minutes: Option<u32>,
}

/// Returns the task's protection, after changing it if that is asked for.
pub(super) async fn protection(
    source: &Source,
    record: &Record,
    id: &str,
    request: Request<Incoming>,
) -> (StatusCode, Value) {
    let arn = record.assignment.arn.to_string();
    let failed = |status, code: &str, message: &str| {
        (status, json!({"error": {"Arn": arn, "Code": code, "Message": message}}))
    };
    if record.place(id).is_none() {
        let message = "Failed to find a task for the request";
        return failed(StatusCode::NOT_FOUND, "ResourceNotFoundException", message);
    }
    let change = match *request.method() {
        Method::GET => None,
        Method::PUT => {
            let body = Limited::new(request.into_body(), BODY_MAX).collect().await;
            let wanted = body.ok().and_then(|body| serde_json::from_slice::<Wanted>(&body.to_bytes()).ok());
            let Some(Wanted { protection_enabled: Some(enabled), expires_in_minutes: minutes }) = wanted
            else {
                let message = "Invalid request: does not contain 'ProtectionEnabled' field, or has others than \
                               'ProtectionEnabled' and 'ExpiresInMinutes'";
                return failed(StatusCode::BAD_REQUEST, "InvalidParameterException", message);
            };
            Some(ProtectionChange { enabled, minutes })
        }
        _ => return (StatusCode::METHOD_NOT_ALLOWED, Value::from("Method Not Allowed")),
    };
    match source.uplink.outbox.ask(&record.assignment.task, TaskAsk::Protection(change)).await {
        Some(TaskAnswer::Protection { until }) => {
            let mut shown = json!({"ProtectionEnabled": until.is_some(), "TaskArn": arn});
            if let Some(until) = until {
                shown["ExpirationDate"] = until.to_rfc3339().into();
            }
            (StatusCode::OK, json!({ "protection": shown }))
        }
        Some(TaskAnswer::Failed { reason, detail }) => {
            (StatusCode::OK, json!({"failure": {"Arn": arn, "Detail": detail, "Reason": reason}}))
        }
        Some(TaskAnswer::Refused { code, message }) => failed(StatusCode::BAD_REQUEST, &code, &message),
        Some(TaskAnswer::Credentials { .. }) | None => {
            let message = "The control plane does not answer";
            failed(StatusCode::INTERNAL_SERVER_ERROR, "ServerException", message)
        }
    }
}
