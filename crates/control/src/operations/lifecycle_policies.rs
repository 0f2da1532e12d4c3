//! Lifecycle policies of image repositories: read strictly, because a rule that is only half understood would delete
//! the wrong images.

use super::repositories::{self, Error};
use crate::Control;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};
use wharf_model::{
    Timestamp,
    repository::{LifecyclePolicy, Repository},
};
use wharf_plan::image_lifecycle::{self, Expires, Image, Rule, Tags};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    rules: Vec<GivenRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct GivenRule {
    rule_priority: u32,
    #[serde(default)]
    #[expect(dead_code, reason = "for people; it stays in the text")]
    description: Option<String>,
    selection: Selection,
    action: Action,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Selection {
    tag_status: String,
    #[serde(default)]
    tag_prefix_list: Vec<String>,
    #[serde(default)]
    tag_pattern_list: Vec<String>,
    count_type: String,
    count_unit: Option<String>,
    count_number: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Action {
    r#type: String,
}

/// Returns the rules that a policy's text has, or what is wrong with it.
pub fn parse(text: &str) -> Result<Vec<Rule>, Error> {
    let wrong = |why: String| {
        Error::Invalid(format!(
            "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: {why}'"
        ))
    };
    let document: Document = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    if document.rules.is_empty() || document.rules.len() > 50 {
        return Err(wrong("a policy has 1 to 50 rules".to_owned()));
    }
    let mut priorities = BTreeSet::new();
    let last = document.rules.iter().map(|rule| rule.rule_priority).max();
    let mut rules = Vec::new();
    for GivenRule { rule_priority: priority, selection, action, .. } in document.rules {
        let wrong = |why: String| wrong(format!("rule {priority}: {why}"));
        if priority == 0 || !priorities.insert(priority) {
            return Err(wrong("rulePriority must be a number of its own, from 1".to_owned()));
        }
        if action.r#type != "expire" {
            return Err(wrong(format!(
                "action.type '{}' is not supported here; only 'expire' is",
                action.r#type
            )));
        }
        let Selection { tag_status, tag_prefix_list, tag_pattern_list, count_type, count_unit, count_number } =
            selection;
        let tags = match (tag_status.as_str(), tag_prefix_list.is_empty(), tag_pattern_list.is_empty()) {
            ("untagged", true, true) => Tags::Untagged,
            ("any", true, true) if Some(priority) == last => Tags::Any,
            ("any", true, true) => {
                return Err(wrong(
                    "a rule with tagStatus 'any' must have the highest rulePriority".to_owned(),
                ));
            }
            ("tagged", false, true) => Tags::Prefixes(tag_prefix_list),
            ("tagged", true, false) => Tags::Patterns(tag_pattern_list),
            ("tagged", _, _) => {
                return Err(wrong(
                    "tagStatus 'tagged' needs tagPrefixList or tagPatternList, not both".to_owned(),
                ));
            }
            ("any" | "untagged", _, _) => {
                return Err(wrong(format!(
                    "tagStatus '{tag_status}' takes no tagPrefixList or tagPatternList"
                )));
            }
            (_, _, _) => {
                return Err(wrong(format!("tagStatus '{tag_status}' must be 'tagged', 'untagged' or 'any'")));
            }
        };
        if count_number == 0 {
            return Err(wrong("countNumber must be at least 1".to_owned()));
        }
        let expires = match (count_type.as_str(), count_unit.as_deref()) {
            ("imageCountMoreThan", None) => Expires::MoreThan(count_number as usize),
            ("imageCountMoreThan", Some(_)) => {
                return Err(wrong("countType 'imageCountMoreThan' takes no countUnit".to_owned()));
            }
            ("sinceImagePushed", Some("days")) => {
                Expires::OlderThan(Duration::from_secs(86_400) * count_number)
            }
            ("sinceImagePushed", _) => {
                return Err(wrong("countType 'sinceImagePushed' needs countUnit 'days'".to_owned()));
            }
            (other, _) => {
                return Err(wrong(format!(
                    "countType '{other}' is not supported here; 'imageCountMoreThan' and 'sinceImagePushed' are"
                )));
            }
        };
        rules.push(Rule { priority, tags, expires });
    }
    Ok(rules)
}

/// Sets a repository's policy, or takes it away.
pub async fn set(control: &Control, name: &str, text: Option<String>) -> Result<LifecyclePolicy, Error> {
    if let Some(text) = &text {
        parse(text)?;
    }
    let policy = text.map(|text| LifecyclePolicy { text, evaluated_at: None });
    let mut before = None;
    repositories::change(control, name, |repository| {
        before = std::mem::replace(&mut repository.lifecycle_policy, policy.clone());
    })
    .await?;
    policy.or(before).ok_or_else(|| Error::NoLifecyclePolicy {
        name: name.to_owned(),
        account: control.config().place.account.clone(),
    })
}

/// Returns a repository's policy.
pub fn find(control: &Control, name: &str) -> Result<LifecyclePolicy, Error> {
    let repository = repositories::find(control, name)?;
    repository.lifecycle_policy.clone().ok_or_else(|| Error::NoLifecyclePolicy {
        name: name.to_owned(),
        account: control.config().place.account.clone(),
    })
}

/// Applies every policy that there is, and returns how many images expired.
pub async fn apply(control: &Control) -> Result<usize, Error> {
    let repositories: Vec<Arc<Repository>> = control.store().view().list("");
    let mut gone = 0;
    for repository in repositories {
        let Some(policy) = &repository.lifecycle_policy else { continue };
        let rules = parse(&policy.text)?;
        let now = control.now();
        let stored = repositories::images(control, repository.name.as_str())?;
        let images: Vec<Image> = stored
            .iter()
            .map(|image| Image {
                digest: image.digest.to_string(),
                tags: image.tags.clone(),
                pushed_at: moment(image.pushed_at),
                needed: image.needed,
            })
            .collect();
        for digest in image_lifecycle::expired(&rules, &images, now) {
            tracing::info!(repository = %repository.name, digest, "image expired by its lifecycle policy");
            gone += usize::from(repositories::delete_image(control, repository.name.as_str(), &digest).await);
        }
        // When it was looked at is shown, and is no reason to write to the disk.
        let evaluated = |known: &mut Repository| {
            if let Some(known) = &mut known.lifecycle_policy
                && known.text == policy.text
            {
                known.evaluated_at = Some(now);
            }
        };
        control
            .store()
            .change(|draft| {
                if let Some(known) = draft.get::<Repository>(repository.name.as_str()) {
                    let mut known = (*known).clone();
                    evaluated(&mut known);
                    draft.put_volatile(known);
                }
            })
            .await?;
    }
    Ok(gone)
}

fn moment(at: std::time::SystemTime) -> Timestamp {
    let millis = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    Timestamp(i64::try_from(millis).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
