//! Shapes of the service operations.

use super::{
    CapacityProviderStrategyItem, Failure, NetworkConfiguration, Others, PlacementConstraint,
    PlacementStrategy, ServiceRevisionSummary, Tag, TaskSet,
};
use crate::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Input of `CreateService`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CreateServiceInput {
    /// The cluster.
    pub cluster: Option<String>,
    /// The name.
    pub service_name: String,
    /// What tasks are started from.
    pub task_definition: Option<String>,
    /// The target groups.
    pub load_balancers: Vec<LoadBalancer>,
    /// How many tasks.
    pub desired_count: Option<i32>,
    /// Makes the request repeatable.
    pub client_token: Option<String>,
    /// The launch type.
    pub launch_type: Option<String>,
    /// The capacity providers.
    pub capacity_provider_strategy: Vec<CapacityProviderStrategyItem>,
    /// What nodes must be.
    pub placement_constraints: Vec<PlacementConstraint>,
    /// What makes a node the better one.
    pub placement_strategy: Vec<PlacementStrategy>,
    /// `REPLICA` or `DAEMON`.
    pub scheduling_strategy: Option<String>,
    /// Whether zones are kept in balance.
    pub availability_zone_rebalancing: Option<String>,
    /// The platform's version.
    pub platform_version: Option<String>,
    /// How deployments go.
    pub deployment_configuration: Option<DeploymentConfigurationInput>,
    /// Where interfaces are made.
    pub network_configuration: Option<NetworkConfiguration>,
    /// Seconds in which failed checks do not count.
    pub health_check_grace_period_seconds: Option<i32>,
    /// Who deploys.
    pub deployment_controller: Option<DeploymentController>,
    /// The tags.
    pub tags: Vec<Tag>,
    /// Whether ECS adds its own tags.
    #[serde(rename = "enableECSManagedTags")]
    pub enable_ecs_managed_tags: bool,
    /// Whether commands can be run in its tasks.
    pub enable_execute_command: bool,
    /// From where tags are taken.
    pub propagate_tags: Option<String>,
    /// What is not honoured.
    #[serde(flatten)]
    pub others: Others,
}

/// Input of `UpdateService`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct UpdateServiceInput {
    /// The cluster.
    pub cluster: Option<String>,
    /// The service.
    pub service: String,
    /// How many tasks.
    pub desired_count: Option<i32>,
    /// What tasks are started from.
    pub task_definition: Option<String>,
    /// The capacity providers.
    pub capacity_provider_strategy: Option<Vec<CapacityProviderStrategyItem>>,
    /// What nodes must be.
    pub placement_constraints: Option<Vec<PlacementConstraint>>,
    /// What makes a node the better one.
    pub placement_strategy: Option<Vec<PlacementStrategy>>,
    /// Whether zones are kept in balance.
    pub availability_zone_rebalancing: Option<String>,
    /// How deployments go.
    pub deployment_configuration: Option<DeploymentConfigurationInput>,
    /// Where interfaces are made.
    pub network_configuration: Option<NetworkConfiguration>,
    /// The platform's version.
    pub platform_version: Option<String>,
    /// Whether tasks are replaced even if nothing else changes.
    pub force_new_deployment: bool,
    /// Seconds in which failed checks do not count.
    pub health_check_grace_period_seconds: Option<i32>,
    /// Who deploys.
    pub deployment_controller: Option<DeploymentController>,
    /// The target groups.
    pub load_balancers: Option<Vec<LoadBalancer>>,
    /// From where tags are taken.
    pub propagate_tags: Option<String>,
    /// Whether ECS adds its own tags.
    #[serde(rename = "enableECSManagedTags")]
    pub enable_ecs_managed_tags: Option<bool>,
    /// Whether commands can be run in its tasks.
    pub enable_execute_command: Option<bool>,
    /// What is not honoured.
    #[serde(flatten)]
    pub others: Others,
}

/// How deployments go, as it is given.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DeploymentConfigurationInput {
    /// The upper bound in percent.
    pub maximum_percent: Option<i32>,
    /// The lower bound in percent.
    pub minimum_healthy_percent: Option<i32>,
    /// Whether deployments that do not come up are given up.
    pub deployment_circuit_breaker: Option<CircuitBreakerInput>,
    /// Alarms that end a deployment.
    pub alarms: Option<AlarmsInput>,
    /// What is not honoured.
    #[serde(flatten)]
    pub others: Others,
}

/// Whether deployments that do not come up are given up, as it is given.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CircuitBreakerInput {
    /// They are.
    pub enable: bool,
    /// The last one that was done is deployed again.
    pub rollback: bool,
    /// Whether a healthy task makes the count of failed ones begin anew; it does unless this is false.
    pub reset_on_healthy_task: Option<bool>,
    /// How many failed tasks are too many.
    pub threshold_configuration: Option<ThresholdConfiguration>,
}

/// How many failed tasks are too many.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ThresholdConfiguration {
    /// `COUNT`, `BOUNDED_PERCENT` or `UNBOUNDED_PERCENT`.
    pub r#type: String,
    /// How many, or how much of a hundred.
    pub value: i32,
}

/// Alarms that end a deployment.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AlarmsInput {
    /// Whether they do.
    pub enable: bool,
}

/// Input of `DeleteService`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct DeleteServiceInput {
    /// The cluster.
    pub cluster: Option<String>,
    /// The service.
    pub service: String,
    /// Whether its tasks are stopped first.
    pub force: bool,
}

/// Output of the operations on one service.
#[derive(Debug, Clone, Serialize)]
pub struct ServiceOutput {
    /// The service.
    pub service: Service,
}

/// Input of `DescribeServices`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct DescribeServicesInput {
    /// The cluster.
    pub cluster: Option<String>,
    /// The services.
    pub services: Vec<String>,
    /// What more to show.
    pub include: Vec<String>,
}

/// Output of `DescribeServices`.
#[derive(Debug, Clone, Serialize)]
pub struct DescribeServicesOutput {
    /// Those that are there.
    pub services: Vec<Service>,
    /// Those that are not.
    pub failures: Vec<Failure>,
}

/// Input of `ListServices`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ListServicesInput {
    /// The cluster.
    pub cluster: Option<String>,
    /// Those of this launch type.
    pub launch_type: Option<String>,
    /// Those of this strategy.
    pub scheduling_strategy: Option<String>,
    /// Where to go on.
    pub next_token: Option<String>,
    /// The most to return.
    pub max_results: Option<i32>,
    /// What is not honoured.
    #[serde(flatten)]
    pub others: Others,
}

/// Input of `ListServicesByNamespace`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ListServicesByNamespaceInput {
    /// The namespace.
    pub namespace: String,
    /// Where to go on.
    pub next_token: Option<String>,
    /// The most to return.
    pub max_results: Option<i32>,
}

/// Output of `ListServices`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListServicesOutput {
    /// The ARNs.
    pub service_arns: Vec<String>,
    /// Where to go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A target group of a service.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct LoadBalancer {
    /// The target group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_group_arn: Option<String>,
    /// Not honoured: a load balancer of the first generation.
    #[serde(skip_serializing)]
    pub load_balancer_name: Option<String>,
    /// The container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_name: Option<String>,
    /// Its port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_port: Option<i32>,
    /// Not honoured: traffic shifting.
    #[serde(skip_serializing)]
    pub advanced_configuration: Option<Value>,
}

/// Who deploys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeploymentController {
    /// `ECS`.
    pub r#type: String,
}

/// A service.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// Its ARN.
    pub service_arn: String,
    /// Its name.
    pub service_name: String,
    /// Its cluster.
    pub cluster_arn: String,
    /// Its target groups.
    pub load_balancers: Vec<LoadBalancer>,
    /// Its service registries.
    pub service_registries: Vec<Value>,
    /// `ACTIVE`, `DRAINING` or `INACTIVE`.
    pub status: &'static str,
    /// How many tasks it should have.
    pub desired_count: u32,
    /// How many of its tasks run.
    pub running_count: usize,
    /// How many of its tasks will.
    pub pending_count: usize,
    /// Its launch type, when no capacity providers place its tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub launch_type: Option<&'static str>,
    /// The capacity providers that place its tasks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capacity_provider_strategy: Vec<CapacityProviderStrategyItem>,
    /// The platform's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform_version: Option<&'static str>,
    /// The platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform_family: Option<&'static str>,
    /// What its tasks are started from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_definition: Option<String>,
    /// How its deployments go.
    pub deployment_configuration: DeploymentConfiguration,
    /// Its task sets, when somebody else deploys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_sets: Option<Vec<TaskSet>>,
    /// Its deployments.
    pub deployments: Vec<Deployment>,
    /// The service deployment that is on its way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_service_deployment: Option<String>,
    /// The revisions that it has tasks of, or should have.
    pub current_service_revisions: Vec<ServiceRevisionSummary>,
    /// What happened.
    pub events: Vec<ServiceEvent>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its placement constraints.
    pub placement_constraints: Vec<PlacementConstraint>,
    /// Its placement strategy.
    pub placement_strategy: Vec<PlacementStrategy>,
    /// Where interfaces are made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_configuration: Option<NetworkConfiguration>,
    /// Seconds in which failed checks do not count.
    pub health_check_grace_period_seconds: u32,
    /// `REPLICA` or `DAEMON`.
    pub scheduling_strategy: &'static str,
    /// Who deploys.
    pub deployment_controller: DeploymentController,
    /// Its tags, where they are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<Tag>>,
    /// Who made it.
    pub created_by: String,
    /// Whether ECS adds its own tags.
    #[serde(rename = "enableECSManagedTags")]
    pub enable_ecs_managed_tags: bool,
    /// From where tags are taken.
    pub propagate_tags: &'static str,
    /// Whether commands can be run in its tasks.
    pub enable_execute_command: bool,
    /// Whether zones are kept in balance.
    pub availability_zone_rebalancing: &'static str,
    /// `CUSTOMER`.
    pub resource_management_type: &'static str,
}

/// How deployments go.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentConfiguration {
    /// Whether deployments that do not come up are given up.
    pub deployment_circuit_breaker: CircuitBreaker,
    /// The upper bound in percent.
    pub maximum_percent: u32,
    /// The lower bound in percent.
    pub minimum_healthy_percent: u32,
    /// `ROLLING`.
    pub strategy: &'static str,
    /// Minutes that a deployment is watched after it is done.
    pub bake_time_in_minutes: u32,
}

/// Whether deployments that do not come up are given up.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CircuitBreaker {
    /// They are.
    pub enable: bool,
    /// The last one that was done is deployed again.
    pub rollback: bool,
    /// Whether a healthy task makes the count of failed ones begin anew.
    pub reset_on_healthy_task: bool,
    /// How many failed tasks are too many.
    pub threshold_configuration: ThresholdConfiguration,
}

/// A deployment.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployment {
    /// Its id.
    pub id: String,
    /// `PRIMARY` or `ACTIVE`.
    pub status: &'static str,
    /// What its tasks are started from.
    pub task_definition: String,
    /// How many tasks it should have.
    pub desired_count: usize,
    /// How many of its tasks will run.
    pub pending_count: usize,
    /// How many of its tasks run.
    pub running_count: usize,
    /// How many of its tasks failed.
    pub failed_tasks: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed.
    pub updated_at: Timestamp,
    /// The launch type, when no capacity providers place its tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub launch_type: Option<&'static str>,
    /// The capacity providers that place its tasks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capacity_provider_strategy: Vec<CapacityProviderStrategyItem>,
    /// The platform's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform_version: Option<&'static str>,
    /// The platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform_family: Option<&'static str>,
    /// Where interfaces are made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_configuration: Option<NetworkConfiguration>,
    /// How far it has come.
    pub rollout_state: &'static str,
    /// The same in words.
    pub rollout_state_reason: String,
}

/// Something that happened.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceEvent {
    /// Its id.
    pub id: String,
    /// When it happened.
    pub created_at: Timestamp,
    /// What happened.
    pub message: String,
}
