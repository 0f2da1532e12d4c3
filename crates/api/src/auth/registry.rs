//! Passwords of the image registry.
//!
//! `ecr:GetAuthorizationToken` gives one out, `docker login` sends it back as user `AWS` of Basic
//! authentication. Nothing is stored: a password is its expiry and a code that only the holder of the
//! secret can make.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use wharf_aws::{Timestamp, mac};

const USER: &str = "AWS";
const LIFE_MILLIS: i64 = 12 * 3600 * 1000;

/// Makes and checks passwords of the image registry.
#[derive(Clone)]
pub struct RegistryTokens {
    secret: Vec<u8>,
}

/// A password and the end of its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryToken {
    /// What `aws ecr get-login-password` prints.
    pub password: String,
    /// When it stops being accepted.
    pub expires_at: Timestamp,
}

impl RegistryToken {
    /// Returns `authorizationToken` as `GetAuthorizationToken` gives it: base64 of `AWS:<password>`.
    pub fn authorization_token(&self) -> String {
        STANDARD.encode(format!("{USER}:{}", self.password))
    }
}

impl RegistryTokens {
    /// Returns the maker of passwords that `secret` proves.
    pub fn new(secret: &str) -> RegistryTokens {
        RegistryTokens { secret: secret.as_bytes().to_vec() }
    }

    /// Returns a password that is good for twelve hours.
    pub fn issue(&self, now: Timestamp) -> RegistryToken {
        let expires_at = Timestamp::from_millis(now.as_millis().saturating_add(LIFE_MILLIS));
        let expiry = expires_at.as_millis().to_be_bytes();
        let password = URL_SAFE_NO_PAD.encode([expiry.as_slice(), &self.code(expiry)].concat());
        RegistryToken { password, expires_at }
    }

    /// Tells whether a request's headers carry a password that is still good, or the secret itself, which
    /// the nodes of this installation use.
    pub fn accepts(&self, headers: &HeaderMap, now: Timestamp) -> bool {
        self.try_accept(headers, now).unwrap_or(false)
    }

    /// Tells whether a URL that `GetDownloadUrlForLayer` gave out is still good.
    pub fn accepts_query(&self, query: &str, now: Timestamp) -> bool {
        let given = query.split('&').find_map(|pair| pair.strip_prefix("token="));
        given.is_some_and(|token| self.is_good(token, now))
    }

    fn try_accept(&self, headers: &HeaderMap, now: Timestamp) -> Option<bool> {
        let given = headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (scheme, encoded) = given.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = STANDARD.decode(encoded.trim()).ok()?;
        let (user, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
        if user != USER {
            return None;
        }
        Some(self.is_good(password, now) || mac::same(password.as_bytes(), &self.secret))
    }

    fn is_good(&self, password: &str, now: Timestamp) -> bool {
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(password) else { return false };
        let Some((expiry, code)) = bytes.split_first_chunk::<8>() else { return false };
        mac::same(code, &self.code(*expiry)) && i64::from_be_bytes(*expiry) > now.as_millis()
    }

    fn code(&self, expiry: [u8; 8]) -> [u8; 32] {
        mac::hmac_sha256(&self.secret, &[b"wharf registry password ".as_slice(), &expiry].concat())
    }
}
