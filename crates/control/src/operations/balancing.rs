//! What operations on load balancers, listeners, target groups and targets have in common: why they refuse, and how
//! their names and tags are checked.

use super::{interfaces, targets};
use crate::{Control, look::Look};
use thiserror::Error;
use wharf_model::{
    Arn, SecurityGroupId, SubnetId,
    load_balancer::{Listener, ListenerProtocol, LoadBalancer},
    routing::Action,
    rule::Rule,
    tag::Tag,
    target_group::{ProtocolVersion, TargetGroup},
};
use wharf_plan::{
    attributes::{self, Attributes},
    routing::Reach,
};
use wharf_store::{Draft, StoreError, UpdateError};

/// The most target groups that a load balancer forwards to.
pub const GROUPS_MAX: usize = 100;

/// The most target groups of one action.
pub const GROUPS_PER_ACTION_MAX: usize = 5;

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
    /// Another rule of the listener has the priority.
    #[error("Priority '{0}' is currently in use")]
    PriorityInUse(u32),
    /// There is no such certificate.
    #[error("Certificate '{0}' not found")]
    CertificateNotFound(Box<Arn>),
    /// A listener has as many certificates as it may have.
    #[error("The maximum number of certificates, {0}, has been reached on the listener")]
    TooManyCertificates(usize),
    /// A security policy is not served.
    #[error("SSL policy '{0}' is not supported here; DescribeSSLPolicies lists those that are")]
    SslPolicyNotFound(String),
    /// A load balancer has as many rules as it may have.
    #[error("The maximum number of rules, {0}, has been reached on the load balancer")]
    TooManyRules(usize),
    /// A load balancer has as many listeners as it may have.
    #[error("The maximum number of listeners, {0}, has been reached on the load balancer")]
    TooManyListeners(usize),
    /// A load balancer forwards to as many groups as it may.
    #[error("The maximum number of target groups, {0}, has been reached on the load balancer")]
    TooManyUniqueTargetGroups(usize),
    /// It may not be done to this.
    #[error("{0}")]
    OperationNotPermitted(String),
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

/// Returns which groups listeners and rules forward to.
pub(crate) fn reach(look: &impl Look) -> Reach {
    Reach::of(&look.list(""), &look.list(""))
}

/// Returns the load balancers that forward to a group.
pub fn load_balancers(control: &Control, group: &Arn) -> Vec<Arn> {
    reach(&control.store().view()).load_balancers(group).cloned().collect()
}

/// Sets attributes of a resource.
pub(super) fn set<A: Attributes>(of: &mut A::Of, given: &[(String, String)]) -> Result<(), Error> {
    let given = given.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    attributes::change::<A>(of, given).map_err(Error::Validation)
}

/// Checks that clients of a listener can speak what an action's target groups take.
pub(super) fn check_speaks(
    draft: &Draft<'_>,
    protocol: ListenerProtocol,
    action: &Action,
) -> Result<(), Error> {
    let version = |group: &Arn| Some(draft.get::<TargetGroup>(&group.to_string())?.protocol_version);
    let calls = action.forwards_to().any(|group| version(group) == Some(ProtocolVersion::Grpc));
    match protocol {
        ListenerProtocol::Http if calls => Err(Error::InvalidConfiguration(
            "Listener protocol 'HTTP' is not supported with a target group with the protocol-version 'GRPC'"
                .to_owned(),
        )),
        ListenerProtocol::Http | ListenerProtocol::Https => Ok(()),
    }
}

/// Checks an action against what is there, and against the limits of AWS.
pub(super) fn check_action(draft: &Draft<'_>, load_balancer: &Arn, action: &Action) -> Result<(), Error> {
    let invalid = |text: String| Err(Error::Validation(text));
    match action {
        Action::Forward { target_groups, sticky_secs } => {
            if !(1..=GROUPS_PER_ACTION_MAX).contains(&target_groups.len()) {
                return invalid(format!(
                    "A forward action must have 1 to {GROUPS_PER_ACTION_MAX} target groups"
                ));
            }
            if let Some((_, weight)) = target_groups.iter().find(|(_, weight)| *weight > 999) {
                return invalid(format!("Target group weight '{weight}' must be between 0 and 999"));
            }
            if let Some(secs) = sticky_secs.filter(|secs| !(1..=604_800).contains(secs)) {
                return invalid(format!(
                    "Target group stickiness duration '{secs}' must be between 1 and 604800 seconds"
                ));
            }
            let mut reach = reach(draft);
            for (index, (group, _)) in target_groups.iter().enumerate() {
                draft.get::<TargetGroup>(&group.to_string()).ok_or(Error::TargetGroupNotFound)?;
                if target_groups[..index].iter().any(|(other, _)| other == group) {
                    return invalid(format!("Target group '{group}' is given more than once"));
                }
                if reach.load_balancers(group).any(|other| other != load_balancer) {
                    return Err(Error::TargetGroupAssociationLimit(Box::new(group.clone())));
                }
            }
            reach.add(load_balancer, action);
            if reach.groups(load_balancer) > GROUPS_MAX {
                return Err(Error::TooManyUniqueTargetGroups(GROUPS_MAX));
            }
        }
        Action::FixedResponse { status_code, content_type, message_body } => {
            if !matches!(status_code, 200..=299 | 400..=599) {
                return invalid(format!("The status code '{status_code}' must be 2XX, 4XX or 5XX"));
            }
            let known = ["text/plain", "text/css", "text/html", "application/javascript", "application/json"];
            if let Some(other) = content_type.as_deref().filter(|given| !known.contains(given)) {
                return invalid(format!("The content type '{other}' must be one of {}", known.join(", ")));
            }
            if message_body.as_ref().is_some_and(|body| body.len() > 1024) {
                return invalid("The message body must be at most 1024 bytes".to_owned());
            }
        }
        Action::Redirect { status_code, protocol, host, port, path, query } => {
            if !matches!(status_code, 301 | 302) {
                return invalid(format!("The status code '{status_code}' must be HTTP_301 or HTTP_302"));
            }
            let same = protocol == "#{protocol}"
                && host == "#{host}"
                && port == "#{port}"
                && path == "/#{path}"
                && query == "#{query}";
            if same {
                return invalid(
                    "The redirect configuration is not valid because it creates a loop: change at least one of \
                     protocol, port, host and path"
                        .to_owned(),
                );
            }
            if !path.starts_with('/') {
                return invalid(format!("The redirect path '{path}' must begin with '/'"));
            }
            let (parts, line) = ([host, path, query], |byte: u8| byte <= b' ' || byte == 0x7f);
            if let Some(part) = parts.into_iter().find(|part| part.len() > 128 || part.bytes().any(line)) {
                return invalid(format!(
                    "The part '{part}' of a redirect must be at most 128 characters without spaces"
                ));
            }
        }
    }
    Ok(())
}

/// Changes the tags of a load balancer, listener, rule or target group; returns what they are then.
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
    } else if let Some(found) = draft.get::<Rule>(&key) {
        let tags = changed(&found.tags)?;
        draft.put(Rule { tags: tags.clone(), ..(*found).clone() });
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
