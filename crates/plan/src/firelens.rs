//! Log routers: what ECS calls FireLens. One container of a task takes the output of its neighbours and sends it on, as a
//! configuration says that is made for it from their log options.
//!
//! The router listens on a socket in [`SOCKET_DIR`], which the node shares with it, and for what the containers send by
//! themselves on [`PORT`] of the task's loopback. Each container's output has the tag `<container>-firelens-<task id>`. The
//! places, tags and sections are those of ECS's agent, so that a router's image made for ECS finds what it expects.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::Write;
use wharf_model::task_definition::{
    ContainerDefinition, FirelensConfiguration, FirelensKind, LogConfiguration, LogDriver,
};

/// The directory in a router in which its socket is.
pub const SOCKET_DIR: &str = "/var/run";
/// The name of its socket.
pub const SOCKET: &str = "fluent.sock";
/// The port of the task's loopback on which it takes what containers send by themselves.
pub const PORT: u16 = 24_224;
/// Where it takes the questions of a health check.
const HEALTH_PORT: u16 = 8_877;
const HEALTH_TAG: &str = "firelens-healthcheck";

/// Options that are not the output's.
const OWN: [&str; 3] = ["include-pattern", "exclude-pattern", "log-driver-buffer-limit"];

/// What a router's records say of their task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts<'a> {
    /// The cluster's name.
    pub cluster: &'a str,
    /// The task's ARN.
    pub task_arn: &'a str,
    /// The definition, `family:revision`.
    pub definition: &'a str,
    /// Whether the task has a loopback of its own.
    pub own_loopback: bool,
}

/// Returns the place of the router among a task's containers.
pub fn router(containers: &[&ContainerDefinition]) -> Option<usize> {
    containers.iter().position(|container| container.firelens_configuration.is_some())
}

/// Returns a container's log configuration if its output goes to the router.
pub fn routed(container: &ContainerDefinition) -> Option<&LogConfiguration> {
    container.log_configuration.as_ref().filter(|log| log.driver == LogDriver::Awsfirelens)
}

/// Returns the tag of a container's output.
pub fn tag(container: &str, task: &str) -> String {
    format!("{container}-firelens-{task}")
}

/// Returns the router's variable that holds a secret option of a container.
pub fn secret_variable(option: &str, container: &str) -> String {
    let plain = |text: &str| -> String {
        text.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect()
    };
    format!("{}_{}", plain(option), plain(container))
}

/// Returns where a router looks for its configuration.
pub fn configuration_path(kind: FirelensKind) -> &'static str {
    match kind {
        FirelensKind::Fluentbit => "/fluent-bit/etc/fluent-bit.conf",
        FirelensKind::Fluentd => "/fluentd/etc/fluent.conf",
    }
}

/// Checks a router's options; the error names the option.
pub fn check(router: &FirelensConfiguration) -> Result<(), String> {
    let wrong = |name: &str, why: &str| {
        let given = router.options.get(name).map_or("", String::as_str);
        Err(format!("firelensConfiguration option '{name}' is '{given}': {why}"))
    };
    for name in router.options.keys() {
        if !matches!(name.as_str(), "enable-ecs-log-metadata" | "config-file-type" | "config-file-value") {
            return wrong(name, "there is no such option");
        }
    }
    let option = |name: &str| router.options.get(name).map(String::as_str);
    if !matches!(option("enable-ecs-log-metadata"), None | Some("true" | "false")) {
        return wrong("enable-ecs-log-metadata", "it must be 'true' or 'false'");
    }
    match (option("config-file-type"), option("config-file-value")) {
        (None, None) => Ok(()),
        (Some("s3"), _) => wrong("config-file-type", "only 'file' is supported, as on Fargate"),
        (Some("file"), Some(path)) if path.starts_with('/') && !path.contains(char::is_control) => Ok(()),
        (Some("file"), _) => wrong("config-file-value", "it must be an absolute path in the router"),
        (Some(_), _) => wrong("config-file-type", "it must be 'file'"),
        (None, Some(_)) => wrong("config-file-value", "it needs config-file-type"),
    }
}

/// Checks the options of a container whose output goes to the router: each becomes a line of its configuration.
pub fn check_routed(log: &LogConfiguration) -> Result<(), String> {
    let secrets = log.secret_options.iter().map(|secret| (secret.name.as_str(), ""));
    let given = log.options.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in given.chain(secrets) {
        if name.is_empty() || name.contains(char::is_whitespace) || value.contains(char::is_control) {
            return Err(format!(
                "log option '{name}' of driver awsfirelens is '{value}': it must be one word with a value of one line"
            ));
        }
    }
    Ok(())
}

/// Returns the configuration of a router.
pub fn configuration(
    router: &FirelensConfiguration,
    facts: Facts<'_>,
    containers: &[&ContainerDefinition],
) -> String {
    let mut text = String::new();
    let sections = match router.kind {
        FirelensKind::Fluentbit => fluentbit,
        FirelensKind::Fluentd => fluentd,
    };
    // Writing to a text does not fail.
    let _written = sections(&mut text, router, facts, containers);
    text
}

/// A container's part of a configuration.
struct Part<'a> {
    tag: String,
    include: Option<&'a str>,
    exclude: Option<&'a str>,
    output: BTreeMap<&'a str, String>,
}

fn parts<'a>(
    containers: &'a [&'a ContainerDefinition],
    variable: impl Fn(String) -> String + 'a,
) -> impl Iterator<Item = Part<'a>> {
    containers.iter().filter_map(move |container| {
        let log = routed(container)?;
        let option = |name: &str| log.options.get(name).map(String::as_str);
        let given = log.options.iter().map(|(name, value)| (name.as_str(), value.clone()));
        let secrets = log.secret_options.iter();
        let secrets = secrets
            .map(|secret| (secret.name.as_str(), variable(secret_variable(&secret.name, &container.name))));
        Some(Part {
            tag: format!("{}-firelens", container.name),
            include: option("include-pattern"),
            exclude: option("exclude-pattern"),
            output: given.chain(secrets).filter(|(name, _)| !OWN.contains(name)).collect(),
        })
    })
}

fn metadata<'a>(router: &FirelensConfiguration, facts: Facts<'a>) -> Option<[(&'static str, &'a str); 3]> {
    let off = router.options.get("enable-ecs-log-metadata").is_some_and(|value| value == "false");
    (!off).then_some([
        ("ecs_cluster", facts.cluster),
        ("ecs_task_arn", facts.task_arn),
        ("ecs_task_definition", facts.definition),
    ])
}

fn fluentbit(
    text: &mut String,
    router: &FirelensConfiguration,
    facts: Facts<'_>,
    containers: &[&ContainerDefinition],
) -> std::fmt::Result {
    if facts.own_loopback {
        writeln!(
            text,
            "[INPUT]\n    Name tcp\n    Listen 127.0.0.1\n    Port {HEALTH_PORT}\n    Tag {HEALTH_TAG}\n"
        )?;
    }
    writeln!(text, "[INPUT]\n    Name forward\n    unix_path {SOCKET_DIR}/{SOCKET}\n")?;
    if facts.own_loopback {
        writeln!(text, "[INPUT]\n    Name forward\n    Listen 127.0.0.1\n    Port {PORT}\n")?;
    }
    let parts: Vec<Part<'_>> = parts(containers, |variable| format!("${{{variable}}}")).collect();
    for part in &parts {
        for (word, pattern) in [("Regex", part.include), ("Exclude", part.exclude)] {
            if let Some(pattern) = pattern {
                writeln!(
                    text,
                    "[FILTER]\n    Name grep\n    Match {}*\n    {word} log {pattern}\n",
                    part.tag
                )?;
            }
        }
    }
    if let Some(metadata) = metadata(router, facts) {
        writeln!(text, "[FILTER]\n    Name record_modifier\n    Match *")?;
        for (key, value) in metadata {
            writeln!(text, "    Record {key} {value}")?;
        }
        writeln!(text)?;
    }
    if let Some(path) = router.options.get("config-file-value") {
        writeln!(text, "@INCLUDE {path}\n")?;
    }
    if facts.own_loopback {
        writeln!(text, "[OUTPUT]\n    Name null\n    Match {HEALTH_TAG}\n")?;
    }
    for part in parts.iter().filter(|part| !part.output.is_empty()) {
        writeln!(text, "[OUTPUT]")?;
        // What it is comes first.
        let named = |(key, _): &(&&str, &String)| key.eq_ignore_ascii_case("name");
        for (key, value) in part.output.iter().filter(named) {
            writeln!(text, "    {key} {value}")?;
        }
        writeln!(text, "    Match {}*", part.tag)?;
        for (key, value) in part.output.iter().filter(|entry| !named(entry)) {
            writeln!(text, "    {key} {value}")?;
        }
        writeln!(text)?;
    }
    Ok(())
}

fn fluentd(
    text: &mut String,
    router: &FirelensConfiguration,
    facts: Facts<'_>,
    containers: &[&ContainerDefinition],
) -> std::fmt::Result {
    if facts.own_loopback {
        writeln!(
            text,
            "<source>\n  @type tcp\n  bind 127.0.0.1\n  port {HEALTH_PORT}\n  tag {HEALTH_TAG}\n  <parse>\n    @type \
             none\n  </parse>\n</source>\n"
        )?;
    }
    writeln!(text, "<source>\n  @type unix\n  path {SOCKET_DIR}/{SOCKET}\n</source>\n")?;
    if facts.own_loopback {
        writeln!(text, "<source>\n  @type forward\n  bind 127.0.0.1\n  port {PORT}\n</source>\n")?;
    }
    let parts: Vec<Part<'_>> = parts(containers, |variable| format!("\"#{{ENV['{variable}']}}\"")).collect();
    for part in &parts {
        for (word, pattern) in [("regexp", part.include), ("exclude", part.exclude)] {
            if let Some(pattern) = pattern {
                writeln!(
                    text,
                    "<filter {}**>\n  @type grep\n  <{word}>\n    key log\n    pattern {pattern}\n  </{word}>\n</filter>\n",
                    part.tag
                )?;
            }
        }
    }
    if let Some(metadata) = metadata(router, facts) {
        writeln!(text, "<filter **>\n  @type record_transformer\n  <record>")?;
        for (key, value) in metadata {
            writeln!(text, "    {key} {value}")?;
        }
        writeln!(text, "  </record>\n</filter>\n")?;
    }
    if let Some(path) = router.options.get("config-file-value") {
        writeln!(text, "@include {path}\n")?;
    }
    if facts.own_loopback {
        writeln!(text, "<match {HEALTH_TAG}>\n  @type null\n</match>\n")?;
    }
    for part in parts.iter().filter(|part| !part.output.is_empty()) {
        writeln!(text, "<match {}**>", part.tag)?;
        for (key, value) in &part.output {
            writeln!(text, "  {key} {value}")?;
        }
        writeln!(text, "</match>\n")?;
    }
    Ok(())
}
