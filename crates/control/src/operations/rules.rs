//! Rules of listeners: which requests are treated differently, and in which order that is looked at.
//!
//! The default rule of a listener has no record: it is the listener's default action, and its ARN follows from the
//! listener's.

use super::balancing::{Error, check_action, check_speaks, check_tags};
use crate::{Control, ids};
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, sync::Arc};
use wharf_model::{
    Arn, Timestamp,
    load_balancer::Listener,
    routing::Action,
    rule::{Condition, Rule, Transform},
    tag::Tag,
};
pub use wharf_plan::rule::{VALUES_MAX, WILDCARDS_MAX};
use wharf_plan::rule::{check_conditions, check_transforms};
use wharf_store::Draft;

/// The most rules of a load balancer, default ones not counted.
pub const RULES_MAX: usize = 100;

/// What a rule is made from.
#[derive(Debug, Clone)]
pub struct NewRule {
    /// The listener.
    pub listener: Arn,
    /// Its place among the listener's rules.
    pub priority: u32,
    /// What must hold of a request.
    pub conditions: Vec<Condition>,
    /// What is done with a request.
    pub action: Action,
    /// How a request is rewritten.
    pub transforms: Vec<Transform>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// Makes a rule.
pub async fn create(control: &Control, new: NewRule) -> Result<Arc<Rule>, Error> {
    check_tags(&new.tags)?;
    check_priority(new.priority)?;
    check_conditions(&new.conditions).map_err(Error::Validation)?;
    check_transforms(&new.transforms).map_err(Error::Validation)?;
    let now = control.now();
    let place = &control.config().place;
    let update = control.store().update(|draft| {
        let listener = draft.get::<Listener>(&new.listener.to_string()).ok_or(Error::ListenerNotFound)?;
        if of_listener(&draft.list(""), &listener.arn).any(|rule| rule.priority == new.priority) {
            return Err(Error::PriorityInUse(new.priority));
        }
        check_action(draft, &listener.load_balancer, &new.action)?;
        check_speaks(draft, listener.protocol, &new.action)?;
        let rules = draft.list::<Rule>("");
        if rules.iter().filter(|rule| rule.load_balancer == listener.load_balancer).count() >= RULES_MAX {
            return Err(Error::TooManyRules(RULES_MAX));
        }
        let resource = listener.arn.resource.replacen("listener/", "listener-rule/", 1);
        let rule = rule(
            place.arn("elasticloadbalancing", format_args!("{resource}/{}", ids::hex(16))),
            new,
            &listener,
            now,
        );
        draft.put(rule.clone());
        Ok(Arc::new(rule))
    });
    Ok(update.await?)
}

fn rule(arn: Arn, new: NewRule, listener: &Listener, now: Timestamp) -> Rule {
    Rule {
        arn,
        load_balancer: listener.load_balancer.clone(),
        listener: new.listener,
        priority: new.priority,
        conditions: new.conditions,
        action: new.action,
        transforms: new.transforms,
        created_at: now,
        tags: new.tags,
    }
}

/// What changes of a rule; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct RuleChange {
    /// What must hold of a request.
    pub conditions: Option<Vec<Condition>>,
    /// What is done with a request.
    pub action: Option<Action>,
    /// How a request is rewritten.
    pub transforms: Option<Vec<Transform>>,
}

/// Changes a rule.
pub async fn modify(control: &Control, arn: &Arn, change: RuleChange) -> Result<Arc<Rule>, Error> {
    if let Some(conditions) = &change.conditions {
        check_conditions(conditions).map_err(Error::Validation)?;
    }
    if let Some(transforms) = &change.transforms {
        check_transforms(transforms).map_err(Error::Validation)?;
    }
    let update = control.store().update(|draft| {
        let before = known(draft, arn, "modified")?;
        if let Some(action) = &change.action {
            check_action(draft, &before.load_balancer, action)?;
            let listener = draft.get::<Listener>(&before.listener.to_string());
            check_speaks(draft, listener.ok_or(Error::ListenerNotFound)?.protocol, action)?;
        }
        let RuleChange { conditions, action, transforms } = change;
        let after = Rule {
            conditions: conditions.unwrap_or_else(|| before.conditions.clone()),
            action: action.unwrap_or_else(|| before.action.clone()),
            transforms: transforms.unwrap_or_else(|| before.transforms.clone()),
            ..(*before).clone()
        };
        if after != *before {
            draft.put(after.clone());
        }
        Ok::<_, Error>(Arc::new(after))
    });
    Ok(update.await?)
}

/// Deletes a rule.
pub async fn delete(control: &Control, arn: &Arn) -> Result<(), Error> {
    let update = control.store().update(|draft| {
        known(draft, arn, "deleted")?;
        draft.delete::<Rule>(&arn.to_string());
        Ok::<_, Error>(())
    });
    Ok(update.await?)
}

/// Gives rules new priorities, all at once: two may swap theirs.
pub async fn set_priorities(control: &Control, given: &[(Arn, u32)]) -> Result<Vec<Arc<Rule>>, Error> {
    for (arn, priority) in given {
        check_priority(*priority)?;
        if given.iter().filter(|(other, _)| other == arn).count() > 1 {
            return Err(Error::Validation(format!("Rule '{arn}' is given more than once")));
        }
    }
    let update = control.store().update(|draft| {
        let mut changed = Vec::with_capacity(given.len());
        for (arn, priority) in given {
            let before = known(draft, arn, "given another priority")?;
            changed.push(Rule { priority: *priority, ..(*before).clone() });
        }
        for rule in &changed {
            draft.put(rule.clone());
        }
        let mut taken = BTreeMap::new();
        for rule in draft.list::<Rule>("") {
            if let Some(other) = taken.insert((rule.listener.clone(), rule.priority), rule.arn.clone())
                && other != rule.arn
            {
                return Err(Error::PriorityInUse(rule.priority));
            }
        }
        Ok::<_, Error>(changed.into_iter().map(Arc::new).collect())
    });
    Ok(update.await?)
}

/// Returns the rules, by ARN.
pub fn list(control: &Control) -> Vec<Arc<Rule>> {
    control.store().view().list("")
}

/// Returns a rule.
pub fn find(control: &Control, arn: &Arn) -> Result<Arc<Rule>, Error> {
    control.store().view().get(&arn.to_string()).ok_or(Error::RuleNotFound)
}

/// Returns the rules of a listener, in no order.
pub fn of_listener<'a>(rules: &'a [Arc<Rule>], listener: &'a Arn) -> impl Iterator<Item = &'a Arc<Rule>> {
    rules.iter().filter(move |rule| rule.listener == *listener)
}

/// Returns the ARN of a listener's default rule.
pub fn default_arn(listener: &Arn) -> Arn {
    let digits = hex::encode(Sha256::digest(listener.to_string()));
    let resource = listener.resource.replacen("listener/", "listener-rule/", 1);
    Arn { resource: format!("{resource}/{}", &digits[..16]), ..listener.clone() }
}

/// Deletes the rules of a listener.
pub(super) fn forget_all(draft: &mut Draft<'_>, listener: &Arn) {
    for rule in of_listener(&draft.list(""), listener) {
        draft.delete::<Rule>(&rule.arn.to_string());
    }
}

fn known(draft: &Draft<'_>, arn: &Arn, done: &str) -> Result<Arc<Rule>, Error> {
    if let Some(known) = draft.get::<Rule>(&arn.to_string()) {
        return Ok(known);
    }
    if draft.list::<Listener>("").iter().any(|listener| default_arn(&listener.arn) == *arn) {
        return Err(Error::OperationNotPermitted(format!("Default rule '{arn}' cannot be {done}")));
    }
    Err(Error::RuleNotFound)
}

fn check_priority(priority: u32) -> Result<(), Error> {
    match priority {
        1..=50_000 => Ok(()),
        _ => Err(Error::Validation(format!("Priority '{priority}' must be between 1 and 50000"))),
    }
}
