//! Rules of a listener, with services behind them: which application answers, what it is told, and what is logged.

use crate::hello::{deploy, network, text};
use serde_json::Value;
use std::{collections::BTreeSet, process::Command, time::Duration};
use wharf_e2e::{Wharf, get, run, within};

#[test]
fn services_on_rules_answer_where_their_rules_say() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let hello = deploy(&wharf, 1);
    let aws = &hello.aws;
    let (_, port) = hello.url.rsplit_once(':').expect("a port");
    let host = hello.url.trim_start_matches("http://").split(':').next().expect("a host");
    let balancer = &aws.json("elbv2 describe-load-balancers --names hello")["LoadBalancers"][0];
    let arn = text(&balancer["LoadBalancerArn"]);
    let listener = &aws.json(&format!("elbv2 describe-listeners --load-balancer-arn {arn}"))["Listeners"][0];
    let listener = text(&listener["ListenerArn"]);
    let made = aws.json(&format!(
        "elbv2 create-target-group --name api --protocol HTTP --port 80 --target-type ip --vpc-id {} \
         --health-check-path /healthz --health-check-interval-seconds 5 --health-check-timeout-seconds 2",
        text(&balancer["VpcId"])
    ));
    let group = text(&made["TargetGroups"][0]["TargetGroupArn"]);
    let service = format!(
        "ecs create-service --service-name api --task-definition hello --desired-count 2 --launch-type FARGATE \
         --network-configuration {} --load-balancers \
         targetGroupArn={group},containerName=hello,containerPort=80",
        network(aws)
    );
    assert!(aws.error(&service).contains("does not have an associated load balancer"));
    let rule = |priority: u32, conditions: &str, actions: &str| {
        aws.json(&format!(
            "elbv2 create-rule --listener-arn {listener} --priority {priority} --conditions {conditions} \
             --actions {actions}"
        ));
    };
    rule(10, "Field=path-pattern,Values=/api/*", &format!("Type=forward,TargetGroupArn={group}"));
    rule(
        5,
        "Field=path-pattern,Values=/api/old Field=http-request-method,HttpRequestMethodConfig={Values=[GET]}",
        "Type=redirect,RedirectConfig={Path=/api/new,StatusCode=HTTP_301}",
    );
    rule(
        20,
        "Field=http-header,HttpHeaderConfig={HttpHeaderName=X-Probe,Values=[te?t]}",
        "Type=fixed-response,FixedResponseConfig={StatusCode=418,ContentType=text/plain,MessageBody=teapot}",
    );
    aws.json(&service);
    within(Duration::from_secs(60), "both tasks of the api are healthy", || {
        let found = aws.json(&format!("elbv2 describe-target-health --target-group-arn {group}"));
        let states = found["TargetHealthDescriptions"].as_array().expect("a list").clone();
        let healthy = |found: &&Value| found["TargetHealth"]["State"] == "healthy";
        (states.iter().filter(healthy).count() == 2).then_some(())
    });

    let task_of =
        |path: &str| text(&get(&format!("{}{path}", hello.url)).expect("an answer").json()["task_arn"]);
    let tasks = |service: &str| -> BTreeSet<String> {
        let listed = aws.json(&format!("ecs list-tasks --service-name {service}"));
        listed["taskArns"].as_array().expect("a list").iter().map(text).collect()
    };
    let seen: BTreeSet<String> = (0..4).map(|_| task_of("/api/x")).collect();
    assert_eq!(seen, tasks("api"));
    assert_eq!(BTreeSet::from([task_of("/")]), tasks("hello"));
    let answer = get(&format!("{}/api/old?x=1", hello.url)).expect("an answer");
    assert_eq!(answer.status, 301);
    assert_eq!(answer.headers["location"], format!("http://{host}:{port}/api/new?x=1"));
    let curl = |more: &[&str]| {
        let resolve = format!("{host}:{port}:127.0.0.1");
        run(Command::new("curl").args(["-s", "--resolve", &resolve]).args(more))
    };
    assert_eq!(curl(&["-H", "X-Probe: TEST", &hello.url]), "teapot");

    // A client stays with its task, and its requests are written down.
    aws.json(&format!(
        "elbv2 modify-target-group-attributes --target-group-arn {group} --attributes Key=stickiness.enabled,Value=true"
    ));
    aws.json(&format!(
        "elbv2 modify-load-balancer-attributes --load-balancer-arn {arn} --attributes \
         Key=access_logs.s3.enabled,Value=true Key=access_logs.s3.bucket,Value=my-logs"
    ));
    let set = within(Duration::from_secs(5), "a cookie", || {
        let answer = get(&format!("{}/api/logged", hello.url)).expect("an answer");
        answer.headers.get("set-cookie").cloned()
    });
    let cookie = set.split(';').next().expect("a cookie has a value").to_owned();
    let url = format!("{}/api/sticky", hello.url);
    let stays: BTreeSet<String> = (0..6)
        .map(|_| {
            let said: Value = serde_json::from_str(&curl(&["-b", &cookie, &url])).expect("JSON");
            text(&said["task_arn"])
        })
        .collect();
    assert_eq!(stays.len(), 1, "{stays:?}");
    within(Duration::from_secs(5), "lines of the log", || {
        let logs = wharf.run_dir().join("state/balancer/logs/my-logs");
        let found = Command::new("grep").args(["-rh", "/api/sticky HTTP/1.1", logs.as_str()]).output();
        let found = String::from_utf8(found.expect("grep runs").stdout).expect("a log is text");
        (found.lines().count() == 6 && found.contains(&group)).then_some(())
    });

    let metrics = format!("http://{}/_wharf/metrics", wharf.endpoint());
    within(Duration::from_secs(5), "the requests are counted", || {
        let text = get(&metrics).expect("an answer").text();
        let of = |name: &str, holding: &str| {
            let line = text.lines().find(|line| line.starts_with(name) && line.contains(holding))?;
            line.rsplit(' ').next()?.parse::<u64>().ok()
        };
        let counted = of("wharf_alb_target_requests_total{", ",target_group=\"targetgroup/api/")? >= 11;
        let healthy = of("wharf_alb_healthy_hosts{", "targetgroup/api/")? == 2;
        let teapots = of("wharf_alb_http_code_elb_total{", "code=\"418\"")? == 1;
        (counted && healthy && teapots).then_some(())
    });

    // Without its rule the group is nobody's, and its service drains.
    aws.json("ecs update-service --service api --desired-count 0");
    within(Duration::from_secs(30), "no task is left", || tasks("api").is_empty().then_some(()));
    assert_eq!(get(&format!("{}/api/x", hello.url)).expect("an answer").status, 503);
    wharf.down();
}
