//! Security policies of listeners with TLS: AWS's names, with the versions and ciphers of each that are served here.

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsVersion {
    /// 1.2.
    Tls12,
    /// 1.3.
    Tls13,
}

impl TlsVersion {
    /// Returns its name in the API and in logs.
    pub fn as_str(self) -> &'static str {
        match self {
            TlsVersion::Tls12 => "TLSv1.2",
            TlsVersion::Tls13 => "TLSv1.3",
        }
    }
}

/// A cipher suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cipher {
    /// Of TLS 1.3.
    Aes128GcmSha256,
    /// Of TLS 1.3.
    Aes256GcmSha384,
    /// Of TLS 1.3.
    Chacha20Poly1305Sha256,
    /// Of TLS 1.2.
    EcdheEcdsaAes128GcmSha256,
    /// Of TLS 1.2.
    EcdheRsaAes128GcmSha256,
    /// Of TLS 1.2.
    EcdheEcdsaAes256GcmSha384,
    /// Of TLS 1.2.
    EcdheRsaAes256GcmSha384,
}

impl Cipher {
    /// Returns its name in the API and in logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Cipher::Aes128GcmSha256 => "TLS_AES_128_GCM_SHA256",
            Cipher::Aes256GcmSha384 => "TLS_AES_256_GCM_SHA384",
            Cipher::Chacha20Poly1305Sha256 => "TLS_CHACHA20_POLY1305_SHA256",
            Cipher::EcdheEcdsaAes128GcmSha256 => "ECDHE-ECDSA-AES128-GCM-SHA256",
            Cipher::EcdheRsaAes128GcmSha256 => "ECDHE-RSA-AES128-GCM-SHA256",
            Cipher::EcdheEcdsaAes256GcmSha384 => "ECDHE-ECDSA-AES256-GCM-SHA384",
            Cipher::EcdheRsaAes256GcmSha384 => "ECDHE-RSA-AES256-GCM-SHA384",
        }
    }
}

/// A security policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SslPolicy {
    /// Its name.
    pub name: &'static str,
    /// The versions that clients may speak.
    pub versions: &'static [TlsVersion],
    /// The ciphers, the one that is liked best first.
    pub ciphers: &'static [Cipher],
}

const MODERN: &[Cipher] = &[Cipher::Aes128GcmSha256, Cipher::Aes256GcmSha384, Cipher::Chacha20Poly1305Sha256];

const BOTH: &[Cipher] = &[
    Cipher::Aes128GcmSha256,
    Cipher::Aes256GcmSha384,
    Cipher::Chacha20Poly1305Sha256,
    Cipher::EcdheEcdsaAes128GcmSha256,
    Cipher::EcdheRsaAes128GcmSha256,
    Cipher::EcdheEcdsaAes256GcmSha384,
    Cipher::EcdheRsaAes256GcmSha384,
];

const OLDER: &[Cipher] = &[
    Cipher::EcdheEcdsaAes128GcmSha256,
    Cipher::EcdheRsaAes128GcmSha256,
    Cipher::EcdheEcdsaAes256GcmSha384,
    Cipher::EcdheRsaAes256GcmSha384,
];

/// The policy of a listener that names none. AWS's own allows TLS 1.0 still.
pub const SSL_POLICY_DEFAULT: &str = "ELBSecurityPolicy-TLS13-1-2-2021-06";

const TO_13: &[TlsVersion] = &[TlsVersion::Tls12, TlsVersion::Tls13];
const ONLY_12: &[TlsVersion] = &[TlsVersion::Tls12];
const ONLY_13: &[TlsVersion] = &[TlsVersion::Tls13];

const fn policy(
    name: &'static str,
    versions: &'static [TlsVersion],
    ciphers: &'static [Cipher],
) -> SslPolicy {
    SslPolicy { name, versions, ciphers }
}

/// The policies that are served, each with what of it is: TLS 1.0 and 1.1, ciphers in CBC mode, and those without
/// forward secrecy, which the older ones have on AWS, are spoken by none. Those whose names promise what is not kept
/// here (validated modules, `FIPS`; key exchange that withstands quantum computers, `PQ`) are not served at all.
pub const SSL_POLICIES: &[SslPolicy] = &[
    policy("ELBSecurityPolicy-TLS13-1-2-2021-06", TO_13, BOTH),
    policy("ELBSecurityPolicy-TLS13-1-2-Res-2021-06", TO_13, BOTH),
    policy("ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06", TO_13, BOTH),
    policy("ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06", TO_13, BOTH),
    policy("ELBSecurityPolicy-TLS13-1-1-2021-06", TO_13, BOTH),
    policy("ELBSecurityPolicy-TLS13-1-0-2021-06", TO_13, BOTH),
    policy("ELBSecurityPolicy-TLS13-1-3-2021-06", ONLY_13, MODERN),
    policy("ELBSecurityPolicy-FS-1-2-Res-2020-10", ONLY_12, OLDER),
    policy("ELBSecurityPolicy-FS-1-2-Res-2019-08", ONLY_12, OLDER),
    policy("ELBSecurityPolicy-FS-1-2-2019-08", ONLY_12, OLDER),
    policy("ELBSecurityPolicy-FS-1-1-2019-08", ONLY_12, OLDER),
    policy("ELBSecurityPolicy-FS-2018-06", ONLY_12, OLDER),
    policy("ELBSecurityPolicy-TLS-1-2-Ext-2018-06", ONLY_12, OLDER),
    policy("ELBSecurityPolicy-TLS-1-2-2017-01", ONLY_12, OLDER),
    policy("ELBSecurityPolicy-TLS-1-1-2017-01", ONLY_12, OLDER),
    policy("ELBSecurityPolicy-2016-08", ONLY_12, OLDER),
    policy("ELBSecurityPolicy-2015-05", ONLY_12, OLDER),
    policy("ELBSecurityPolicy-TLS-1-0-2015-04", ONLY_12, OLDER),
];

/// Returns a policy by its name.
pub fn ssl_policy(name: &str) -> Option<&'static SslPolicy> {
    SSL_POLICIES.iter().find(|policy| policy.name == name)
}
