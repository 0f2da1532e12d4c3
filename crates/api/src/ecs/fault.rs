//! Errors and their AWS codes.

use crate::Fault;
use serde_json::Value;
use wharf_control::operations::Error;

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        let code = match &error {
            Error::ClusterNotFound => "ClusterNotFoundException",
            Error::ClusterContainsServices => "ClusterContainsServicesException",
            Error::ClusterContainsTasks => "ClusterContainsTasksException",
            Error::ClusterContainsInstances => "ClusterContainsContainerInstancesException",
            Error::ResourceInUse(_) => "ResourceInUseException",
            Error::TargetNotFound(_) => "TargetNotFoundException",
            Error::AttributeLimit => "AttributeLimitExceededException",
            Error::NamespaceNotFound(_) => "NamespaceNotFoundException",
            Error::ServiceDeploymentNotFound => "ServiceDeploymentNotFoundException",
            Error::TaskSetNotFound => "TaskSetNotFoundException",
            Error::ServiceNotFound => "ServiceNotFoundException",
            Error::ServiceNotActive => "ServiceNotActiveException",
            Error::TargetNotConnected => "TargetNotConnectedException",
            Error::Client(_) => "ClientException",
            Error::InvalidParameter(_) | Error::TargetGroupNotFound(_) => "InvalidParameterException",
            Error::Conflict(_, resources) => {
                let ids: Vec<Value> = resources.iter().map(|arn| Value::from(arn.to_string())).collect();
                return Fault::caller("ConflictException", error.to_string()).with("resourceIds", ids);
            }
            Error::Store(error) => return Fault::store(error),
        };
        Fault::caller(code, error.to_string())
    }
}
