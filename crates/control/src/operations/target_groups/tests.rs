use super::*;

#[test]
fn a_matcher_is_codes_and_ranges_from_200_to_499() {
    for good in ["200", "200,202", "200-299", "200-299,301,400-499"] {
        assert!(is_matcher(good), "{good}");
    }
    for bad in ["", "20", "199", "500", "299-200", "200,", "200-", "2oo", "+200", "200 ,201"] {
        assert!(!is_matcher(bad), "{bad}");
    }
}

#[test]
fn a_health_check_is_refused_by_the_value_that_does_not_fit() {
    let refused = |change: fn(&mut HealthCheck)| {
        let mut check = HealthCheck::default();
        change(&mut check);
        check_health_check(&check).map_err(|error| error.to_string())
    };
    assert!(refused(|_| {}).is_ok());
    assert!(refused(|check| check.interval_secs = 4).unwrap_err().contains("interval '4'"));
    assert!(refused(|check| check.timeout_secs = 30).unwrap_err().contains("timeout '30'"));
    assert!(
        refused(|check| check.healthy_threshold = 1).unwrap_err().contains("Healthy threshold count '1'")
    );
    assert!(refused(|check| check.path = "health".to_owned()).unwrap_err().contains("path 'health'"));
}
