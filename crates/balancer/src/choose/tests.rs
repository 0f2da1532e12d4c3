use super::{Candidate, Drawn, Draws, anomaly, choose, draw, weighted};
use crate::forwarded::random;
use std::cell::Cell;
use wharf_model::attributes::Algorithm;

/// Each word is a target: its letters say healthy, leaving, tried, suspect.
fn check(targets: &str, turns: usize, expected: &str) {
    let has = |word: &str, letter| word.contains(letter);
    let candidates: Vec<_> = targets
        .split(' ')
        .map(|word| Candidate {
            healthy: has(word, 'h'),
            leaving: has(word, 'l'),
            tried: has(word, 't'),
            suspect: has(word, 's'),
        })
        .collect();
    let chosen: Vec<_> = (0..turns)
        .map(|turn| {
            choose(candidates.iter().copied(), turn).map_or("-".to_owned(), |index| index.to_string())
        })
        .collect();
    assert_eq!(chosen.join(" "), expected, "{targets}");
}

#[test]
fn healthy_targets_take_turns() {
    check("h h h", 6, "0 1 2 0 1 2");
}

#[test]
fn the_share_of_an_unhealthy_target_is_spread_evenly() {
    check("h u h h", 6, "0 2 3 0 2 3");
}

#[test]
fn all_get_requests_when_none_is_healthy() {
    check("u u", 4, "0 1 0 1");
}

#[test]
fn a_leaving_target_gets_nothing_even_when_it_is_the_only_healthy_one() {
    check("hl u", 2, "1 1");
    check("hl", 2, "- -");
}

#[test]
fn a_retry_never_goes_to_a_target_already_tried() {
    check("ht h", 2, "1 1");
    check("ht ut", 1, "-");
}

#[test]
fn a_target_that_refused_a_connection_waits_until_the_others_were_tried() {
    check("hs h", 2, "1 1");
    check("hs ht", 1, "0");
}

#[test]
fn a_healthy_target_that_refused_goes_before_an_unhealthy_one() {
    check("hs u", 1, "0");
}

#[test]
fn groups_get_their_share_by_weight() {
    let drawn: Vec<_> = (0..6).map(|draw| weighted([1, 0, 2].into_iter(), draw)).collect();
    assert_eq!(drawn, [Some(0), Some(2), Some(2), Some(0), Some(2), Some(2)]);
}

#[test]
fn weights_of_zero_choose_nobody() {
    assert_eq!(weighted([0, 0].into_iter(), 7), None);
}

/// Returns how often each of these targets is drawn, which are given by their shares and requests in flight; a
/// negative share is one that will not do.
fn drawn(algorithm: Algorithm, targets: &[(f64, usize)], times: usize) -> Vec<usize> {
    let turn = Cell::new(0);
    let next = || turn.replace(turn.get() + 1);
    let draws = Draws { turn: &next, random: &random };
    let mut counts = vec![0; targets.len()];
    for _ in 0..times {
        let look = |index: usize| {
            let (share, in_flight) = targets[index];
            (share >= 0.0).then_some(Drawn { share, in_flight })
        };
        if let Some(index) = draw(targets.len(), algorithm, &draws, look) {
            counts[index] += 1;
        }
    }
    counts
}

#[test]
fn turns_pass_over_who_will_not_do_and_are_fair_to_the_others() {
    let targets = [(1.0, 0), (-1.0, 0), (1.0, 0), (1.0, 0)];
    assert_eq!(drawn(Algorithm::RoundRobin, &targets, 30), [10, 0, 10, 10]);
    assert_eq!(drawn(Algorithm::RoundRobin, &[(-1.0, 0)], 3), [0]);
    assert_eq!(drawn(Algorithm::RoundRobin, &[], 3), Vec::<usize>::new());
}

#[test]
fn a_target_with_half_a_share_gets_half_as_much_with_every_algorithm() {
    for algorithm in [Algorithm::RoundRobin, Algorithm::WeightedRandom, Algorithm::LeastOutstandingRequests] {
        let counts = drawn(algorithm, &[(1.0, 0), (0.5, 0), (1.0, 0)], 50_000);
        assert!((9_000..11_000).contains(&counts[1]), "{algorithm:?}: {counts:?}");
        assert!((19_000..21_000).contains(&counts[0]), "{algorithm:?}: {counts:?}");
    }
}

#[test]
fn fewer_requests_in_flight_are_preferred() {
    let counts = drawn(Algorithm::LeastOutstandingRequests, &[(1.0, 9), (1.0, 1)], 10_000);
    assert!(counts[1] > 7_000 && counts[0] > 2_000, "{counts:?}");
}

#[test]
fn a_target_that_fails_more_than_the_others_gets_less() {
    assert!((anomaly((0, 100), (30, 400)) - 1.0).abs() < 1e-9);
    assert!((anomaly((60, 100), (60, 400)) - 0.4).abs() < 1e-9);
    assert!((anomaly((100, 100), (100, 400)) - 0.1).abs() < 1e-9);
    // All fail alike, or too little is known.
    assert!((anomaly((60, 100), (240, 400)) - 1.0).abs() < 1e-9);
    assert!((anomaly((5, 5), (5, 400)) - 1.0).abs() < 1e-9);
}
