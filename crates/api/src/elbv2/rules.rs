//! Rules of listeners: shapes to model and back.

use wharf_aws::elbv2::{
    CreateRuleInput, DescribeRulesInput, ModifyRuleInput, Rule, RuleInput, RulesOutput,
    SetRulePrioritiesInput,
};
use wharf_control::Control;
use wharf_control::operations::listeners;
use wharf_control::operations::rules::{self, NewRule, RuleChange};
use wharf_model::{load_balancer, rule};

use super::given::{self, invalid, number, required};
use super::{actions, conditions};
use crate::Fault;

pub(super) async fn create(control: &Control, input: CreateRuleInput) -> Result<RulesOutput, Fault> {
    let new = NewRule {
        listener: given::listener(input.listener_arn)?,
        priority: number("Priority", required("Priority", input.priority)?)?,
        conditions: conditions::parse(&input.conditions)?,
        action: actions::parse("Actions", &input.actions)?,
        transforms: conditions::transforms(&input.transforms)?,
        tags: given::tags(input.tags),
    };
    let made = rules::create(control, new).await?;
    Ok(RulesOutput { rules: vec![show(&made)], next_marker: None })
}

pub(super) async fn modify(control: &Control, input: ModifyRuleInput) -> Result<RulesOutput, Fault> {
    let arn = given::rule(input.rule_arn)?;
    let transforms = match (input.transforms.as_slice(), input.reset_transforms) {
        ([], Some(true)) => Some(Vec::new()),
        ([], Some(false) | None) => None,
        (_, Some(true)) => return Err(invalid("You cannot specify both Transforms and ResetTransforms")),
        (given, Some(false) | None) => Some(conditions::transforms(given)?),
    };
    let change = RuleChange {
        conditions: match input.conditions.as_slice() {
            [] => None,
            given => Some(conditions::parse(given)?),
        },
        action: match input.actions.as_slice() {
            [] => None,
            given => Some(actions::parse("Actions", given)?),
        },
        transforms,
    };
    let changed = rules::modify(control, &arn, change).await?;
    Ok(RulesOutput { rules: vec![show(&changed)], next_marker: None })
}

pub(super) async fn delete(control: &Control, input: RuleInput) -> Result<(), Fault> {
    Ok(rules::delete(control, &given::rule(input.rule_arn)?).await?)
}

pub(super) async fn set_priorities(
    control: &Control,
    input: SetRulePrioritiesInput,
) -> Result<RulesOutput, Fault> {
    if input.rule_priorities.is_empty() {
        return Err(invalid("RulePriorities must be specified"));
    }
    let wanted = input.rule_priorities.into_iter().map(|wanted| {
        let priority = required("RulePriorities.Priority", wanted.priority)?;
        Ok((given::rule(wanted.rule_arn)?, number("RulePriorities.Priority", priority)?))
    });
    let changed = rules::set_priorities(control, &wanted.collect::<Result<Vec<_>, Fault>>()?).await?;
    Ok(RulesOutput { rules: changed.iter().map(|rule| show(rule)).collect(), next_marker: None })
}

pub(super) async fn describe(control: &Control, input: DescribeRulesInput) -> Result<RulesOutput, Fault> {
    let all = rules::list(control);
    let found: Vec<Rule> = match (input.listener_arn, input.rule_arns.as_slice()) {
        (Some(_), [_, ..]) | (None, []) => {
            return Err(invalid("You must specify either listener ARNs or rule ARNs"));
        }
        (Some(listener), []) => {
            let listener = listeners::find(control, &given::listener(Some(listener))?)?;
            let mut own: Vec<_> = rules::of_listener(&all, &listener.arn).collect();
            own.sort_by_key(|rule| rule.priority);
            own.into_iter().map(|rule| show(rule)).chain([default_rule(&listener)]).collect()
        }
        (None, arns) => {
            let listeners = listeners::list(control);
            let found = arns.iter().map(|arn| {
                let arn = given::rule(Some(arn.clone()))?;
                let default = listeners.iter().find(|listener| rules::default_arn(&listener.arn) == arn);
                match default {
                    Some(listener) => Ok(default_rule(listener)),
                    None => Ok(show(&*rules::find(control, &arn)?)),
                }
            });
            found.collect::<Result<_, Fault>>()?
        }
    };
    // Pages go by the place in the list: by priority, the default rule last.
    let place = |rule: &Rule| format!("{:0>7} {}", rule.priority, rule.rule_arn);
    let mut found = found;
    found.sort_by_key(place);
    let (rules, next_marker) = given::page(found, place, input.marker.as_deref(), input.page_size)?;
    Ok(RulesOutput { rules, next_marker })
}

fn show(rule: &rule::Rule) -> Rule {
    Rule {
        rule_arn: rule.arn.to_string(),
        priority: rule.priority.to_string(),
        conditions: rule.conditions.iter().map(conditions::show).collect(),
        actions: actions::show(&rule.action),
        is_default: false,
        transforms: rule.transforms.iter().map(conditions::show_transform).collect(),
    }
}

/// Returns the rule that every listener has: its default action.
fn default_rule(listener: &load_balancer::Listener) -> Rule {
    Rule {
        rule_arn: rules::default_arn(&listener.arn).to_string(),
        priority: "default".to_owned(),
        conditions: Vec::new(),
        actions: actions::show(&listener.default_action),
        is_default: true,
        transforms: Vec::new(),
    }
}
