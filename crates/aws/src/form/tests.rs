use serde::Deserialize;

use super::*;

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Input {
    name: Option<String>,
    port: Option<i32>,
    dry_run: Option<bool>,
    names: Vec<String>,
    filter: Vec<Filter>,
    targets: Option<Vec<Target>>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Filter {
    name: String,
    value: Vec<String>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Target {
    id: String,
    port: Option<u16>,
}

fn read(form: &str) -> Input {
    decode(form.as_bytes()).unwrap()
}

#[test]
fn text_becomes_what_the_type_asks_for() {
    let input = read("Action=X&Version=2015-12-01&Name=a+b%2Fc%C3%BC&Port=80&DryRun=true&Other.1.Thing=x");
    let expected =
        Input { name: Some("a b/cü".to_owned()), port: Some(80), dry_run: Some(true), ..Input::default() };
    assert_eq!(input, expected);
}

#[test]
fn lists_are_read_with_member_and_flattened() {
    assert_eq!(read("Names.member.1=a&Names.member.2=b").names, ["a", "b"]);
    assert_eq!(read("Names.1=a&Names.2=b").names, ["a", "b"]);
}

#[test]
fn items_come_in_the_order_of_their_numbers() {
    assert_eq!(read("Names.10=c&Names.2=b&Names.1=a&Names.4294967296000=d").names, ["a", "b", "c", "d"]);
}

#[test]
fn structures_lie_in_lists() {
    let input = read("Filter.1.Name=vpc-id&Filter.1.Value.1=vpc-1&Filter.1.Value.2=vpc-2&Filter.2.Name=x");
    assert_eq!(input.filter[0].value, ["vpc-1", "vpc-2"]);
    assert_eq!(input.filter[1], Filter { name: "x".to_owned(), value: vec![] });
    let input = read("Targets.member.1.Id=10.0.0.1&Targets.member.1.Port=8080&Targets.member.2.Id=b");
    let target = Target { id: "10.0.0.1".to_owned(), port: Some(8080) };
    assert_eq!(input.targets.unwrap()[0], target);
}

#[test]
fn an_empty_list_is_written_as_an_empty_value() {
    let input = read("Names=&Targets=");
    assert!(input.names.is_empty());
    assert_eq!(input.targets, Some(vec![]));
}

#[test]
fn values_of_another_type_are_refused_by_name() {
    for (form, member) in [
        ("Port=eighty", "Port"),
        ("Port=99999999999", "Port"),
        ("DryRun=yes", "DryRun"),
        ("Names=x", "Names"),
        ("Name.1=x", "Name"),
        ("Targets.member.1.Port=-1", "Targets.0.Port"),
        ("Filter.1=x", "Filter.0"),
    ] {
        match decode::<Input>(form.as_bytes()) {
            Err(DecodeError::WrongType { member: found, .. }) => assert_eq!(found, member, "{form}"),
            other => panic!("{form}: {other:?}"),
        }
    }
}

#[test]
fn names_that_are_too_deep_are_refused() {
    let form = format!("Names{}=x", ".a".repeat(400_000));
    assert!(matches!(decode::<Input>(form.as_bytes()), Err(DecodeError::Malformed { .. })));
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    assert!(matches!(decode::<Input>(b"Name=%FF%FE"), Err(DecodeError::Malformed { .. })));
}

#[test]
fn odd_pairs_do_no_harm() {
    assert_eq!(read("&&=&==&Name"), Input { name: Some(String::new()), ..Input::default() });
    assert_eq!(read("Name=a&Name=b").name.as_deref(), Some("b"));
}
