use super::*;

#[test]
fn json_has_seconds_with_a_fraction() {
    let at = Timestamp::from_millis(1_700_000_000_123);
    assert_eq!(serde_json::to_string(&at).unwrap(), "1700000000.123");
}

#[test]
fn whatever_was_written_is_read_again() {
    for millis in [0, 1, 999, 1_700_000_000_123, 253_402_300_799_999] {
        let at = Timestamp::from_millis(millis);
        let json = serde_json::to_string(&at).unwrap();
        assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), at);
        let iso = at.to_iso().unwrap();
        assert_eq!(serde_json::from_value::<Timestamp>(iso.into()).unwrap(), at);
    }
}

#[test]
fn whole_seconds_are_read() {
    assert_eq!(serde_json::from_str::<Timestamp>("1700000000").unwrap().as_millis(), 1_700_000_000_000);
}

#[test]
fn words_are_not_a_time() {
    assert!(serde_json::from_str::<Timestamp>("\"yesterday\"").is_err());
    assert!(serde_json::from_str::<Timestamp>("\"inf\"").is_err());
}
