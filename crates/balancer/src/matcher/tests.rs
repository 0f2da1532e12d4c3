use super::Matcher;

fn passing(matcher: &str) -> Vec<u16> {
    let matcher: Matcher = matcher.parse().unwrap();
    [199, 200, 201, 202, 299, 300, 404].into_iter().filter(|status| matcher.passes(*status)).collect()
}

#[test]
fn one_code_passes_alone() {
    assert_eq!(passing("200"), [200]);
}

#[test]
fn codes_of_a_list_pass() {
    assert_eq!(passing("200,202"), [200, 202]);
}

#[test]
fn codes_of_a_range_pass_with_both_its_ends() {
    assert_eq!(passing("200-299"), [200, 201, 202, 299]);
}

#[test]
fn ranges_and_codes_mix() {
    assert_eq!(passing("200-201, 404"), [200, 201, 404]);
}

#[test]
fn words_are_no_matcher() {
    assert!("ok".parse::<Matcher>().is_err());
    assert!("".parse::<Matcher>().is_err());
}
