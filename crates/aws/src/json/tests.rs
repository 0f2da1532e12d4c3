use serde::Deserialize;

use super::*;

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    service: Option<String>,
    desired_count: Option<i32>,
    force: Option<bool>,
    containers: Vec<Container>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Container {
    image: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Strict {
    #[expect(dead_code, reason = "only its absence is tried")]
    service: String,
}

fn wrong(body: &str) -> String {
    decode::<Input>(body.as_bytes()).unwrap_err().to_string()
}

#[test]
fn unknown_members_are_ignored_and_null_is_absent() {
    let body = br#"{"service": "web", "unheardOf": {"a": [1]}, "force": null, "containers": null}"#;
    let expected = Input { service: Some("web".to_owned()), ..Input::default() };
    assert_eq!(decode::<Input>(body), Ok(expected));
}

#[test]
fn an_empty_body_is_an_empty_object() {
    assert_eq!(decode::<Input>(b""), Ok(Input::default()));
    assert_eq!(decode::<Input>(b" \n"), Ok(Input::default()));
}

#[test]
fn wrong_types_are_told_in_the_words_of_aws_and_with_their_place() {
    assert_eq!(wrong(r#"{"service": 5}"#), "NUMBER_VALUE can not be converted to a String (at 'service')");
    assert_eq!(
        wrong(r#"{"desiredCount": "two"}"#),
        "STRING_VALUE can not be converted to an Integer (at 'desiredCount')"
    );
    assert_eq!(wrong(r#"{"force": "true"}"#), "STRING_VALUE can not be converted to a Boolean (at 'force')");
    assert_eq!(
        wrong(r#"{"containers": [{}, {"image": true}]}"#),
        "TRUE_VALUE can not be converted to a String (at 'containers[1].image')"
    );
    assert_eq!(
        wrong(r#"{"containers": {}}"#),
        "Start of structure or map found where not expected. (at 'containers')"
    );
    assert_eq!(wrong(r#"{"containers": "web"}"#), "Expected list or null (at 'containers')");
}

#[test]
fn numbers_that_do_not_fit_are_refused() {
    assert!(wrong(r#"{"desiredCount": 3000000000}"#).contains("desiredCount"));
}

#[test]
fn what_is_not_a_json_object_is_malformed() {
    let deep = "[".repeat(100_000);
    for body in ["{", "[]", "5", "\"x\"", "{} {}", "\u{feff}{}", &deep] {
        let error = decode::<Input>(body.as_bytes()).unwrap_err();
        assert!(matches!(error, DecodeError::Malformed { .. }), "{error}");
    }
}

#[test]
fn an_absent_member_is_named() {
    let error = decode::<Strict>(b"{}").unwrap_err();
    assert_eq!(error, DecodeError::Missing { member: "service".to_owned() });
}

#[test]
fn an_answer_of_nothing_has_no_body() {
    assert_eq!(encode(&()).unwrap(), b"");
    assert_eq!(encode(&serde_json::json!({"a": []})).unwrap(), br#"{"a":[]}"#);
}
