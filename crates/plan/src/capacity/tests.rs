use super::*;

/// Reads `spot 1+3`: a base of 1 and a weight of 3.
fn strategy(text: &str) -> Vec<StrategyItem> {
    let item = |part: &str| {
        let (provider, numbers) = part.split_once(' ').unwrap();
        let (base, weight) = numbers.split_once('+').unwrap();
        let number = |text: &str| text.parse().unwrap();
        StrategyItem { provider: provider.to_owned(), base: number(base), weight: number(weight) }
    };
    text.split(", ").map(item).collect()
}

/// Where so many tasks go, one after the other.
fn check_spread(text: &str, tasks: usize, expected: &str) {
    let strategy = strategy(text);
    let mut placed = BTreeMap::new();
    let story: Vec<_> = (0..tasks)
        .map(|_| {
            let provider = next(&strategy, &placed).unwrap().to_owned();
            *placed.entry(provider.clone()).or_insert(0) += 1;
            provider
        })
        .collect();
    assert_eq!(story.join(" "), expected, "{text}");
}

#[test]
fn the_base_comes_first_and_the_rest_by_weight() {
    check_spread("own 2+1, spot 0+3", 6, "own own spot spot spot own");
    check_spread("own 2+1, spot 0+3", 10, "own own spot spot spot own spot spot spot own");
}

#[test]
fn equal_weights_take_turns() {
    check_spread("a 0+1, b 0+1", 4, "a b a b");
}

#[test]
fn a_provider_without_weight_gets_its_base_and_no_more() {
    check_spread("a 1+0, b 0+1", 4, "a b b b");
}

#[test]
fn a_single_provider_needs_no_weight() {
    check_spread("a 0+0", 3, "a a a");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let refused = |text: &str| check(&strategy(text)).unwrap_err();
    assert_eq!(check(&strategy("FARGATE 1+1, FARGATE_SPOT 0+4")), Ok(()));
    assert_eq!(refused("a 1+1, b 1+1"), InvalidStrategy::Bases);
    assert_eq!(refused("a 0+0, b 0+0"), InvalidStrategy::NoWeight);
    assert_eq!(refused("a 0+1, a 0+1"), InvalidStrategy::Twice("a".to_owned()));
    assert_eq!(refused("a 0+1001"), InvalidStrategy::Weight("a".to_owned()));
    assert_eq!(refused("a 100001+1"), InvalidStrategy::Base("a".to_owned()));
    assert_eq!(refused("FARGATE 0+1, own 0+1"), InvalidStrategy::Mixed);
}
