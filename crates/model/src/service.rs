//! Services and their deployments.

use crate::{
    Arn, ClusterName, DeploymentId, SecurityGroupId, ServiceName, SubnetId, Timestamp,
    capacity::StrategyItem,
    placement::Placement,
    tag::Tag,
    task_definition::{LaunchType, Revision},
};
use serde::{Deserialize, Serialize};

mod history;
mod task_set;

pub use history::{DeploymentState, RolledBack, ServiceDeployment, ServiceRevision};
pub use task_set::TaskSet;

/// A service: a number of tasks that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Its name, unique among the active services of its cluster.
    pub name: ServiceName,
    /// Its ARN.
    pub arn: Arn,
    /// The cluster it runs in.
    pub cluster: ClusterName,
    /// Whether it is in use.
    pub status: ServiceStatus,
    /// How many tasks its owner wants.
    pub desired_count: u32,
    /// The launch type; with a strategy, the one that its providers have.
    pub launch_type: LaunchType,
    /// The capacity providers that place its tasks; none when the launch type alone does.
    #[serde(default)]
    pub strategy: Vec<StrategyItem>,
    /// Where its tasks may go and should go.
    #[serde(default)]
    pub placement: Placement,
    /// Whether it keeps a number of tasks, or one on each instance.
    #[serde(default)]
    pub scheduling: Scheduling,
    /// Who deploys.
    #[serde(default)]
    pub controller: Controller,
    /// Whether its tasks are moved so that its zones have equally many.
    #[serde(default)]
    pub zone_rebalancing: bool,
    /// What it consists of when somebody else deploys.
    #[serde(default)]
    pub task_sets: Vec<TaskSet>,
    /// The bounds within which deployments move.
    pub deployment_bounds: DeploymentBounds,
    /// Whether a deployment that does not come up is given up.
    #[serde(default)]
    pub circuit_breaker: CircuitBreaker,
    /// The target groups it registers its tasks with.
    pub load_balancers: Vec<ServiceLoadBalancer>,
    /// Where its tasks' interfaces are made.
    pub network: AwsvpcConfiguration,
    /// Seconds after a task's start in which failed health checks do not count.
    pub grace_secs: u32,
    /// The last deployment that was done: what a rollback returns to.
    #[serde(default)]
    pub last_completed: Option<CompletedDeployment>,
    /// Its deployments, the newest (PRIMARY) first; older ones until they are drained.
    pub deployments: Vec<Deployment>,
    /// What happened, newest first, at most 100.
    pub events: Vec<ServiceEvent>,
    /// When it was made.
    pub created_at: Timestamp,
    /// The principal that made it.
    pub created_by: String,
    /// The idempotency token it was made with.
    pub client_token: Option<String>,
    /// From where its tasks take their tags.
    pub propagate_tags: PropagateTags,
    /// Whether its tasks are tagged with their cluster and service.
    #[serde(default)]
    pub managed_tags: bool,
    /// Whether commands can be run in the containers of its tasks.
    #[serde(default)]
    pub enable_execute_command: bool,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// Whether a service is in use. A deleted one stays describable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ServiceStatus {
    /// In use.
    Active,
    /// Deleted, with tasks still stopping.
    Draining,
    /// Deleted.
    Inactive,
}

/// From where a service's tasks take their tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PropagateTags {
    /// They take none.
    None,
    /// From the service.
    Service,
    /// From the task definition.
    TaskDefinition,
}

/// How far a deployment may leave the desired count, in percent of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentBounds {
    /// Healthy tasks never fall below this by the deployment's doing; rounded up.
    pub healthy_min_percent: u32,
    /// Running and pending tasks never exceed this; rounded down.
    pub live_max_percent: u32,
}

/// Whether a service keeps a number of tasks, or one on each instance (`schedulingStrategy`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scheduling {
    /// A number.
    #[default]
    Replica,
    /// One on each container instance that meets its constraints.
    Daemon,
}

/// Who deploys (`deploymentController`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Controller {
    /// We do, by rolling updates.
    #[default]
    Ecs,
    /// Somebody else, by task sets.
    External,
}

/// Whether a deployment that does not come up is given up (`deploymentCircuitBreaker`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CircuitBreaker {
    /// It is given up.
    pub enable: bool,
    /// Then the last one that was done is deployed again.
    pub rollback: bool,
    /// Whether a healthy task makes the count of failed ones begin anew.
    #[serde(default = "yes")]
    pub reset_on_healthy_task: bool,
    /// How many failed tasks are too many; half of the desired count, within limits, when that was not said.
    #[serde(default)]
    pub threshold: Option<Threshold>,
}

impl Default for CircuitBreaker {
    fn default() -> CircuitBreaker {
        CircuitBreaker { enable: false, rollback: false, reset_on_healthy_task: true, threshold: None }
    }
}

fn yes() -> bool {
    true
}

/// How many failed tasks are too many (`thresholdConfiguration`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Threshold {
    /// So many.
    Count(u32),
    /// So many percent of the desired count, from 3 to 200.
    BoundedPercent(u32),
    /// So many percent of the desired count.
    UnboundedPercent(u32),
}

/// What a deployment's tasks are like besides their definition and network, fixed when it is made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Terms {
    /// The launch type; the service's where it was not kept yet.
    pub launch_type: Option<LaunchType>,
    /// The capacity providers that place its tasks.
    pub strategy: Vec<StrategyItem>,
    /// Where its tasks may go and should go.
    pub placement: Placement,
    /// The target groups; the service's where they were not kept yet.
    pub load_balancers: Option<Vec<ServiceLoadBalancer>>,
    /// Whether commands can be run in its tasks.
    pub enable_execute_command: bool,
    /// The service revision that it deploys.
    pub revision: Option<String>,
}

/// What a deployment that was done had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompletedDeployment {
    /// Its id.
    pub id: DeploymentId,
    /// What its tasks were started from.
    pub definition: Revision,
    /// Where its tasks' interfaces were made.
    pub network: AwsvpcConfiguration,
    /// What its tasks were like otherwise.
    #[serde(default)]
    pub terms: Terms,
}

/// A target group that a service registers a container's port with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceLoadBalancer {
    /// The target group.
    pub target_group: Arn,
    /// The container.
    pub container_name: String,
    /// Its port.
    pub container_port: u16,
}

/// Where interfaces are made (`awsvpcConfiguration`); nowhere for tasks of other network modes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwsvpcConfiguration {
    /// One to sixteen subnets of one VPC; none where no interface is made.
    pub subnets: Vec<SubnetId>,
    /// At most five groups of that VPC; its default group when none was given.
    pub security_groups: Vec<SecurityGroupId>,
    /// Whether interfaces get a public address.
    pub assign_public_ip: bool,
}

impl AwsvpcConfiguration {
    /// Returns whether no interface is made at all.
    pub fn is_nowhere(&self) -> bool {
        self.subnets.is_empty()
    }
}

/// A deployment: one revision on its way to the desired count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// Its id.
    pub id: DeploymentId,
    /// Where it stands among the service's deployments.
    pub status: DeploymentStatus,
    /// What its tasks are started from.
    pub definition: Revision,
    /// Where its tasks' interfaces are made.
    pub network: AwsvpcConfiguration,
    /// How far it has come.
    pub rollout: Rollout,
    /// Why it was made or given up, where that is not said by how far it has come.
    #[serde(default)]
    pub rollout_reason: Option<String>,
    /// Launches that never ran, or failed their health checks, since the last that was well.
    pub failed_tasks: u32,
    /// The same as the circuit breaker counts them.
    #[serde(default)]
    pub failures: u32,
    /// What its tasks are like otherwise.
    #[serde(default)]
    pub terms: Terms,
    /// The id of the service deployment that tells its story.
    #[serde(default)]
    pub told_by: Option<String>,
    /// When the next start may be tried, after starts that failed.
    pub retry_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Where a deployment stands among its service's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeploymentStatus {
    /// The newest.
    Primary,
    /// An older one whose tasks are being replaced.
    Active,
}

/// How far a deployment has come (`rolloutState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rollout {
    /// On its way.
    InProgress,
    /// Done.
    Completed,
    /// Given up.
    Failed,
}

/// Something that happened to a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceEvent {
    /// A UUID.
    pub id: String,
    /// When it happened.
    pub created_at: Timestamp,
    /// What happened, in ECS's words.
    pub message: String,
}
