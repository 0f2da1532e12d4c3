use super::*;

#[test]
fn half_of_the_tasks_trip_it_but_never_fewer_than_three() {
    assert_eq!([0, 1, 6, 7, 25, 1000].map(threshold), [3, 3, 3, 4, 13, 200]);
}
