use super::*;
use ParameterTier::{Advanced, Standard};

#[test]
fn a_reference_is_a_name_or_an_arn_with_or_without_a_version() {
    let read = |given: &str| {
        let reference = Reference::new(given);
        (reference.name.clone(), reference.version, reference.selector().unwrap_or_default())
    };
    let arn = |rest: &str| format!("arn:aws:ssm:us-east-1:123456789012:parameter/{rest}");
    assert_eq!(read("db"), ("db".to_owned(), None, String::new()));
    assert_eq!(read("/prod/db:3"), ("/prod/db".to_owned(), Some(3), ":3".to_owned()));
    assert_eq!(read("db:blue"), ("db".to_owned(), None, ":blue".to_owned()));
    assert_eq!(read(&arn("prod/db")), ("/prod/db".to_owned(), None, String::new()));
    assert_eq!(read(&arn("db:7")), ("db".to_owned(), Some(7), ":7".to_owned()));
}

#[test]
fn names_are_paths_or_have_no_slash_and_are_not_of_aws() {
    for good in ["db", "/prod/db", "a.b-c_d", "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o"] {
        assert!(check::name(good).is_ok(), "{good}");
    }
    for bad in ["", "a b", "prod/db", "/a//b", "/a/", "aws-x", "/ssm/x", "a:b"] {
        assert!(matches!(check::name(bad), Err(Error::Validation(_))), "{bad}");
    }
    assert!(matches!(check::name("/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p"), Err(Error::TooDeep)));
}

#[test]
fn a_value_matches_its_pattern_and_each_item_of_a_list_does() {
    let value = |text: &str, kind, pattern: &str| check::value(&Plain::new(text), kind, Some(pattern));
    assert!(value("42", ParameterKind::String, "^[0-9]+$").is_ok());
    assert!(matches!(value("x", ParameterKind::String, "^[0-9]+$"), Err(Error::PatternMismatch(_))));
    assert!(value("1,2", ParameterKind::StringList, "^[0-9]$").is_ok());
    assert!(matches!(value("1,x", ParameterKind::StringList, "^[0-9]$"), Err(Error::PatternMismatch(_))));
    assert!(matches!(value("1", ParameterKind::String, "["), Err(Error::InvalidPattern(_))));
    assert!(matches!(value("a,,b", ParameterKind::StringList, ""), Err(Error::Validation(_))));
}

#[test]
fn a_tier_limits_the_size_and_never_goes_down() {
    let tier =
        |asked, before, length: usize| check::tier(asked, before, &Plain::new("x".repeat(length))).ok();
    assert_eq!(tier(Tier::Unsaid, None, 4096), Some(Standard));
    assert_eq!(tier(Tier::Unsaid, None, 4097), None);
    assert_eq!(tier(Tier::Intelligent, None, 4097), Some(Advanced));
    assert_eq!(tier(Tier::Intelligent, None, 10), Some(Standard));
    assert_eq!(tier(Tier::Unsaid, Some(Advanced), 10), Some(Advanced));
    assert_eq!(tier(Tier::Exactly(Standard), Some(Advanced), 10), None);
    assert_eq!(tier(Tier::Exactly(Advanced), None, 8193), None);
}

#[test]
fn below_a_path_is_one_level_or_all_of_them() {
    assert!(is_below("/prod/db", "/prod", false));
    assert!(is_below("/prod/db", "/prod/", false));
    assert!(!is_below("/prod/db/user", "/prod", false));
    assert!(is_below("/prod/db/user", "/prod", true));
    assert!(!is_below("/production/db", "/prod", true));
    assert!(!is_below("/prod", "/prod", true));
    assert!(is_below("db", "/", false));
    assert!(!is_below("db", "/prod", true));
}
