//! The tables: which nouns are kept, and by which keys.

use crate::{Mark, Record, Schema};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, net::Ipv4Addr};
use wharf_model::{
    Arn, DeploymentId, EniId, TaskId, Timestamp,
    account::AccountSetting,
    capacity::CapacityProvider,
    certificate::{Authority, Certificate},
    cluster::Cluster,
    file_system::{AccessPoint, FileSystem, MountTarget},
    instance::ContainerInstance,
    load_balancer::{Listener, LoadBalancer},
    logs::LogGroup,
    network::{
        ElasticIp, FlowLog, InterfaceStatus, InternetGateway, NatGateway, NetworkInterface, PrefixList,
        RouteTable, SecurityGroup, Subnet, Vpc,
    },
    node::Node,
    repository::Repository,
    rule::Rule,
    secret::{Parameter, Secret},
    service::{Service, ServiceDeployment, ServiceRevision},
    target_group::{Target, TargetAddress, TargetGroup, TargetHealth},
    task::{Task, TaskStatus},
    task_definition::TaskDefinition,
};

/// Returns every table of the control plane.
pub fn schema() -> Schema {
    Schema::default()
        .with::<Cluster>()
        .with::<AccountSetting>()
        .with::<CapacityProvider>()
        .with::<ContainerInstance>()
        .with::<TaskDefinition>()
        .with::<Task>()
        .with::<Service>()
        .with::<ServiceDeployment>()
        .with::<ServiceRevision>()
        .with::<Node>()
        .with::<Vpc>()
        .with::<Subnet>()
        .with::<SecurityGroup>()
        .with::<NetworkInterface>()
        .with::<PrefixList>()
        .with::<InternetGateway>()
        .with::<RouteTable>()
        .with::<NatGateway>()
        .with::<ElasticIp>()
        .with::<FlowLog>()
        .with::<LoadBalancer>()
        .with::<Listener>()
        .with::<Rule>()
        .with::<TargetGroup>()
        .with::<Target>()
        .with::<TargetHealthRecord>()
        .with::<Repository>()
        .with::<LogGroup>()
        .with::<Certificate>()
        .with::<Authority>()
        .with::<Secret>()
        .with::<Parameter>()
        .with::<FileSystem>()
        .with::<MountTarget>()
        .with::<AccessPoint>()
        .with::<Counter>()
        .with::<AddressPool>()
        .with::<AddressLease>()
        .with::<RequestToken>()
        .with::<OwnSecret>()
        .with::<PinnedImages>()
}

/// Returns the key of a target: its group's ARN, its address and its port.
pub fn target_key(target_group: &Arn, address: &TargetAddress) -> String {
    format!("{target_group} {address}")
}

/// A number that only grows, such as a family's last revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    /// What it counts.
    pub name: String,
    /// The last number given; 0 for none.
    pub last: u64,
}

/// The digests that the images of a deployment stand for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedImages {
    /// The deployment.
    pub deployment: DeploymentId,
    /// The digest of each container's image.
    pub images: BTreeMap<String, String>,
}

/// Something that only this control plane knows, made once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnSecret {
    /// What it is for.
    pub name: String,
    /// The secret.
    pub value: String,
}

/// A request that was made with an idempotency token, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestToken {
    /// The operation and the token, such as `RunTask web 0b5c…`.
    pub name: String,
    /// A digest of the request.
    pub fingerprint: String,
    /// The tasks that were started.
    pub tasks: Vec<TaskId>,
    /// The id of what else was made.
    #[serde(default)]
    pub made: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// How full a block of addresses is, and where the search for a free one goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressPool {
    /// The block.
    pub name: String,
    /// The address after the one given last, counted from the block's first.
    pub cursor: u32,
    /// How many addresses are held or in quarantine.
    pub held: u32,
}

/// An address that is held or in quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressLease {
    /// The pool it is from.
    pub pool: String,
    /// The address.
    pub address: Ipv4Addr,
    /// The interface that has it.
    pub interface: EniId,
}

/// The last health that the balancer reported of a target. Written volatile: the balancer repeats it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetHealthRecord {
    /// The target group.
    pub target_group: Arn,
    /// The target.
    pub target: TargetAddress,
    /// Its health.
    pub health: TargetHealth,
}

macro_rules! record {
    ($type:ty, $table:literal, |$record:ident| $key:expr) => {
        impl Record for $type {
            const TABLE: &'static str = $table;

            fn key(&self) -> String {
                let $record = self;
                $key
            }
        }
    };
    ($type:ty, $table:literal, |$record:ident| $key:expr, $marks:path) => {
        impl Record for $type {
            const TABLE: &'static str = $table;

            fn key(&self) -> String {
                let $record = self;
                $key
            }

            fn marks(&self) -> Vec<Mark> {
                $marks(self)
            }
        }
    };
}

/// The tasks of a service that have not stopped, by its key.
pub const OF_SERVICE: &str = "service";
/// The tasks of a service that have stopped, by its key.
pub const ENDED: &str = "ended";
/// The tasks of a node that have not stopped, by its id.
pub const ON_NODE: &str = "node";
/// What is over and waits to be forgotten, by an empty text.
pub const OVER: &str = "over";
/// The targets of a task, by its id.
pub const OF_TASK: &str = "task";

fn task_marks(task: &Task) -> Vec<Mark> {
    let (of_service, where_it_is) = match task.last_status {
        TaskStatus::Stopped => (ENDED, (OVER, String::new())),
        _ => (OF_SERVICE, (ON_NODE, task.node.to_string())),
    };
    let service = task.service.as_ref().map(|(name, _)| (of_service, format!("{}/{name}", task.cluster)));
    service.into_iter().chain([where_it_is]).collect()
}

fn target_marks(target: &Target) -> Vec<Mark> {
    target.task.iter().map(|task| (OF_TASK, task.to_string())).collect()
}

fn interface_marks(interface: &NetworkInterface) -> Vec<Mark> {
    match interface.status {
        InterfaceStatus::Quarantined { .. } => vec![(OVER, String::new())],
        InterfaceStatus::InUse => Vec::new(),
    }
}

record!(Cluster, "clusters", |cluster| cluster.name.to_string());
record!(AccountSetting, "account_settings", |setting| format!("{} {}", setting.name, setting.principal));
record!(CapacityProvider, "capacity_providers", |provider| provider.name.clone());
record!(ContainerInstance, "container_instances", |instance| format!("{}/{}", instance.cluster, instance.id));
record!(TaskDefinition, "task_definitions", |definition| format!(
    "{}:{:010}",
    definition.family, definition.revision
));
record!(Task, "tasks", |task| format!("{}/{}", task.cluster, task.id), task_marks);
record!(Service, "services", |service| format!("{}/{}", service.cluster, service.name));
record!(ServiceDeployment, "service_deployments", |deployment| {
    format!("{}/{}/{}", deployment.cluster, deployment.service, deployment.id)
});
record!(ServiceRevision, "service_revisions", |revision| {
    format!("{}/{}/{}", revision.cluster, revision.service, revision.id)
});
record!(Node, "nodes", |node| node.id.to_string());
record!(Vpc, "vpcs", |vpc| vpc.id.to_string());
record!(Subnet, "subnets", |subnet| subnet.id.to_string());
record!(SecurityGroup, "security_groups", |group| group.id.to_string());
record!(NetworkInterface, "network_interfaces", |interface| interface.id.to_string(), interface_marks);
record!(PrefixList, "prefix_lists", |list| list.id.to_string());
record!(InternetGateway, "internet_gateways", |gateway| gateway.id.to_string());
record!(RouteTable, "route_tables", |table| table.id.to_string());
record!(NatGateway, "nat_gateways", |gateway| gateway.id.to_string());
record!(ElasticIp, "elastic_ips", |address| address.id.to_string());
record!(FlowLog, "flow_logs", |log| log.id.to_string());
record!(LoadBalancer, "load_balancers", |load_balancer| load_balancer.arn.to_string());
record!(Listener, "listeners", |listener| listener.arn.to_string());
record!(Rule, "rules", |rule| rule.arn.to_string());
record!(TargetGroup, "target_groups", |group| group.arn.to_string());
record!(Target, "targets", |target| target_key(&target.target_group, &target.address), target_marks);
record!(TargetHealthRecord, "target_health", |health| target_key(&health.target_group, &health.target));
record!(Repository, "repositories", |repository| repository.name.to_string());
record!(LogGroup, "log_groups", |group| group.name.clone());
record!(Secret, "secrets", |secret| secret.name.clone());
record!(Parameter, "parameters", |parameter| parameter.name.clone());
record!(FileSystem, "file_systems", |file_system| file_system.id.clone());
record!(MountTarget, "mount_targets", |target| target.id.clone());
record!(AccessPoint, "access_points", |point| point.id.clone());
record!(Certificate, "certificates", |certificate| certificate.arn.to_string());
record!(Authority, "authorities", |_authority| Authority::KEY.to_owned());
record!(RequestToken, "request_tokens", |token| token.name.clone());
record!(PinnedImages, "pinned_images", |pinned| pinned.deployment.to_string());
record!(OwnSecret, "own_secrets", |secret| secret.name.clone());
record!(Counter, "counters", |counter| counter.name.clone());
record!(AddressPool, "address_pools", |pool| pool.name.clone());
record!(AddressLease, "address_leases", |lease| lease.address.to_string());
