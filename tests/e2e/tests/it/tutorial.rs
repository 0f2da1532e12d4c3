//! The well-known ECS tutorial, word for word, with the ordinary AWS CLI.

use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use wharf_e2e::{Aws, Client, Failure, Wharf, eventually, get, within};

#[test]
fn the_fastapi_tutorial_works_from_push_to_delete() {
    let wharf = Wharf::start(&["--healthy-after=1"]);
    let aws = wharf.aws();
    assert_eq!(aws.json("sts get-caller-identity")["Account"], "123456789012");
    let image = wharf.push("fastapi");
    let images = aws.json("ecr describe-images --repository-name fastapi");
    assert_eq!(images["imageDetails"][0]["imageTags"], json!(["latest"]));

    // A cluster, a log group, a task definition.
    assert_eq!(aws.json("ecs create-cluster --cluster-name web")["cluster"]["status"], "ACTIVE");
    aws.text("logs create-log-group --log-group-name /ecs/fastapi");
    let definition = register(&aws, "fastapi", &image, None);
    assert_eq!(definition["revision"], 1);
    assert_eq!(definition["status"], "ACTIVE");

    // Where it runs: the default VPC.
    let vpc = text(&aws.json("ec2 describe-vpcs --filters Name=is-default,Values=true")["Vpcs"][0]["VpcId"]);
    let subnets: Vec<String> = aws.json(&format!("ec2 describe-subnets --filters Name=vpc-id,Values={vpc}"))
        ["Subnets"]
        .as_array()
        .expect("subnets are a list")
        .iter()
        .map(|subnet| text(&subnet["SubnetId"]))
        .collect();
    assert_eq!(subnets.len(), 3);
    let filters = format!("Name=vpc-id,Values={vpc} Name=group-name,Values=default");
    let groups = aws.json(&format!("ec2 describe-security-groups --filters {filters}"));
    let group = text(&groups["SecurityGroups"][0]["GroupId"]);

    // The load balancer, its target group and its listener, on a port that is free on this machine.
    let balancer = aws.json(&format!(
        "elbv2 create-load-balancer --name web --subnets {} --security-groups {group}",
        subnets.join(" ")
    ));
    let balancer = &balancer["LoadBalancers"][0];
    let (balancer_arn, dns_name) = (text(&balancer["LoadBalancerArn"]), text(&balancer["DNSName"]));
    assert_eq!(balancer["State"]["Code"], "provisioning");
    aws.text(&format!("elbv2 wait load-balancer-available --load-balancer-arns {balancer_arn}"));
    let made = aws.json(&format!(
        "elbv2 create-target-group --name web --protocol HTTP --port 80 --target-type ip --vpc-id {vpc} \
         --health-check-path /healthz"
    ));
    let target_group = text(&made["TargetGroups"][0]["TargetGroupArn"]);
    let port = free_port();
    let listener = aws.json(&format!(
        "elbv2 create-listener --load-balancer-arn {balancer_arn} --protocol HTTP --port {port} --default-actions \
         Type=forward,TargetGroupArn={target_group}"
    ));
    let listener = text(&listener["Listeners"][0]["ListenerArn"]);
    let url = format!("http://{dns_name}:{port}");
    assert_eq!(get(&url).expect("the balancer answers").status, 503, "no target is registered yet");

    // The service.
    let network = format!(
        "awsvpcConfiguration={{subnets=[{}],securityGroups=[{group}],assignPublicIp=ENABLED}}",
        subnets.join(",")
    );
    let service = aws.json(&format!(
        "ecs create-service --cluster web --service-name api --task-definition fastapi --desired-count 2 \
         --launch-type FARGATE --network-configuration {network} --load-balancers \
         targetGroupArn={target_group},containerName=app,containerPort=80"
    ));
    assert_eq!(service["service"]["runningCount"], 0);
    assert_eq!(service["service"]["events"], json!([]));
    assert_eq!(service["service"]["deployments"][0]["status"], "PRIMARY");
    aws.text("ecs wait services-stable --cluster web --services api");

    // Both tasks answer through the load balancer.
    let tasks = tasks(&aws, "--service-name api");
    assert_eq!(tasks.len(), 2);
    assert!(tasks.iter().all(|task| task["lastStatus"] == "RUNNING"), "{tasks:#?}");
    let arns: BTreeSet<String> = tasks.iter().map(|task| text(&task["taskArn"])).collect();
    let answered: BTreeSet<String> =
        (0..10).map(|_| text(&get(&format!("{url}/info")).expect("an answer").json()["task_arn"])).collect();
    assert_eq!(answered, arns);

    // A task by its private and by its public address.
    let (private, public) = addresses(&aws, &tasks[0]);
    for address in [&private, &public] {
        let answer = within(Duration::from_secs(5), address, || get(&format!("http://{address}/info")).ok());
        assert_eq!(answer.json()["task_arn"], tasks[0]["taskArn"], "{address}");
    }

    // Its log.
    let log = eventually("the request in the log", || {
        let log = aws.tail("/ecs/fastapi");
        log.contains("GET /info").then_some(log)
    });
    assert!(log.contains("ecs/app/"), "streams are named prefix/container/task: {log}");

    a_new_deployment_fails_no_request(&aws, &url, &arns);
    scaling_ends_with_as_many_as_asked_for(&aws);
    a_task_that_exits_says_so(&aws, &image, &network);

    // Everything goes.
    aws.json("ecs delete-service --cluster web --service api");
    aws.text("ecs wait services-inactive --cluster web --services api");
    aws.text(&format!("elbv2 delete-listener --listener-arn {listener}"));
    aws.text(&format!("elbv2 delete-load-balancer --load-balancer-arn {balancer_arn}"));
    aws.text(&format!("elbv2 delete-target-group --target-group-arn {target_group}"));
    aws.json("ecs deregister-task-definition --task-definition fastapi:1");
    assert_eq!(aws.json("ecs delete-cluster --cluster web")["cluster"]["status"], "INACTIVE");
    aws.json("ecr delete-repository --repository-name fastapi --force");
    aws.text("logs delete-log-group --log-group-name /ecs/fastapi");
    assert!(get(&url).is_err(), "the port is closed with its listener");
    wharf.down();
}

fn a_new_deployment_fails_no_request(aws: &Aws, url: &str, before: &BTreeSet<String>) {
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..4)
        .map(|client| {
            let (stop, url) = (Arc::clone(&stop), url.to_owned());
            std::thread::spawn(move || load(client, &url, &stop))
        })
        .collect();
    aws.json("ecs update-service --cluster web --service api --force-new-deployment");
    aws.text("ecs wait services-stable --cluster web --services api");
    stop.store(true, Ordering::Relaxed);
    let (mut asked, mut failed, mut answered) = (0, Vec::new(), BTreeSet::new());
    for client in clients {
        let (count, failures, tasks) = client.join().expect("a client does not panic");
        asked += count;
        failed.extend(failures);
        answered.extend(tasks);
    }
    assert!(
        failed.is_empty(),
        "{} of {asked} requests failed: {:?}",
        failed.len(),
        &failed[..failed.len().min(5)]
    );
    assert!(asked > 100, "only {asked} requests ran during the deployment");
    assert!(answered.len() >= 4, "old and new tasks answered: {answered:?}");
    let now: BTreeSet<String> =
        tasks(aws, "--service-name api").iter().map(|task| text(&task["taskArn"])).collect();
    assert!(now.is_disjoint(before), "every task was replaced");
    let service = aws.json("ecs describe-services --cluster web --services api");
    assert_eq!(service["services"][0]["deployments"][0]["rolloutState"], "COMPLETED");
}

/// Asks over and over, every other request a POST, half of the clients on a connection that they keep.
fn load(client: usize, url: &str, stop: &AtomicBool) -> (usize, Vec<String>, BTreeSet<String>) {
    let host = url.trim_start_matches("http://");
    let port = host.split_once(':').map_or("80", |(_, port)| port);
    let connect = || Client::new(&format!("127.0.0.1:{port}"), host);
    let (mut kept, mut count, mut failures, mut tasks) = (connect(), 0, Vec::new(), BTreeSet::new());
    // Bounded in count and, by the pause, in rate.
    while !stop.load(Ordering::Relaxed) && count < 60_000 {
        count += 1;
        let (method, path, body): (_, _, &[u8]) =
            if count % 2 == 0 { ("POST", "/info", b"hello") } else { ("GET", "/info", b"") };
        let answer = if client.is_multiple_of(2) {
            match kept.send(method, path, body) {
                // The balancer may close a connection that idles; a client opens another one.
                Err(Failure::ClosedIdle) => kept.send(method, path, body),
                answer => answer,
            }
        } else {
            connect().send(method, path, body)
        };
        match answer {
            Ok(answer) if answer.status == 200 => {
                tasks.extend(answer.json()["task_arn"].as_str().map(str::to_owned));
            }
            Ok(answer) => failures.push(format!("{method}: {} {}", answer.status, answer.text())),
            Err(failure) => failures.push(format!("{method}: {failure:?}")),
        }
        std::thread::sleep(Duration::from_millis(3));
    }
    (count, failures, tasks)
}

fn scaling_ends_with_as_many_as_asked_for(aws: &Aws) {
    for count in [4, 0] {
        aws.json(&format!("ecs update-service --cluster web --service api --desired-count {count}"));
        aws.text("ecs wait services-stable --cluster web --services api");
        let service = aws.json("ecs describe-services --cluster web --services api");
        assert_eq!(service["services"][0]["runningCount"], count);
        eventually("as many tasks", || (tasks(aws, "--service-name api").len() == count).then_some(()));
    }
}

fn a_task_that_exits_says_so(aws: &Aws, image: &str, network: &str) {
    register(aws, "exits", image, Some("[\"python3\",\"-c\",\"raise SystemExit(7)\"]"));
    let run = aws.json(&format!(
        "ecs run-task --cluster web --task-definition exits --launch-type FARGATE --network-configuration {network}"
    ));
    assert_eq!(run["failures"], json!([]));
    let task = &run["tasks"][0];
    assert_eq!(task["lastStatus"], "PROVISIONING");
    assert_eq!(task["attachments"][0]["type"], "ElasticNetworkInterface");
    assert_eq!(task["attachments"][0]["status"], "PRECREATED");
    let arn = text(&task["taskArn"]);
    aws.text(&format!("ecs wait tasks-stopped --cluster web --tasks {arn}"));
    let task = &aws.json(&format!("ecs describe-tasks --cluster web --tasks {arn}"))["tasks"][0];
    assert_eq!(task["containers"][0]["exitCode"], 7);
    assert_eq!(task["stoppedReason"], "Essential container in task exited");
    assert_eq!(task["stopCode"], "EssentialContainerExited");
    assert_eq!(task["attachments"][0]["status"], "DELETED");
}

fn register(aws: &Aws, family: &str, image: &str, command: Option<&str>) -> Value {
    let command = command.map_or(String::new(), |command| format!("\"command\":{command},"));
    let containers = format!(
        "[{{\"name\":\"app\",\"image\":\"{image}\",{command}\"portMappings\":[{{\"containerPort\":80}}],\
         \"logConfiguration\":{{\"logDriver\":\"awslogs\",\"options\":{{\"awslogs-group\":\"/ecs/fastapi\",\
         \"awslogs-region\":\"us-east-1\",\"awslogs-stream-prefix\":\"ecs\"}}}}}}]"
    );
    aws.json(&format!(
        "ecs register-task-definition --family {family} --network-mode awsvpc --requires-compatibilities FARGATE \
         --cpu 256 --memory 512 --execution-role-arn arn:aws:iam::123456789012:role/ecsTaskExecutionRole \
         --container-definitions '{containers}'"
    ))["taskDefinition"]
        .clone()
}

fn tasks(aws: &Aws, filter: &str) -> Vec<Value> {
    let listed = aws.json(&format!("ecs list-tasks --cluster web {filter}"));
    let arns: Vec<String> = listed["taskArns"].as_array().expect("a list").iter().map(text).collect();
    if arns.is_empty() {
        return Vec::new();
    }
    let described = aws.json(&format!("ecs describe-tasks --cluster web --tasks {}", arns.join(" ")));
    described["tasks"].as_array().expect("a list").clone()
}

/// Returns a task's private and public address, found as users find them.
fn addresses(aws: &Aws, task: &Value) -> (String, String) {
    let details = task["attachments"][0]["details"].as_array().expect("details are a list");
    let detail = |name: &str| {
        let found = details.iter().find(|detail| detail["name"] == name);
        text(&found.unwrap_or_else(|| panic!("no {name} in {details:?}"))["value"])
    };
    let interface = detail("networkInterfaceId");
    let found = aws.json(&format!("ec2 describe-network-interfaces --network-interface-ids {interface}"));
    let found = &found["NetworkInterfaces"][0];
    assert_eq!(found["PrivateIpAddress"], detail("privateIPv4Address").as_str());
    assert_eq!(found["MacAddress"], detail("macAddress").as_str());
    (text(&found["PrivateIpAddress"]), text(&found["Association"]["PublicIp"]))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}")).to_owned()
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("a bound socket has an address").port()
}
