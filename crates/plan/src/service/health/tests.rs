use super::*;
use TargetState::{Healthy as Up, Initial, Unavailable, Unhealthy as Down, Unused};

fn ran(secs: u64) -> Signs<'static> {
    Signs {
        ran: Some(Duration::from_secs(secs)),
        containers: ContainerHealth::Unchecked,
        targets: &[],
        grace: Duration::ZERO,
        healthy_after: Duration::from_secs(40),
    }
}

fn is(signs: &Signs<'_>, health: Health) {
    assert_eq!(judge(signs), (health, None), "{signs:?}");
}

fn fails(signs: &Signs<'_>, what: Failing) {
    assert_eq!(judge(signs), (Health::Failing, Some(what)), "{signs:?}");
}

#[test]
fn a_task_that_does_not_run_is_pending() {
    is(&Signs { ran: None, ..ran(0) }, Health::Pending);
}

#[test]
fn without_checks_a_task_is_healthy_once_it_has_run_for_40_seconds() {
    is(&ran(39), Health::Starting);
    is(&ran(40), Health::Healthy);
}

#[test]
fn with_checks_of_its_containers_it_is_what_they_say_however_long_it_runs() {
    let checked = |containers| Signs { containers, ..ran(1) };
    is(&checked(ContainerHealth::Healthy), Health::Healthy);
    is(&Signs { containers: ContainerHealth::Unknown, ..ran(1_000) }, Health::Starting);
    fails(&checked(ContainerHealth::Unhealthy), Failing::Container);
}

#[test]
fn behind_load_balancers_all_its_targets_must_pass() {
    let behind = |targets| Signs { targets, ..ran(1) };
    is(&behind(&[Some(Up), Some(Up)]), Health::Healthy);
    is(&behind(&[Some(Up), Some(Initial)]), Health::Starting);
    is(&behind(&[Some(Up), None]), Health::Starting);
    fails(&behind(&[Some(Up), Some(Down)]), Failing::Target(1));
}

#[test]
fn targets_that_nobody_checks_do_not_hold_a_task_up() {
    is(&Signs { targets: &[Some(Unavailable), Some(Unused)], ..ran(1) }, Health::Healthy);
}

#[test]
fn a_task_with_both_must_pass_both() {
    let both = |containers, targets| Signs { containers, targets, ..ran(1) };
    is(&both(ContainerHealth::Healthy, &[Some(Up)]), Health::Healthy);
    is(&both(ContainerHealth::Unknown, &[Some(Up)]), Health::Starting);
    fails(&both(ContainerHealth::Unhealthy, &[Some(Up)]), Failing::Container);
    fails(&both(ContainerHealth::Unknown, &[Some(Down)]), Failing::Target(0));
}

#[test]
fn within_the_grace_period_nothing_that_fails_counts() {
    let grace = Duration::from_secs(60);
    is(&Signs { grace, targets: &[Some(Down)], ..ran(59) }, Health::Starting);
    is(&Signs { grace, containers: ContainerHealth::Unhealthy, ..ran(59) }, Health::Starting);
    fails(&Signs { grace, targets: &[Some(Down)], ..ran(60) }, Failing::Target(0));
}
