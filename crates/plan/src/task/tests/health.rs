//! How checks become health.

use super::*;

const PASS: i32 = 0;
const FAIL: i32 = 1;

/// A container with a check each 10 s, 3 retries and a start period.
fn checked(start_period: u32) -> Task {
    let mut task = task(&[true]);
    task.containers[0].health =
        Some(Health::unknown(Rules::new(Some(10), None, Some(3), Some(start_period))));
    play(&mut task, [Event::Begin, Event::ImagePulled { container: 0 }, Event::NetworkReady]);
    task.step(Event::ContainerStarted { container: 0 }, Timestamp(0)).unwrap();
    task
}

/// Returns the task's health after checks that ended at these seconds like this.
fn after(task: &mut Task, probes: &[(i64, i32)]) -> Option<HealthStatus> {
    for &(second, exit_code) in probes {
        let probe = Probe { exit_code, output: String::new() };
        task.step(Event::Probed { container: 0, probe }, Timestamp(second * 1000)).unwrap();
    }
    task.health()
}

#[test]
fn one_success_is_health_and_as_many_failures_as_retries_in_a_row_are_its_end() {
    let mut task = checked(0);
    assert_eq!(after(&mut task, &[]), Some(HealthStatus::Unknown));
    assert_eq!(after(&mut task, &[(10, PASS)]), Some(HealthStatus::Healthy));
    assert_eq!(after(&mut task, &[(20, FAIL), (30, FAIL), (40, PASS)]), Some(HealthStatus::Healthy));
    assert_eq!(after(&mut task, &[(50, FAIL), (60, FAIL)]), Some(HealthStatus::Healthy));
    assert_eq!(after(&mut task, &[(70, FAIL)]), Some(HealthStatus::Unhealthy));
    assert_eq!(after(&mut task, &[(80, PASS)]), Some(HealthStatus::Healthy));
}

#[test]
fn failures_before_the_first_interval_and_in_the_start_period_do_not_count() {
    assert_eq!(after(&mut checked(0), &[(1, FAIL), (2, FAIL), (4, FAIL)]), Some(HealthStatus::Unknown));
    let mut task = checked(60);
    assert_eq!(after(&mut task, &[(10, FAIL), (20, FAIL), (59, FAIL)]), Some(HealthStatus::Unknown));
    assert_eq!(after(&mut task, &[(60, FAIL), (70, FAIL), (80, FAIL)]), Some(HealthStatus::Unhealthy));
}

#[test]
fn start_period_ends_with_the_first_success() {
    let mut task = checked(60);
    assert_eq!(after(&mut task, &[(1, PASS), (11, FAIL), (21, FAIL)]), Some(HealthStatus::Healthy));
    assert_eq!(after(&mut task, &[(31, FAIL)]), Some(HealthStatus::Unhealthy));
}

#[test]
fn a_check_that_changes_nothing_is_not_told() {
    let mut task = checked(0);
    let probe = || Event::Probed { container: 0, probe: Probe { exit_code: PASS, output: "ok".to_owned() } };
    assert_eq!(task.step(probe(), Timestamp(1000)), Ok(vec![Effect::Report]));
    assert_eq!(task.step(probe(), Timestamp(2000)), Ok(vec![]));
}

#[test]
fn checks_come_often_at_first_and_then_in_their_interval() {
    let rules = Rules::new(Some(10), None, None, None);
    let wait = |status, millis| rules.wait(status, Duration::from_millis(millis)).as_millis();
    assert_eq!(wait(HealthStatus::Unknown, 0), 250);
    assert_eq!(wait(HealthStatus::Unknown, 250), 250);
    assert_eq!(wait(HealthStatus::Unknown, 4_000), 4_000);
    assert_eq!(wait(HealthStatus::Unknown, 12_000), 10_000);
    assert_eq!(wait(HealthStatus::Healthy, 250), 10_000);
}

#[test]
fn a_task_is_as_well_as_the_worst_of_its_essential_containers_that_are_checked() {
    let health = |essential, status| {
        let mut container = Container::new(essential, None);
        container.health = status;
        container
    };
    let known = |status| Some(Health { status, ..Health::unknown(Rules::new(None, None, None, None)) });
    let well = || health(true, known(HealthStatus::Healthy));
    let of = |containers| Task::new(containers).health();
    assert_eq!(of(vec![health(true, None)]), None);
    assert_eq!(of(vec![health(true, None), well()]), Some(HealthStatus::Healthy));
    assert_eq!(of(vec![well(), health(true, known(HealthStatus::Unknown))]), Some(HealthStatus::Unknown));
    assert_eq!(of(vec![well(), health(true, known(HealthStatus::Unhealthy))]), Some(HealthStatus::Unhealthy));
    assert_eq!(of(vec![well(), health(false, known(HealthStatus::Unhealthy))]), Some(HealthStatus::Healthy));
}
