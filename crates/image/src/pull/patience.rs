//! How long a registry that is busy asks to be left alone.
//!
//! The client that pulls does not show the headers of a refusal. So the refused address is asked once more, for its head
//! alone, which registries answer without counting it as a pull; who is still refused is told there how long to wait.

use super::remote::Remote;
use http::StatusCode;
use http::header::RETRY_AFTER;
use oci_client::RegistryOperation;
use oci_client::secrets::RegistryAuth;
use std::time::{Duration, SystemTime};

/// The longest that a registry's wish is followed at a time; the pull's own deadline goes on meanwhile.
pub(super) const WAIT_MAX: Duration = Duration::from_secs(60);
/// How long the question may take.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// Makes the client that asks.
pub(super) fn client(local: bool) -> Result<reqwest::Client, reqwest::Error> {
    let client = reqwest::Client::builder()
        .user_agent(concat!("wharf/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .timeout(ANSWER_MAX);
    // As for pulling: no roots are needed on this machine, and no proxy.
    let client = if local { client.tls_danger_accept_invalid_certs(true).no_proxy() } else { client };
    client.build()
}

/// Returns how long the registry wants to be left alone; nothing when it does not say.
pub(super) async fn wish(remote: &Remote, url: &str) -> Option<Duration> {
    let asked = async {
        let reference = remote.reference("latest");
        let token = remote.client.auth(&reference, &remote.auth, RegistryOperation::Pull).await;
        let request = remote.heads.head(url);
        let request = match (token, &remote.auth) {
            (Ok(Some(token)), _) => request.bearer_auth(token),
            (_, RegistryAuth::Basic(user, password)) => request.basic_auth(user, Some(password)),
            _ => request,
        };
        request.send().await.ok()
    };
    let answer = tokio::time::timeout(ANSWER_MAX, asked).await.ok()??;
    if !matches!(answer.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        return None;
    }
    read(answer.headers().get(RETRY_AFTER)?.to_str().ok()?, SystemTime::now())
}

/// Reads the header: seconds, or a date (RFC 9110, 10.2.3).
fn read(header: &str, now: SystemTime) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(header).ok()?;
    Some(date.duration_since(now).unwrap_or(Duration::ZERO))
}

/// Returns how long to wait: as wished, neither shorter than the first pause of one's own nor longer than is borne.
pub(super) fn wait(wish: Duration, first: Duration) -> Duration {
    wish.max(first).min(WAIT_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_in_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Wed, 21 Oct 2015 07:28:00 GMT").unwrap();
        let check = |header, seconds: Option<u64>| {
            assert_eq!(read(header, now), seconds.map(Duration::from_secs), "{header}");
        };
        check("120", Some(120));
        check(" 0 ", Some(0));
        check("Wed, 21 Oct 2015 07:28:30 GMT", Some(30));
        check("Wed, 21 Oct 2015 07:27:00 GMT", Some(0));
        check("soon", None);
        check("-1", None);
    }

    #[test]
    fn a_wish_is_followed_within_bounds() {
        let secs = Duration::from_secs;
        assert_eq!(wait(secs(7), secs(1)), secs(7));
        assert_eq!(wait(secs(0), secs(1)), secs(1), "nobody is asked again at once");
        assert_eq!(wait(secs(86_400), secs(1)), WAIT_MAX);
    }
}
