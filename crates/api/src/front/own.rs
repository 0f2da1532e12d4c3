//! The endpoint's own answers, which are not AWS's: `/_wharf/…` and refusals before a protocol is known.

use http::header::{CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use http::{Method, Response, StatusCode};
use serde_json::{Value, json};

use wharf_control::StoreError;
use wharf_model::measures::Measures;

use super::{Front, Reset, ResponseBody, whole};
use crate::metrics;

/// Answers `/_wharf/<name>`.
pub(super) async fn answer(name: &str, method: &Method, front: &Front) -> Response<ResponseBody> {
    match (name, method) {
        ("health", &Method::GET | &Method::HEAD) => health(&(front.missing)(), (front.trouble)()),
        ("metrics", &Method::GET | &Method::HEAD) => metrics(&(front.measures)()),
        ("reset", &Method::POST) => forget(front.reset.as_ref()).await,
        ("health" | "metrics" | "reset", _) => {
            plain(StatusCode::METHOD_NOT_ALLOWED, &json!({"message": "method not allowed"}))
        }
        _ => not_found(),
    }
}

/// 200 when everything is connected and state can be written, else 503 with what is missing or wrong.
fn health(missing: &[&str], trouble: Option<StoreError>) -> Response<ResponseBody> {
    if let Some(trouble) = trouble {
        let reason = trouble.to_string();
        let shown = json!({"status": "read-only", "reason": reason, "missing": missing});
        return plain(StatusCode::SERVICE_UNAVAILABLE, &shown);
    }
    match missing {
        [] => plain(StatusCode::OK, &json!({"status": "ok"})),
        missing => plain(StatusCode::SERVICE_UNAVAILABLE, &json!({"status": "waiting", "missing": missing})),
    }
}

/// What Prometheus reads.
fn metrics(measures: &Measures) -> Response<ResponseBody> {
    let mut response = Response::new(whole(metrics::text(measures)));
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
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

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    async fn health_of(missing: &[&str], trouble: Option<StoreError>) -> (u16, String) {
        let response = health(missing, trouble);
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn health_says_what_is_missing_and_when_nothing_can_be_written() {
        assert_eq!(health_of(&[], None).await, (200, r#"{"status":"ok"}"#.to_owned()));
        let (status, body) = health_of(&["agent"], None).await;
        assert!(status == 503 && body.contains("agent"), "{body}");
        let (status, body) = health_of(&[], Some(StoreError::ReadOnly("input/output error".into()))).await;
        assert!(status == 503 && body.contains("read-only") && body.contains("input/output error"), "{body}");
        let (status, body) = health_of(&[], Some(StoreError::Full("/s/state.redb".into()))).await;
        assert!(status == 503 && body.contains("/s/state.redb"), "{body}");
    }
}
