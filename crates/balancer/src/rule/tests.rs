use super::*;

struct Few(&'static [(&'static str, &'static str)]);

impl Headers for Few {
    fn any(&self, name: &str, wanted: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        self.0.iter().any(|(known, value)| known.eq_ignore_ascii_case(name) && wanted(value.as_bytes()))
    }
}

const HEADERS: Few = Few(&[("X-Version", "One"), ("X-Version", "two")]);

fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

fn wild(values: &[&str]) -> Patterns {
    Patterns::Wildcards(texts(values))
}

/// Returns the rule that `GET http://host/path?query` from 192.0.2.7 is for.
fn decide(rules: &[&[Condition]], host: &str, url: &str) -> Option<usize> {
    let sent: Vec<_> = rules
        .iter()
        .zip(1..)
        .map(|(conditions, priority)| RuleRoutes {
            priority,
            conditions: conditions.to_vec(),
            action: wharf_model::routing::Action::Forward { target_groups: Vec::new(), sticky_secs: None },
            transforms: Vec::new(),
        })
        .collect();
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    Rules::new(&sent, |_| ()).decide(&Question {
        method: b"GET",
        host: host.as_bytes(),
        path: path.as_bytes(),
        query: query.as_bytes(),
        from: [192, 0, 2, 7].into(),
        headers: &HEADERS,
    })
}

fn holds(condition: Condition, host: &str, url: &str) -> bool {
    decide(&[&[condition]], host, url).is_some()
}

#[test]
fn the_first_rule_whose_conditions_all_hold_decides() {
    let host = Condition::HostHeader(wild(&["a.example", "b.example"]));
    let path = Condition::PathPattern(wild(&["/x/*"]));
    let rules: &[&[Condition]] = &[&[host.clone(), path.clone()], &[path], &[host]];
    assert_eq!(decide(rules, "b.example", "/x/1"), Some(0));
    assert_eq!(decide(rules, "c.example", "/x/1"), Some(1));
    assert_eq!(decide(rules, "a.example", "/y"), Some(2));
    assert_eq!(decide(rules, "c.example", "/y"), None);
}

#[test]
fn a_host_matches_in_any_case_and_with_any_port() {
    let host = || Condition::HostHeader(wild(&["*.Example.com"]));
    assert!(holds(host(), "WWW.example.COM:8080", "/"));
    assert!(!holds(host(), "example.com", "/"));
    let regex = || Condition::HostHeader(Patterns::Regexes(texts(&["^(a|b)[.]example$", ":8443$"])));
    assert!(holds(regex(), "A.example:80", "/"));
    assert!(holds(regex(), "c.example:8443", "/"));
    assert!(!holds(regex(), "c.example:80", "/"));
}

#[test]
fn a_path_matches_in_its_own_case_without_the_query() {
    let path = || Condition::PathPattern(wild(&["/Img/*.png"]));
    assert!(holds(path(), "h", "/Img/a.png?x=/y"));
    assert!(!holds(path(), "h", "/img/a.png"));
    let regex = || Condition::PathPattern(Patterns::Regexes(texts(&["^/v[0-9]+$"])));
    assert!(holds(regex(), "h", "/v12?x"));
    assert!(!holds(regex(), "h", "/V12"));
}

#[test]
fn any_of_several_headers_of_a_name_is_enough() {
    let header =
        |values: &[&str]| Condition::HttpHeader { name: "x-version".to_owned(), patterns: wild(values) };
    assert!(holds(header(&["TWO"]), "h", "/"));
    assert!(holds(header(&["o?e"]), "h", "/"));
    assert!(!holds(header(&["three"]), "h", "/"));
}

#[test]
fn a_method_matches_as_it_is_and_a_source_by_its_block() {
    assert!(holds(Condition::HttpRequestMethod(texts(&["POST", "GET"])), "h", "/"));
    assert!(!holds(Condition::HttpRequestMethod(texts(&["POST"])), "h", "/"));
    assert!(holds(Condition::SourceIp(vec!["192.0.2.0/24".parse().unwrap()]), "h", "/"));
    assert!(!holds(Condition::SourceIp(vec!["198.51.100.0/24".parse().unwrap()]), "h", "/"));
}

#[test]
fn a_query_has_a_pair_or_a_value() {
    let pair = |key: Option<&str>, value: &str| {
        Condition::QueryString(vec![QueryPattern { key: key.map(str::to_owned), value: value.to_owned() }])
    };
    assert!(holds(pair(Some("version"), "v1*"), "h", "/?a=b&Version=V1.2"));
    assert!(!holds(pair(Some("version"), "v1"), "h", "/?version=v2"));
    assert!(holds(pair(None, "v1"), "h", "/?x=v1"));
    assert!(holds(pair(None, "flag"), "h", "/?flag"));
    assert!(holds(pair(Some("flag"), "*"), "h", "/?flag"));
    assert!(holds(pair(Some("q"), r"\*"), "h", "/?q=*"));
    assert!(!holds(pair(Some("q"), r"\*"), "h", "/?q=x"));
    assert!(!holds(pair(None, "*"), "h", "/"));
}
