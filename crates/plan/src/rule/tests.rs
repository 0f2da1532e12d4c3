use super::*;

fn host(values: &[&str]) -> Condition {
    Condition::HostHeader(wildcards_of(values))
}

fn path(values: &[&str]) -> Condition {
    Condition::PathPattern(wildcards_of(values))
}

fn wildcards_of(values: &[&str]) -> Patterns {
    Patterns::Wildcards(values.iter().map(|value| (*value).to_owned()).collect())
}

fn header(name: &str, value: &str) -> Condition {
    Condition::HttpHeader { name: name.to_owned(), patterns: wildcards_of(&[value]) }
}

fn refused(conditions: &[Condition]) -> String {
    check_conditions(conditions).expect_err("to be refused")
}

#[test]
fn ordinary_conditions_are_taken() {
    let query = QueryPattern { key: Some("v".to_owned()), value: "1*".to_owned() };
    let conditions = [
        host(&["*.example.com"]),
        path(&["/img/*"]),
        header("X-Version", "2"),
        Condition::QueryString(vec![query]),
    ];
    assert_eq!(check_conditions(&conditions), Ok(()));
    let regexes = Condition::PathPattern(Patterns::Regexes(vec!["^/v[0-9]+/(.*)$".to_owned()]));
    assert_eq!(check_conditions(&[regexes]), Ok(()));
}

#[test]
fn a_rule_has_at_most_five_values_and_five_wildcards() {
    assert!(refused(&[host(&["a.b"; 4]), path(&["/a", "/b"])]).contains("'5' condition values"));
    assert!(refused(&[host(&["*.*.b"]), path(&["/*/*/*/*"])]).contains("'5' condition wildcards"));
    assert_eq!(check_conditions(&[path(&["/*/*/*/*/*"])]), Ok(()));
}

#[test]
fn an_escaped_wildcard_is_none() {
    assert_eq!((wildcards(r"a\*b\?"), wildcards(r"a\\*"), wildcards("*?")), (0, 1, 2));
}

#[test]
fn a_rule_has_one_host_condition_and_no_empty_one() {
    assert!(refused(&[host(&["a.b"]), host(&["c.d"])]).contains("one 'host-header'"));
    assert!(refused(&[host(&[])]).contains("at least one value"));
    assert!(refused(&[]).contains("at least one condition"));
}

#[test]
fn what_a_value_cannot_be_is_named() {
    assert!(refused(&[host(&["a_b.example"])]).contains("a_b.example"));
    assert!(refused(&[path(&["/a b"])]).contains("/a b"));
    assert!(refused(&[path(&[&"x".repeat(129)])]).contains("128"));
    assert!(refused(&[header("Host", "a")]).contains("host-header"));
    assert!(refused(&[header("a b", "a")]).contains("'a b'"));
    assert!(refused(&[Condition::HttpRequestMethod(vec!["get".to_owned()])]).contains("'get'"));
    let regex = Condition::HostHeader(Patterns::Regexes(vec!["(".to_owned()]));
    assert!(refused(&[regex]).contains("'('"));
}

#[test]
fn a_rule_rewrites_each_part_once() {
    let rewrite = |part, regex: &str, replace: &str| Transform {
        part,
        regex: regex.to_owned(),
        replace: replace.to_owned(),
    };
    let url = rewrite(RewrittenPart::Url, "^/api/(.*)$", "/$1");
    let host = rewrite(RewrittenPart::HostHeader, "^www[.]", "");
    assert_eq!(check_transforms(&[url.clone(), host]), Ok(()));
    assert!(check_transforms(&[url.clone(), url]).unwrap_err().contains("one 'url-rewrite'"));
    assert!(check_transforms(&[rewrite(RewrittenPart::Url, "(?=a)", "/")]).unwrap_err().contains("(?=a)"));
    assert!(check_transforms(&[rewrite(RewrittenPart::Url, "a", "/a b")]).unwrap_err().contains("/a b"));
}
