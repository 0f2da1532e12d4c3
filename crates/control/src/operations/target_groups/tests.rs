use super::*;

#[test]
fn a_matcher_is_codes_and_ranges_of_those_that_there_are() {
    let is_matcher = |text: &str| super::is_matcher(text, 3..=3, 200..=499);
    for good in ["200", "200,202", "200-299", "200-299,301,400-499"] {
        assert!(is_matcher(good), "{good}");
    }
    for bad in ["", "20", "199", "500", "299-200", "200,", "200-", "2oo", "+200", "200 ,201"] {
        assert!(!is_matcher(bad), "{bad}");
    }
    let is_grpc = |text: &str| super::is_matcher(text, 1..=2, 0..=99);
    assert!(is_grpc("0") && is_grpc("0-99") && is_grpc("0,12") && !is_grpc("100") && !is_grpc(""));
}

#[test]
fn a_health_check_is_refused_by_the_value_that_does_not_fit() {
    let refused = |change: fn(&mut HealthCheck)| {
        let mut check = HealthCheck::default();
        change(&mut check);
        check_health_check(&check, ProtocolVersion::Http1).map_err(|error| error.to_string())
    };
    assert!(refused(|_| {}).is_ok());
    assert!(refused(|check| check.interval_secs = 4).unwrap_err().contains("interval '4'"));
    assert!(refused(|check| check.timeout_secs = 30).unwrap_err().contains("timeout '30'"));
    assert!(
        refused(|check| check.healthy_threshold = 1).unwrap_err().contains("Healthy threshold count '1'")
    );
    assert!(refused(|check| check.path = "health".to_owned()).unwrap_err().contains("path 'health'"));
}

#[test]
fn a_check_by_grpc_passes_by_its_own_codes() {
    let check = HealthCheck::of(ProtocolVersion::Grpc);
    assert!(check_health_check(&check, ProtocolVersion::Grpc).is_ok());
    let refused = check_health_check(&check, ProtocolVersion::Http2).unwrap_err().to_string();
    assert!(refused.contains("HTTP code '12'"), "{refused}");
}
