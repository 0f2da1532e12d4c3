use super::{events::direction, given};
use wharf_control::log_store::Direction;

#[test]
fn tokens_say_which_way_reading_goes_on() {
    assert_eq!(direction(&format!("f/{:056}/s", 12)), Some(Direction::Forward(12)));
    assert_eq!(direction(&format!("b/{:056}/s", 0)), Some(Direction::Backward(0)));
    assert_eq!(direction("f/x"), None);
    assert_eq!(direction("12"), None);
}

#[test]
fn a_group_may_be_named_by_its_arn() {
    let arn = "arn:aws:logs:us-east-1:123456789012:log-group:/ecs/web:*";
    assert_eq!(given::group(None, Some(arn.to_owned())).unwrap(), "/ecs/web");
    assert_eq!(given::group(None, Some("/ecs/web".to_owned())).unwrap(), "/ecs/web");
    assert!(given::group(Some("a".to_owned()), Some("a".to_owned())).is_err());
    assert!(given::group(Some("a b".to_owned()), None).is_err());
}
