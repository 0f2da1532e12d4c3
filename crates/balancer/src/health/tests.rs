use super::{Health, Outcome};
use std::time::Duration;
use wharf_model::target_group::{HealthCheck, TargetState};

/// Runs checks, a letter each: passed, mismatch (502), timed out, failed; upper case where the check counts.
fn after(outcomes: &str) -> Health {
    let check = HealthCheck { healthy_threshold: 3, unhealthy_threshold: 2, ..HealthCheck::default() };
    outcomes.chars().fold(Health::Registering, |health, letter| {
        let outcome = match letter.to_ascii_lowercase() {
            'p' => Outcome::Passed,
            'm' => Outcome::Mismatch(502),
            't' => Outcome::TimedOut,
            _ => Outcome::Failed,
        };
        health.after(&outcome, letter.is_ascii_uppercase(), &check)
    })
}

fn check(outcomes: &str, state: TargetState, reason: &str, description: &str) {
    let report = after(outcomes).report();
    let said = (report.state, report.reason.unwrap_or_default(), report.description.unwrap_or_default());
    assert_eq!(said, (state, reason.to_owned(), description.to_owned()), "{outcomes}");
}

#[test]
fn a_new_target_is_being_registered() {
    check("", TargetState::Initial, "Elb.RegistrationInProgress", "Target registration is in progress");
}

#[test]
fn a_new_target_that_fails_is_still_initial() {
    check("F", TargetState::Initial, "Elb.InitialHealthChecking", "Initial health checks in progress");
}

#[test]
fn failures_of_eager_checks_do_not_make_it_unhealthy() {
    check(
        "Fffffffff",
        TargetState::Initial,
        "Elb.InitialHealthChecking",
        "Initial health checks in progress",
    );
}

#[test]
fn one_passed_check_makes_a_new_target_healthy() {
    check("Fffp", TargetState::Healthy, "", "");
}

#[test]
fn as_many_failures_as_the_threshold_make_it_unhealthy() {
    check("PF", TargetState::Healthy, "", "");
    check("PFPF", TargetState::Healthy, "", "");
    check("PFF", TargetState::Unhealthy, "Target.FailedHealthChecks", "Health checks failed");
    check("FF", TargetState::Unhealthy, "Target.FailedHealthChecks", "Health checks failed");
}

#[test]
fn the_last_failure_is_the_reason() {
    let codes = "Health checks failed with these codes: [502]";
    check("PFM", TargetState::Unhealthy, "Target.ResponseCodeMismatch", codes);
    check("PMMT", TargetState::Unhealthy, "Target.Timeout", "Request timed out");
}

#[test]
fn an_unhealthy_target_needs_the_threshold_to_recover() {
    check("FFPP", TargetState::Unhealthy, "Target.FailedHealthChecks", "Health checks failed");
    check("FFPPFPP", TargetState::Unhealthy, "Target.FailedHealthChecks", "Health checks failed");
    check("FFPPP", TargetState::Healthy, "", "");
}

#[test]
fn an_unchecked_target_is_unavailable_and_serves() {
    assert_eq!(Health::Unchecked.report().state, TargetState::Unavailable);
    assert!(Health::Unchecked.serves());
}

#[test]
fn a_new_target_is_asked_at_once_and_then_often() {
    let check = HealthCheck::default();
    let pauses: Vec<_> = (0..8).map(|asked| Health::Checking { failed: 0 }.pause(&check, asked)).collect();
    assert_eq!(Health::Registering.pause(&check, 0), Duration::ZERO);
    assert_eq!(pauses[0], Duration::from_millis(50));
    assert_eq!(pauses[7], Duration::from_secs(1));
    assert_eq!(Health::Healthy { failed: 0 }.pause(&check, 3), Duration::from_secs(30));
}
