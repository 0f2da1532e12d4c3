use super::{bare, choose, told};

fn check(host: Option<&str>, expected: usize) {
    let certified = [vec!["*.shop.example".to_owned()], vec!["www.shop.example".to_owned()]];
    let names = ["web-1.us-east-1.elb.localhost", "api-2.us-east-1.elb.localhost"];
    let balancers = names.into_iter().zip(certified.iter().map(Vec::as_slice));
    assert_eq!(choose(balancers, host), expected, "{host:?}");
}

#[test]
fn a_certificate_chooses_where_no_name_does_and_the_exact_one_first() {
    check(Some("WWW.shop.example:443"), 1);
    check(Some("api.shop.example"), 0);
}

#[test]
fn the_exact_name_chooses() {
    check(Some("api-2.us-east-1.elb.localhost"), 1);
}

#[test]
fn port_case_and_the_roots_dot_do_not_matter() {
    check(Some("API-2.us-east-1.elb.localhost.:8080"), 1);
}

#[test]
fn an_unknown_or_missing_host_goes_to_the_oldest() {
    check(Some("localhost"), 0);
    check(Some("127.0.0.1:80"), 0);
    check(None, 0);
}

#[test]
fn an_address_in_brackets_keeps_its_colons() {
    assert_eq!(bare("[::1]:80"), "[::1]");
    assert_eq!(bare("[::1]"), "[::1]");
}

#[test]
fn only_a_port_that_is_not_the_protocols_own_is_told() {
    assert_eq!(told("a.example", 80), None);
    assert_eq!(told("a.example:80", 80).as_deref(), Some("a.example"));
    assert_eq!(told("a.example:8080", 443).as_deref(), Some("a.example"));
    assert_eq!(told("a.example", 8080).as_deref(), Some("a.example:8080"));
    assert_eq!(told("a.example:9090", 8080), None);
    assert_eq!(told("[::1]", 8080).as_deref(), Some("[::1]:8080"));
    assert_eq!(told("", 8080), None);
}
