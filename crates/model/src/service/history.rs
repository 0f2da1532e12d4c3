//! What became of a service's deployments, and what each of them deployed.

use super::{AwsvpcConfiguration, CircuitBreaker, DeploymentBounds, Terms};
use crate::{
    Arn, ClusterName, DeploymentId, ServiceName, Timestamp,
    task_definition::{LaunchType, Revision},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A service as it was to be at one time. It never changes, but for the digests of its images once they are known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceRevision {
    /// Its id: 19 digits.
    pub id: String,
    /// Its ARN.
    pub arn: Arn,
    /// The cluster.
    pub cluster: ClusterName,
    /// The service.
    pub service: ServiceName,
    /// What tasks are started from.
    pub definition: Revision,
    /// The launch type.
    pub launch_type: LaunchType,
    /// Where interfaces are made.
    pub network: AwsvpcConfiguration,
    /// What tasks are like otherwise.
    pub terms: Terms,
    /// The digest of each container's image, once its first task has resolved it.
    pub images: BTreeMap<String, String>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The story of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceDeployment {
    /// Its id.
    pub id: String,
    /// Its ARN.
    pub arn: Arn,
    /// The cluster.
    pub cluster: ClusterName,
    /// The service.
    pub service: ServiceName,
    /// The deployment of the service.
    pub deployment: DeploymentId,
    /// The revisions that it replaces.
    pub sources: Vec<Arn>,
    /// The revision that it deploys.
    pub target: Arn,
    /// How far it has come.
    pub state: DeploymentState,
    /// Why, where that needs words.
    pub reason: Option<String>,
    /// The bounds that it began with.
    pub bounds: DeploymentBounds,
    /// The circuit breaker that it began with.
    pub circuit_breaker: CircuitBreaker,
    /// How many failed tasks were counted, and how many would be too many.
    pub failures: (u32, u32),
    /// Whether the circuit breaker gave it up.
    pub broken: bool,
    /// The return to an earlier revision.
    pub rollback: Option<RolledBack>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// When it was stopped.
    pub stopped_at: Option<Timestamp>,
}

/// A return to an earlier revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolledBack {
    /// Why.
    pub reason: String,
    /// When it began.
    pub started_at: Timestamp,
    /// To which.
    pub revision: Arn,
}

/// How far a service deployment has come (`status`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeploymentState {
    /// On its way.
    InProgress,
    /// Done.
    Successful,
    /// Ended before it was done.
    Stopped,
    /// On its way back.
    RollbackInProgress,
    /// Back.
    RollbackSuccessful,
    /// Neither done nor back.
    RollbackFailed,
}

impl DeploymentState {
    /// Returns the name that the API uses.
    pub fn as_str(self) -> &'static str {
        match self {
            DeploymentState::InProgress => "IN_PROGRESS",
            DeploymentState::Successful => "SUCCESSFUL",
            DeploymentState::Stopped => "STOPPED",
            DeploymentState::RollbackInProgress => "ROLLBACK_IN_PROGRESS",
            DeploymentState::RollbackSuccessful => "ROLLBACK_SUCCESSFUL",
            DeploymentState::RollbackFailed => "ROLLBACK_FAILED",
        }
    }

    /// Returns whether it goes on.
    pub fn is_open(self) -> bool {
        matches!(self, DeploymentState::InProgress | DeploymentState::RollbackInProgress)
    }
}
