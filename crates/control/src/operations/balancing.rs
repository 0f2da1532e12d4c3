//! What operations on load balancers, listeners, target groups and targets have in common: why they refuse, and how
//! their names and tags are checked.

use super::{interfaces, targets};
use thiserror::Error;
use wharf_model::{
    Arn, SecurityGroupId, SubnetId,
    load_balancer::{Listener, LoadBalancer},
    tag::Tag,
    target_group::TargetGroup,
};
use wharf_store::{Draft, StoreError, UpdateError};

/// Why something about load balancing was not done.
#[derive(Debug, Clone, Error)]
pub enum Error {
    /// There is no such load balancer.
    #[error("One or more load balancers not found")]
    LoadBalancerNotFound,
    /// There are no load balancers of these names.
    #[error("Load balancers '[{}]' not found", .0.join(", "))]
    LoadBalancerNamesNotFound(Vec<String>),
    /// A load balancer of that name exists and is not the same.
    #[error("A load balancer with the same name '{0}' exists, but with different settings")]
    DuplicateLoadBalancerName(String),
    /// There is no such target group.
    #[error("One or more target groups not found")]
    TargetGroupNotFound,
    /// A target group of that name exists and is not the same.
    #[error("A target group with the same name '{0}' exists, but with different settings")]
    DuplicateTargetGroupName(String),
    /// A group serves one load balancer only.
    #[error("The following target groups cannot be associated with more than one load balancer: {0}")]
    TargetGroupAssociationLimit(Box<Arn>),
    /// There is no such listener.
    #[error("One or more listeners not found")]
    ListenerNotFound,
    /// The load balancer listens on the port already.
    #[error("A listener already exists on this port for this load balancer '{0}'")]
    DuplicateListener(Box<Arn>),
    /// There is no such rule.
    #[error("One or more rules not found")]
    RuleNotFound,
    /// A group is in use.
    #[error("Target group '{0}' is currently in use by a listener or a rule")]
    TargetGroupInUse(Box<Arn>),
    /// A subnet does not exist.
    #[error("The subnet ID '{0}' does not exist")]
    SubnetNotFound(SubnetId),
    /// The subnets do not do for a load balancer.
    #[error("{0}")]
    InvalidSubnet(String),
    /// A security group does not exist.
    #[error("The security group '{0}' does not exist")]
    InvalidSecurityGroup(SecurityGroupId),
    /// A target cannot be registered.
    #[error("{0}")]
    InvalidTarget(String),
    /// The parts do not fit together, or do not fit this machine.
    #[error("{0}")]
    InvalidConfiguration(String),
    /// A value is not allowed; the text names it.
    #[error("{0}")]
    Validation(String),
    /// A tag key is there twice.
    #[error("The tag key '{0}' was specified more than once")]
    DuplicateTagKeys(String),
    /// The state file cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<UpdateError<Error>> for Error {
    fn from(error: UpdateError<Error>) -> Error {
        match error {
            UpdateError::Refused(error) => error,
            UpdateError::Store(error) => Error::Store(error),
        }
    }
}

impl From<interfaces::Error> for Error {
    fn from(error: interfaces::Error) -> Error {
        match error {
            interfaces::Error::SubnetNotFound(subnet) => Error::SubnetNotFound(subnet),
            error @ (interfaces::Error::SubnetsExhausted(_) | interfaces::Error::SubnetOverlaps { .. }) => {
                Error::InvalidSubnet(error.to_string())
            }
            error @ interfaces::Error::PublicExhausted(_) => Error::InvalidConfiguration(error.to_string()),
        }
    }
}

impl From<targets::Error> for Error {
    fn from(error: targets::Error) -> Error {
        match error {
            targets::Error::GroupNotFound(_) => Error::TargetGroupNotFound,
        }
    }
}

/// Checks the name of a `what`, `load balancer` or `target group`, by the rule of both.
pub fn check_name(what: &str, name: &str) -> Result<(), Error> {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if name.is_empty() || !plain {
        let rule = "can only contain characters that are alphanumeric characters and hyphens(-)";
        Err(Error::Validation(format!("The {what} name '{name}' {rule}")))
    } else if name.len() > 32 {
        Err(Error::Validation(format!("The {what} name '{name}' cannot be longer than '32' characters")))
    } else if name.starts_with('-') || name.ends_with('-') {
        Err(Error::Validation(format!("The {what} name '{name}' cannot begin or end with a hyphen(-)")))
    } else if what == "load balancer" && name.starts_with("internal-") {
        Err(Error::Validation(format!("The {what} name '{name}' cannot begin with 'internal-'")))
    } else {
        Ok(())
    }
}

/// Checks tags by the rules that all services share.
pub fn check_tags(tags: &[Tag]) -> Result<(), Error> {
    if tags.len() > 50 {
        return Err(Error::Validation("A resource can have at most 50 tags".to_owned()));
    }
    for (place, Tag { key, value }) in tags.iter().enumerate() {
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(Error::Validation(format!(
                "The tag '{key}' must have a key of 1 to 128 characters and a value of at most 256"
            )));
        }
        if key.starts_with("aws:") {
            return Err(Error::Validation(format!("The tag key '{key}' cannot begin with 'aws:'")));
        }
        if tags[..place].iter().any(|tag| tag.key == *key) {
            return Err(Error::DuplicateTagKeys(key.clone()));
        }
    }
    Ok(())
}

/// Changes the tags of a load balancer, listener or target group; returns what they are then.
pub fn retag(
    draft: &mut Draft<'_>,
    arn: &Arn,
    change: impl FnOnce(&mut Vec<Tag>),
) -> Result<Vec<Tag>, Error> {
    let key = arn.to_string();
    let changed = |tags: &[Tag]| {
        let mut tags = tags.to_vec();
        change(&mut tags);
        check_tags(&tags).map(|()| tags)
    };
    let tags = if let Some(found) = draft.get::<LoadBalancer>(&key) {
        let tags = changed(&found.tags)?;
        draft.put(LoadBalancer { tags: tags.clone(), ..(*found).clone() });
        tags
    } else if let Some(found) = draft.get::<Listener>(&key) {
        let tags = changed(&found.tags)?;
        draft.put(Listener { tags: tags.clone(), ..(*found).clone() });
        tags
    } else if let Some(found) = draft.get::<TargetGroup>(&key) {
        let tags = changed(&found.tags)?;
        draft.put(TargetGroup { tags: tags.clone(), ..(*found).clone() });
        tags
    } else {
        return Err(missing(arn));
    };
    Ok(tags)
}

/// Returns the error for a resource that is not there, by what its ARN names.
pub fn missing(arn: &Arn) -> Error {
    match arn.resource.split('/').next() {
        Some("loadbalancer") => Error::LoadBalancerNotFound,
        Some("targetgroup") => Error::TargetGroupNotFound,
        Some("listener") => Error::ListenerNotFound,
        Some("listener-rule") => Error::RuleNotFound,
        _ => Error::Validation(format!("'{arn}' is not a valid resource ARN")),
    }
}
