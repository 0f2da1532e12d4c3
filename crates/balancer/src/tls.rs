//! TLS towards clients: what is presented at an address, and which certificate a client gets.

use crate::host;
use rustls::{
    ServerConfig, ServerConnection, SupportedCipherSuite, SupportedProtocolVersion,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};
use std::sync::Arc;
use thiserror::Error;
use wharf_model::{
    routing::{CertificateRoutes, TlsRoutes},
    tls::{Cipher, SslPolicy, TlsVersion, ssl_policy},
};

/// What HTTP/2 is called when protocols are agreed on.
pub(crate) const HTTP2: &[u8] = b"h2";

/// Why TLS cannot be spoken at an address.
#[derive(Debug, Error)]
pub(crate) enum Error {
    /// The policy is none of those that are known.
    #[error("security policy {0} is not known")]
    Policy(String),
    /// A certificate or a key is not understood.
    #[error("read a certificate and its key")]
    Pem(#[from] rustls::pki_types::pem::Error),
    /// They do not go together, or there is none.
    #[error("use a certificate")]
    Tls(#[from] rustls::Error),
}

impl Error {
    /// Returns it with its cause.
    fn reason(&self) -> String {
        let cause = std::error::Error::source(self).map(|cause| format!(": {cause}"));
        format!("{self}{}", cause.unwrap_or_default())
    }
}

/// What a client agreed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Agreed {
    /// The version.
    pub(crate) version: TlsVersion,
    /// The cipher.
    pub(crate) cipher: Cipher,
}

impl Agreed {
    /// Returns it once the handshake is over.
    pub(crate) fn of(connection: &ServerConnection) -> Option<Agreed> {
        let version = match connection.protocol_version()? {
            rustls::ProtocolVersion::TLSv1_3 => TlsVersion::Tls13,
            _ => TlsVersion::Tls12,
        };
        let suite = connection.negotiated_cipher_suite()?;
        let cipher = CIPHERS.iter().find(|(_, known)| known.suite() == suite.suite())?.0;
        Some(Agreed { version, cipher })
    }
}

const CIPHERS: [(Cipher, SupportedCipherSuite); 7] = [
    (Cipher::Aes128GcmSha256, ring::cipher_suite::TLS13_AES_128_GCM_SHA256),
    (Cipher::Aes256GcmSha384, ring::cipher_suite::TLS13_AES_256_GCM_SHA384),
    (Cipher::Chacha20Poly1305Sha256, ring::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256),
    (Cipher::EcdheEcdsaAes128GcmSha256, ring::cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
    (Cipher::EcdheRsaAes128GcmSha256, ring::cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
    (Cipher::EcdheEcdsaAes256GcmSha384, ring::cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
    (Cipher::EcdheRsaAes256GcmSha384, ring::cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
];

/// How TLS is spoken at an address; nothing when it cannot be.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spoken {
    /// By this.
    pub(crate) config: Option<Arc<ServerConfig>>,
    /// Why it is not for these of those that asked for it.
    pub(crate) problems: Vec<(usize, String)>,
}

/// Returns how TLS is spoken at an address, which several load balancers may share: by the policy of the first, with
/// the certificates of all; with HTTP/2 for clients that prefer it, if it is to be.
pub(crate) fn spoken(of: &[TlsRoutes], http2: bool) -> Spoken {
    let mut spoken = Spoken::default();
    match config(of, http2, &mut spoken.problems) {
        Ok(config) => spoken.config = Some(config),
        Err(error) => {
            let known: Vec<usize> = spoken.problems.iter().map(|(index, _)| *index).collect();
            let others = (0..of.len()).filter(|index| !known.contains(index));
            spoken.problems.extend(others.map(|index| (index, error.reason())));
        }
    }
    spoken
}

fn config(
    of: &[TlsRoutes],
    http2: bool,
    problems: &mut Vec<(usize, String)>,
) -> Result<Arc<ServerConfig>, Error> {
    let first = of.first().ok_or(rustls::Error::NoCertificatesPresented)?;
    let policy = ssl_policy(&first.policy).ok_or_else(|| Error::Policy(first.policy.clone()))?;
    let provider = Arc::new(provider(policy));
    let mut certificates = Vec::new();
    for (index, tls) in of.iter().enumerate() {
        match presented(tls, &provider) {
            Ok(presented) => certificates.extend(presented),
            Err(error) => problems.push((index, error.reason())),
        }
    }
    if certificates.is_empty() {
        return Err(rustls::Error::NoCertificatesPresented.into());
    }
    let versions: Vec<&SupportedProtocolVersion> = policy
        .versions
        .iter()
        .map(|version| match version {
            TlsVersion::Tls12 => &TLS12,
            TlsVersion::Tls13 => &TLS13,
        })
        .collect();
    let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(&versions)?;
    let certificates = Arc::new(Certificates(certificates));
    let mut config = builder.with_no_client_auth().with_cert_resolver(certificates);
    let protocols = http2.then_some(HTTP2).into_iter().chain([b"http/1.1".as_slice()]);
    config.alpn_protocols = protocols.map(<[u8]>::to_vec).collect();
    config.ignore_client_order = true;
    config.ticketer = ring::Ticketer::new()?;
    Ok(Arc::new(config))
}

/// Returns the certificates of one listener; one that cannot be used is left out, but for the default one.
fn presented(of: &TlsRoutes, provider: &CryptoProvider) -> Result<Vec<Certificate>, Error> {
    let mut all = of.certificates.iter().map(|certificate| Certificate::read(certificate, provider));
    let default = all.next().ok_or(rustls::Error::NoCertificatesPresented)??;
    let usable = |read: Result<Certificate, Error>| {
        read.inspect_err(|error| tracing::error!(error = error.reason(), "certificate left out")).ok()
    };
    Ok(std::iter::once(default).chain(all.filter_map(usable)).collect())
}

fn provider(policy: &SslPolicy) -> CryptoProvider {
    let suite =
        |wanted: &Cipher| CIPHERS.iter().find(|(cipher, _)| cipher == wanted).map(|(_, suite)| *suite);
    let cipher_suites = policy.ciphers.iter().filter_map(suite).collect();
    CryptoProvider { cipher_suites, ..ring::default_provider() }
}

/// The certificates at an address, the default one first.
#[derive(Debug)]
struct Certificates(Vec<Certificate>);

#[derive(Debug)]
struct Certificate {
    names: Vec<String>,
    key: Arc<CertifiedKey>,
}

impl Certificate {
    fn read(of: &CertificateRoutes, provider: &CryptoProvider) -> Result<Certificate, Error> {
        let chain = CertificateDer::pem_slice_iter(of.chain.as_bytes()).collect::<Result<Vec<_>, _>>()?;
        let key = PrivateKeyDer::from_pem_slice(of.key.reveal().as_bytes())?;
        let key = Arc::new(CertifiedKey::from_der(chain, key, provider)?);
        Ok(Certificate { names: of.names.clone(), key })
    }

    /// Returns whether it is for a host of this name; not `exact`ly, when it is so by a wildcard.
    fn is_for(&self, host: &str, exact: bool) -> bool {
        self.names.iter().any(|name| host::covers(name, host, exact))
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let host = hello.server_name();
        let fits = |of: &&Certificate| of.key.key.choose_scheme(hello.signature_schemes()).is_some();
        let named = |exact: bool| {
            self.0.iter().filter(fits).find(|of| host.is_some_and(|host| of.is_for(host, exact)))
        };
        let found = named(true).or_else(|| named(false)).or_else(|| self.0.iter().find(fits));
        found.map(|of| of.key.clone())
    }
}
