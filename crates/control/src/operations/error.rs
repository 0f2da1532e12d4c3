//! Why an operation on clusters, task definitions, tasks or services is refused. The words are ECS's own where those are
//! known, because tools look for them.

use thiserror::Error;
use wharf_model::Arn;
use wharf_store::{StoreError, UpdateError};

/// Why an operation is refused.
#[derive(Debug, Error)]
pub enum Error {
    /// The cluster does not exist, or is not active.
    #[error("Cluster not found.")]
    ClusterNotFound,
    /// The cluster still has services.
    #[error("The Cluster cannot be deleted while Services are active.")]
    ClusterContainsServices,
    /// The cluster still has tasks.
    #[error("The Cluster cannot be deleted while Tasks are active.")]
    ClusterContainsTasks,
    /// The cluster still has container instances.
    #[error("The Cluster cannot be deleted while Container Instances are active or draining.")]
    ClusterContainsInstances,
    /// Something is used by something else.
    #[error("{0}")]
    ResourceInUse(String),
    /// The instance of an attribute does not exist.
    #[error("The specified target wasn't found: {0}")]
    TargetNotFound(String),
    /// An instance would have too many attributes.
    #[error("You can apply up to 10 custom attributes for each resource.")]
    AttributeLimit,
    /// The namespace does not exist.
    #[error("The specified namespace wasn't found: {0}")]
    NamespaceNotFound(String),
    /// The service does not exist.
    #[error("Service not found.")]
    ServiceNotFound,
    /// The service was deleted.
    #[error("Service was not ACTIVE.")]
    ServiceNotActive,
    /// The target group does not exist.
    #[error("The target group with targetGroupArn {0} does not exist.")]
    TargetGroupNotFound(String),
    /// A command cannot be run in the container.
    #[error(
        "The execute command failed because execute command was not enabled when the task was run or the execute command \
         agent isn't running. Wait and try again or run a new task with execute command enabled and try again."
    )]
    TargetNotConnected,
    /// Something that cannot be done as things are.
    #[error("{0}")]
    Client(String),
    /// A parameter that makes no sense, or that this version does not support.
    #[error("{0}")]
    InvalidParameter(String),
    /// Something that is in another state than was thought, with the resources that it concerns.
    #[error("{0}")]
    Conflict(String, Vec<Arn>),
    /// The service deployment does not exist.
    #[error("The service deployment was not found.")]
    ServiceDeploymentNotFound,
    /// The task set does not exist.
    #[error("The specified task set wasn't found.")]
    TaskSetNotFound,
    /// The state file cannot take the change.
    #[error("use the state file")]
    Store(#[from] StoreError),
}

impl Error {
    /// Returns the error of a parameter.
    pub fn invalid(message: impl Into<String>) -> Error {
        Error::InvalidParameter(message.into())
    }

    /// Returns the error of something that cannot be done.
    pub fn client(message: impl Into<String>) -> Error {
        Error::Client(message.into())
    }
}

impl From<UpdateError<Error>> for Error {
    fn from(error: UpdateError<Error>) -> Error {
        match error {
            UpdateError::Refused(error) => error,
            UpdateError::Store(error) => Error::Store(error),
        }
    }
}

/// A thing that was asked for and is not there. An answer that is only partly there is no error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its ARN, or what it would be.
    pub arn: String,
    /// Why, in ECS's words, such as `MISSING`.
    pub reason: String,
    /// More of it.
    pub detail: Option<String>,
}

impl Failure {
    /// Returns the failure of something that does not exist.
    pub fn missing(arn: impl ToString) -> Failure {
        Failure { arn: arn.to_string(), reason: "MISSING".to_owned(), detail: None }
    }
}

/// What was found, and what was not.
#[derive(Debug, Clone)]
pub struct Described<T> {
    /// What was found.
    pub found: Vec<T>,
    /// What was not.
    pub failures: Vec<Failure>,
}

impl<T> FromIterator<Result<T, Failure>> for Described<T> {
    fn from_iter<I: IntoIterator<Item = Result<T, Failure>>>(results: I) -> Described<T> {
        let mut described = Described { found: Vec::new(), failures: Vec::new() };
        for result in results {
            match result {
                Ok(found) => described.found.push(found),
                Err(failure) => described.failures.push(failure),
            }
        }
        described
    }
}
