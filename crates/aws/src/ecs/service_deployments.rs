//! Shapes of service deployments and service revisions.

use super::{
    CapacityProviderStrategyItem, DeploymentConfiguration, Failure, LoadBalancer, NetworkConfiguration,
};
use crate::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Input of `ListServiceDeployments`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ListServiceDeploymentsInput {
    /// The service.
    pub service: String,
    /// The cluster.
    pub cluster: Option<String>,
    /// Those in one of these states.
    pub status: Vec<String>,
    /// Those that were made in this time.
    pub created_at: Option<CreatedAt>,
    /// Where to go on.
    pub next_token: Option<String>,
    /// The most to return.
    pub max_results: Option<i32>,
}

/// A span of time.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct CreatedAt {
    /// Its end.
    pub before: Option<Timestamp>,
    /// Its begin.
    pub after: Option<Timestamp>,
}

/// Output of `ListServiceDeployments`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListServiceDeploymentsOutput {
    /// The deployments, the newest first.
    pub service_deployments: Vec<ServiceDeploymentBrief>,
    /// Where to go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A service deployment in short.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceDeploymentBrief {
    /// Its ARN.
    pub service_deployment_arn: String,
    /// Its service's ARN.
    pub service_arn: String,
    /// Its cluster's ARN.
    pub cluster_arn: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// The revision that it deploys.
    pub target_service_revision_arn: String,
    /// How far it has come.
    pub status: &'static str,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
}

/// Input of `DescribeServiceDeployments`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DescribeServiceDeploymentsInput {
    /// The deployments.
    pub service_deployment_arns: Vec<String>,
}

/// Output of `DescribeServiceDeployments`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeServiceDeploymentsOutput {
    /// Those that are there.
    pub service_deployments: Vec<ServiceDeployment>,
    /// Those that are not.
    pub failures: Vec<Failure>,
}

/// A service deployment.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceDeployment {
    /// Its ARN.
    pub service_deployment_arn: String,
    /// Its service's ARN.
    pub service_arn: String,
    /// Its cluster's ARN.
    pub cluster_arn: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// When it was stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped_at: Option<Timestamp>,
    /// When it changed.
    pub updated_at: Timestamp,
    /// The revisions that it replaces.
    pub source_service_revisions: Vec<ServiceRevisionSummary>,
    /// The revision that it deploys.
    pub target_service_revision: ServiceRevisionSummary,
    /// How far it has come.
    pub status: &'static str,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
    /// What it goes by.
    pub deployment_configuration: DeploymentConfiguration,
    /// The return to an earlier revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback: Option<Rollback>,
    /// What the circuit breaker sees.
    pub deployment_circuit_breaker: ServiceDeploymentCircuitBreaker,
    /// What alarms say.
    pub alarms: ServiceDeploymentAlarms,
}

/// The numbers of a revision's tasks.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceRevisionSummary {
    /// The revision.
    pub arn: String,
    /// How many it should have.
    pub requested_task_count: usize,
    /// How many run.
    pub running_task_count: usize,
    /// How many will.
    pub pending_task_count: usize,
}

/// A return to an earlier revision.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rollback {
    /// Why.
    pub reason: String,
    /// When it began.
    pub started_at: Timestamp,
    /// To which.
    pub service_revision_arn: String,
}

/// What the circuit breaker sees.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceDeploymentCircuitBreaker {
    /// `TRIGGERED`, `MONITORING`, `MONITORING_COMPLETE` or `DISABLED`.
    pub status: &'static str,
    /// How many tasks failed.
    pub failure_count: u32,
    /// How many are too many.
    pub threshold: u32,
}

/// What alarms say.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceDeploymentAlarms {
    /// `DISABLED`.
    pub status: &'static str,
    /// The alarms.
    pub alarm_names: Vec<String>,
    /// Those that went off.
    pub triggered_alarm_names: Vec<String>,
}

/// Input of `DescribeServiceRevisions`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DescribeServiceRevisionsInput {
    /// The revisions.
    pub service_revision_arns: Vec<String>,
}

/// Output of `DescribeServiceRevisions`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeServiceRevisionsOutput {
    /// Those that are there.
    pub service_revisions: Vec<ServiceRevision>,
    /// Those that are not.
    pub failures: Vec<Failure>,
}

/// A service revision.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceRevision {
    /// Its ARN.
    pub service_revision_arn: String,
    /// Its service's ARN.
    pub service_arn: String,
    /// Its cluster's ARN.
    pub cluster_arn: String,
    /// What tasks are started from.
    pub task_definition: String,
    /// The capacity providers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capacity_provider_strategy: Vec<CapacityProviderStrategyItem>,
    /// The launch type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub launch_type: Option<&'static str>,
    /// The platform's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform_version: Option<&'static str>,
    /// The platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform_family: Option<&'static str>,
    /// The target groups.
    pub load_balancers: Vec<LoadBalancer>,
    /// Its service registries.
    pub service_registries: Vec<Value>,
    /// Where interfaces are made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_configuration: Option<NetworkConfiguration>,
    /// The images with their digests.
    pub container_images: Vec<ContainerImage>,
    /// Whether GuardDuty watches.
    pub guard_duty_enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// An image with its digest.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerImage {
    /// The container.
    pub container_name: String,
    /// The image.
    pub image: String,
    /// Its digest, once it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_digest: Option<String>,
}

/// Input of `StopServiceDeployment` and `ContinueServiceDeployment`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ServiceDeploymentInput {
    /// The deployment.
    pub service_deployment_arn: String,
    /// `ABORT` or `ROLLBACK`.
    pub stop_type: Option<String>,
    /// The hook that it waits at.
    pub hook_id: String,
    /// `CONTINUE` or `ROLLBACK`.
    pub action: Option<String>,
}

/// Output of `StopServiceDeployment` and `ContinueServiceDeployment`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceDeploymentOutput {
    /// The deployment.
    pub service_deployment_arn: String,
}
