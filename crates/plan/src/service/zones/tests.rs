use super::*;

#[test]
fn the_next_task_goes_where_the_fewest_are() {
    let zones = ["a", "b", "c"];
    assert_eq!(emptiest(&zones, &BTreeMap::new()), Some("a"));
    assert_eq!(emptiest(&zones, &BTreeMap::from([("a", 1)])), Some("b"));
    assert_eq!(emptiest(&zones, &BTreeMap::from([("a", 1), ("b", 2), ("c", 1)])), Some("a"));
    assert_eq!(emptiest(&[], &BTreeMap::new()), None);
}

#[test]
fn a_task_knows_how_many_of_its_zone_are_older() {
    assert_eq!(crowds(["a", "b", "a", "a", "b"]), [0, 0, 1, 2, 1]);
}
