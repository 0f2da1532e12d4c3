use super::Pattern;

#[track_caller]
fn check(pattern: &str, wanted: &[&str], unwanted: &[&str]) {
    let parsed = Pattern::parse(pattern).unwrap();
    for text in wanted {
        assert!(parsed.matches(text), "{pattern} should match {text}");
    }
    for text in unwanted {
        assert!(!parsed.matches(text), "{pattern} should not match {text}");
    }
}

#[track_caller]
fn refused(pattern: &str, why: &str) {
    let error = Pattern::parse(pattern).unwrap_err().to_string();
    assert!(error.starts_with("Invalid filter pattern: ") && error.contains(why), "{error}");
}

#[test]
fn words_are_all_wanted_unless_they_are_questioned_or_negated() {
    check("", &["anything", ""], &[]);
    check("GET 200", &["GET / 200"], &["GET / 404", "get / 200"]);
    check("\"GET /\" -404", &["GET / 200"], &["GET / 404", "GET 200"]);
    check("?warn ?error", &["error!", "warned"], &["fine"]);
    check("-\"a b\"", &["a  b"], &["a b"]);
    check(r#""say \"hi\"""#, &[r#"I say "hi" now"#], &["say hi"]);
    refused("\"open", "not closed");
    refused("a -", "empty term");
}

#[test]
fn regular_expressions_stand_between_percent_signs() {
    check("%[45][0-9]{2}%", &["GET / 404", "503"], &["GET / 200"]);
    check("%^GET% -404", &["GET / 200"], &["GET / 404", "a GET"]);
    refused("%[%", "regular expression");
    refused("%open", "not closed");
    refused("%a{1000}{1000}{1000}%", "supported");
}

#[test]
fn members_of_json_are_compared() {
    let event = r#"{"a": 1, "s": "error: disk", "t": true, "n": null, "o": {"p": [{"q": 2}, {"q": "x"}]}, "e": "404"}"#;
    let wanted = [
        "{ $.a = 1 }",
        "{$.a=1.0}",
        "{ $.a < 2 && $.a >= 1 }",
        "{ $.s = \"error*\" }",
        "{ $.s = *disk }",
        "{ $.s != \"warn*\" }",
        "{ $.s = %^err.r% }",
        "{ $.t IS TRUE }",
        "{ $.n IS NULL }",
        "{ $.o.p[0].q = 2 }",
        "{ $.o.p[*].q = x }",
        "{ ($.a = 9 || $.t IS TRUE) && $.s = * }",
        "{ $.a = 9 && $.a = 8 || $.a = 1 }",
        "{ $.e = 404 }",
        "{ $.e > 400 }",
    ];
    for pattern in wanted {
        check(pattern, &[event], &["not json", "{}", "3", "[1,"]);
    }
    for pattern in [
        "{ $.a = 2 }",
        "{ $.a > 1 }",
        "{ $.s = error }",
        "{ $.t IS FALSE }",
        "{ $.a NOT EXISTS }",
        "{ $.missing != 1 }",
        "{ $.o.p[7].q = 2 }",
        "{ $.s > 3 }",
        "{ $.a = 9 && ($.a = 1 || $.a = 2) }",
    ] {
        check(pattern, &[], &[event]);
    }
    refused("{ $.a = 1", "closing brace");
    refused("{ a = 1 }", "selector");
    refused("{ $.a }", "comparison");
    refused("{ $.a = }", "value");
    refused("{ $.a > x }", "only numbers");
    refused("{ $.a = 1 $.b = 2 }", "follows");
    refused("{ ($.a = 1 }", "not closed");
    refused("{ $.a IS MAYBE }", "NULL, TRUE or FALSE");
    refused("{ $.a aé }", "comparison");
    refused("{ $.a é }", "comparison");
    refused(&format!("{{ {} $.a = 1 }}", "(".repeat(100)), "parentheses");
    refused("{ $..a = 1 }", "selector");
}

/// `missing NOT EXISTS` holds for an event without members too.
#[test]
fn what_does_not_exist_is_missed_in_empty_json_too() {
    check("{ $.a NOT EXISTS }", &["{}", "[]"], &["text", r#"{"a": null}"#]);
}

#[test]
fn fields_between_spaces_are_counted_and_compared() {
    let line = r#"127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534"#;
    for pattern in [
        "[ip, user, username, timestamp, request, status, bytes]",
        "[ip, user, username, timestamp, request = *.html*, status = 4*, bytes]",
        "[ip, ..., status = 404 || status = 410, bytes > 1000]",
        "[..., bytes >= 1534]",
        "[ip = %127%, ...]",
        "[ip, user, username != \"joe\", timestamp, request, status != 200 && status < 500, bytes]",
    ] {
        check(pattern, &[line], &["", "one two"]);
    }
    for pattern in
        ["[a, b]", "[..., status = 200, bytes]", "[a = x, ...]", "[a,b,c,d,e,f,g,h]", "[..., n > 2000]"]
    {
        check(pattern, &[], &[line]);
    }
    check("[ip != 10.*, ...]", &[line, "one two"], &["10.0.0.1 two", ""]);
    refused("[]", "no field");
    refused("[a", "closing bracket");
    refused("[a b]", "comparison");
    refused("[a = 1 || b = 2]", "own name");
    refused("[..., a, ...]", "once");
}

#[test]
fn named_parts_are_extracted() {
    let found = Pattern::parse("[ip, ..., status]").unwrap().extract("10.0.0.1 x y 200");
    assert_eq!(found, [("$ip".to_owned(), "10.0.0.1".to_owned()), ("$status".to_owned(), "200".to_owned())]);
    let found = Pattern::parse("{ $.a.b = * }").unwrap().extract(r#"{"a": {"b": 3}}"#);
    assert_eq!(found, [("$.a.b".to_owned(), "3".to_owned())]);
}
