use super::*;

fn read(rest: &str) -> SecretReference {
    let arn = format!("arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf{rest}");
    SecretReference::new(&arn.parse().unwrap())
}

fn check(rest: &str, key: &str, stage: &str, version: &str) {
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let reference = SecretReference {
        secret: "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf".to_owned(),
        key: given(key),
        stage: given(stage),
        version: given(version),
    };
    assert_eq!(read(rest), reference, "{rest}");
}

#[test]
fn key_stage_and_version_follow_the_arn_and_each_may_be_left_out() {
    check("", "", "", "");
    check(":password::", "password", "", "");
    check("::AWSPREVIOUS:", "", "AWSPREVIOUS", "");
    check(":::9d4cb84b", "", "", "9d4cb84b");
    check(":password:AWSPREVIOUS:9d4cb84b", "password", "AWSPREVIOUS", "9d4cb84b");
    check(":password", "password", "", "");
}

#[test]
fn a_key_of_json_is_text_and_what_is_missing_shows_nothing_of_the_value() {
    let json = r#"{"user": "me", "port": 5432, "tls": true}"#;
    assert_eq!(member(json, "user").unwrap(), "me");
    assert_eq!(member(json, "port").unwrap(), "5432");
    assert_eq!(member(json, "tls").unwrap(), "true");
    let error = member(json, "password").unwrap_err();
    assert!(error.ends_with("did not contain json key password") && !error.contains("5432"), "{error}");
    assert!(!member("hunter2", "password").unwrap_err().contains("hunter2"));
}
