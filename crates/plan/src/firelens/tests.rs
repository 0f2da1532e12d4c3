use super::*;
use wharf_model::task_definition::Secret;

const FACTS: Facts<'static> = Facts {
    cluster: "web",
    task_arn: "arn:aws:ecs:us-east-1:123456789012:task/web/0f",
    definition: "api:3",
    own_loopback: true,
};

fn options(options: &[(&str, &str)]) -> BTreeMap<String, String> {
    options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn router_of(kind: FirelensKind, given: &[(&str, &str)]) -> FirelensConfiguration {
    FirelensConfiguration { kind, options: options(given) }
}

fn routed_container(name: &str, given: &[(&str, &str)], secrets: &[&str]) -> ContainerDefinition {
    let secret = |name: &&str| Secret { name: (*name).to_owned(), value_from: "x".to_owned() };
    ContainerDefinition {
        log_configuration: Some(LogConfiguration {
            driver: LogDriver::Awsfirelens,
            options: options(given),
            secret_options: secrets.iter().map(secret).collect(),
        }),
        ..ContainerDefinition::new(name, "x")
    }
}

#[test]
fn a_fluent_bit_router_takes_by_socket_and_loopback_filters_and_sends_on() {
    let app = routed_container(
        "app",
        &[
            ("region", "us-east-1"),
            ("Name", "http"),
            ("exclude-pattern", "healthz"),
            ("include-pattern", "^GET"),
        ],
        &["http_Passwd"],
    );
    let text = configuration(&router_of(FirelensKind::Fluentbit, &[]), FACTS, &[&app]);
    assert_eq!(
        text,
        "[INPUT]
    Name tcp
    Listen 127.0.0.1
    Port 8877
    Tag firelens-healthcheck

[INPUT]
    Name forward
    unix_path /var/run/fluent.sock

[INPUT]
    Name forward
    Listen 127.0.0.1
    Port 24224

[FILTER]
    Name grep
    Match app-firelens*
    Regex log ^GET

[FILTER]
    Name grep
    Match app-firelens*
    Exclude log healthz

[FILTER]
    Name record_modifier
    Match *
    Record ecs_cluster web
    Record ecs_task_arn arn:aws:ecs:us-east-1:123456789012:task/web/0f
    Record ecs_task_definition api:3

[OUTPUT]
    Name null
    Match firelens-healthcheck

[OUTPUT]
    Name http
    Match app-firelens*
    http_Passwd ${http_Passwd_app}
    region us-east-1

"
    );
}

#[test]
fn a_fluentd_router_is_told_the_same_in_its_own_words() {
    let app = routed_container("app", &[("@type", "file"), ("path", "/out")], &["token"]);
    let router = router_of(
        FirelensKind::Fluentd,
        &[
            ("enable-ecs-log-metadata", "false"),
            ("config-file-type", "file"),
            ("config-file-value", "/extra.conf"),
        ],
    );
    let text = configuration(&router, Facts { own_loopback: false, ..FACTS }, &[&app]);
    assert_eq!(
        text,
        "<source>
  @type unix
  path /var/run/fluent.sock
</source>

@include /extra.conf

<match app-firelens**>
  @type file
  path /out
  token \"#{ENV['token_app']}\"
</match>

"
    );
}

#[test]
fn a_container_without_options_leaves_the_output_to_the_included_file() {
    let app = routed_container("app", &[("log-driver-buffer-limit", "100")], &[]);
    let text = configuration(&router_of(FirelensKind::Fluentbit, &[]), FACTS, &[&app]);
    assert_eq!(text.matches("[OUTPUT]").count(), 1, "that of the health check: {text}");
}

#[test]
fn an_option_that_would_add_a_line_is_refused_by_name() {
    let sly = routed_container("app", &[("Name", "null\n[OUTPUT]")], &[]);
    let error = check_routed(routed(&sly).expect("it is routed")).expect_err("two lines");
    assert!(error.contains("'Name'"), "{error}");
}

#[test]
fn a_router_s_options_are_known_ones_with_known_values() {
    let check = |given: &[(&str, &str)]| check(&router_of(FirelensKind::Fluentbit, given));
    assert_eq!(check(&[("config-file-type", "file"), ("config-file-value", "/a.conf")]), Ok(()));
    for (given, named) in [
        (vec![("colour", "red")], "colour"),
        (vec![("enable-ecs-log-metadata", "yes")], "enable-ecs-log-metadata"),
        (vec![("config-file-type", "s3"), ("config-file-value", "arn:aws:s3:::b/k")], "config-file-type"),
        (vec![("config-file-type", "file")], "config-file-value"),
        (vec![("config-file-value", "/a")], "config-file-value"),
    ] {
        let error = check(&given).expect_err("it is wrong");
        assert!(error.contains(&format!("'{named}'")), "{error}");
    }
}
