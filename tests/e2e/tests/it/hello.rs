//! The hello bundle as a service behind a load balancer, and other short ways to what several tests need.

use serde_json::{Value, json};
use std::time::Duration;
use wharf_e2e::{Aws, Wharf, get, within};

/// A service of hello tasks that is stable.
pub(crate) struct Hello {
    pub(crate) aws: Aws,
    pub(crate) url: String,
}

/// Deploys it and waits until as many tasks as asked for answer.
pub(crate) fn deploy(wharf: &Wharf, count: usize) -> Hello {
    let aws = wharf.aws();
    let image = wharf.push("hello");
    let network = network(&aws);
    register(
        &aws,
        "hello",
        &json!([container("hello", &image, json!({"portMappings": [{"containerPort": 80}]}))]),
    );
    let subnets = subnets(&aws).join(" ");
    let made = aws.json(&format!("elbv2 create-load-balancer --name hello --subnets {subnets}"));
    let balancer = &made["LoadBalancers"][0];
    let vpc = text(&balancer["VpcId"]);
    let made = aws.json(&format!(
        "elbv2 create-target-group --name hello --protocol HTTP --port 80 --target-type ip --vpc-id {vpc} \
         --health-check-path /healthz --health-check-interval-seconds 5 --health-check-timeout-seconds 2"
    ));
    let target_group = text(&made["TargetGroups"][0]["TargetGroupArn"]);
    let port = free_port();
    aws.json(&format!(
        "elbv2 create-listener --load-balancer-arn {} --protocol HTTP --port {port} --default-actions \
         Type=forward,TargetGroupArn={target_group}",
        text(&balancer["LoadBalancerArn"])
    ));
    aws.json(&format!(
        "ecs create-service --service-name hello --task-definition hello --desired-count {count} --launch-type FARGATE \
         --network-configuration {network} --load-balancers \
         targetGroupArn={target_group},containerName=hello,containerPort=80"
    ));
    let url = format!("http://{}:{port}", text(&balancer["DNSName"]));
    let hello = Hello { aws, url };
    within(Duration::from_secs(60), "a stable service", || hello.is_stable(count).then_some(()));
    hello
}

impl Hello {
    /// Returns whether the service has one deployment and as many running tasks as it should.
    pub(crate) fn is_stable(&self, count: usize) -> bool {
        let service = &self.aws.json("ecs describe-services --services hello")["services"][0];
        service["deployments"].as_array().is_some_and(|deployments| deployments.len() == 1)
            && service["deployments"][0]["rolloutState"] == "COMPLETED"
            && service["runningCount"] == count
    }

    /// Returns the service's tasks, described.
    pub(crate) fn tasks(&self) -> Vec<Value> {
        let listed = self.aws.json("ecs list-tasks --service-name hello");
        let arns: Vec<String> = listed["taskArns"].as_array().expect("a list").iter().map(text).collect();
        if arns.is_empty() {
            return Vec::new();
        }
        let described = self.aws.json(&format!("ecs describe-tasks --tasks {}", arns.join(" ")));
        described["tasks"].as_array().expect("a list").clone()
    }

    /// Returns the load balancer's listeners.
    pub(crate) fn listeners(&self) -> Value {
        let balancer = &self.aws.json("elbv2 describe-load-balancers --names hello")["LoadBalancers"][0];
        let arn = text(&balancer["LoadBalancerArn"]);
        self.aws.json(&format!("elbv2 describe-listeners --load-balancer-arn {arn}"))["Listeners"].clone()
    }

    /// Returns whether the load balancer answers with 200.
    pub(crate) fn answers(&self) -> bool {
        get(&self.url).is_ok_and(|answer| answer.status == 200)
    }
}

/// Registers a Fargate task definition of 256 CPU units and 512 MiB.
pub(crate) fn register(aws: &Aws, family: &str, containers: &Value) -> Value {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let file = dir.path().join("containers.json");
    std::fs::write(&file, containers.to_string()).expect("a temporary file can be written");
    aws.json(&format!(
        "ecs register-task-definition --family {family} --network-mode awsvpc --requires-compatibilities FARGATE \
         --cpu 256 --memory 512 --execution-role-arn arn:aws:iam::123456789012:role/ecsTaskExecutionRole \
         --container-definitions file://{}",
        file.display()
    ))["taskDefinition"]
        .clone()
}

/// Returns a container definition with its output in the log group `/ecs/tests`.
pub(crate) fn container(name: &str, image: &str, more: Value) -> Value {
    let mut container = json!({
        "name": name,
        "image": image,
        "logConfiguration": {"logDriver": "awslogs", "options": {
            "awslogs-group": "/ecs/tests",
            "awslogs-region": "us-east-1",
            "awslogs-stream-prefix": "t",
            "awslogs-create-group": "true"
        }}
    });
    if let (Value::Object(container), Value::Object(more)) = (&mut container, more) {
        container.extend(more);
    }
    container
}

/// Runs one task and returns it as RunTask answered.
pub(crate) fn run_task(aws: &Aws, family: &str, more: &str) -> Value {
    let network = network(aws);
    let run = aws.json(&format!(
        "ecs run-task --task-definition {family} --launch-type FARGATE --network-configuration {network} {more}"
    ));
    assert_eq!(run["failures"], json!([]));
    run["tasks"][0].clone()
}

/// Returns a task, described.
pub(crate) fn describe(aws: &Aws, arn: &str) -> Value {
    aws.json(&format!("ecs describe-tasks --tasks {arn}"))["tasks"][0].clone()
}

/// Waits until a task has this state and returns it, described.
pub(crate) fn until(aws: &Aws, arn: &str, status: &str) -> Value {
    within(Duration::from_secs(30), format!("{arn} is {status}"), || {
        Some(describe(aws, arn)).filter(|task| task["lastStatus"] == status)
    })
}

/// Returns the default subnets, with public addresses on, as `--network-configuration` takes them.
pub(crate) fn network(aws: &Aws) -> String {
    format!("awsvpcConfiguration={{subnets=[{}],assignPublicIp=ENABLED}}", subnets(aws).join(","))
}

/// Returns the private address that a described task says it has.
pub(crate) fn private_address(task: &Value) -> String {
    let details = task["attachments"][0]["details"].as_array().expect("details are a list");
    let found = details.iter().find(|detail| detail["name"] == "privateIPv4Address");
    text(&found.expect("a task with an interface has an address")["value"])
}

/// Returns the id of a process of the task of this id.
pub(crate) fn process(task: &str) -> String {
    let found = std::fs::read_dir("/proc").expect("processes").flatten().find_map(|entry| {
        let environment = std::fs::read(entry.path().join("environ")).ok()?;
        let own = String::from_utf8_lossy(&environment).contains(&format!("/v4/{task}"));
        own.then(|| entry.file_name().to_string_lossy().into_owned())
    });
    found.expect("a process of the task")
}

/// Returns everything in the log group of these tests.
pub(crate) fn log(aws: &Aws) -> String {
    aws.tail("/ecs/tests")
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}")).to_owned()
}

pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("a bound socket has an address").port()
}

fn subnets(aws: &Aws) -> Vec<String> {
    let found = aws.json("ec2 describe-subnets");
    found["Subnets"].as_array().expect("a list").iter().map(|subnet| text(&subnet["SubnetId"])).collect()
}
