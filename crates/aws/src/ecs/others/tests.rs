use super::*;

const KNOWN: [(&str, &str); 3] = [("schedulingStrategy", "REPLICA"), ("healthCheck", ""), ("links", "")];

fn asked_for(json: &str) -> Option<&'static str> {
    serde_json::from_str::<Others>(json).unwrap().first_asked_for(&KNOWN)
}

#[test]
fn a_member_that_asks_for_nothing_is_accepted() {
    assert_eq!(asked_for("{}"), None);
    assert_eq!(
        asked_for(r#"{"schedulingStrategy": "REPLICA", "links": [], "healthCheck": {"command": []}}"#),
        None
    );
    assert_eq!(asked_for(r#"{"inventedYesterday": 1}"#), None);
}

#[test]
fn a_member_that_asks_for_something_is_named() {
    assert_eq!(asked_for(r#"{"schedulingStrategy": "DAEMON"}"#), Some("schedulingStrategy"));
    assert_eq!(asked_for(r#"{"healthCheck": {"command": ["CMD", "true"]}}"#), Some("healthCheck"));
    assert_eq!(asked_for(r#"{"links": ["db"]}"#), Some("links"));
}
