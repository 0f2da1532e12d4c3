use super::*;
use crate::examples;
use wharf_plan::task::{Life, Stage};
use wharf_sandbox::cgroup::Hierarchy;

fn ask(path: &str) -> (StatusCode, Value) {
    let mut record = Record::new(examples::assignment(), "boot");
    record.task.stage = Stage::Running;
    record.task.containers[0].life = Life::Running;
    let path = path.replace("{id}", &record.notes[0].id);
    let hierarchy = Hierarchy::V2 { mount: "/nowhere".into() };
    let source = Source {
        record: watch::channel(Arc::new(record)).1,
        cgroup: Cgroup::new(&hierarchy, "/wharf/none"),
        meter: Meter::default(),
        storage: None,
        uplink: Uplink::new(Arc::default(), None, vec![[172, 31, 0, 2].into()]),
    };
    route(&source, &Method::GET, &path)
}

#[test]
fn task_learns_of_itself_and_its_containers() {
    let (status, task) = ask("/v4/{id}/task");
    assert_eq!(status, StatusCode::OK);
    let task_arn = "arn:aws:ecs:us-east-1:123456789012:task/default/0123456789abcdef0123456789abcdef";
    assert_eq!(task["TaskARN"], task_arn);
    assert_eq!((&task["Revision"], &task["KnownStatus"]), (&Value::from("3"), &Value::from("RUNNING")));
    assert_eq!(task["Limits"]["CPU"], 0.25);
    assert!(task.get("TaskTags").is_none());
    let (_, container) = ask("/v4/{id}");
    assert_eq!(task["Containers"][0], container);
    assert_eq!(container["Labels"]["com.amazonaws.ecs.task-arn"], task_arn);
    assert_eq!(container["Networks"][0]["IPv4Addresses"][0], "172.31.0.10");
    assert_eq!(container["Networks"][0]["SubnetGatewayIpv4Address"], "172.31.0.1/20");
}

#[test]
fn tags_are_told_when_asked_for_and_version_three_answers_too() {
    assert_eq!(ask("/v3/{id}/taskWithTags").1["TaskTags"]["team"], "harbour");
}

#[test]
fn unknown_ids_are_answered_with_the_agents_words() {
    let (status, body) = ask("/v4/nobody");
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(body.as_str().unwrap().starts_with("V4 container metadata handler: "), "{body}");
    let (status, body) = ask("/v4/nobody/task");
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(body.as_str().unwrap().starts_with("V4 task metadata handler: "), "{body}");
}

#[test]
fn a_task_learns_its_network() {
    let network = ask("/v4/{id}").1["Networks"][0].clone();
    assert_eq!(network["DomainNameServers"][0], "172.31.0.2");
    assert_eq!(network["DomainNameSearchList"][0], "us-east-1.compute.internal");
}

#[test]
fn each_task_has_a_path_of_its_own_for_its_keys() {
    let path = |task: &str| credentials_path(&task.parse().unwrap());
    let (one, other) = (path(&"0".repeat(32)), path(&"1".repeat(32)));
    assert_eq!(one, path(&"0".repeat(32)));
    assert_ne!(one, other);
    assert_eq!(one.len(), "/v2/credentials/".len() + 36);
}

#[test]
fn credentials_and_other_paths_are_not_there() {
    assert_eq!(ask("/v2/credentials/1").0, StatusCode::NOT_FOUND);
    assert_eq!(ask("/v4/{id}/secrets").0, StatusCode::NOT_FOUND);
}
