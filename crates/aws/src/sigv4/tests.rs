use http::Request;
use serde::Deserialize;
use time::macros::datetime;

use super::*;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
/// When botocore signed `tests/vectors.json`.
const SIGNED_AT: OffsetDateTime = datetime!(2026-02-03 04:05:06 UTC);

#[derive(Debug, Clone, Deserialize)]
struct Vector {
    name: String,
    service: String,
    method: String,
    uri: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Vector {
    fn parts(&self) -> Parts {
        let mut request = Request::builder().method(self.method.as_str()).uri(&self.uri);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn check(&self) -> Result<(), SignatureError> {
        self.check_at(SIGNED_AT)
    }

    fn check_at(&self, now: OffsetDateTime) -> Result<(), SignatureError> {
        let parts = self.parts();
        claim(&parts)?.verify(&parts, self.body.as_bytes(), SECRET, &self.service, now)
    }

    fn set(&mut self, name: &str, value: &str) {
        self.headers.retain(|(found, _)| !found.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    fn authorization(&mut self, change: impl FnOnce(&str) -> String) {
        let (_, value) = self.headers.iter_mut().find(|(name, _)| name == "Authorization").unwrap();
        *value = change(value);
    }
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("tests/vectors.json")).unwrap()
}

fn vector(name: &str) -> Vector {
    vectors().into_iter().find(|vector| vector.name == name).unwrap()
}

/// Checks a case of AWS's published test suite: 2015-08-30, region us-east-1, service "service".
fn suite(method: &str, uri: &str, headers: &[(&str, &str)], signature: &str) {
    let mut names: Vec<String> = headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.extend(["host".to_owned(), "x-amz-date".to_owned()]);
    names.sort();
    names.dedup();
    let mut all: Vec<(String, String)> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    all.push(("Host".to_owned(), "example.amazonaws.com".to_owned()));
    all.push(("X-Amz-Date".to_owned(), "20150830T123600Z".to_owned()));
    all.push((
        "Authorization".to_owned(),
        format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders={}, Signature={signature}",
            names.join(";")
        ),
    ));
    let vector = Vector {
        name: uri.to_owned(),
        service: "service".to_owned(),
        method: method.to_owned(),
        uri: uri.to_owned(),
        headers: all,
        body: String::new(),
    };
    let outcome = vector.check_at(datetime!(2015-08-30 12:36:00 UTC));
    assert_eq!(outcome, Ok(()), "{method} {uri} {headers:?}");
}

#[test]
fn signatures_of_the_published_suite_are_accepted() {
    let vanilla = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
    suite("GET", "/", &[], vanilla);
    suite("GET", "/example/..", &[], vanilla);
    suite("GET", "/example1/example2/../..", &[], vanilla);
    suite("GET", "/./", &[], vanilla);
    suite("POST", "/", &[], "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
    suite(
        "GET",
        "/?Param2=value2&Param1=value1",
        &[],
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    );
    suite(
        "GET",
        "/",
        &[("My-Header1", "value2"), ("My-Header1", "value2"), ("My-Header1", "value1")],
        "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
    );
    suite(
        "GET",
        "/",
        &[("My-Header1", " value1"), ("My-Header2", " \"a   b   c\"")],
        "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
    );
}

#[test]
fn signatures_of_botocore_are_accepted() {
    for vector in vectors() {
        assert_eq!(vector.check(), Ok(()), "{}", vector.name);
    }
}

#[test]
fn what_was_changed_after_signing_is_noticed() {
    for original in vectors() {
        let mut altered = original.clone();
        altered.body.push(' ');
        let covered = original.name != "unsigned payload";
        assert_eq!(altered.check() == Err(SignatureError::Mismatch), covered, "{}: body", original.name);

        let mut altered = original.clone();
        altered.uri.push_str(if altered.uri.contains('?') { "&more=1" } else { "?more=1" });
        assert_eq!(altered.check(), Err(SignatureError::Mismatch), "{}: query", original.name);

        let mut altered = original.clone();
        altered.set("Host", "127.0.0.1:4567");
        assert_eq!(altered.check(), Err(SignatureError::Mismatch), "{}: host", original.name);

        let mut altered = original.clone();
        altered.method = "PUT".to_owned();
        assert_eq!(altered.check(), Err(SignatureError::Mismatch), "{}: method", original.name);
    }
}

#[test]
fn another_secret_does_not_match() {
    let vector = vector("ecs json");
    let parts = vector.parts();
    let outcome = claim(&parts).unwrap().verify(&parts, vector.body.as_bytes(), "other", "ecs", SIGNED_AT);
    assert_eq!(outcome, Err(SignatureError::Mismatch));
}

#[test]
fn a_header_added_on_the_way_is_refused_if_it_could_mean_something() {
    let mut request = vector("query form");
    request.set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.ListClusters");
    assert!(matches!(request.check(), Err(SignatureError::Incomplete(_))));
    let mut request = vector("query form");
    request.set("X-Forwarded-For", "10.0.0.1");
    request.set("X-Amzn-Trace-Id", "Root=1-2-3");
    assert_eq!(request.check(), Ok(()));
}

#[test]
fn an_unsigned_host_is_refused() {
    let mut request = vector("ecs json");
    request.authorization(|value| value.replace("host;", ""));
    let text = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.";
    assert_eq!(request.check(), Err(SignatureError::Incomplete(text.to_owned())));
}

#[test]
fn clocks_may_differ_by_fifteen_minutes() {
    let request = vector("ecs json");
    assert_eq!(request.check_at(SIGNED_AT + Duration::minutes(15)), Ok(()));
    assert_eq!(request.check_at(SIGNED_AT - Duration::minutes(15)), Ok(()));
    let late = "Signature expired: 20260203T040506Z is now earlier than 20260203T040507Z \
                (20260203T042007Z - 15 min.)";
    let outcome = request.check_at(SIGNED_AT + Duration::seconds(901));
    assert_eq!(outcome, Err(SignatureError::OutOfTime(late.to_owned())));
    let early = "Signature not yet current: 20260203T040506Z is still later than 20260203T040505Z \
                 (20260203T035005Z + 15 min.)";
    let outcome = request.check_at(SIGNED_AT - Duration::seconds(901));
    assert_eq!(outcome, Err(SignatureError::OutOfTime(early.to_owned())));
}

#[test]
fn a_presigned_url_lives_as_long_as_it_says() {
    let request = vector("presigned");
    assert_eq!(request.check_at(SIGNED_AT + Duration::seconds(3600)), Ok(()));
    let outcome = request.check_at(SIGNED_AT + Duration::seconds(3601));
    assert!(matches!(outcome, Err(SignatureError::OutOfTime(_))), "{outcome:?}");
    let mut request = vector("presigned");
    request.uri = request.uri.replace("X-Amz-Expires=3600", "X-Amz-Expires=99999999");
    assert!(matches!(request.check(), Err(SignatureError::Incomplete(_))));
}

#[test]
fn a_date_that_overflows_is_not_a_date() {
    let mut request = vector("ecs json");
    request.set("X-Amz-Date", "99991231T235959Z");
    request.authorization(|value| value.replace("20260203", "99991231"));
    assert!(matches!(request.check(), Err(SignatureError::OutOfTime(_))));
    let mut request = vector("ecs json");
    request.set("X-Amz-Date", "20260203");
    assert!(matches!(request.check(), Err(SignatureError::Incomplete(_))));
}

#[test]
fn the_scope_has_to_fit_service_and_date() {
    let request = vector("ecs json");
    let parts = request.parts();
    let outcome = claim(&parts).unwrap().verify(&parts, request.body.as_bytes(), SECRET, "logs", SIGNED_AT);
    let text = "Credential should be scoped to correct service: 'logs'.";
    assert_eq!(outcome, Err(SignatureError::Scope(text.to_owned())));
    let mut request = vector("ecs json");
    request.authorization(|value| value.replace("/20260203/", "/20260202/"));
    assert!(matches!(request.check(), Err(SignatureError::Scope(_))));
}

#[test]
fn a_request_without_a_signature_is_missing_it() {
    let mut request = vector("ecs json");
    request.headers.retain(|(name, _)| name != "Authorization");
    assert_eq!(request.check(), Err(SignatureError::Missing));
}

#[test]
fn a_broken_authorization_header_is_incomplete() {
    let full = vector("ecs json");
    let (_, good) = full.headers.iter().find(|(name, _)| name == "Authorization").unwrap().clone();
    let broken = [
        "",
        "AWS4-HMAC-SHA256",
        "AWS AKIDEXAMPLE:signature",
        "AWS4-ECDSA-P256-SHA256 Credential=a/b/c/d/aws4_request, SignedHeaders=host, Signature=00",
        "AWS4-HMAC-SHA256 Credential",
        "AWS4-HMAC-SHA256 Credential=, SignedHeaders=, Signature=",
        "AWS4-HMAC-SHA256 Credential=a/b/c/aws4_request, SignedHeaders=host, Signature=00",
        "AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, SignedHeaders=host;host, Signature=00",
        "AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, SignedHeaders=host, Signature=00, Signature=11",
    ];
    for header in broken {
        let mut request = full.clone();
        request.set("Authorization", header);
        assert!(matches!(request.check(), Err(SignatureError::Incomplete(_))), "{header}");
    }
    let mut request = full.clone();
    request.headers.push(("Authorization".to_owned(), good));
    assert!(matches!(request.check(), Err(SignatureError::Incomplete(_))), "two headers");
    let mut request = full;
    request.headers.retain(|(name, _)| name != "X-Amz-Date");
    let outcome = request.check();
    assert!(outcome.unwrap_err().to_string().contains("'X-Amz-Date' or a 'Date' header"));
}

#[test]
fn our_own_signatures_are_accepted() {
    let (mut parts, ()) = Request::post("/?b=2&a=1").header("host", "h:1").body(()).unwrap().into_parts();
    let signer = Signer { access_key: "AK", secret: SECRET, region: "eu-west-1", service: "ecs" };
    signer.sign(&mut parts, b"{}", SIGNED_AT).unwrap();
    let claim = claim(&parts).unwrap();
    assert_eq!(claim.access_key, "AK");
    assert_eq!(claim.scope.region, "eu-west-1");
    assert_eq!(claim.verify(&parts, b"{}", SECRET, "ecs", SIGNED_AT), Ok(()));
}
