use super::*;

#[test]
fn half_of_the_desired_count_within_limits_unless_something_else_is_asked() {
    assert_eq!(
        [0, 1, 6, 7, 40, 400, 401, 5_000].map(|count| threshold(None, count)),
        [3, 3, 3, 4, 20, 200, 200, 200]
    );
}

#[test]
fn a_bounded_share_rounds_up_and_stays_within_3_and_200() {
    let share = |percent, count| threshold(Some(Threshold::BoundedPercent(percent)), count);
    assert_eq!((share(25, 10), share(25, 21), share(100, 1_000)), (3, 6, 200));
}

#[test]
fn an_unbounded_share_is_one_at_least() {
    let share = |percent, count| threshold(Some(Threshold::UnboundedPercent(percent)), count);
    assert_eq!((share(10, 4), share(10, 21), share(100, 1_000), share(50, 0)), (1, 3, 1_000, 1));
}

#[test]
fn a_count_is_itself() {
    assert_eq!(threshold(Some(Threshold::Count(10)), 1), 10);
}
