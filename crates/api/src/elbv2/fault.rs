//! Errors to AWS's codes.

use wharf_control::operations::balancing::Error;

use crate::Fault;

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        use Error as E;
        let code = match &error {
            E::LoadBalancerNotFound | E::LoadBalancerNamesNotFound(_) => "LoadBalancerNotFound",
            E::DuplicateLoadBalancerName(_) => "DuplicateLoadBalancerName",
            E::TargetGroupNotFound => "TargetGroupNotFound",
            E::DuplicateTargetGroupName(_) => "DuplicateTargetGroupName",
            E::TargetGroupAssociationLimit(_) => "TargetGroupAssociationLimit",
            E::ListenerNotFound => "ListenerNotFound",
            E::DuplicateListener(_) => "DuplicateListener",
            E::RuleNotFound => "RuleNotFound",
            E::PriorityInUse(_) => "PriorityInUse",
            E::CertificateNotFound(_) => "CertificateNotFound",
            E::TooManyCertificates(_) => "TooManyCertificates",
            E::SslPolicyNotFound(_) => "SSLPolicyNotFound",
            E::TooManyRules(_) => "TooManyRules",
            E::TooManyListeners(_) => "TooManyListeners",
            E::TooManyUniqueTargetGroups(_) => "TooManyUniqueTargetGroupsPerLoadBalancer",
            E::OperationNotPermitted(_) => "OperationNotPermitted",
            E::TargetGroupInUse(_) => "ResourceInUse",
            E::SubnetNotFound(_) => "SubnetNotFound",
            E::InvalidSubnet(_) => "InvalidSubnet",
            E::InvalidSecurityGroup(_) => "InvalidSecurityGroup",
            E::InvalidTarget(_) => "InvalidTarget",
            E::InvalidConfiguration(_) => "InvalidConfigurationRequest",
            E::Validation(_) => "ValidationError",
            E::DuplicateTagKeys(_) => "DuplicateTagKeys",
            E::Store(error) => return Fault::store(error),
        };
        Fault::caller(code, error.to_string())
    }
}
