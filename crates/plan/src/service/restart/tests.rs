use super::*;

#[test]
fn waits_grow_to_a_quarter_of_an_hour() {
    let secs: Vec<_> = [1, 2, 3, 4, 10, 11, 99].map(|failed| after_failed_starts(failed).as_secs()).into();
    assert_eq!(secs, [1, 2, 4, 8, 512, 900, 900]);
}

#[test]
fn a_task_that_was_killed_is_replaced_at_once_and_one_that_keeps_ending_is_not() {
    let secs: Vec<_> = [0, 1, 2, 3, 8, 99].map(|brief| after_brief_runs(brief).as_secs()).into();
    assert_eq!(secs, [0, 0, 1, 2, 60, 60]);
}
