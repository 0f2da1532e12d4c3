use super::*;
use wharf_model::{
    Timestamp,
    task::{TaskStatus, TaskTimes},
};

fn report(last_status: TaskStatus) -> TaskReport {
    let task = "0123456789abcdef0123456789abcdef".parse().unwrap();
    TaskReport {
        task,
        last_status,
        times: TaskTimes::default(),
        containers: Vec::new(),
        stop: None,
        health: None,
    }
}

fn target() -> LogTarget {
    LogTarget { group: "/web".to_owned(), stream: "s".to_owned(), create_group: false }
}

fn lines() -> Vec<LogEvent> {
    vec![LogEvent { timestamp: Timestamp(1), message: "one".to_owned() }]
}

fn drain(outbox: &Outbox) -> Vec<FromAgent> {
    std::iter::from_fn(|| outbox.lock().queue.pop_front()).collect()
}

fn statuses(messages: &[FromAgent]) -> Vec<TaskStatus> {
    let report = |message: &FromAgent| match message {
        FromAgent::Report(report) => Some(report.last_status),
        FromAgent::Hello { .. }
        | FromAgent::Ask { .. }
        | FromAgent::Session { .. }
        | FromAgent::Logs { .. } => None,
    };
    messages.iter().filter_map(report).collect()
}

#[test]
fn while_control_is_there_every_state_is_told() {
    let outbox = Outbox::new();
    outbox.connect();
    outbox.report(report(TaskStatus::Activating));
    outbox.report(report(TaskStatus::Running));
    assert_eq!(statuses(&drain(&outbox)), [TaskStatus::Activating, TaskStatus::Running]);
}

#[test]
fn after_a_reconnect_the_newest_state_is_told_again() {
    let outbox = Outbox::new();
    outbox.report(report(TaskStatus::Activating));
    outbox.report(report(TaskStatus::Running));
    for _ in 0..2 {
        outbox.connect();
        assert_eq!(statuses(&drain(&outbox)), [TaskStatus::Running]);
        outbox.disconnect();
    }
}

#[tokio::test]
async fn log_lines_are_sent_again_until_they_are_stored() {
    let outbox = Outbox::new();
    let stored = outbox.send_logs(&target(), lines());
    for _ in 0..2 {
        outbox.connect();
        let sent = drain(&outbox);
        assert!(matches!(&sent[..], [FromAgent::Logs { batch: 1, .. }]));
        outbox.disconnect();
    }
    outbox.logs_stored(1);
    stored.await.unwrap();
    outbox.connect();
    assert!(drain(&outbox).is_empty());
}
