//! The endpoint's own answers, which are not AWS's: `/_wharf/…` and refusals before a protocol is known.

use http::header::{CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use http::{Method, Response, StatusCode};
use serde_json::{Value, json};

use super::{Missing, Reset, ResponseBody, whole};

/// Answers `/_wharf/<name>`.
pub(super) async fn answer(
    name: &str,
    method: &Method,
    missing: &Missing,
    reset: Option<&Reset>,
) -> Response<ResponseBody> {
    match (name, method) {
        ("health", &Method::GET | &Method::HEAD) => health(&missing()),
        ("reset", &Method::POST) => forget(reset).await,
        ("health" | "reset", _) => {
            plain(StatusCode::METHOD_NOT_ALLOWED, &json!({"message": "method not allowed"}))
        }
        _ => not_found(),
    }
}

/// 200 when everything is connected, else 503 with what is missing.
fn health(missing: &[&str]) -> Response<ResponseBody> {
    match missing {
        [] => plain(StatusCode::OK, &json!({"status": "ok"})),
        missing => plain(StatusCode::SERVICE_UNAVAILABLE, &json!({"status": "waiting", "missing": missing})),
    }
}

async fn forget(reset: Option<&Reset>) -> Response<ResponseBody> {
    let Some(reset) = reset else {
        let message = "reset is only there when wharf was started with --ephemeral";
        return plain(StatusCode::FORBIDDEN, &json!({ "message": message }));
    };
    match reset().await {
        Ok(()) => plain(StatusCode::OK, &json!({"status": "reset"})),
        Err(error) => {
            tracing::error!(%error, "reset failed");
            plain(StatusCode::INTERNAL_SERVER_ERROR, &json!({"message": error.to_string()}))
        }
    }
}

/// Returns 403 with the reason.
pub(super) fn refused(message: &str) -> Response<ResponseBody> {
    plain(StatusCode::FORBIDDEN, &json!({ "message": message }))
}

/// Returns 404.
pub(super) fn not_found() -> Response<ResponseBody> {
    plain(StatusCode::NOT_FOUND, &json!({"message": "not found"}))
}

/// Returns what makes an image client log in.
pub(super) fn registry_unauthorized() -> Response<ResponseBody> {
    let error =
        json!({"code": "UNAUTHORIZED", "message": "authentication required: aws ecr get-login-password"});
    let mut response = plain(StatusCode::UNAUTHORIZED, &json!({ "errors": [error] }));
    let headers = response.headers_mut();
    headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"wharf\",service=\"ecr\""));
    headers.insert("docker-distribution-api-version", HeaderValue::from_static("registry/2.0"));
    response
}

fn plain(status: StatusCode, content: &Value) -> Response<ResponseBody> {
    let mut response = Response::new(whole(content.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
