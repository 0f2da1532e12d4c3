//! What is wrong is named, and changes nothing.

use crate::hello::{container, describe, network, register, run_task, text, until};
use serde_json::json;
use std::{net::TcpListener, process::Command};
use wharf_e2e::{Wharf, get, request, run};

#[test]
fn a_command_that_cannot_work_says_why() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let said = |output: std::process::Output| {
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let second = said(wharf.output("up", &[]));
    assert!(second.contains("already running") && second.contains(wharf.run_dir().as_str()), "{second}");
    let second = said(wharf.output("up", &["--detach"]));
    assert!(second.contains("already running"), "{second}");

    let taken = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = taken.local_addr().expect("bound").to_string();
    let other = tempfile::tempdir().expect("a temporary directory can be made");
    let dir = other.path().display();
    let mut up = Command::new(wharf.command("up").get_program());
    up.args(["up", &format!("--run-dir={dir}/run"), &format!("--state-dir={dir}/state")]);
    up.arg(format!("--endpoint={port}"));
    let refused = said(up.output().expect("the wharf binary is built"));
    assert!(refused.contains(&port) && refused.contains("--endpoint"), "{refused}");

    let mut nobody = Command::new("setpriv");
    nobody.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(wharf.command("up").get_program());
    let refused = said(nobody.arg("up").output().expect("setpriv is part of util-linux"));
    assert!(refused.contains("needs root"), "{refused}");
    wharf.down();
}

#[test]
fn the_api_names_what_is_wrong_in_awss_form() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let aws = wharf.aws();
    let unknown = "0123456789abcdef0123456789abcdef";
    aws.json("ecs create-cluster");
    for (line, code) in [
        ("ecs describe-tasks --cluster nowhere --tasks x", "ClusterNotFoundException"),
        ("ecs stop-task --task 0123456789abcdef0123456789abcdef", "InvalidParameterException"),
        ("ecs describe-task-definition --task-definition none", "ClientException"),
        ("ecs update-service --service none --desired-count 1", "ServiceNotFoundException"),
        ("elbv2 describe-load-balancers --names none", "LoadBalancerNotFound"),
        ("elbv2 describe-target-groups --names none", "TargetGroupNotFound"),
        ("ec2 describe-vpcs --vpc-ids vpc-0123456789abcdef0", "InvalidVpcID.NotFound"),
        ("ec2 describe-subnets --subnet-ids subnet-0123456789abcdef0", "InvalidSubnetID.NotFound"),
        ("ecr describe-images --repository-name none", "RepositoryNotFoundException"),
        ("logs get-log-events --log-group-name none --log-stream-name x", "ResourceNotFoundException"),
    ] {
        let said = aws.error(line);
        assert!(said.contains(code), "{line}: {said}");
    }
    let described = aws.json(&format!("ecs describe-tasks --tasks {unknown}"));
    assert_eq!(described["tasks"], json!([]));
    assert_eq!(described["failures"][0]["reason"], "MISSING");

    let said = aws.with("AWS_SECRET_ACCESS_KEY", "wrong").error("ecs list-clusters");
    assert!(said.contains("InvalidSignatureException"), "{said}");
    let said = aws.with("AWS_ACCESS_KEY_ID", "AKIAWRONG").error("ecs list-clusters");
    assert!(said.contains("UnrecognizedClientException"), "{said}");
    let said = aws.with("AWS_SECRET_ACCESS_KEY", "wrong").error("elbv2 describe-load-balancers");
    assert!(said.contains("SignatureDoesNotMatch"), "{said}");

    let unsigned = request("POST", &format!("http://{}/", wharf.endpoint()), b"{").expect("an answer");
    assert!((400..500).contains(&unsigned.status), "{unsigned:?}");
    wharf.down();
}

#[test]
fn a_request_that_is_not_what_it_says_is_refused() {
    let wharf = Wharf::start(&["--ephemeral", "--auth=off"]);
    let ask = |body: &str| {
        let said = run(Command::new("curl").args([
            "-s",
            "-H",
            "X-Amz-Target: AmazonEC2ContainerServiceV20141113.ListTasks",
            "-H",
            "Content-Type: application/x-amz-json-1.1",
            "-d",
            body,
            &format!("http://{}/", wharf.endpoint()),
        ]));
        serde_json::from_str::<serde_json::Value>(&said).unwrap_or_else(|_| panic!("not JSON: {said}"))
    };
    for body in ["{", "[]", "{\"cluster\": 7}", "{\"maxResults\": \"many\"}"] {
        let said = ask(body);
        assert_eq!(said["__type"], "SerializationException", "{body}: {said}");
    }
    assert_eq!(ask("{}")["__type"], "ClusterNotFoundException");
    assert_eq!(get(&format!("http://{}/_wharf/health", wharf.endpoint())).expect("an answer").status, 200);

    // Everything is gone after a reset.
    let aws = wharf.aws();
    aws.json("ecs create-cluster --cluster-name web");
    let reset =
        request("POST", &format!("http://{}/_wharf/reset", wharf.endpoint()), b"").expect("an answer");
    assert!((200..300).contains(&reset.status), "{reset:?}");
    assert_eq!(aws.json("ecs list-clusters")["clusterArns"], json!([]));
    wharf.down();
}

#[test]
fn a_form_that_is_malformed_is_refused_in_its_services_xml() {
    let wharf = Wharf::start(&["--ephemeral", "--auth=off"]);
    let url = format!("http://{}/", wharf.endpoint());
    let ask = |body: &str| {
        let form = "Content-Type: application/x-www-form-urlencoded";
        run(Command::new("curl").args(["-s", "-i", "-H", form, "--data-binary", body, &url]))
    };
    let elbv2 = |body: &str| ask(&format!("Version=2015-12-01&{body}"));
    for (body, code) in [
        ("Action=CreateLoadBalancer", "ValidationError"),
        ("Action=CreateTargetGroup&Name=x&Port=many", "MalformedInput"),
        ("Action=CreateTargetGroup&Name=x&Port=99999999999999999999", "MalformedInput"),
        ("Action=DescribeLoadBalancers&PageSize=many", "MalformedInput"),
        ("Action=DescribeLoadBalancers&Names.member.4294967295=x", "LoadBalancerNotFound"),
        ("Action=DescribeLoadBalancers&Names.member.1=%zz", "LoadBalancerNotFound"),
        ("Action=DescribeLoadBalancers&Names.member.1=%ff%fe", "MalformedInput"),
        ("Action=CreateListener&LoadBalancerArn=x", "ValidationError"),
        ("Action=DeleteTargetGroup", "ValidationError"),
        ("Action=Nothing", "InvalidAction"),
        ("<Action>DescribeLoadBalancers</Action>", "MissingAction"),
    ] {
        let said = elbv2(body);
        assert!(said.starts_with("HTTP/1.1 4") && said.contains("text/xml"), "{body}: {said}");
        assert!(said.contains("<ErrorResponse") && said.contains("<RequestId>"), "{body}: {said}");
        assert!(said.contains(&format!("<Code>{code}</Code>")), "{body}: {said}");
    }
    let ec2 = |body: &str| ask(&format!("Version=2016-11-15&{body}"));
    for (body, code) in [
        ("Action=DescribeSubnets&Filter.1.Name=nothing&Filter.1.Value.1=x", "InvalidParameterValue"),
        ("Action=DescribeSubnets&MaxResults=many", "InvalidParameterValue"),
        ("Action=DescribeSubnets&SubnetId.1=none", "InvalidSubnetID.Malformed"),
        ("Action=DescribeSubnets&SubnetId=%zz", "InvalidParameterValue"),
        ("Action=Nothing", "InvalidAction"),
    ] {
        let said = ec2(body);
        assert!(said.starts_with("HTTP/1.1 4") && said.contains("text/xml"), "{body}: {said}");
        assert!(said.contains("<Response><Errors><Error>"), "{body}: {said}");
        assert!(said.contains(&format!("<Code>{code}</Code>")), "{body}: {said}");
    }
    // What is deep or long is refused, and costs nobody else anything.
    let deep = "A.".repeat(30_000);
    assert!(elbv2(&format!("Action=DescribeLoadBalancers&{deep}=x")).starts_with("HTTP/1.1 4"));
    assert_eq!(get(&format!("{url}_wharf/health")).expect("an answer").status, 200);
    wharf.down();
}

#[test]
fn only_this_machines_own_callers_may_forget_everything() {
    let kept = Wharf::start(&["--healthy-after=1"]);
    kept.aws().json("ecs create-cluster --cluster-name web");
    let reset = |wharf: &Wharf, header: &str| {
        let url = format!("http://{}/_wharf/reset", wharf.endpoint());
        run(Command::new("curl").args(["-s", "-i", "-X", "POST", "-H", header, &url]))
    };
    let said = reset(&kept, "X-Nothing: x");
    assert!(said.starts_with("HTTP/1.1 403") && said.contains("--ephemeral"), "{said}");
    assert_eq!(kept.aws().json("ecs list-clusters")["clusterArns"].as_array().map(Vec::len), Some(1));
    kept.down();

    let wharf = Wharf::start(&["--ephemeral"]);
    wharf.aws().json("ecs create-cluster --cluster-name web");
    let said = reset(&wharf, "Origin: https://example.com");
    assert!(said.starts_with("HTTP/1.1 403") && said.contains("another origin"), "{said}");
    assert!(!get(&format!("http://{}/_wharf/reset", wharf.endpoint())).is_ok_and(|got| got.status == 200));
    assert_eq!(wharf.aws().json("ecs list-clusters")["clusterArns"].as_array().map(Vec::len), Some(1));
    let said = reset(&wharf, "X-Nothing: x");
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    assert_eq!(wharf.aws().json("ecs list-clusters")["clusterArns"], json!([]));
    wharf.down();
}

#[test]
fn an_image_that_is_none_stops_its_task_with_the_reason() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let aws = wharf.aws();
    let image = wharf.push("hello");
    let absent = image.replace("hello:latest", "hello:absent");
    register(&aws, "absent", &json!([container("x", &absent, json!({}))]));
    let arn = text(&run_task(&aws, "absent", "")["taskArn"]);
    let task = until(&aws, &arn, "STOPPED");
    assert_eq!(task["stopCode"], "TaskFailedToStart");
    let reason = text(&task["stoppedReason"]);
    assert!(reason.starts_with("CannotPullContainerError") && reason.contains("absent"), "{reason}");

    // Nothing listens there; and a program that is not in the image.
    register(&aws, "nowhere", &json!([container("x", "127.0.0.1:9/some/image", json!({}))]));
    let arn = text(&run_task(&aws, "nowhere", "")["taskArn"]);
    let reason = text(&until(&aws, &arn, "STOPPED")["stoppedReason"]);
    assert!(reason.starts_with("CannotPullContainerError") && reason.contains("127.0.0.1:9"), "{reason}");
    register(&aws, "noprogram", &json!([container("x", &image, json!({"entryPoint": ["/no/such"]}))]));
    let arn = text(&run_task(&aws, "noprogram", "")["taskArn"]);
    let task = until(&aws, &arn, "STOPPED");
    let reason = format!("{}{}", task["stoppedReason"], task["containers"][0]["reason"]);
    assert!(reason.contains("/no/such"), "{reason}");

    // A parameter that this version does not honour is refused by its name, and nothing is registered.
    let said = aws.error(&format!(
        "ecs register-task-definition --family gpu --network-mode awsvpc --container-definitions '{}'",
        json!([container(
            "x",
            &image,
            json!({"resourceRequirements": [{"type": "GPU", "value": "1"}], "memory": 64})
        )])
    ));
    assert!(said.contains("resourceRequirements"), "{said}");
    assert!(aws.error("ecs describe-task-definition --task-definition gpu").contains("ClientException"));
    let network = network(&aws);
    let said = aws.error(&format!(
        "ecs run-task --task-definition none --launch-type FARGATE --network-configuration {network}"
    ));
    assert!(said.contains("ClientException") || said.contains("InvalidParameter"), "{said}");
    assert_eq!(describe(&aws, &arn)["lastStatus"], "STOPPED");
    wharf.down();
}
