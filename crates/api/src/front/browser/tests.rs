use super::*;

fn foreign(origin: &'static str) -> bool {
    let mut headers = HeaderMap::new();
    headers.insert(ORIGIN, HeaderValue::from_static(origin));
    is_foreign(&headers)
}

#[test]
fn requests_without_an_origin_are_no_web_pages() {
    assert!(!is_foreign(&HeaderMap::new()));
}

#[test]
fn pages_of_this_machine_may_call() {
    assert!(!foreign("http://localhost:4566"));
    assert!(!foreign("http://console.localhost"));
    assert!(!foreign("http://127.0.0.1:8080"));
    assert!(!foreign("http://[::1]:8080"));
}

#[test]
fn pages_of_other_machines_may_not() {
    assert!(foreign("https://example.com"));
    assert!(foreign("http://localhost.example.com"));
    assert!(foreign("http://10.0.0.1"));
    assert!(foreign("null"));
}
