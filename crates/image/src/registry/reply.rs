//! Answers in the form of the OCI distribution specification, and the code of each of our errors.

use super::handle::Body;
use super::{ManifestError, RegistryError, UploadError};
use crate::blob::BlobError;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use std::error::Error;

/// An answer that says no: status, code of the specification, and a sentence for people.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Refusal {
        Refusal { status, code, message: message.into() }
    }

    pub(super) fn response(self) -> Response<Body> {
        let error = serde_json::json!({ "code": self.code, "message": self.message, "detail": {} });
        let mut response = json(self.status, &serde_json::json!({ "errors": [error] }));
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Basic realm=\"wharf\",service=\"ecr.amazonaws.com\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// Returns a JSON answer.
pub(super) fn json(status: StatusCode, value: &serde_json::Value) -> Response<Body> {
    let mut response = Response::new(full(value.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Returns a body from memory.
pub(super) fn full(content: impl Into<Bytes>) -> Body {
    Full::new(content.into()).map_err(|never| match never {}).boxed()
}

impl From<RegistryError> for Refusal {
    fn from(error: RegistryError) -> Refusal {
        use RegistryError as E;
        match error {
            E::InvalidName(_) => Refusal::new(StatusCode::BAD_REQUEST, "NAME_INVALID", error.to_string()),
            E::Exists(_) | E::NotEmpty(_) => {
                Refusal::new(StatusCode::CONFLICT, "NAME_INVALID", error.to_string())
            }
            E::Unknown(name) => Refusal::new(
                StatusCode::NOT_FOUND,
                "NAME_UNKNOWN",
                format!(
                    "The repository with name '{name}' does not exist in the registry. \
                     Create it first: aws ecr create-repository --repository-name {name}"
                ),
            ),
            E::Blob(error) => Refusal::from(error),
            E::Io { .. } | E::Corrupt { .. } => ours(&error),
        }
    }
}

impl From<BlobError> for Refusal {
    fn from(error: BlobError) -> Refusal {
        use BlobError as E;
        match error {
            E::DigestMismatch { .. } => {
                Refusal::new(StatusCode::BAD_REQUEST, "DIGEST_INVALID", error.to_string())
            }
            E::SizeMismatch { .. } => {
                Refusal::new(StatusCode::BAD_REQUEST, "SIZE_INVALID", error.to_string())
            }
            E::DiskFull { .. } => {
                tracing::error!(%error, "registry's disk is full");
                Refusal::new(StatusCode::INSUFFICIENT_STORAGE, "DENIED", error.to_string())
            }
            E::Io { .. } => ours(&error),
        }
    }
}

impl From<UploadError> for Refusal {
    fn from(error: UploadError) -> Refusal {
        use UploadError as E;
        let (status, code) = match error {
            E::Registry(error) => return error.into(),
            E::Unknown(_) => (StatusCode::NOT_FOUND, "BLOB_UPLOAD_UNKNOWN"),
            E::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, "TOOMANYREQUESTS"),
            E::Gap { .. } => (StatusCode::RANGE_NOT_SATISFIABLE, "BLOB_UPLOAD_INVALID"),
            E::Empty(_) => (StatusCode::BAD_REQUEST, "BLOB_UPLOAD_INVALID"),
            E::Digest(_) => (StatusCode::BAD_REQUEST, "DIGEST_INVALID"),
        };
        Refusal::new(status, code, error.to_string())
    }
}

impl From<ManifestError> for Refusal {
    fn from(error: ManifestError) -> Refusal {
        use ManifestError as E;
        let (status, code) = match error {
            E::Registry(error) => return Refusal::from(error),
            E::Invalid(_) => (StatusCode::BAD_REQUEST, "MANIFEST_INVALID"),
            E::BlobUnknown(_) => (StatusCode::BAD_REQUEST, "MANIFEST_BLOB_UNKNOWN"),
            E::InvalidTag(_) => (StatusCode::BAD_REQUEST, "TAG_INVALID"),
            E::DigestMismatch { .. } => (StatusCode::BAD_REQUEST, "DIGEST_INVALID"),
            E::ImmutableTag(_) => (StatusCode::BAD_REQUEST, "TAG_INVALID"),
            E::Unknown { .. } => (StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN"),
            E::Needed { .. } => (StatusCode::CONFLICT, "DENIED"),
        };
        Refusal::new(status, code, error.to_string())
    }
}

/// A failure that the caller can do nothing about: the log has the causes.
fn ours(error: &(dyn Error + 'static)) -> Refusal {
    let mut causes = Vec::new();
    let mut cause = error.source();
    while let Some(next) = cause {
        causes.push(next.to_string());
        cause = next.source();
    }
    tracing::error!(%error, causes = causes.join(": "), "registry request failed");
    Refusal::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "UNKNOWN",
        "internal error; the server's log has the cause",
    )
}
