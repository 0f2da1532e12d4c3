//! Why an image is not here, in the words that ECS uses for it.

use crate::blob::BlobError;
use crate::digest::Digest;
use crate::layers::LayerError;
use crate::manifest::ManifestInvalid;
use crate::name::InvalidName;
use crate::unpack::UnpackError;
use oci_client::errors::{OciDistributionError, OciErrorCode};
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Why an image could not be pulled. Cheap to copy, because all who wait for a pull get it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("pull {reference}")]
pub struct PullError {
    /// The name that was asked for.
    pub reference: String,
    /// What went wrong.
    #[source]
    pub cause: Arc<PullCause>,
}

impl PullError {
    pub(super) fn new(reference: impl Into<String>, cause: PullCause) -> PullError {
        PullError { reference: reference.into(), cause: Arc::new(cause) }
    }

    /// Returns whether there was no room on the disk.
    pub fn is_disk_full(&self) -> bool {
        match self.cause.as_ref() {
            PullCause::Store(BlobError::DiskFull { .. })
            | PullCause::Document { source: RemoteError::Store(BlobError::DiskFull { .. }), .. }
            | PullCause::Layer { source: RemoteError::Store(BlobError::DiskFull { .. }), .. }
            | PullCause::Extract { source: LayerError::Unpack(UnpackError::DiskFull(_)), .. } => true,
            PullCause::Record(error) => crate::blob::is_full(error),
            PullCause::Extract { source: LayerError::Io { source, .. }, .. } => crate::blob::is_full(source),
            _ => false,
        }
    }

    /// Returns the reason that a container is given, as ECS words it.
    pub fn reason(&self) -> String {
        format!("CannotPullContainerError: {}", self.cause)
    }
}

/// What went wrong in a pull. Each text is the part of a reason behind its name, so it has its cause in it.
#[derive(Debug, thiserror::Error)]
pub enum PullCause {
    /// The name is not an image's.
    #[error("{0}")]
    Name(#[from] InvalidName),
    /// The registry did not say what the name stands for.
    #[error(
        "pull image manifest has been retried {retries} time(s): failed to resolve ref {reference}: {source}"
    )]
    Resolve {
        /// The name in full.
        reference: String,
        /// How often it was tried again.
        retries: u32,
        /// What the registry said.
        source: RemoteError,
    },
    /// The registry did not hand over the manifest or configuration.
    #[error("failed to copy {what} of {reference}: {source}")]
    Document {
        /// The manifest or the configuration.
        what: &'static str,
        /// The name in full.
        reference: String,
        /// What the registry said.
        source: RemoteError,
    },
    /// What the name stands for is no image for this machine.
    #[error("failed to unpack image {reference}: not a usable image: {source}")]
    NotAnImage {
        /// The name in full.
        reference: String,
        /// What it lacks.
        source: ManifestInvalid,
    },
    /// A layer did not arrive.
    #[error("failed to copy layer {layer}: tried again {retries} time(s): {source}")]
    Layer {
        /// The layer's compressed digest.
        layer: Digest,
        /// How often it was tried again.
        retries: u32,
        /// What happened.
        source: RemoteError,
    },
    /// A layer could not be unpacked.
    #[error("failed to extract layer {layer}: {source}")]
    Extract {
        /// The layer's diff id.
        layer: Digest,
        /// What happened.
        source: LayerError,
    },
    /// The image is larger than this machine takes.
    #[error("image is {size} bytes compressed and the limit is {limit}")]
    TooLarge {
        /// Its compressed size.
        size: u64,
        /// The most we take.
        limit: u64,
    },
    /// Storing content failed, most often because the disk is full.
    #[error("failed to store content: {}", with_causes(.0))]
    Store(#[from] BlobError),
    /// The record of the image could not be written.
    #[error("failed to record the image: {0}")]
    Record(#[source] io::Error),
    /// The credentials for the registry could not be had.
    #[error("unable to retrieve registry credentials: {0}")]
    Credentials(String),
    /// The client for HTTP could not be set up, most often because the machine has no root certificates.
    #[error("set up the client for {registry}: {source}")]
    Client {
        /// The registry.
        registry: String,
        /// What is missing.
        source: OciDistributionError,
    },
    /// It took too long.
    #[error("context deadline exceeded: not finished after {} seconds", .0.as_secs())]
    Deadline(Duration),
    /// The pull was cut short by our own end.
    #[error("context canceled: the pull was interrupted")]
    Interrupted,
}

/// What a registry answered, or why it did not.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// There is no such repository, tag or content.
    #[error("{what}: not found{}", parenthesised(.message))]
    NotFound {
        /// What was asked for.
        what: String,
        /// What the registry said about it.
        message: String,
    },
    /// The registry does not let us.
    #[error(
        "pull access denied, repository does not exist or may require authorization: \
         authorization failed{}", parenthesised(.0)
    )]
    Unauthorized(String),
    /// The registry cannot be reached.
    #[error("failed to do request: {url}: {cause}")]
    Unreachable {
        /// What was asked.
        url: String,
        /// The innermost cause.
        cause: String,
    },
    /// The registry has no answer now.
    #[error("unexpected status from request to {url}: {status} {message}")]
    Busy {
        /// What was asked.
        url: String,
        /// The status of the answer.
        status: u16,
        /// What the registry said.
        message: String,
        /// How long it wants to be left alone, where it says so.
        wish: Option<Duration>,
    },
    /// The connection broke or went silent.
    #[error("{0}")]
    Broken(String),
    /// The answer is not what was asked for.
    #[error("{0}")]
    Wrong(String),
    /// What came could not be stored.
    #[error("{}", with_causes(.0))]
    Store(#[from] BlobError),
}

impl RemoteError {
    /// Returns whether the same request may succeed a moment later.
    pub(super) fn is_transient(&self) -> bool {
        use RemoteError as E;
        match self {
            E::Unreachable { .. } | E::Broken(_) => true,
            E::Busy { status, .. } => *status == 429 || *status >= 500,
            E::NotFound { .. } | E::Unauthorized(_) | E::Wrong(_) | E::Store(_) => false,
        }
    }

    /// Returns whether the registry asks for patience.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self, RemoteError::Busy { status: 429 | 503, .. })
    }

    /// Returns how long the registry wants to be left alone, where it says so.
    pub(super) fn wish(&self) -> Option<Duration> {
        if let RemoteError::Busy { wish, .. } = self { *wish } else { None }
    }

    /// Understands what the client reports about a request for `what` to the registry.
    pub(super) fn of(error: OciDistributionError, registry: &str, what: &str) -> RemoteError {
        use OciDistributionError as E;
        let not_found =
            |message: &str| RemoteError::NotFound { what: what.to_owned(), message: message.to_owned() };
        match error {
            E::UnauthorizedError { .. } => RemoteError::Unauthorized(String::new()),
            E::AuthenticationFailure(message) => RemoteError::Unauthorized(message),
            E::ImageManifestNotFoundError(message) => not_found(&message),
            E::RegistryError { envelope, url } => {
                let first = envelope.errors.into_iter().next();
                let (code, message) =
                    first.map_or((OciErrorCode::NotFound, String::new()), |e| (e.code, e.message));
                match code {
                    OciErrorCode::ManifestUnknown
                    | OciErrorCode::NameUnknown
                    | OciErrorCode::BlobUnknown
                    | OciErrorCode::NotFound => not_found(&message),
                    OciErrorCode::Unauthorized | OciErrorCode::Denied => RemoteError::Unauthorized(message),
                    OciErrorCode::Toomanyrequests => RemoteError::Busy {
                        url,
                        status: 429,
                        message: format!("Too Many Requests: {message}"),
                        wish: None,
                    },
                    other => RemoteError::Wrong(format!("{url}: {other:?}: {message}")),
                }
            }
            E::ServerError { code: 404, message, .. } => not_found(&short(&message)),
            E::ServerError { code: 403, message, .. } => RemoteError::Unauthorized(short(&message)),
            E::ServerError { code, url, message } => {
                RemoteError::Busy { url, status: code, message: short(&message), wish: None }
            }
            E::RequestError(error) if error.is_connect() || error.is_timeout() => {
                let url = error.url().map_or_else(|| registry.to_owned(), ToString::to_string);
                let cause = if error.is_timeout() { "timed out".to_owned() } else { innermost(&error) };
                RemoteError::Unreachable { url, cause }
            }
            E::RequestError(error) => RemoteError::Broken(format!("{registry}: {}", innermost(&error))),
            E::IoError(error) => RemoteError::Broken(innermost(&error)),
            other => RemoteError::Wrong(format!("{registry}: {other}")),
        }
    }
}

pub(super) fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut error = error;
    while let Some(cause) = error.source() {
        error = cause;
    }
    error.to_string()
}

fn with_causes(error: &BlobError) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

fn parenthesised(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(" ({message})") }
}

/// What a proxy or a web server writes in its error pages is not for a container's reason.
fn short(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default().trim();
    if line.starts_with('<') { String::new() } else { line.chars().take(200).collect() }
}
