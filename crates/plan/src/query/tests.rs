use super::*;

/// A t3.small in us-east-1a with two tasks of `service:web` and one of `family:job`.
fn instance() -> Facts {
    let some = |name: &str, value: &str| (name.to_owned(), Some(Word::from(value)));
    Facts {
        instance_id: "i-0123".to_owned(),
        attributes: [
            some("ecs.instance-type", "t3.small"),
            some("ecs.availability-zone", "us-east-1a"),
            some("cores", "8"),
            ("ssd".to_owned(), None),
        ]
        .into_iter()
        .collect(),
        agent_connected: true,
        agent_version: "1.100.2".to_owned(),
        registered_at: Timestamp::from_rfc3339("2026-02-18T22:28:28Z").unwrap(),
        groups: [("service:web", 2), ("family:job", 1)].into_iter().collect(),
        running_tasks: 3,
    }
}

fn means(text: &str) -> bool {
    let expression: Expression = text.parse().unwrap_or_else(|error| panic!("{error}"));
    expression.holds(&instance())
}

fn refused(text: &str) -> String {
    text.parse::<Expression>().unwrap_err().why
}

#[test]
fn attributes_are_compared_and_looked_for() {
    assert!(means("attribute:ecs.instance-type == t3.small"));
    assert!(means("attribute:ecs.instance-type equals t3.small"));
    assert!(!means("attribute:ecs.instance-type != t3.small"));
    assert!(means("attribute:colour != green"), "an instance without the attribute is not green");
    assert!(means("attribute:ssd exists"));
    assert!(means("attribute:colour !exists"));
    assert!(means("attribute:colour not_exists"));
    assert!(!means("attribute:ssd == yes"));
}

#[test]
fn lists_and_patterns_choose_among_values() {
    assert!(means("attribute:ecs.availability-zone in [us-east-1a, us-east-1b]"));
    assert!(!means("attribute:ecs.availability-zone !in [us-east-1a,us-east-1b]"));
    assert!(means("attribute:ecs.instance-type =~ t3.*"));
    assert!(means("attribute:ecs.instance-type =~ (t2|t3)\\..*"));
    assert!(!means("attribute:ecs.instance-type =~ small"), "all of the value has to match");
    assert!(means("attribute:ecs.instance-type !~ m5.*"));
    assert!(means("(attribute:ecs.instance-type =~ t3.*)"));
}

#[test]
fn numbers_versions_and_times_are_ordered_as_what_they_are() {
    assert!(means("attribute:cores > 4"));
    assert!(means("attribute:cores < 10"), "8 is less than 10, though not as text");
    assert!(means("agentVersion >= 1.9.0"), "1.100 comes after 1.9");
    assert!(means("runningTasksCount == 3"));
    assert!(means("runningTasksCount less_than_equal 3"));
    assert!(means("registeredAt > 2026-02-18T21:00:00+00:00"));
    assert!(!means("registeredAt < 2026-02-18T22:28:28Z"));
}

#[test]
fn groups_of_tasks_on_an_instance_are_asked_for_by_name() {
    assert!(means("task:group == service:web"));
    assert!(means("task:group == family:job"));
    assert!(!means("task:group == service:db"));
    assert!(means("not(task:group == service:db)"));
}

#[test]
fn what_is_named_is_told_apart_by_all_of_its_name() {
    let names =
        ["web", "", "service:web", "service:web-1", "service:web-2", "a:service:web", "b:service:web"];
    let mut counts: Named<usize> = Named::default();
    for (count, name) in names.iter().enumerate().rev() {
        *counts.entry(name) += count;
    }
    for (count, name) in names.iter().enumerate() {
        assert_eq!(counts.get(name), Some(&count), "{name}");
    }
    assert_eq!(counts.get("service:we"), None);
    assert_eq!(counts, names.iter().zip(0..).collect());
}

#[test]
fn and_binds_closer_than_or_and_parentheses_closer_than_both() {
    assert!(means("agentConnected == true or attribute:a exists and attribute:b exists"));
    assert!(!means("(agentConnected == true or attribute:a exists) and attribute:b exists"));
    assert!(means("!(attribute:a exists) && agentConnected == true"));
    assert!(means("not attribute:a exists || attribute:b exists"));
    assert!(means("ec2InstanceId == i-0123"));
}

#[test]
fn what_cannot_be_read_is_refused_with_what_is_wrong() {
    assert_eq!(refused(""), "a subject is missing");
    assert_eq!(refused("colour == green"), "unknown subject 'colour'");
    assert_eq!(refused("attribute:colour"), "an operator is missing after 'attribute:colour'");
    assert_eq!(refused("attribute:colour is green"), "unknown operator 'is'");
    assert_eq!(refused("attribute:colour =="), "a value is missing");
    assert_eq!(refused("attribute:colour in green"), "a list in brackets is missing");
    assert_eq!(refused("attribute:colour in [green"), "a ']' is missing");
    assert_eq!(refused("attribute:colour =~ ("), "'(' is no pattern");
    assert_eq!(refused("(attribute:colour exists"), "a ')' is missing");
    assert_eq!(refused("attribute:colour exists attribute:b exists"), "unexpected 'attribute:b exists'");
    assert_eq!(refused(&"(".repeat(100_000)), "it has more than 2000 characters");
    assert_eq!(refused(&"(".repeat(1_000)), "it is nested more than 32 deep");
}
