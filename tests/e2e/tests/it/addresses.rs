//! A subnet that has given all its addresses.

use crate::hello::{container, register, text, until};
use serde_json::{Value, json};
use std::time::Duration;
use wharf_e2e::{Wharf, vpc_address, within};

#[test]
fn a_subnet_without_addresses_is_named_and_an_address_comes_back_after_its_rest() {
    let wharf = Wharf::start(&["--ephemeral", &format!("--vpc-cidr={}/26", vpc_address(7, 64))]);
    let aws = wharf.aws();
    let image = wharf.push("hello");
    register(&aws, "hello", &json!([container("hello", &image, json!({}))]));
    let subnets = aws.json("ec2 describe-subnets");
    let subnet = subnets["Subnets"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|it| it["CidrBlock"] == format!("{}/28", vpc_address(7, 80)));
    let subnet = text(&subnet.expect("a quarter of the block")["SubnetId"]);
    let available = || {
        let described = aws.json(&format!("ec2 describe-subnets --subnet-ids {subnet}"));
        described["Subnets"][0]["AvailableIpAddressCount"].clone()
    };
    assert_eq!(available(), 11);
    let network = format!("awsvpcConfiguration={{subnets=[{subnet}],assignPublicIp=ENABLED}}");
    let run = |count: usize| {
        let run = aws.json(&format!(
            "ecs run-task --task-definition hello --launch-type FARGATE --network-configuration {network} --count {count}"
        ));
        let list = |member: &str| run[member].as_array().expect("a list").clone();
        (list("tasks"), list("failures"))
    };

    // As many as fit are made, and each of the others is a failure of its own.
    let (first, failures) = run(9);
    assert_eq!((first.len(), failures.len()), (9, 0));
    let (rest, failures) = run(4);
    assert_eq!((rest.len(), failures.len()), (2, 2), "{failures:#?}");
    let names_the_subnet = |failure: &Value| {
        failure["reason"] == "RESOURCE:ENI" && text(&failure["detail"]).contains(subnet.as_str())
    };
    assert!(failures.iter().all(names_the_subnet), "{failures:#?}");
    let arns: Vec<String> = first.iter().chain(&rest).map(|task| text(&task["taskArn"])).collect();
    for arn in &arns {
        until(&aws, arn, "RUNNING");
    }
    assert_eq!(available(), 0);
    let (none, failures) = run(1);
    assert_eq!((none.len(), failures.len()), (0, 1));
    let listed = aws.json("ecs list-tasks");
    assert_eq!(listed["taskArns"].as_array().map(Vec::len), Some(11), "a refused task leaves none behind");

    // A service says so in its events.
    aws.json(&format!(
        "ecs create-service --service-name late --task-definition hello --desired-count 1 --launch-type FARGATE \
         --network-configuration {network}"
    ));
    let late = || aws.json("ecs describe-services --services late")["services"][0].clone();
    let event = within(Duration::from_secs(10), "an event", || {
        late()["events"][0]["message"].as_str().map(str::to_owned)
    });
    assert!(event.contains("(service late)") && event.contains(subnet.as_str()), "{event}");

    // One that was given back rests before it is given again: to the service, which has waited for it.
    aws.json(&format!("ecs stop-task --task {}", arns[0]));
    until(&aws, &arns[0], "STOPPED");
    let (none, _) = run(1);
    assert!(none.is_empty(), "an address was given again at once");
    within(Duration::from_secs(50), "the service has its task", || {
        (late()["runningCount"] == 1).then_some(())
    });
    assert_eq!(available(), 0);
    wharf.down();
}
