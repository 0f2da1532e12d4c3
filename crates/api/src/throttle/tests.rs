use std::time::Duration;

use super::*;

#[test]
fn a_flood_is_refused_and_others_are_not() {
    let throttle = Throttle::new(Rate { per_second: 10.0, burst: 3.0 });
    let now = Instant::now();
    let admitted = (0..100).filter(|_| throttle.admits("loud", now)).count();
    assert_eq!(admitted, 3);
    assert!(throttle.admits("quiet", now));
}

#[test]
fn a_pause_fills_the_bucket_up_to_its_size() {
    let throttle = Throttle::new(Rate { per_second: 10.0, burst: 3.0 });
    let now = Instant::now();
    while throttle.admits("key", now) {}
    let later = now + Duration::from_millis(250);
    assert_eq!((0..100).filter(|_| throttle.admits("key", later)).count(), 2);
    let much_later = now + Duration::from_secs(3600);
    assert_eq!((0..100).filter(|_| throttle.admits("key", much_later)).count(), 3);
}

#[test]
fn keys_that_are_made_up_do_not_pile_up() {
    let throttle = Throttle::new(Rate { per_second: 10.0, burst: 3.0 });
    let now = Instant::now();
    for round in 0..10_u64 {
        let then = now + Duration::from_secs(round);
        for key in 0..KEYS_MAX {
            throttle.admits(&format!("{round}-{key}"), then);
        }
    }
    assert!(throttle.buckets.lock().unwrap().len() <= 2 * KEYS_MAX);
}
