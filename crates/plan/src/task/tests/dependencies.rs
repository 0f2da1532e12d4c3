//! Who waits for whom, on the way up and on the way down.

use super::*;

/// Two containers: `main`, essential, waits for `other`, which is not.
fn pair(condition: Condition) -> Task {
    let mut task = task(&[true, false]);
    task.containers[0].name = "main".to_owned();
    task.containers[1].name = "other".to_owned();
    task.containers[0].depends_on = vec![Dependency { container: 1, condition }];
    task.containers[1].health = Some(Health::unknown(Rules::new(Some(5), None, Some(2), None)));
    task
}

fn up_to_other(task: &mut Task) -> Vec<Effect> {
    let pulled = [Event::ImagePulled { container: 0 }, Event::ImagePulled { container: 1 }];
    play(task, [Event::Begin].into_iter().chain(pulled).chain([Event::NetworkReady]))
}

const RUN_MAIN: [Effect; 1] = [Effect::Run { container: 0 }];
const STARTED: Event = Event::ContainerStarted { container: 1 };

fn probe(exit_code: i32) -> Event {
    Event::Probed { container: 1, probe: Probe { exit_code, output: String::new() } }
}

#[test]
fn what_is_depended_on_starts_first() {
    for condition in [Condition::Start, Condition::Complete, Condition::Success, Condition::Healthy] {
        assert_eq!(up_to_other(&mut pair(condition)), [Effect::Run { container: 1 }], "{condition:?}");
    }
}

#[test]
fn each_condition_is_met_by_what_it_names_and_by_nothing_less() {
    let met = |condition, events: Vec<Event>| {
        let mut task = pair(condition);
        up_to_other(&mut task);
        play(&mut task, events) == RUN_MAIN
    };
    assert!(met(Condition::Start, vec![STARTED]));
    assert!(!met(Condition::Complete, vec![STARTED]));
    assert!(met(Condition::Complete, vec![STARTED, exit(1, 3)]));
    assert!(!met(Condition::Success, vec![STARTED, exit(1, 3)]));
    assert!(met(Condition::Success, vec![STARTED, exit(1, 0)]));
    assert!(!met(Condition::Healthy, vec![STARTED, probe(1)]));
    assert!(met(Condition::Healthy, vec![STARTED, probe(1), probe(0)]));
}

#[test]
fn task_runs_only_when_those_that_waited_run() {
    let mut task = pair(Condition::Success);
    up_to_other(&mut task);
    play(&mut task, [STARTED, exit(1, 0)]);
    assert_eq!(task.status(), TaskStatus::Activating);
    play(&mut task, [Event::ContainerStarted { container: 0 }]);
    assert_eq!(task.status(), TaskStatus::Running);
}

#[test]
fn container_that_waits_in_vain_ends_with_143_and_an_essential_one_fails_the_task() {
    let mut task = pair(Condition::Success);
    up_to_other(&mut task);
    assert_eq!(play(&mut task, [STARTED, exit(1, 3)]), [Effect::CleanUp]);
    let reason = "CannotStartContainerError: dependency graph: failed to resolve container ordering dependency [other] \
                  for target [main] as dependency did not exit successfully.";
    let ending = Ending { code: Some(143), reason: Some(reason.to_owned()) };
    assert_eq!(task.containers[0].life, Life::Ended(ending));
    assert_eq!(task.stop(), Some(&Stop { code: StopCode::TaskFailedToStart, reason: reason.to_owned() }));
}

#[test]
fn container_that_is_not_essential_waits_in_vain_alone() {
    let mut task = pair(Condition::Healthy);
    task.containers[0].essential = false;
    task.containers.push(Container::new(true, None));
    up_to_other(&mut task);
    play(&mut task, [Event::ImagePulled { container: 2 }, Event::ContainerStarted { container: 2 }]);
    assert_eq!(play(&mut task, [STARTED, exit(1, 1)]), []);
    assert_eq!(task.status(), TaskStatus::Running);
    assert!(matches!(&task.containers[0].life, Life::Ended(Ending { code: Some(143), .. })));
}

#[test]
fn start_timeout_counts_from_the_start_and_fails_those_that_still_wait() {
    let mut task = pair(Condition::Healthy);
    task.containers[1].start_timeout = Some(Duration::from_secs(7));
    up_to_other(&mut task);
    let effects = task.step(STARTED, Timestamp(1_000)).unwrap();
    assert!(effects.contains(&Effect::AwaitStart { container: 1, at: Timestamp(8_000) }), "{effects:?}");
    assert!(task.resume().contains(&Effect::AwaitStart { container: 1, at: Timestamp(8_000) }));
    let effects = play(&mut task, [Event::StartOverdue { container: 1 }]);
    assert_eq!(effects, [Effect::Terminate { container: 1, kill_at: Timestamp(30_000) }]);
    let Life::Ended(ending) = &task.containers[0].life else { panic!("it gave up") };
    assert_eq!(
        ending.reason.as_deref(),
        Some(
            "CannotStartContainerError: dependency graph: container ordering dependency [other] for target [main] has \
             timed out."
        )
    );
}

#[test]
fn start_timeout_of_what_was_reached_in_time_changes_nothing() {
    let mut task = pair(Condition::Healthy);
    task.containers[1].start_timeout = Some(Duration::from_secs(7));
    up_to_other(&mut task);
    play(&mut task, [STARTED, probe(0), Event::ContainerStarted { container: 0 }]);
    assert_eq!(play(&mut task, [Event::StartOverdue { container: 1 }]), []);
    assert_eq!(task.status(), TaskStatus::Running);
}

#[test]
fn what_is_depended_on_is_told_to_end_last() {
    let mut task = pair(Condition::Start);
    up_to_other(&mut task);
    play(&mut task, [STARTED, Event::ContainerStarted { container: 0 }]);
    let effects = play(&mut task, [user()]);
    assert_eq!(effects, [Effect::Terminate { container: 0, kill_at: Timestamp(30_000) }]);
    let effects = task.step(exit(0, 0), Timestamp(4_000)).unwrap();
    assert!(effects.contains(&Effect::Terminate { container: 1, kill_at: Timestamp(34_000) }), "{effects:?}");
    assert_eq!(play(&mut task, [exit(1, 0)]), [Effect::CleanUp]);
}

#[test]
fn what_is_depended_on_outlives_nobody_who_never_started() {
    let mut task = pair(Condition::Complete);
    up_to_other(&mut task);
    play(&mut task, [STARTED]);
    assert_eq!(play(&mut task, [user()]), [Effect::Terminate { container: 1, kill_at: Timestamp(30_000) }]);
}
