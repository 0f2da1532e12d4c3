use super::*;
use std::time::Duration;

#[test]
fn a_flood_is_cut_and_later_questions_are_taken_again() {
    let start = Instant::now();
    let mut budget = Budget::new(start);
    let taken = (0..5_000).filter(|_| budget.take(start)).count();
    assert_eq!(taken, 1024);
    let later = start + Duration::from_millis(500);
    assert_eq!((0..5_000).filter(|_| budget.take(later)).count(), 512);
}
