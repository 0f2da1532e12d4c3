//! One repository at one registry, as the puller sees it.

use super::cause::{PullCause, RemoteError};
use super::{Login, PullLimits, patience};
use crate::digest::Digest;
use crate::manifest::{ACCEPTED, Descriptor};
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use oci_client::client::{BlobResponse, Client, ClientConfig, ClientProtocol};
use oci_client::errors::OciDistributionError;
use oci_client::manifest::OciDescriptor;
use oci_client::secrets::RegistryAuth;
use std::future::Future;
use std::io;
use std::sync::Once;
use std::time::Duration;

/// A repository and the client that speaks to its registry.
#[derive(Clone)]
pub(super) struct Remote {
    pub(super) client: Client,
    /// Asks how long to wait; see [`patience`].
    pub(super) heads: reqwest::Client,
    pub(super) auth: RegistryAuth,
    registry: String,
    repository: String,
    idle_max: Duration,
}

/// Content from some byte on.
pub(super) struct Piece {
    /// Whether it begins at the content's first byte although a later one was asked for.
    pub(super) from_start: bool,
    pub(super) stream: BoxStream<'static, Result<Bytes, io::Error>>,
}

/// What speaks to one registry with one login. It keeps connections and tokens.
#[derive(Clone)]
pub(super) struct Clients {
    client: Client,
    heads: reqwest::Client,
}

/// Makes the clients for one registry and one login.
pub(super) fn clients(registry: &str, local: bool, limits: &PullLimits) -> Result<Clients, PullCause> {
    static PROVIDER: Once = Once::new();
    // It fails only if the process has chosen one already, which is as good.
    PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    let mut config = ClientConfig {
        protocol: ClientProtocol::Https,
        connect_timeout: Some(limits.connect_max),
        read_timeout: Some(limits.idle_max),
        user_agent: concat!("wharf/", env!("CARGO_PKG_VERSION")),
        ..ClientConfig::default()
    };
    if local {
        config.protocol = ClientProtocol::HttpsExcept(vec![registry.to_owned()]);
        // There is no TLS on the way to our own registry, so a machine without root certificates will do,
        // and a proxy of the environment has no part in it: one that is used for no host replaces it.
        config.accept_invalid_certificates = true;
        config.http_proxy = Some("http://127.0.0.1:9".to_owned());
        let host = registry.rsplit_once(':').map_or(registry, |(host, _)| host);
        config.no_proxy = Some(format!("{host},*"));
    }
    let failed = |source| PullCause::Client { registry: registry.to_owned(), source };
    let client = Client::try_from(config).map_err(failed)?;
    let heads = patience::client(local).map_err(|error| failed(error.into()))?;
    Ok(Clients { client, heads })
}

impl Remote {
    pub(super) async fn new(
        Clients { client, heads }: Clients,
        registry: &str,
        repository: &str,
        login: Option<&Login>,
        idle_max: Duration,
    ) -> Remote {
        let auth = match login {
            Some(login) => RegistryAuth::Basic(login.user.clone(), login.password.clone()),
            None => RegistryAuth::Anonymous,
        };
        let (registry, repository) = (registry.to_owned(), repository.to_owned());
        let remote = Remote { client, heads, auth, registry, repository, idle_max };
        let reference = remote.reference("latest");
        remote.client.store_auth_if_needed(reference.resolve_registry(), &remote.auth).await;
        remote
    }

    /// Returns the registry's host and port.
    pub(super) fn registry(&self) -> &str {
        &self.registry
    }

    /// Returns the digest that a tag stands for now.
    pub(super) async fn resolve(&self, tag: &str) -> Result<Digest, RemoteError> {
        let reference = self.reference(tag);
        let asked = self.client.fetch_manifest_digest(&reference, &self.auth);
        let digest = self.answer(asked, &reference.whole()).await?;
        digest.parse().map_err(|error| RemoteError::Wrong(format!("{}: {error}", self.registry)))
    }

    /// Returns a manifest or an index.
    pub(super) async fn manifest(&self, digest: &Digest) -> Result<Bytes, RemoteError> {
        let reference = self.reference(digest.as_str());
        let asked = self.client.pull_manifest_raw(&reference, &self.auth, &ACCEPTED);
        let (content, _) = self.answer(asked, &reference.whole()).await?;
        if Digest::of(&content) != *digest {
            return Err(RemoteError::Wrong(format!("content is not {digest}")));
        }
        Ok(content)
    }

    /// Returns content from the byte `first` on.
    pub(super) async fn blob(&self, descriptor: &Descriptor, first: u64) -> Result<Piece, RemoteError> {
        let reference = self.reference(descriptor.digest.as_str());
        let wanted = OciDescriptor {
            digest: descriptor.digest.to_string(),
            media_type: descriptor.media_type.clone(),
            urls: (!descriptor.urls.is_empty()).then(|| descriptor.urls.clone()),
            ..OciDescriptor::default()
        };
        if first == 0 {
            let asked = self.client.pull_blob_stream(&reference, &wanted);
            let stream = self.answer(asked, descriptor.digest.as_str()).await?;
            return Ok(Piece { from_start: true, stream: stream.boxed() });
        }
        let asked = self.client.pull_blob_stream_partial(&reference, &wanted, first, None);
        Ok(match self.answer(asked, descriptor.digest.as_str()).await? {
            BlobResponse::Full(stream) => Piece { from_start: true, stream: stream.boxed() },
            BlobResponse::Partial(stream) => Piece { from_start: false, stream: stream.boxed() },
        })
    }

    async fn answer<T>(
        &self,
        asked: impl Future<Output = Result<T, OciDistributionError>>,
        what: &str,
    ) -> Result<T, RemoteError> {
        match tokio::time::timeout(self.idle_max, asked).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                let mut error = RemoteError::of(error, &self.registry, what);
                if error.is_busy()
                    && let RemoteError::Busy { url, wish, .. } = &mut error
                {
                    *wish = patience::wish(self, url).await;
                }
                Err(error)
            }
            Err(_) => {
                let cause = format!("no answer for {} seconds", self.idle_max.as_secs());
                Err(RemoteError::Unreachable { url: self.registry.clone(), cause })
            }
        }
    }

    pub(super) fn reference(&self, tag_or_digest: &str) -> oci_client::Reference {
        let (registry, repository) = (self.registry.clone(), self.repository.clone());
        let last = tag_or_digest.to_owned();
        if tag_or_digest.contains(':') {
            oci_client::Reference::with_digest(registry, repository, last)
        } else {
            oci_client::Reference::with_tag(registry, repository, last)
        }
    }
}
