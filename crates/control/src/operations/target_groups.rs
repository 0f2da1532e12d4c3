//! Target groups, and the targets that callers register themselves.

use super::{
    balancing::{self, Error, check_name, check_tags, reach},
    targets,
};
use crate::{Control, ids};
use std::{net::Ipv4Addr, ops::RangeInclusive, sync::Arc};
use wharf_model::{
    Arn, VpcId,
    network::{Cidr, Vpc},
    tag::Tag,
    target_group::{HealthCheck, ProtocolVersion, Target, TargetAddress, TargetGroup},
};
use wharf_plan::attributes::TargetGroups;
use wharf_store::{Draft, TargetHealthRecord, target_key};

/// What a target group is made from.
#[derive(Debug, Clone)]
pub struct NewTargetGroup {
    /// Its name.
    pub name: String,
    /// The port of targets registered without one.
    pub port: u16,
    /// How requests go to its targets.
    pub protocol_version: ProtocolVersion,
    /// The VPC of its targets.
    pub vpc: VpcId,
    /// How targets are checked.
    pub health_check: HealthCheck,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// Makes a target group; returns the one that is there when it was asked for in the same words before.
pub async fn create(control: &Control, new: NewTargetGroup) -> Result<Arc<TargetGroup>, Error> {
    check_name("target group", &new.name)?;
    check_tags(&new.tags)?;
    check_health_check(&new.health_check, new.protocol_version)?;
    if new.port == 0 {
        return Err(Error::Validation("Target group port '0' must be between 1 and 65535".to_owned()));
    }
    let now = control.now();
    let update = control.store().update(|draft| {
        if draft.get::<Vpc>(new.vpc.as_str()).is_none() {
            return Err(Error::Validation(format!("The VPC ID '{}' is not found", new.vpc)));
        }
        let known = draft.list::<TargetGroup>("").into_iter().find(|group| group.name == new.name);
        if let Some(known) = known {
            let same = known.port == new.port
                && known.protocol_version == new.protocol_version
                && known.vpc == new.vpc
                && known.health_check == new.health_check;
            return if same { Ok(known) } else { Err(Error::DuplicateTargetGroupName(new.name)) };
        }
        let group = TargetGroup {
            arn: control
                .config()
                .place
                .arn("elasticloadbalancing", format_args!("targetgroup/{}/{}", new.name, ids::hex(16))),
            name: new.name,
            port: new.port,
            protocol_version: new.protocol_version,
            vpc: new.vpc,
            health_check: new.health_check,
            deregistration_delay_secs: 300,
            attributes: Default::default(),
            created_at: now,
            tags: new.tags,
        };
        draft.put(group.clone());
        Ok(Arc::new(group))
    });
    Ok(update.await?)
}

/// Changes a target group by `change`, and checks what came of it.
pub async fn modify(
    control: &Control,
    arn: &Arn,
    change: impl FnOnce(&mut TargetGroup),
) -> Result<Arc<TargetGroup>, Error> {
    let update = control.store().update(|draft| {
        let before = draft.get::<TargetGroup>(&arn.to_string()).ok_or(Error::TargetGroupNotFound)?;
        let mut after = (*before).clone();
        change(&mut after);
        check_health_check(&after.health_check, after.protocol_version)?;
        if after != *before {
            draft.put(after.clone());
        }
        Ok(Arc::new(after))
    });
    Ok(update.await?)
}

/// Returns the attributes of a target group with their values.
pub fn attributes(of: &TargetGroup) -> Vec<(&'static str, String)> {
    wharf_plan::attributes::list::<TargetGroups>(of)
}

/// Sets attributes of a target group, all or none.
pub async fn modify_attributes(
    control: &Control,
    arn: &Arn,
    given: &[(String, String)],
) -> Result<Arc<TargetGroup>, Error> {
    let update = control.store().update(|draft| {
        let before = draft.get::<TargetGroup>(&arn.to_string()).ok_or(Error::TargetGroupNotFound)?;
        let mut after = (*before).clone();
        balancing::set::<TargetGroups>(&mut after, given)?;
        if after != *before {
            draft.put(after.clone());
        }
        Ok::<_, Error>(Arc::new(after))
    });
    Ok(update.await?)
}

/// Deletes a target group with its targets, if it is there and nothing forwards to it.
pub async fn delete(control: &Control, arn: &Arn) -> Result<(), Error> {
    let update = control.store().update(|draft| {
        if draft.get::<TargetGroup>(&arn.to_string()).is_none() {
            return Ok(());
        }
        if reach(draft).has(arn) {
            return Err(Error::TargetGroupInUse(Box::new(arn.clone())));
        }
        for target in draft.list::<Target>(&format!("{arn} ")) {
            let key = target_key(arn, &target.address);
            draft.delete::<Target>(&key);
            draft.delete::<TargetHealthRecord>(&key);
        }
        draft.delete::<TargetGroup>(&arn.to_string());
        Ok(())
    });
    Ok(update.await?)
}

/// Returns the target groups, by ARN.
pub fn list(control: &Control) -> Vec<Arc<TargetGroup>> {
    control.store().view().list("")
}

/// Returns a target group.
pub fn find(control: &Control, arn: &Arn) -> Result<Arc<TargetGroup>, Error> {
    control.store().view().get(&arn.to_string()).ok_or(Error::TargetGroupNotFound)
}

/// Registers targets by hand, all or none; without a port they get the group's.
pub async fn register(control: &Control, arn: &Arn, given: &[(Ipv4Addr, Option<u16>)]) -> Result<(), Error> {
    let now = control.now();
    let update = control.store().update(|draft| {
        let group = draft.get::<TargetGroup>(&arn.to_string()).ok_or(Error::TargetGroupNotFound)?;
        for (ip, port) in given {
            check_address(draft, &group, *ip)?;
            let address = TargetAddress { ip: *ip, port: port.unwrap_or(group.port) };
            // One that a service registered stays the service's.
            let known = draft.get::<Target>(&target_key(arn, &address));
            if known.is_none_or(|known| known.draining_since.is_some()) {
                targets::register(draft, arn, address, None, now)?;
            }
        }
        Ok::<(), Error>(())
    });
    Ok(update.await?)
}

/// Deregisters targets; without a port, every target at that address.
pub async fn deregister(
    control: &Control,
    arn: &Arn,
    given: &[(Ipv4Addr, Option<u16>)],
) -> Result<(), Error> {
    let now = control.now();
    let update = control.store().update(|draft| {
        draft.get::<TargetGroup>(&arn.to_string()).ok_or(Error::TargetGroupNotFound)?;
        let known = draft.list::<Target>(&format!("{arn} "));
        for (ip, port) in given {
            let meant =
                |target: &TargetAddress| target.ip == *ip && port.is_none_or(|port| target.port == port);
            for target in known.iter().filter(|target| meant(&target.address)) {
                targets::deregister(draft, arn, &target.address, now);
            }
        }
        Ok::<(), Error>(())
    });
    Ok(update.await?)
}

/// Checks that an address may be a target: one of the VPC, or another private one.
fn check_address(draft: &Draft<'_>, group: &TargetGroup, ip: Ipv4Addr) -> Result<(), Error> {
    let vpc = draft.get::<Vpc>(group.vpc.as_str()).map(|vpc| vpc.cidr);
    let shared = Cidr { address: Ipv4Addr::new(100, 64, 0, 0), prefix: 10 };
    if vpc.is_some_and(|cidr| cidr.contains(ip)) || ip.is_private() || shared.contains(ip) {
        Ok(())
    } else {
        Err(Error::InvalidTarget(format!(
            "The following targets are not in the target group VPC or in a private range: '{ip}'"
        )))
    }
}

fn check_health_check(check: &HealthCheck, version: ProtocolVersion) -> Result<(), Error> {
    let HealthCheck { interval_secs, timeout_secs, healthy_threshold, unhealthy_threshold, .. } = check;
    let ranges = [
        ("Health check interval", *interval_secs, 5..=300),
        ("Health check timeout", *timeout_secs, 2..=120),
        ("Healthy threshold count", *healthy_threshold, 2..=10),
        ("Unhealthy threshold count", *unhealthy_threshold, 2..=10),
    ];
    for (name, value, range) in ranges {
        if !range.contains(&value) {
            return Err(Error::Validation(format!(
                "{name} '{value}' must be between {} and {}",
                range.start(),
                range.end()
            )));
        }
    }
    if timeout_secs >= interval_secs {
        return Err(Error::Validation(format!(
            "Health check timeout '{timeout_secs}' must be smaller than the interval '{interval_secs}'"
        )));
    }
    if !check.path.starts_with('/') || check.path.len() > 1024 {
        return Err(Error::Validation(format!(
            "Health check path '{}' must begin with '/' and be at most 1024 characters long",
            check.path
        )));
    }
    if check.port == Some(0) {
        return Err(Error::Validation("Health check port '0' must be between 1 and 65535".to_owned()));
    }
    let (kind, digits, range) = match version {
        ProtocolVersion::Http1 | ProtocolVersion::Http2 => ("HTTP", 3..=3, 200..=499),
        ProtocolVersion::Grpc => ("gRPC", 1..=2, 0..=99),
    };
    let (from, to) = (*range.start(), *range.end());
    if !is_matcher(&check.matcher, digits, range) {
        return Err(Error::Validation(format!(
            "Health check matcher {kind} code '{}' must be within '{from}-{to}'",
            check.matcher
        )));
    }
    Ok(())
}

/// Returns whether a text is a matcher: codes of so many digits, or ranges of them, with commas between.
fn is_matcher(given: &str, digits: RangeInclusive<usize>, range: RangeInclusive<u16>) -> bool {
    let code = |text: &str| {
        let plain = digits.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u16>().ok().filter(|code| plain && range.contains(code))
    };
    given.split(',').all(|part| match part.split_once('-') {
        Some((from, to)) => matches!((code(from), code(to)), (Some(from), Some(to)) if from <= to),
        None => code(part).is_some(),
    })
}

#[cfg(test)]
mod tests;
