use super::*;
use crate::examples;
use wharf_model::task_definition::LogConfiguration;

fn target_of(driver: LogDriver, options: &[(&str, &str)]) -> Option<LogTarget> {
    let mut definition = examples::container("web");
    let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    definition.log_configuration =
        Some(LogConfiguration { driver, options: options.collect(), secret_options: Vec::new() });
    let options = definition.log_configuration.as_ref().unwrap().options.clone();
    target(&definition, &options, "t-1", &"0123456789abcdef0123456789abcdef".parse().unwrap())
}

#[test]
fn stream_is_prefix_container_and_task_or_the_containers_id() {
    let prefixed =
        target_of(LogDriver::Awslogs, &[("awslogs-group", "/web"), ("awslogs-stream-prefix", "ecs")])
            .unwrap();
    assert_eq!(prefixed.stream, "ecs/web/0123456789abcdef0123456789abcdef");
    assert!(!prefixed.create_group);
    let plain = target_of(LogDriver::Awslogs, &[("awslogs-group", "/web"), ("awslogs-create-group", "true")])
        .unwrap();
    assert_eq!((plain.stream.as_str(), plain.create_group), ("t-1", true));
}

#[test]
fn output_without_a_log_group_stays_on_the_node() {
    assert!(target_of(LogDriver::JsonFile, &[]).is_none());
}
