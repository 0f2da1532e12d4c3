use super::*;

/// Images as `name:idle-minutes:layer=bytes,layer=bytes`; a name with `!` is held.
fn images(given: &str) -> Vec<Image> {
    let image = |text: &str| {
        let parts: Vec<&str> = text.split(':').collect();
        let layer = |text: &str| {
            let (name, bytes) = text.split_once('=').unwrap();
            (name.to_owned(), bytes.parse().unwrap())
        };
        Image {
            digest: parts[0].to_owned(),
            layers: parts[2].split(',').map(layer).collect(),
            used_at: Timestamp(10_000_000_000 - parts[1].parse::<i64>().unwrap() * 60_000),
            held: parts[0].contains('!'),
        }
    };
    given.split_whitespace().map(image).collect()
}

const NONE: Limits =
    Limits { bytes_max: None, short_bytes: 0, idle_min: Duration::from_secs(3600), idle_max: None };

#[track_caller]
fn check(limits: Limits, given: &str, expected: &str) {
    assert_eq!(victims(&images(given), limits, Timestamp(10_000_000_000)).join(" "), expected);
}

#[test]
fn without_limits_nothing_goes() {
    check(NONE, "a:999:x=10 b:5:y=10", "");
}

#[test]
fn over_the_limit_the_longest_unused_goes_first_and_no_more_than_needed() {
    let limits = Limits { bytes_max: Some(20), ..NONE };
    check(limits, "a:90:x=10 b:70:y=10 c:80:z=10", "a");
    check(limits, "a:90:x=10 b:70:y=10", "");
}

#[test]
fn layers_that_stay_free_nothing() {
    let limits = Limits { bytes_max: Some(12), ..NONE };
    check(limits, "a:90:base=10,x=1 b:80:base=10,y=1 c!:1:base=10,z=1", "a");
    check(limits, "a:90:base=10,x=3 b:80:base=10,y=3 c!:1:base=10,z=1", "a b");
}

#[test]
fn what_is_held_never_goes() {
    check(Limits { bytes_max: Some(0), short_bytes: u64::MAX, ..NONE }, "a!:999:x=10 b:999:y=10", "b");
}

#[test]
fn what_was_just_used_stays_unless_the_disk_is_short() {
    check(Limits { bytes_max: Some(0), ..NONE }, "a:59:x=10 b:60:y=10", "b");
    check(Limits { short_bytes: 1, ..NONE }, "a:59:x=10 b:60:y=10", "b");
    check(Limits { short_bytes: 11, ..NONE }, "a:59:x=10 b:60:y=10", "b a");
}

#[test]
fn what_nobody_used_for_too_long_goes_without_need() {
    check(Limits { idle_max: Some(Duration::from_secs(86_400)), ..NONE }, "a:1441:x=10 b:1440:y=10", "a");
}
