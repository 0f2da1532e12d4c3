use super::{End, Index};
use crate::pattern::Pattern;

/// Each word is a rule, its patterns with commas between, `-` for none.
fn check(end: End, rules: &str, text: &str, expected: &[usize]) {
    let rules: Vec<_> = rules
        .split(' ')
        .map(|rule| match rule {
            "-" => None,
            patterns => Some(patterns.split(',').map(|text| Pattern::new(text, true)).collect::<Vec<_>>()),
        })
        .collect();
    let index = Index::new(end, &rules);
    let found = index.candidates(text.as_bytes());
    let found: Vec<usize> =
        (0..rules.len()).filter(|rule| found.word(rule / 64) >> (rule % 64) & 1 == 1).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn a_path_is_for_the_rules_with_what_it_begins_with() {
    let rules = "/a/* /a/b/* /a/b - /c/*,/d /*";
    check(End::Head, rules, "/a/b", &[0, 2, 3, 5]);
    check(End::Head, rules, "/a/b/c", &[0, 1, 3, 5]);
    check(End::Head, rules, "/d", &[3, 4, 5]);
    check(End::Head, rules, "/d/", &[3, 5]);
    check(End::Head, rules, "x", &[3]);
}

#[test]
fn a_host_is_for_the_rules_with_what_it_ends_with() {
    let rules = "*.example.com www.example.com *.com - *";
    check(End::Tail, rules, "www.example.com", &[0, 1, 2, 3, 4]);
    check(End::Tail, rules, "shop.example.com", &[0, 2, 3, 4]);
    check(End::Tail, rules, "example.org", &[3, 4]);
}

#[test]
fn a_rule_that_cannot_be_filed_is_always_a_candidate() {
    check(End::Head, "/a?,/b *.png", "/z", &[0, 1]);
}

#[test]
fn more_rules_than_a_word_has_bits_are_told_apart() {
    let rules: Vec<String> = (0..130).map(|number| format!("/{number}/*")).collect();
    check(End::Head, &rules.join(" "), "/129/x", &[129]);
    check(End::Head, &rules.join(" "), "/64/x", &[64]);
}
