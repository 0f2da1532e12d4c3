//! The requests under `/v2/`: who asks, which repository, what is wanted, and the answer.
//!
//! Content streams through in pieces, in both directions; only manifests are held whole.

use super::manifests::LENGTH_MAX;
use super::reply::{Refusal, full, json};
use super::uploads::{Draft, unknown};
use super::{Registry, RegistryError};
use crate::digest::Digest;
use crate::name::is_repository;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Limited, StreamBody};
use hyper::body::Frame;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

/// The body of an answer.
pub type Body = BoxBody<Bytes, io::Error>;

const DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
const UPLOAD_ID: HeaderName = HeaderName::from_static("docker-upload-uuid");
const VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");
const PIECE: usize = 128 * 1024;
const BODY_IDLE_MAX: Duration = Duration::from_secs(60);
/// How long the rest of an upload that failed is read.
const SWALLOW_MAX: Duration = Duration::from_secs(120);

/// What a path under `/v2/` is about.
enum Target<'a> {
    Ping,
    Catalog,
    Tags(&'a str),
    Manifest(&'a str, &'a str),
    Blob(&'a str, &'a str),
    Uploads(&'a str),
    Upload(&'a str, &'a str),
}

impl Registry {
    /// Answers a request whose path is `/v2` or begins with `/v2/`.
    pub async fn handle<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: hyper::body::Body<Data = Bytes> + Send + Unpin,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (parts, body) = request.into_parts();
        let answer = match self.admit(&parts.headers) {
            Ok(()) => self.route(&parts, body).await,
            Err(refusal) => Err(refusal),
        };
        let mut response = answer.unwrap_or_else(|refusal| {
            tracing::debug!(method = %parts.method, path = parts.uri.path(), ?refusal, "refused");
            refusal.response()
        });
        response.headers_mut().insert(VERSION, HeaderValue::from_static("registry/2.0"));
        if parts.method == Method::HEAD {
            *response.body_mut() = full(Bytes::new());
        }
        response
    }

    fn admit(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let Some(authorize) = &self.authorize else { return Ok(()) };
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let basic = given.and_then(|value| value.split_once(' '));
        let basic = basic.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"));
        let decoded = basic.and_then(|(_, encoded)| STANDARD.decode(encoded.trim()).ok());
        let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
        let pair = decoded.as_deref().and_then(|text| text.split_once(':'));
        match pair {
            Some((user, password)) if authorize.permits(user, password) => Ok(()),
            Some(_) => Err(Refusal::new(
                StatusCode::UNAUTHORIZED,
                "UNAUTHORIZED",
                "the authorization token is not valid or has expired: get a new one with ecr get-login-password",
            )),
            None => Err(Refusal::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "authentication required")),
        }
    }

    async fn route<B>(&self, parts: &Parts, body: B) -> Result<Response<Body>, Refusal>
    where
        B: hyper::body::Body<Data = Bytes> + Send + Unpin,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let target = target(parts.uri.path())?;
        let query = Query::of(parts.uri.query().unwrap_or_default());
        let reading = matches!(parts.method, Method::GET | Method::HEAD);
        match (target, &parts.method) {
            (Target::Ping, _) if reading => Ok(json(StatusCode::OK, &serde_json::json!({}))),
            (Target::Catalog, &Method::GET) => {
                let names = self.repositories().into_iter().map(|repository| repository.name).collect();
                Ok(listing(serde_json::json!({}), "repositories", names, &query, "/v2/_catalog"))
            }
            (Target::Tags(name), &Method::GET) => {
                let path = format!("/v2/{name}/tags/list");
                Ok(listing(serde_json::json!({ "name": name }), "tags", self.tags(name)?, &query, &path))
            }
            (Target::Manifest(name, reference), &Method::HEAD) => {
                let (digest, media_type, length) = self.find(name, reference)?;
                Ok(content(StatusCode::OK, &digest, &media_type, length, full(Bytes::new())))
            }
            (Target::Manifest(name, reference), &Method::GET) => {
                let found = self.manifest(name, reference).await?;
                let length = found.content.len() as u64;
                Ok(content(StatusCode::OK, &found.digest, &found.media_type, length, full(found.content)))
            }
            (Target::Manifest(name, reference), &Method::PUT) => {
                self.record(name)?;
                let limited = tokio::time::timeout(BODY_IDLE_MAX, Limited::new(body, LENGTH_MAX).collect());
                let bytes = limited.await.map_err(|_| late())?.map_err(|error| {
                    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "MANIFEST_INVALID", error.to_string())
                })?;
                let media_type = parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
                let pushed = self.put_manifest(name, reference, media_type, &bytes.to_bytes()).await?;
                created(&format!("/v2/{name}/manifests/{}", pushed.digest), &pushed.digest)
            }
            (Target::Manifest(name, reference), &Method::DELETE) => {
                self.delete_manifest(name, reference).await?;
                Ok(empty(StatusCode::ACCEPTED))
            }
            (Target::Blob(name, digest), _) if reading => {
                self.record(name)?;
                let digest = parse(digest)?;
                if parts.method == Method::HEAD {
                    self.has(&digest).await?;
                }
                self.blob(&digest, &parts.headers).await
            }
            (Target::Uploads(name), &Method::POST) => self.begin(name, &query, body).await,
            (Target::Upload(name, id), &Method::GET) => {
                let draft = self.uploads.find(name, id)?;
                let written = draft.lock().await.as_ref().ok_or_else(unknown)?.written();
                progress(StatusCode::NO_CONTENT, name, id, written)
            }
            (Target::Upload(name, id), &Method::PATCH) => {
                self.record(name)?;
                let draft = self.uploads.find(name, id)?;
                let written = append(&draft, body, &parts.headers).await?;
                progress(StatusCode::ACCEPTED, name, id, written)
            }
            (Target::Upload(name, id), &Method::PUT) => {
                self.record(name)?;
                let digest = parse(query.get("digest").ok_or_else(digest_needed)?)?;
                let draft = self.uploads.find(name, id)?;
                append(&draft, body, &parts.headers).await?;
                self.uploads.end(id);
                finish(&draft, name, &digest).await
            }
            (Target::Upload(name, id), &Method::DELETE) => {
                self.uploads.find(name, id)?.lock().await.take();
                self.uploads.end(id);
                Ok(empty(StatusCode::NO_CONTENT))
            }
            (_, method) => Err(Refusal::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "UNSUPPORTED",
                format!("{method} is not supported here"),
            )),
        }
    }

    async fn begin<B>(&self, name: &str, query: &Query, body: B) -> Result<Response<Body>, Refusal>
    where
        B: hyper::body::Body<Data = Bytes> + Send + Unpin,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.record(name)?;
        if let Some(mount) = query.get("mount") {
            let digest = parse(mount)?;
            if self.has(&digest).await?.is_some() {
                return created(&format!("/v2/{name}/blobs/{digest}"), &digest);
            }
        }
        let whole = query.get("digest").map(parse).transpose()?;
        let (id, draft) = self.uploads.begin(name).await?;
        let Some(digest) = whole else { return progress(StatusCode::ACCEPTED, name, &id, 0) };
        let appended = append(&draft, body, &HeaderMap::new()).await;
        self.uploads.end(&id);
        appended?;
        finish(&draft, name, &digest).await
    }

    async fn blob(&self, digest: &Digest, headers: &HeaderMap) -> Result<Response<Body>, Refusal> {
        let missing = || {
            Refusal::new(StatusCode::NOT_FOUND, "BLOB_UNKNOWN", format!("blob unknown to registry: {digest}"))
        };
        let path = self.blobs.path(digest);
        let failed = |source| RegistryError::Io { operation: "read", path: path.clone(), source };
        let mut file = match tokio::fs::File::open(&path).await {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(missing()),
            Err(error) => return Err(failed(error).into()),
        };
        let length = file.metadata().await.map_err(failed)?.len();
        let wanted = headers.get(header::RANGE).and_then(|value| value.to_str().ok());
        let (first, count, status) = match wanted.and_then(|text| range(text, length)) {
            None => (0, length, StatusCode::OK),
            Some(Ok((first, last))) => (first, last - first + 1, StatusCode::PARTIAL_CONTENT),
            Some(Err(())) => {
                return Err(Refusal::new(
                    StatusCode::RANGE_NOT_SATISFIABLE,
                    "SIZE_INVALID",
                    format!("the blob has {length} bytes"),
                ));
            }
        };
        file.seek(io::SeekFrom::Start(first)).await.map_err(failed)?;
        let pieces = ReaderStream::with_capacity(file.take(count), PIECE).map_ok(Frame::data);
        let body = BodyExt::boxed(StreamBody::new(pieces));
        let mut response = content(status, digest, "application/octet-stream", count, body);
        response.headers_mut().insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        if status == StatusCode::PARTIAL_CONTENT {
            let range = format!("bytes {first}-{}/{length}", first + count - 1);
            response.headers_mut().insert(header::CONTENT_RANGE, value(&range)?);
        }
        Ok(response)
    }
}

/// Appends a request's body to an upload and returns how much there is now.
async fn append<B>(draft: &Draft, mut body: B, headers: &HeaderMap) -> Result<u64, Refusal>
where
    B: hyper::body::Body<Data = Bytes> + Send + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut draft = draft.lock().await;
    let ingest = draft.as_mut().ok_or_else(unknown)?;
    let range = headers.get(header::CONTENT_RANGE).and_then(|value| value.to_str().ok());
    let first = range.and_then(|range| range.trim_start_matches("bytes ").split_once('-'));
    if let Some((first, _)) = first
        && first.parse() != Ok(ingest.written())
    {
        return Err(Refusal::new(
            StatusCode::RANGE_NOT_SATISFIABLE,
            "BLOB_UPLOAD_INVALID",
            format!("{} bytes are here, so the next piece begins there and not at {first}", ingest.written()),
        ));
    }
    loop {
        let frame = tokio::time::timeout(BODY_IDLE_MAX, body.frame()).await.map_err(|_| late())?;
        let Some(frame) = frame else { return Ok(ingest.written()) };
        let frame = frame.map_err(|error| {
            let error: Box<dyn std::error::Error + Send + Sync> = error.into();
            Refusal::new(StatusCode::BAD_REQUEST, "BLOB_UPLOAD_INVALID", error.to_string())
        })?;
        if let Ok(bytes) = frame.into_data()
            && let Err(error) = ingest.write(&bytes).await
        {
            // What has come is of no use without the rest, and its room is wanted.
            *draft = None;
            swallow(body).await;
            return Err(error.into());
        }
    }
}

/// Reads the rest of a body that nobody wants: clients read the answer only once they have sent everything, and
/// would otherwise see a broken connection in its place.
async fn swallow<B>(mut body: B)
where
    B: hyper::body::Body<Data = Bytes> + Send + Unpin,
{
    let all = async { while matches!(body.frame().await, Some(Ok(_))) {} };
    let _ = tokio::time::timeout(SWALLOW_MAX, all).await;
}

async fn finish(draft: &Draft, name: &str, digest: &Digest) -> Result<Response<Body>, Refusal> {
    let ingest = draft.lock().await.take().ok_or_else(unknown)?;
    ingest.finish(digest, None).await?;
    created(&format!("/v2/{name}/blobs/{digest}"), digest)
}

fn target(path: &str) -> Result<Target<'_>, Refusal> {
    let unknown = || Refusal::new(StatusCode::NOT_FOUND, "UNSUPPORTED", format!("no such endpoint: {path}"));
    let rest = path.strip_prefix("/v2").ok_or_else(unknown)?.trim_start_matches('/');
    let target = if rest.is_empty() {
        return Ok(Target::Ping);
    } else if rest == "_catalog" {
        return Ok(Target::Catalog);
    } else if let Some(name) = rest.strip_suffix("/tags/list") {
        (name, Target::Tags(name))
    } else if let Some((name, reference)) = rest.rsplit_once("/manifests/") {
        (name, Target::Manifest(name, reference))
    } else if let Some((name, id)) = rest.rsplit_once("/blobs/uploads") {
        let id = id.trim_matches('/');
        (name, if id.is_empty() { Target::Uploads(name) } else { Target::Upload(name, id) })
    } else if let Some((name, digest)) = rest.rsplit_once("/blobs/") {
        (name, Target::Blob(name, digest))
    } else {
        return Err(unknown());
    };
    if is_repository(target.0) {
        return Ok(target.1);
    }
    Err(Refusal::new(
        StatusCode::BAD_REQUEST,
        "NAME_INVALID",
        format!("invalid repository name: {:?}", target.0),
    ))
}

/// Returns the first and last byte a `Range` asks for, an error if there are none, and nothing for a form
/// we may ignore.
fn range(text: &str, length: u64) -> Option<Result<(u64, u64), ()>> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let end = length.checked_sub(1);
    let (first, last) = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => (first, Some(last)),
        (Ok(first), Err(_)) if last.is_empty() => (first, None),
        (Err(_), Ok(count)) if first.is_empty() => (length.saturating_sub(count), None),
        _ => return None,
    };
    let last = end.map(|end| last.unwrap_or(end).min(end));
    Some(last.filter(|&last| first <= last).map(|last| (first, last)).ok_or(()))
}

/// A request's query, as few members as ours have.
struct Query(Vec<(String, String)>);

impl Query {
    fn of(text: &str) -> Query {
        let decode = |part: &str| percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned();
        let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
        Query(pairs.map(|(name, value)| (decode(name), decode(value))).collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }
}

/// A list of names in pages: at most `n`, after `last`.
fn listing(
    mut answer: serde_json::Value,
    member: &str,
    names: Vec<String>,
    query: &Query,
    path: &str,
) -> Response<Body> {
    let last = query.get("last").unwrap_or_default();
    let limit = query.get("n").and_then(|n| n.parse().ok()).unwrap_or(usize::MAX);
    let mut names: Vec<String> = names.into_iter().filter(|name| name.as_str() > last).collect();
    let more = names.len() > limit;
    names.truncate(limit);
    let next = names.last().filter(|_| more);
    let link = next.map(|name| format!("<{path}?n={limit}&last={name}>; rel=\"next\""));
    answer[member] = names.into();
    let mut response = json(StatusCode::OK, &answer);
    if let Some(link) = link.and_then(|link| HeaderValue::from_str(&link).ok()) {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

fn content(status: StatusCode, digest: &Digest, media_type: &str, length: u64, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    if let (Ok(digest), Ok(media_type)) = (value(digest.as_str()), value(media_type)) {
        headers.insert(DIGEST, digest);
        headers.insert(header::CONTENT_TYPE, media_type);
    }
    response
}

fn created(location: &str, digest: &Digest) -> Result<Response<Body>, Refusal> {
    let mut response = empty(StatusCode::CREATED);
    response.headers_mut().insert(header::LOCATION, value(location)?);
    response.headers_mut().insert(DIGEST, value(digest.as_str())?);
    Ok(response)
}

fn progress(status: StatusCode, name: &str, id: &str, written: u64) -> Result<Response<Body>, Refusal> {
    let mut response = empty(status);
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, value(&format!("/v2/{name}/blobs/uploads/{id}"))?);
    headers.insert(header::RANGE, value(&format!("0-{}", written.saturating_sub(1)))?);
    headers.insert(UPLOAD_ID, value(id)?);
    Ok(response)
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(full(Bytes::new()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    if status == StatusCode::NO_CONTENT {
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    response
}

fn value(text: &str) -> Result<HeaderValue, Refusal> {
    HeaderValue::from_str(text)
        .map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, "NAME_INVALID", format!("{text:?} in a header")))
}

fn parse(digest: &str) -> Result<Digest, Refusal> {
    digest.parse().map_err(|error: crate::digest::InvalidDigest| {
        Refusal::new(StatusCode::BAD_REQUEST, "DIGEST_INVALID", error.to_string())
    })
}

fn digest_needed() -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "DIGEST_INVALID", "the query parameter digest is needed")
}

fn late() -> Refusal {
    let secs = BODY_IDLE_MAX.as_secs();
    Refusal::new(StatusCode::REQUEST_TIMEOUT, "BLOB_UPLOAD_INVALID", format!("no data for {secs} seconds"))
}
