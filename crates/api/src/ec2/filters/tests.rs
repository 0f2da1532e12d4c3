use super::{check, matches, pass};
use wharf_aws::ec2::{Filter, Tag};

fn filter(name: &str, values: &[&str]) -> Filter {
    Filter { name: name.to_owned(), value: values.iter().map(|value| (*value).to_owned()).collect() }
}

#[test]
fn stars_stand_for_any_text_and_question_marks_for_one_character() {
    for (pattern, value) in
        [("*", ""), ("*", "web"), ("w*b", "web"), ("w?b", "web"), ("a*b*c", "aXbYbZc"), ("web*", "web")]
    {
        assert!(matches(pattern, value), "{pattern} {value}");
    }
    for (pattern, value) in [("w?b", "wb"), ("w*b", "webs"), ("Web", "web"), ("?", ""), ("a*b*c", "acb")] {
        assert!(!matches(pattern, value), "{pattern} {value}");
    }
}

#[test]
fn a_backslash_takes_the_next_character_as_it_is() {
    assert!(matches("a\\*b", "a*b"));
    assert!(!matches("a\\*b", "axb"));
}

#[test]
fn an_item_must_pass_every_filter_by_any_of_its_values() {
    let values = |name: &str| match name {
        "group-id" => vec!["sg-1".to_owned(), "sg-2".to_owned()],
        _ => vec!["in-use".to_owned()],
    };
    let tags = [Tag { key: "team".to_owned(), value: "blue".to_owned() }];
    assert!(pass(&[filter("group-id", &["sg-9", "sg-2"]), filter("status", &["in-*"])], &tags, values));
    assert!(!pass(&[filter("group-id", &["sg-2"]), filter("status", &["available"])], &tags, values));
    assert!(pass(&[filter("tag:team", &["blue"]), filter("tag-key", &["te*"])], &tags, values));
    assert!(!pass(&[filter("tag:team", &["red"])], &tags, values));
}

#[test]
fn an_unknown_filter_is_refused_by_its_name() {
    let refused = check(&[filter("vpc-id", &["x"]), filter("colour", &["red"])], &["vpc-id"]).unwrap_err();
    assert_eq!(refused.message(), "The filter 'colour' is invalid");
    assert!(check(&[filter("tag:anything", &[])], &[]).is_ok());
}
