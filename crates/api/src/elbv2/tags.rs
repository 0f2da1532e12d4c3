//! Tags of load balancers, listeners, rules and target groups.

use wharf_aws::elbv2::{
    AddTagsInput, DescribeTagsInput, DescribeTagsOutput, RemoveTagsInput, Tag, TagDescription,
};
use wharf_control::Control;
use wharf_control::operations::{balancing, listeners, load_balancers, rules, target_groups};
use wharf_model::{Arn, tag};

use super::given::{self, invalid};
use crate::Fault;

pub(super) async fn add(control: &Control, input: AddTagsInput) -> Result<(), Fault> {
    let added = given::tags(input.tags);
    retag(control, &input.resource_arns, |tags| {
        for new in &added {
            match tags.iter_mut().find(|tag| tag.key == new.key) {
                Some(known) => known.value.clone_from(&new.value),
                None => tags.push(new.clone()),
            }
        }
    })
    .await
}

pub(super) async fn remove(control: &Control, input: RemoveTagsInput) -> Result<(), Fault> {
    retag(control, &input.resource_arns, |tags| tags.retain(|tag| !input.tag_keys.contains(&tag.key))).await
}

async fn retag(
    control: &Control,
    resources: &[String],
    change: impl Fn(&mut Vec<tag::Tag>),
) -> Result<(), Fault> {
    let arns = resources.iter().map(|given| resource(given)).collect::<Result<Vec<Arn>, Fault>>()?;
    let update = control.store().update(|draft| {
        for arn in &arns {
            balancing::retag(draft, arn, &change)?;
        }
        Ok::<(), balancing::Error>(())
    });
    update.await.map_err(balancing::Error::from)?;
    Ok(())
}

pub(super) async fn describe(
    control: &Control,
    input: DescribeTagsInput,
) -> Result<DescribeTagsOutput, Fault> {
    if input.resource_arns.len() > 20 {
        return Err(invalid("ResourceArns must have at most 20 entries"));
    }
    let descriptions = input.resource_arns.iter().map(|given| {
        let arn = resource(given)?;
        let tags = match arn.resource.split('/').next() {
            Some("loadbalancer") => load_balancers::find(control, &arn)?.tags.clone(),
            Some("targetgroup") => target_groups::find(control, &arn)?.tags.clone(),
            Some("listener-rule") => rules::find(control, &arn)?.tags.clone(),
            Some("listener") => listeners::find(control, &arn)?.tags.clone(),
            _ => return Err(balancing::missing(&arn).into()),
        };
        let tags = tags.into_iter().map(|tag| Tag { key: tag.key, value: Some(tag.value) }).collect();
        Ok(TagDescription { resource_arn: arn.to_string(), tags })
    });
    Ok(DescribeTagsOutput { tag_descriptions: descriptions.collect::<Result<_, Fault>>()? })
}

fn resource(given: &str) -> Result<Arn, Fault> {
    given.parse().map_err(|_| invalid(format!("'{given}' is not a valid resource ARN")))
}
