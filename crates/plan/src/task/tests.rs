use super::*;
use proptest::prelude::*;
use std::time::Duration;

mod dependencies;
mod health;
mod restarts;

fn task(essentials: &[bool]) -> Task {
    Task::new(essentials.iter().map(|&essential| Container::new(essential, None)).collect())
}

fn user() -> Event {
    Event::StopAsked(Stop { code: StopCode::UserInitiated, reason: "Task stopped by user".to_owned() })
}

fn exit(container: usize, code: i32) -> Event {
    Event::ContainerExited { container, code: Some(code), out_of_memory: false }
}

/// Applies events a second apart, from second 0, and returns the effects of the last one without reports.
fn play(task: &mut Task, events: impl IntoIterator<Item = Event>) -> Vec<Effect> {
    let mut effects = Vec::new();
    for (second, event) in (0..).zip(events) {
        effects = task.step(event, Timestamp(second * 1000)).expect("in turn");
    }
    effects.retain(|effect| *effect != Effect::Report);
    effects
}

fn running(essentials: &[bool]) -> Task {
    let mut task = task(essentials);
    let count = essentials.len();
    let pulled = (0..count).map(|container| Event::ImagePulled { container });
    let started = (0..count).map(|container| Event::ContainerStarted { container });
    play(&mut task, [Event::Begin].into_iter().chain(pulled).chain([Event::NetworkReady]).chain(started));
    assert_eq!(task.status(), TaskStatus::Running);
    task
}

#[test]
fn image_and_network_are_got_at_the_same_time() {
    let effects = play(&mut task(&[true, false]), [Event::Begin]);
    let pulls = [Effect::Pull { container: 0 }, Effect::Pull { container: 1 }];
    assert_eq!(effects, [vec![Effect::TakeNetwork], pulls.to_vec()].concat());
}

#[test]
fn container_starts_when_both_image_and_network_are_there_in_either_order() {
    let pulled = || Event::ImagePulled { container: 0 };
    for order in [[pulled(), Event::NetworkReady], [Event::NetworkReady, pulled()]] {
        let mut task = task(&[true]);
        let effects = play(&mut task, [Event::Begin].into_iter().chain(order));
        assert_eq!(effects, [Effect::Run { container: 0 }]);
        assert_eq!(task.status(), TaskStatus::Activating);
    }
}

#[test]
fn exit_of_an_essential_container_stops_the_others_with_thirty_seconds_of_grace() {
    let mut task = running(&[true, false]);
    let effects = play(&mut task, [exit(0, 7)]);
    assert_eq!(effects, [Effect::Terminate { container: 1, kill_at: Timestamp(30_000) }]);
    let stop = task.stop().expect("it stops");
    assert_eq!(stop.code, StopCode::EssentialContainerExited);
    assert_eq!(stop.reason, "Essential container in task exited");
    assert_eq!(play(&mut task, [Event::KillDue { container: 1 }]), [Effect::Kill { container: 1 }]);
    assert_eq!(play(&mut task, [exit(1, 137)]), [Effect::CleanUp]);
    assert_eq!(play(&mut task, [Event::ContainersGone]), [Effect::ReleaseNetwork]);
    assert_eq!(play(&mut task, [Event::NetworkGone]), []);
    assert_eq!(task.status(), TaskStatus::Stopped);
    assert_eq!(task.containers[0].life, Life::Ended(Ending { code: Some(7), reason: None }));
}

#[test]
fn exit_of_another_container_stops_nothing() {
    let mut task = running(&[true, false]);
    assert_eq!(play(&mut task, [exit(1, 1)]), []);
    assert_eq!(task.status(), TaskStatus::Running);
}

#[test]
fn stop_by_the_user_keeps_its_reason_when_the_container_then_ends() {
    let mut task = running(&[true]);
    play(&mut task, [user(), exit(0, 143)]);
    assert_eq!(task.stop().map(|stop| stop.code), Some(StopCode::UserInitiated));
    assert_eq!(task.status(), TaskStatus::Stopping);
}

#[test]
fn image_that_cannot_be_pulled_fails_the_task_with_the_containers_reason() {
    let mut task = task(&[true, true]);
    let reason = "CannotPullContainerError: manifest unknown";
    let effects = play(
        &mut task,
        [
            Event::Begin,
            Event::ImagePulled { container: 1 },
            Event::PullFailed { container: 0, reason: reason.to_owned() },
        ],
    );
    assert_eq!(effects, [Effect::CleanUp]);
    assert_eq!(task.stop(), Some(&Stop { code: StopCode::TaskFailedToStart, reason: reason.to_owned() }));
    assert_eq!(task.containers[0].life, Life::Ended(Ending { code: None, reason: Some(reason.to_owned()) }));
    assert_eq!(task.containers[1].life, Life::Ended(Ending::default()));
}

#[test]
fn container_that_is_being_started_while_the_task_stops_is_stopped_once_it_runs() {
    let mut task = task(&[true]);
    play(&mut task, [Event::Begin, Event::NetworkReady, Event::ImagePulled { container: 0 }]);
    assert_eq!(play(&mut task, [user()]), []);
    let effects = play(&mut task, [Event::ContainerStarted { container: 0 }]);
    assert_eq!(effects, [Effect::Terminate { container: 0, kill_at: Timestamp(30_000) }]);
}

#[test]
fn exit_that_overtakes_the_answer_to_the_start_counts_as_a_run() {
    let mut task = task(&[true]);
    play(&mut task, [Event::Begin, Event::NetworkReady, Event::ImagePulled { container: 0 }, exit(0, 0)]);
    assert!(task.times.started_at.is_some());
    assert_eq!(task.stop().map(|stop| stop.code), Some(StopCode::EssentialContainerExited));
    assert_eq!(play(&mut task, [Event::ContainerStarted { container: 0 }]), []);
}

#[test]
fn lack_of_memory_is_told_with_the_exit_code() {
    let mut task = running(&[true]);
    play(&mut task, [Event::ContainerExited { container: 0, code: Some(137), out_of_memory: true }]);
    let reason = "OutOfMemoryError: Container killed due to memory usage".to_owned();
    assert_eq!(task.containers[0].life, Life::Ended(Ending { code: Some(137), reason: Some(reason) }));
}

#[test]
fn exit_code_that_nobody_saw_is_not_invented() {
    let mut task = running(&[true]);
    play(&mut task, [Event::ContainerExited { container: 0, code: None, out_of_memory: false }]);
    let Life::Ended(ending) = &task.containers[0].life else { panic!("it ended") };
    assert_eq!(ending.code, None);
    assert!(ending.reason.as_ref().is_some_and(|reason| reason.starts_with("ExitCodeUnavailable: ")));
}

#[test]
fn network_is_not_given_back_before_the_containers_are_gone() {
    let mut task = running(&[true]);
    let before = task.clone();
    let refused = task.step(Event::NetworkGone, Timestamp(0));
    assert_eq!(refused, Err(OutOfTurn { event: Event::NetworkGone, stage: Stage::Running }));
    assert_eq!(task, before);
}

fn condition() -> impl Strategy<Value = Condition> {
    prop_oneof![
        Just(Condition::Start),
        Just(Condition::Complete),
        Just(Condition::Success),
        Just(Condition::Healthy)
    ]
}

fn event(containers: usize) -> impl Strategy<Value = Event> {
    let container = 0..containers;
    prop_oneof![
        1 => Just(user()),
        4 => container.clone().prop_map(|container| Event::ImagePulled { container }),
        1 => container.clone()
            .prop_map(|container| Event::PullFailed { container, reason: "CannotPullContainerError: no".to_owned() }),
        4 => Just(Event::NetworkReady),
        1 => Just(Event::NetworkFailed { reason: "ResourceInitializationError: no".to_owned() }),
        4 => container.clone().prop_map(|container| Event::ContainerStarted { container }),
        1 => container.clone()
            .prop_map(|container| Event::ContainerFailed { container, reason: "CannotStartContainerError: no".to_owned() }),
        3 => (container.clone(), proptest::option::of(0..3), any::<bool>())
            .prop_map(|(container, code, out_of_memory)| Event::ContainerExited { container, code, out_of_memory }),
        1 => container.clone().prop_map(|container| Event::KillDue { container }),
        2 => (container.clone(), 0..2).prop_map(|(container, exit_code)| {
            Event::Probed { container, probe: Probe { exit_code, output: String::new() } }
        }),
        1 => container.clone().prop_map(|container| Event::StartOverdue { container }),
        1 => container.prop_map(|container| Event::ContainerReset { container }),
        1 => Just(Event::ContainersGone),
        1 => Just(Event::NetworkGone),
        1 => Just(Event::Begin),
    ]
}

/// What an honest node says when it did `effect`.
fn done(effect: &Effect) -> Option<Event> {
    match *effect {
        Effect::TakeNetwork => Some(Event::NetworkReady),
        Effect::Pull { container } => Some(Event::ImagePulled { container }),
        Effect::Run { container } => Some(Event::ContainerStarted { container }),
        Effect::Terminate { container, .. } => Some(Event::KillDue { container }),
        Effect::AwaitStart { container, .. } => Some(Event::StartOverdue { container }),
        Effect::Reset { container } => Some(Event::ContainerReset { container }),
        Effect::Kill { container } => {
            Some(Event::ContainerExited { container, code: Some(137), out_of_memory: false })
        }
        Effect::CleanUp => Some(Event::ContainersGone),
        Effect::ReleaseNetwork => Some(Event::NetworkGone),
        Effect::Report => None,
    }
}

proptest! {
    /// Any order of events, late and double ones among them, moves the task forward only; and from wherever they
    /// left it, also by way of a crash, a node that does what it is told ends it with everything given back.
    #[test]
    fn task_only_moves_forward_and_always_ends_stopped(
        essentials in proptest::collection::vec(any::<bool>(), 1..4),
        waits in proptest::collection::vec((0..3_usize, 0..3_usize, condition()), 0..4),
        again in any::<bool>(),
        events in proptest::collection::vec(event(3), 0..60),
    ) {
        let mut task = task(&essentials);
        let count = task.containers.len();
        for (place, container) in task.containers.iter_mut().enumerate() {
            container.health = Some(Health::unknown(Rules::new(Some(0), None, Some(2), None)));
            container.start_timeout = Some(Duration::from_secs(1));
            container.restart = again.then(|| RestartPolicy::new(vec![2], Some(0)));
            // A container may only depend on those before it: no definition with a circle is registered.
            let of_it = waits.iter().filter(|(target, other, _)| *target == place && *other < place.min(count));
            container.depends_on =
                of_it.map(|&(_, container, condition)| Dependency { container, condition }).collect();
        }
        let mut released = 0;
        let mut check = |task: &mut Task, event: Event| {
            let (before, life) = (task.status(), task.containers.clone());
            let effects = task.step(event, Timestamp(1)).unwrap_or_default();
            prop_assert!(task.status() >= before);
            for (old, new) in life.iter().zip(&task.containers) {
                prop_assert!(new.status() >= old.status());
            }
            released += effects.iter().filter(|effect| **effect == Effect::ReleaseNetwork).count();
            Ok(effects)
        };
        check(&mut task, Event::Begin)?;
        for event in events {
            check(&mut task, event)?;
        }
        check(&mut task, user())?;
        let mut left = task.resume();
        for _ in 0..80 {
            let Some(effect) = (if left.is_empty() { None } else { Some(left.remove(0)) }) else { break };
            if let Some(event) = done(&effect) {
                left.extend(check(&mut task, event)?);
            }
        }
        prop_assert_eq!(task.status(), TaskStatus::Stopped);
        prop_assert_eq!(released, 1);
        prop_assert!(task.times.stopped_at.is_some());
    }
}
