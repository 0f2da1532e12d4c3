//! The capacity provider operations.

use super::{given, shown};
use crate::Fault;
use wharf_aws::ecs::{
    AutoScalingGroupProvider, AutoScalingGroupProviderInput, CapacityProvider, CapacityProviderOutput,
    CreateCapacityProviderInput, DeleteCapacityProviderInput, DescribeCapacityProvidersInput,
    DescribeCapacityProvidersOutput, ManagedScaling, UpdateCapacityProviderInput,
};
use wharf_control::{
    Control,
    operations::{
        Error,
        capacity_providers::{self, Provider},
        references,
    },
};
use wharf_model::Arn;

/// What a provider may ask for and does not get, with the values that ask for nothing.
const NOT_HONOURED: [(&str, &str); 2] = [("managedInstancesProvider", ""), ("cluster", "")];

pub(super) async fn create(
    control: &Control,
    input: CreateCapacityProviderInput,
) -> Result<CapacityProviderOutput, Error> {
    given::refuse(&input.others, "", &NOT_HONOURED)?;
    let given = input.auto_scaling_group_provider.as_ref();
    let given = given.ok_or_else(|| Error::invalid("autoScalingGroupProvider must be specified."))?;
    check(given)?;
    let arn = given.auto_scaling_group_arn.as_deref().unwrap_or("");
    let group: Option<Arn> = arn.parse().ok().filter(|arn: &Arn| arn.service == "autoscaling");
    let group = group.ok_or_else(|| {
        Error::invalid(format!(
            "The Auto Scaling group ARN '{arn}' is invalid. Specify a valid ARN and try again."
        ))
    })?;
    let tags = given::tags(input.tags)?;
    let made = capacity_providers::create(control, &input.name, group, tags).await?;
    Ok(CapacityProviderOutput { capacity_provider: shape(&made, None, true) })
}

pub(super) async fn update(
    control: &Control,
    input: UpdateCapacityProviderInput,
) -> Result<CapacityProviderOutput, Error> {
    given::refuse(&input.others, "", &NOT_HONOURED)?;
    let given = input.auto_scaling_group_provider.as_ref();
    check(given.ok_or_else(|| Error::invalid("autoScalingGroupProvider must be specified."))?)?;
    let updated = capacity_providers::update(control, &input.name).await?;
    Ok(CapacityProviderOutput { capacity_provider: shape(&updated, None, true) })
}

pub(super) async fn delete(
    control: &Control,
    input: DeleteCapacityProviderInput,
) -> Result<CapacityProviderOutput, Error> {
    given::refuse(&input.others, "", &[("cluster", "")])?;
    let deleted = capacity_providers::delete(control, &input.capacity_provider).await?;
    Ok(CapacityProviderOutput { capacity_provider: shape(&deleted, Some("DELETE_COMPLETE"), true) })
}

pub(super) fn describe(
    control: &Control,
    input: &DescribeCapacityProvidersInput,
) -> Result<DescribeCapacityProvidersOutput, Fault> {
    let with_tags = given::includes_tags(&input.include, &[])?;
    let place = &control.config().place;
    let cluster = input.cluster.as_deref().filter(|given| !given.is_empty());
    let cluster = cluster.map(|given| references::cluster(Some(given), place)).transpose()?;
    let described = capacity_providers::describe(control, &input.capacity_providers, cluster.as_ref())?;
    let mut found = described.found;
    found.sort_by_key(capacity_providers::name);
    let (token, max) = (input.next_token.as_deref(), input.max_results);
    let page = given::page(found, capacity_providers::name, token, max, 100)?;
    Ok(DescribeCapacityProvidersOutput {
        capacity_providers: page.items.iter().map(|provider| shape(provider, None, with_tags)).collect(),
        failures: shown::failures(described.failures),
        next_token: page.next,
    })
}

/// Refuses what asks for a group to be scaled: there is nobody here who could.
fn check(given: &AutoScalingGroupProviderInput) -> Result<(), Error> {
    let of = " of autoScalingGroupProvider";
    if let Some(scaling) = &given.managed_scaling {
        let status = scaling.status.as_deref().unwrap_or("DISABLED");
        match status {
            "DISABLED" => {}
            "ENABLED" => return Err(given::unsupported("managedScaling", &format!(" ENABLED{of}"))),
            other => return Err(Error::invalid(format!("Invalid status '{other}' of managedScaling."))),
        }
        let steps =
            ["targetCapacity", "minimumScalingStepSize", "maximumScalingStepSize", "instanceWarmupPeriod"];
        given::refuse(&scaling.others, " of managedScaling", &steps.map(|member| (member, "")))?;
    }
    let switches = [
        ("managedTerminationProtection", &given.managed_termination_protection),
        ("managedDraining", &given.managed_draining),
    ];
    for (member, given) in switches {
        match given.as_deref() {
            None | Some("DISABLED") => {}
            Some("ENABLED") => return Err(given::unsupported(member, &format!(" ENABLED{of}"))),
            Some(other) => return Err(Error::invalid(format!("Invalid {member} '{other}'."))),
        }
    }
    Ok(())
}

fn shape(provider: &Provider, update: Option<&'static str>, with_tags: bool) -> CapacityProvider {
    match provider {
        Provider::BuiltIn(name, arn) => CapacityProvider {
            capacity_provider_arn: arn.to_string(),
            name: (*name).to_owned(),
            status: "ACTIVE",
            auto_scaling_group_provider: None,
            update_status: None,
            tags: Vec::new(),
            r#type: name,
        },
        Provider::Group(provider) => CapacityProvider {
            capacity_provider_arn: provider.arn.to_string(),
            name: provider.name.clone(),
            status: if update.is_some() { "INACTIVE" } else { "ACTIVE" },
            auto_scaling_group_provider: Some(AutoScalingGroupProvider {
                auto_scaling_group_arn: provider.group.to_string(),
                managed_scaling: ManagedScaling {
                    status: Some("DISABLED".to_owned()),
                    ..ManagedScaling::default()
                },
                managed_termination_protection: "DISABLED",
                managed_draining: "DISABLED",
            }),
            update_status: update.or(Some(match provider.updated {
                true => "UPDATE_COMPLETE",
                false => "CREATE_COMPLETE",
            })),
            tags: if with_tags { shown::tags(&provider.tags) } else { Vec::new() },
            r#type: "EC2_AUTOSCALING",
        },
    }
}
