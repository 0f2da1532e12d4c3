use http::{HeaderMap, HeaderValue, Request};
use time::Duration;
use time::macros::datetime;
use wharf_aws::Timestamp;
use wharf_aws::sigv4::Signer;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-02-03 04:05:06 UTC);

/// Returns the caller's region, or "code status" of the refusal.
fn outcome(auth: &Auth, service: Service, signer: Option<Signer<'_>>, signed_at: OffsetDateTime) -> String {
    let (mut parts, ()) = Request::post("/").header("host", "h").body(()).unwrap().into_parts();
    if let Some(signer) = signer {
        signer.sign(&mut parts, b"{}", signed_at).unwrap();
    }
    match auth.caller(&parts, b"{}", service, service.protocol(), NOW) {
        Ok(caller) => caller.region,
        Err(fault) => fault.code(service.protocol()).to_owned(),
    }
}

fn signer(access_key: &'static str, secret: &'static str, service: Service) -> Option<Signer<'static>> {
    Some(Signer { access_key, secret, region: "eu-west-1", service: service.signing_name() })
}

#[test]
fn each_protocol_family_has_its_own_codes() {
    let auth = Auth::root("AKID", "secret");
    let late = NOW - Duration::hours(1);
    for (service, missing, unknown, mismatch, expired) in [
        (
            Service::Ecs,
            "MissingAuthenticationTokenException",
            "UnrecognizedClientException",
            "InvalidSignatureException",
            "InvalidSignatureException",
        ),
        (
            Service::Elbv2,
            "MissingAuthenticationToken",
            "InvalidClientTokenId",
            "SignatureDoesNotMatch",
            "SignatureDoesNotMatch",
        ),
        (Service::Ec2, "MissingAuthenticationToken", "AuthFailure", "AuthFailure", "RequestExpired"),
    ] {
        assert_eq!(outcome(&auth, service, None, NOW), missing);
        assert_eq!(outcome(&auth, service, signer("OTHER", "secret", service), NOW), unknown);
        assert_eq!(outcome(&auth, service, signer("AKID", "wrong", service), NOW), mismatch);
        assert_eq!(outcome(&auth, service, signer("AKID", "secret", service), late), expired);
        assert_eq!(outcome(&auth, service, signer("AKID", "secret", service), NOW), "eu-west-1");
    }
}

#[test]
fn a_region_that_would_break_an_arn_is_refused() {
    let auth = Auth::root("AKID", "secret");
    let signer = Signer { access_key: "AKID", secret: "secret", region: "a:b", service: "ecs" };
    assert_eq!(outcome(&auth, Service::Ecs, Some(signer), NOW), "InvalidSignatureException");
}

#[test]
fn with_authentication_off_any_signature_will_do() {
    let auth = Auth::off();
    assert_eq!(outcome(&auth, Service::Ecs, None, NOW), "us-east-1");
    assert_eq!(outcome(&auth, Service::Ecs, signer("X", "Y", Service::Ecs), NOW), "eu-west-1");
}

fn basic(user: &str, password: &str) -> HeaderMap {
    use base64::Engine;
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    let mut headers = HeaderMap::new();
    let value = HeaderValue::from_str(&format!("Basic {encoded}")).unwrap();
    headers.insert(http::header::AUTHORIZATION, value);
    headers
}

#[test]
fn registry_passwords_are_good_for_twelve_hours() {
    let tokens = RegistryTokens::new("secret");
    let at = |hours: i64| Timestamp::from_millis(hours * 3_600_000);
    let token = tokens.issue(at(0));
    assert_eq!(token.expires_at, at(12));
    assert!(tokens.accepts(&basic("AWS", &token.password), at(11)));
    assert!(!tokens.accepts(&basic("AWS", &token.password), at(12)));
}

#[test]
fn registry_passwords_cannot_be_made_up() {
    let tokens = RegistryTokens::new("secret");
    let now = Timestamp::from_millis(0);
    let foreign = RegistryTokens::new("other").issue(now);
    let own = tokens.issue(now);
    assert!(!tokens.accepts(&basic("AWS", &foreign.password), now));
    assert!(!tokens.accepts(&basic("root", &own.password), now));
    assert!(!tokens.accepts(&basic("AWS", ""), now));
    assert!(!tokens.accepts(&HeaderMap::new(), now));
    assert!(tokens.accepts(&basic("AWS", "secret"), now), "the nodes' own password");
}
