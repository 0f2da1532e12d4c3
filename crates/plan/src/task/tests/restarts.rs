//! Containers that are started again in place.

use super::*;
use wharf_model::task::ContainerStatus;

fn restarting(ignored: &[i32]) -> Task {
    let mut task = task(&[true]);
    task.containers[0].restart = Some(RestartPolicy::new(ignored.to_vec(), Some(60)));
    play(&mut task, [Event::Begin, Event::ImagePulled { container: 0 }, Event::NetworkReady]);
    task.step(Event::ContainerStarted { container: 0 }, Timestamp(0)).unwrap();
    task
}

fn exit_at(task: &mut Task, code: i32, second: i64) -> Vec<Effect> {
    let mut effects = task.step(exit(0, code), Timestamp(second * 1000)).unwrap();
    effects.retain(|effect| *effect != Effect::Report);
    effects
}

#[test]
fn essential_container_that_ran_long_enough_runs_again_and_its_task_runs_on() {
    let mut task = restarting(&[]);
    assert_eq!(exit_at(&mut task, 1, 60), [Effect::Reset { container: 0 }]);
    assert_eq!(task.containers[0].status(), ContainerStatus::Running);
    assert_eq!(play(&mut task, [Event::ContainerReset { container: 0 }]), [Effect::Run { container: 0 }]);
    assert_eq!((task.containers[0].status(), task.containers[0].restarts), (ContainerStatus::Running, 1));
    task.step(Event::ContainerStarted { container: 0 }, Timestamp(61_000)).unwrap();
    assert_eq!(task.status(), TaskStatus::Running);
}

#[test]
fn container_is_started_again_once_in_its_period() {
    let mut task = restarting(&[]);
    exit_at(&mut task, 1, 60);
    play(&mut task, [Event::ContainerReset { container: 0 }]);
    task.step(Event::ContainerStarted { container: 0 }, Timestamp(61_000)).unwrap();
    assert_eq!(exit_at(&mut task, 1, 120), [Effect::CleanUp]);
    assert_eq!(task.stop().map(|stop| stop.code), Some(StopCode::EssentialContainerExited));
}

#[test]
fn ignored_unseen_and_early_exits_end_a_container() {
    assert_eq!(exit_at(&mut restarting(&[5, 7]), 7, 100), [Effect::CleanUp]);
    assert_eq!(exit_at(&mut restarting(&[]), 1, 59), [Effect::CleanUp]);
    let unseen = Event::ContainerExited { container: 0, code: None, out_of_memory: false };
    assert_eq!(play(&mut restarting(&[]), [unseen]), [Effect::CleanUp]);
}

#[test]
fn container_that_ends_because_its_task_stops_is_not_started_again() {
    let mut task = restarting(&[]);
    play(&mut task, [user()]);
    assert_eq!(exit_at(&mut task, 143, 100), [Effect::CleanUp]);
}

#[test]
fn stop_while_a_container_is_made_ready_again_leaves_it_ended_with_its_last_code() {
    let mut task = restarting(&[]);
    exit_at(&mut task, 9, 60);
    assert_eq!(task.resume(), [Effect::Reset { container: 0 }]);
    assert_eq!(play(&mut task, [user()]), [Effect::CleanUp]);
    assert_eq!(task.containers[0].life, Life::Ended(Ending { code: Some(9), reason: None }));
    assert_eq!(play(&mut task, [Event::ContainerReset { container: 0 }]), []);
}
