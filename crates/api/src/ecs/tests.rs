use super::dispatch;
use crate::{Body, Caller, Fault};
use bytes::Bytes;
use serde_json::{Value, json};
use wharf_aws::{Protocol, Service};
use wharf_control::{Config, Control, operations::networks};
use wharf_model::{CpuUnits, Mebibytes, Place, Timestamp, network::Subnet, node::Node};
use wharf_store::Store;

pub(super) struct World {
    control: Control,
    _dir: tempfile::TempDir,
}

impl World {
    /// A control plane with one node and the default network.
    pub(super) async fn new() -> World {
        let dir = tempfile::tempdir().unwrap();
        let config = Config {
            place: Place { region: "us-east-1".into(), account: "123456789012".into() },
            endpoint: "127.0.0.1:4566".parse().unwrap(),
            state_dir: dir.path().to_str().unwrap().into(),
            vpc_cidr: "172.31.0.0/16".parse().unwrap(),
            public_cidr: "198.18.0.0/16".parse().unwrap(),
            host_addresses: Vec::new(),
            registry_password: "secret".into(),
            healthy_after_secs: 0,
            simulated: false,
        };
        let control = Control::new(Store::in_memory(), config).unwrap();
        networks::ensure_default(&control).await.unwrap();
        let node = Node {
            id: "0123456789abcdef0123456789abcdef".parse().unwrap(),
            boot_id: "boot".into(),
            cpu: CpuUnits(2048),
            memory: Mebibytes(4096),
            registered_at: Timestamp(0),
            connected: true,
        };
        control.store().change(|draft| draft.put(node)).await.unwrap();
        World { control, _dir: dir }
    }

    fn network(&self) -> Value {
        let subnet = self.control.store().view().list::<Subnet>("")[0].id.to_string();
        json!({"awsvpcConfiguration": {"subnets": [subnet]}})
    }

    pub(super) async fn ask(&self, operation: &str, input: Value) -> Result<Value, Fault> {
        let caller = Caller::root("us-east-1", "AKIAEXAMPLE");
        let body =
            Body::new(Service::Ecs, Protocol::Json11, operation, "request", Bytes::from(input.to_string()));
        let answer = dispatch(&self.control, &caller, operation, body).await?;
        Ok(serde_json::from_slice(&answer.body).unwrap())
    }

    async fn refused(&self, operation: &str, input: Value, code: &str, message: &str) {
        let fault = self.ask(operation, input).await.unwrap_err();
        assert_eq!((fault.code(Protocol::Json11), fault.message()), (code, message), "{operation}");
    }

    async fn define(&self) -> Value {
        self.ask("RegisterTaskDefinition", definition()).await.unwrap()
    }
}

fn definition() -> Value {
    json!({
        "family": "web", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
        "cpu": ".25 vCPU", "memory": "512",
        "containerDefinitions": [{
            "name": "app", "image": "hello", "links": [], "privileged": false,
            "portMappings": [{"containerPort": 80}],
            "environment": [{"name": "A", "value": "b"}],
        }],
    })
}

#[tokio::test]
async fn a_definition_is_returned_as_it_is_kept() {
    let world = World::new().await;
    let registered = &world.define().await["taskDefinition"];
    assert_eq!(registered["taskDefinitionArn"], "arn:aws:ecs:us-east-1:123456789012:task-definition/web:1");
    assert_eq!((&registered["cpu"], &registered["memory"]), (&json!("256"), &json!("512")));
    assert_eq!(registered["compatibilities"], json!(["EC2", "FARGATE"]));
    assert_eq!(
        registered["containerDefinitions"][0],
        json!({
            "name": "app", "image": "hello", "cpu": 0, "essential": true,
            "portMappings": [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}],
            "environment": [{"name": "A", "value": "b"}],
            "mountPoints": [], "volumesFrom": [], "systemControls": [], "privileged": false,
        })
    );
    for empty in ["volumes", "placementConstraints"] {
        assert_eq!(registered[empty], json!([]));
    }
    let described = world.ask("DescribeTaskDefinition", json!({"taskDefinition": "web"})).await.unwrap();
    assert_eq!(&described["taskDefinition"], registered);
}

#[tokio::test]
async fn what_is_not_honoured_is_refused_by_name() {
    let world = World::new().await;
    let mut with_check = definition();
    with_check["containerDefinitions"][0]["credentialSpecs"] = json!(["credentialspec:file.json"]);
    let message = "not supported by this version of Wharf: 'credentialSpecs' of container 'app'";
    world.refused("RegisterTaskDefinition", with_check, "ClientException", message).await;
    world.define().await;
    let service = json!({
        "serviceName": "shop", "taskDefinition": "web", "desiredCount": 1, "launchType": "FARGATE",
        "networkConfiguration": world.network(), "serviceRegistries": [{"registryArn": "arn"}],
    });
    let message = "not supported by this version of Wharf: 'serviceRegistries'";
    world.refused("CreateService", service, "InvalidParameterException", message).await;
}

#[tokio::test]
async fn a_task_that_was_just_accepted_looks_as_on_aws() {
    let world = World::new().await;
    world.define().await;
    let network = world.network();
    let input = json!({"taskDefinition": "web", "launchType": "FARGATE", "networkConfiguration": network});
    let answer = world.ask("RunTask", input).await.unwrap();
    assert_eq!(answer["failures"], json!([]));
    let task = &answer["tasks"][0];
    let subnet = &network["awsvpcConfiguration"]["subnets"][0];
    let attachment = &task["attachments"][0];
    assert_eq!(attachment["status"], "PRECREATED");
    assert_eq!(attachment["details"], json!([{"name": "subnetId", "value": subnet}]));
    for (member, value) in [
        ("lastStatus", json!("PROVISIONING")),
        ("desiredStatus", json!("RUNNING")),
        ("cpu", json!("256")),
        ("memory", json!("512")),
        ("group", json!("family:web")),
        ("platformVersion", json!("1.4.0")),
        ("version", json!(1)),
        ("tags", json!([])),
        ("clusterArn", json!("arn:aws:ecs:us-east-1:123456789012:cluster/default")),
    ] {
        assert_eq!(task[member], value, "{member}");
    }
    assert!(task["createdAt"].is_f64());
    for absent in ["startedAt", "stoppedReason", "stopCode", "containerInstanceArn"] {
        assert!(task.get(absent).is_none(), "{absent}");
    }
    let container = &task["containers"][0];
    assert_eq!((&container["lastStatus"], &container["networkInterfaces"]), (&json!("PENDING"), &json!([])));
    let listed = world.ask("ListTasks", json!({"family": "web"})).await.unwrap();
    assert_eq!(listed, json!({"taskArns": [task["taskArn"]]}));
}

#[tokio::test]
async fn a_service_that_was_just_made_looks_as_on_aws() {
    let world = World::new().await;
    world.define().await;
    let input = json!({
        "serviceName": "shop", "taskDefinition": "web", "desiredCount": 2, "launchType": "FARGATE",
        "networkConfiguration": world.network(),
    });
    let made = &world.ask("CreateService", input.clone()).await.unwrap()["service"];
    assert_eq!(made["serviceArn"], "arn:aws:ecs:us-east-1:123456789012:service/default/shop");
    assert_eq!(
        (&made["runningCount"], &made["pendingCount"], &made["desiredCount"]),
        (&json!(0), &json!(0), &json!(2))
    );
    assert_eq!((&made["status"], &made["events"]), (&json!("ACTIVE"), &json!([])));
    let deployment = &made["deployments"][0];
    assert_eq!(
        (&deployment["status"], &deployment["rolloutState"]),
        (&json!("PRIMARY"), &json!("IN_PROGRESS"))
    );
    let again = world.ask("CreateService", input.clone()).await.unwrap();
    assert_eq!(&again["service"]["serviceArn"], &made["serviceArn"]);
    let mut other = input;
    other["desiredCount"] = json!(3);
    let message = "Creation of service was not idempotent.";
    world.refused("CreateService", other, "InvalidParameterException", message).await;
    let message = "The service cannot be stopped while it is scaled above 0.";
    world.refused("DeleteService", json!({"service": "shop"}), "InvalidParameterException", message).await;
    world
        .refused(
            "DeleteCluster",
            json!({"cluster": "default"}),
            "ClusterContainsServicesException",
            "The Cluster cannot be deleted while Services are active.",
        )
        .await;
}

#[tokio::test]
async fn unknown_things_are_failures_where_aws_says_so_and_errors_elsewhere() {
    let world = World::new().await;
    let described = world.ask("DescribeClusters", json!({"clusters": ["nowhere"]})).await.unwrap();
    let arn = "arn:aws:ecs:us-east-1:123456789012:cluster/nowhere";
    assert_eq!(described, json!({"clusters": [], "failures": [{"arn": arn, "reason": "MISSING"}]}));
    let absent = json!({"cluster": "nowhere", "tasks": ["x"]});
    world.refused("DescribeTasks", absent, "ClusterNotFoundException", "Cluster not found.").await;
    let absent = json!({"taskDefinition": "nothing"});
    world
        .refused("DescribeTaskDefinition", absent, "ClientException", "Unable to describe task definition.")
        .await;
    world.ask("CreateCluster", json!({})).await.unwrap();
    let described = world.ask("DescribeServices", json!({"services": ["shop"]})).await.unwrap();
    assert_eq!(described["failures"][0]["arn"], "arn:aws:ecs:us-east-1:123456789012:service/default/shop");
    let absent = json!({"task": "0".repeat(32)});
    world
        .refused("StopTask", absent, "InvalidParameterException", "The referenced task was not found.")
        .await;
    let absent = json!({"service": "shop", "desiredCount": 1});
    world.refused("UpdateService", absent, "ServiceNotFoundException", "Service not found.").await;
    let wrong = world.ask("RunTask", json!({"taskDefinition": "web", "count": "two"})).await.unwrap_err();
    assert_eq!(wrong.code(Protocol::Json11), "SerializationException");
}

#[tokio::test]
async fn tags_are_added_shown_and_removed() {
    let world = World::new().await;
    let arn = "arn:aws:ecs:us-east-1:123456789012:cluster/blue";
    let tags = json!([{"key": "team", "value": "sea"}]);
    world.ask("CreateCluster", json!({"clusterName": "blue", "tags": tags})).await.unwrap();
    let more = json!([{"key": "team", "value": "land"}, {"key": "tier", "value": "1"}]);
    world.ask("TagResource", json!({"resourceArn": arn, "tags": more})).await.unwrap();
    world.ask("UntagResource", json!({"resourceArn": arn, "tagKeys": ["tier"]})).await.unwrap();
    let listed = world.ask("ListTagsForResource", json!({"resourceArn": arn})).await.unwrap();
    assert_eq!(listed, json!({"tags": [{"key": "team", "value": "land"}]}));
    let described = world.ask("DescribeClusters", json!({"clusters": ["blue"]})).await.unwrap();
    assert_eq!(described["clusters"][0]["tags"], json!([]), "tags are shown only when asked for");
}
