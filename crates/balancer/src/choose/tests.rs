use super::{Candidate, choose, weighted};

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
