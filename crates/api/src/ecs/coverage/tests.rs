use super::TABLE;
use crate::ecs::tests::World;
use serde_json::{Value, json};
use wharf_aws::Protocol;

/// A line of the table.
struct Line {
    operation: &'static str,
    served: bool,
    honoured: Vec<&'static str>,
    refused: Vec<&'static str>,
}

fn lines() -> Vec<Line> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (members, refused) = line.split_once(" ; ").unwrap_or((line, ""));
            let mut words = members.split(' ');
            let (operation, state) = (words.next().unwrap(), words.next().unwrap());
            assert!(["served", "refused", "missing"].contains(&state), "{line}");
            Line {
                operation,
                served: state == "served",
                honoured: words.collect(),
                refused: refused.split_whitespace().collect(),
            }
        })
        .collect()
}

/// Values of which at least one is of the wrong type for any member, and one asks for something of any.
fn values() -> [Value; 5] {
    [json!("x"), json!({"x": "x"}), json!(true), json!(["x"]), json!([{"x": "x"}])]
}

#[test]
fn the_table_names_each_operation_once_and_in_order() {
    let names: Vec<&str> = lines().iter().map(|line| line.operation).collect();
    assert!(names.is_sorted());
    assert_eq!(names.len(), 88);
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
}

#[tokio::test]
async fn an_operation_is_served_or_refused_by_its_name() {
    let world = World::new().await;
    for line in lines() {
        let answer = world.ask(line.operation, json!({})).await;
        let refused = answer.as_ref().err().is_some_and(|fault| {
            fault.code(Protocol::Json11) == "UnsupportedFeatureException"
                && fault.message().contains(&format!("'{}'", line.operation))
        });
        assert_eq!(refused, !line.served, "{}: {answer:?}", line.operation);
    }
    let nobody = world.ask("MakeCoffee", json!({})).await.unwrap_err();
    assert_eq!(nobody.code(Protocol::Json11), "UnknownOperationException");
}

#[tokio::test]
async fn a_member_that_is_honoured_is_read() {
    let world = World::new().await;
    for line in lines().iter().filter(|line| line.served) {
        for member in &line.honoured {
            let mut noticed = false;
            for value in values() {
                let answer = world.ask(line.operation, json!({ *member: value })).await;
                noticed |= answer.is_err_and(|fault| {
                    fault.code(Protocol::Json11) == "SerializationException"
                        && fault.message().contains(&format!("'{member}"))
                });
            }
            assert!(noticed, "{} takes any {member}", line.operation);
        }
    }
}

#[tokio::test]
async fn a_member_that_is_not_honoured_is_refused_by_its_name() {
    let world = World::new().await;
    for line in lines() {
        for member in &line.refused {
            let mut named = false;
            for value in values() {
                let answer = world.ask(line.operation, json!({ *member: value })).await;
                named |= answer.is_err_and(|fault| {
                    fault.code(Protocol::Json11) != "SerializationException"
                        && fault.message().contains(member)
                });
            }
            assert!(named, "{} lets {member} pass", line.operation);
        }
    }
}
