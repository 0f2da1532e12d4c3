use super::*;

#[test]
fn an_arn_reads_back_as_it_was_written() {
    let place = Place { region: "us-east-1".into(), account: "123456789012".into() };
    let arn = place.arn("ecs", "task-definition/web:3");
    assert_eq!(arn.to_string(), "arn:aws:ecs:us-east-1:123456789012:task-definition/web:3");
    assert_eq!(arn.to_string().parse::<Arn>(), Ok(arn.clone()));
    assert_eq!(arn.parts("task-definition"), Some(vec!["web:3"]));
    assert_eq!(arn.parts("task"), None);
}

#[test]
fn what_is_not_an_arn_is_refused_by_name() {
    for wrong in ["", "web", "arn:aws:ecs", "arn:aws:ecs:us-east-1:1:"] {
        assert_eq!(wrong.parse::<Arn>(), Err(InvalidName { kind: "ARN", given: wrong.to_owned() }));
    }
}
