//! The services that are spoken, and how a request says which one it means.

/// How a service's messages are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// `awsJson1.0`.
    Json10,
    /// `awsJson1.1`.
    Json11,
    /// `awsQuery`: forms in, XML out.
    Query,
    /// `restJson1`: the operation is in method and path, the input is JSON.
    RestJson,
    /// `ec2Query`: forms with flattened lists in, XML without a result element out.
    Ec2,
}

impl Protocol {
    /// Returns the content type of an answer.
    pub fn content_type(self) -> &'static str {
        match self {
            Protocol::Json10 => "application/x-amz-json-1.0",
            Protocol::Json11 => "application/x-amz-json-1.1",
            Protocol::RestJson => "application/json",
            Protocol::Query | Protocol::Ec2 => "text/xml;charset=UTF-8",
        }
    }

    /// Tells whether messages are JSON.
    pub fn is_json(self) -> bool {
        matches!(self, Protocol::Json10 | Protocol::Json11 | Protocol::RestJson)
    }
}

/// One AWS service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// Elastic Container Service.
    Ecs,
    /// Elastic Load Balancing, version 2.
    Elbv2,
    /// The describe calls of EC2 that containers need.
    Ec2,
    /// Elastic Container Registry.
    Ecr,
    /// CloudWatch Logs.
    Logs,
    /// Security Token Service.
    Sts,
    /// Secrets Manager.
    SecretsManager,
    /// The parameter store of Systems Manager.
    Ssm,
    /// Elastic File System.
    Efs,
    /// Certificate Manager.
    Acm,
}

impl Service {
    /// Every service, in no particular order.
    pub const ALL: [Service; 10] = [
        Service::Ecs,
        Service::Elbv2,
        Service::Ec2,
        Service::Ecr,
        Service::Logs,
        Service::Sts,
        Service::SecretsManager,
        Service::Ssm,
        Service::Efs,
        Service::Acm,
    ];

    /// Returns the protocol a client of this service uses.
    pub fn protocol(self) -> Protocol {
        match self {
            Service::Ecs
            | Service::Ecr
            | Service::Logs
            | Service::SecretsManager
            | Service::Ssm
            | Service::Acm => Protocol::Json11,
            Service::Efs => Protocol::RestJson,
            Service::Elbv2 | Service::Sts => Protocol::Query,
            Service::Ec2 => Protocol::Ec2,
        }
    }

    /// Returns the name that stands in the credential scope of a signature.
    pub fn signing_name(self) -> &'static str {
        match self {
            Service::Ecs => "ecs",
            Service::Elbv2 => "elasticloadbalancing",
            Service::Ec2 => "ec2",
            Service::Ecr => "ecr",
            Service::Logs => "logs",
            Service::Sts => "sts",
            Service::SecretsManager => "secretsmanager",
            Service::Ssm => "ssm",
            Service::Efs => "elasticfilesystem",
            Service::Acm => "acm",
        }
    }

    /// Returns what precedes the dot in `X-Amz-Target`, for the services that have it.
    pub fn target_prefix(self) -> Option<&'static str> {
        match self {
            Service::Ecs => Some("AmazonEC2ContainerServiceV20141113"),
            Service::Ecr => Some("AmazonEC2ContainerRegistry_V20150921"),
            Service::Logs => Some("Logs_20140328"),
            Service::SecretsManager => Some("secretsmanager"),
            Service::Ssm => Some("AmazonSSM"),
            Service::Acm => Some("CertificateManager"),
            Service::Elbv2 | Service::Ec2 | Service::Sts | Service::Efs => None,
        }
    }

    /// Returns the form's `Version`, for the services that are called with forms.
    pub fn form_version(self) -> Option<&'static str> {
        match self {
            Service::Elbv2 => Some("2015-12-01"),
            Service::Ec2 => Some("2016-11-15"),
            Service::Sts => Some("2011-06-15"),
            Service::Ecs
            | Service::Ecr
            | Service::Logs
            | Service::SecretsManager
            | Service::Ssm
            | Service::Efs
            | Service::Acm => None,
        }
    }

    /// Returns the namespace of the XML answers; empty for JSON services.
    pub fn xml_namespace(self) -> &'static str {
        match self {
            Service::Elbv2 => "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
            Service::Ec2 => "http://ec2.amazonaws.com/doc/2016-11-15/",
            Service::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
            Service::Ecs
            | Service::Ecr
            | Service::Logs
            | Service::SecretsManager
            | Service::Ssm
            | Service::Efs
            | Service::Acm => "",
        }
    }

    /// Returns the service and operation that an `X-Amz-Target` names.
    pub fn from_target(target: &str) -> Option<(Service, &str)> {
        let (prefix, operation) = target.rsplit_once('.')?;
        let service = Self::ALL.into_iter().find(|service| service.target_prefix() == Some(prefix))?;
        Some((service, operation))
    }

    /// Returns the form service that signs with this name.
    pub fn from_signing_name(name: &str) -> Option<Service> {
        Self::ALL.into_iter().find(|service| service.signing_name() == name)
    }

    /// Returns the form service whose requests carry this `Version`.
    pub fn from_form_version(version: &str) -> Option<Service> {
        Self::ALL.into_iter().find(|service| service.form_version() == Some(version))
    }
}
