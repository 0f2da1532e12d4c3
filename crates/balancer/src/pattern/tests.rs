use super::{Pattern, Plain};

fn check(pattern: &str, text: &str, expected: bool) {
    assert_eq!(Pattern::new(pattern, false).matches(text.as_bytes()), expected, "{text} against {pattern}");
}

#[test]
fn a_star_is_any_number_of_characters() {
    check("/img/*", "/img/", true);
    check("/img/*", "/img/a/b.png", true);
    check("/img/*", "/img", false);
    check("*", "", true);
    check("/*/b/*/d", "/a/b/c/b/c/d", true);
    check("/*/b/*/d", "/a/b/c/b/c/e", false);
    check("*ab*ab", "abab", true);
    check("*ab*abc", "ababab", false);
}

#[test]
fn a_question_mark_is_one_character() {
    check("/v?", "/v1", true);
    check("/v?", "/v", false);
    check("/v?", "/v12", false);
    check("?*", "", false);
}

#[test]
fn a_backslash_takes_the_meaning_from_a_wildcard() {
    check(r"a\*b", "a*b", true);
    check(r"a\*b", "axb", false);
    check(r"a\\", r"a\", true);
}

#[test]
fn case_counts_unless_it_is_not_to() {
    check("/Img", "/img", false);
    assert!(Pattern::new("*.Example.com", true).matches(b"WWW.example.COM"));
}

#[test]
fn no_text_takes_long_to_look_at() {
    let text = "a".repeat(8192);
    let start = std::time::Instant::now();
    check("*a*a*a*a*b", &text, false);
    assert!(start.elapsed().as_millis() < 500, "{:?}", start.elapsed());
}

#[test]
fn a_pattern_with_a_star_at_one_end_is_plain() {
    let plain = |text| Pattern::new(text, true).plain();
    assert_eq!(plain("WWW.a"), Some(Plain::Whole(b"www.a".to_vec())));
    assert_eq!(plain("/a/**"), Some(Plain::Head(b"/a/".to_vec())));
    assert_eq!(plain("*.a"), Some(Plain::Tail(b".a".to_vec())));
    assert_eq!(plain("*"), Some(Plain::Head(Vec::new())));
    assert_eq!((plain("*.a.*"), plain("/?")), (None, None));
}
