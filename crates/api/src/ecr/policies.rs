//! What a repository says of itself besides its images: tags, policies, whether its tags move.

use wharf_aws::ecr::{
    DescribeRegistryOutput, ImageScanning, LifecyclePolicyOutput, MutabilityOutput, PolicyOutput,
    PutLifecyclePolicyInput, PutMutabilityInput, PutScanningInput, Replication, RepositoryInput,
    ScanningOutput, SetPolicyInput, TagInput,
};
use wharf_aws::{Empty, Timestamp};
use wharf_control::Control;
use wharf_control::operations::{lifecycle_policies, repositories};
use wharf_model::{Arn, repository::LifecyclePolicy};

use super::repositories::mutability_of;
use super::{check_registry, invalid, required};
use crate::{Fault, given};

fn registry_id(control: &Control) -> String {
    control.config().place.account.clone()
}

fn repository(control: &Control, input: RepositoryInput) -> Result<String, Fault> {
    check_registry(control, input.registry_id.as_deref())?;
    required("repositoryName", input.repository_name)
}

pub(super) async fn put_lifecycle(
    control: &Control,
    input: PutLifecyclePolicyInput,
) -> Result<LifecyclePolicyOutput, Fault> {
    check_registry(control, input.registry_id.as_deref())?;
    let name = required("repositoryName", input.repository_name)?;
    let text = required("lifecyclePolicyText", input.lifecycle_policy_text)?;
    let policy = lifecycle_policies::set(control, &name, Some(text)).await?;
    Ok(lifecycle(control, name, policy))
}

pub(super) async fn get_lifecycle(
    control: &Control,
    input: RepositoryInput,
) -> Result<LifecyclePolicyOutput, Fault> {
    let name = repository(control, input)?;
    let policy = lifecycle_policies::find(control, &name)?;
    Ok(lifecycle(control, name, policy))
}

pub(super) async fn delete_lifecycle(
    control: &Control,
    input: RepositoryInput,
) -> Result<LifecyclePolicyOutput, Fault> {
    let name = repository(control, input)?;
    let policy = lifecycle_policies::set(control, &name, None).await?;
    Ok(lifecycle(control, name, policy))
}

fn lifecycle(control: &Control, name: String, policy: LifecyclePolicy) -> LifecyclePolicyOutput {
    LifecyclePolicyOutput {
        registry_id: registry_id(control),
        repository_name: name,
        lifecycle_policy_text: policy.text,
        last_evaluated_at: policy.evaluated_at.map(|at| Timestamp::from_millis(at.0)),
    }
}

pub(super) async fn set_policy(control: &Control, input: SetPolicyInput) -> Result<PolicyOutput, Fault> {
    check_registry(control, input.registry_id.as_deref())?;
    let name = required("repositoryName", input.repository_name)?;
    let text = required("policyText", input.policy_text)?;
    let policy_text = repositories::set_policy(control, &name, Some(text)).await?;
    Ok(PolicyOutput { registry_id: registry_id(control), repository_name: name, policy_text })
}

pub(super) async fn get_policy(control: &Control, input: RepositoryInput) -> Result<PolicyOutput, Fault> {
    let name = repository(control, input)?;
    let policy_text = repositories::policy(control, &name)?;
    Ok(PolicyOutput { registry_id: registry_id(control), repository_name: name, policy_text })
}

pub(super) async fn delete_policy(control: &Control, input: RepositoryInput) -> Result<PolicyOutput, Fault> {
    let name = repository(control, input)?;
    let policy_text = repositories::set_policy(control, &name, None).await?;
    Ok(PolicyOutput { registry_id: registry_id(control), repository_name: name, policy_text })
}

pub(super) async fn put_mutability(
    control: &Control,
    input: PutMutabilityInput,
) -> Result<MutabilityOutput, Fault> {
    check_registry(control, input.registry_id.as_deref())?;
    let name = required("repositoryName", input.repository_name)?;
    let given = required("imageTagMutability", input.image_tag_mutability)?;
    let immutable = mutability_of(Some(&given), &input.image_tag_mutability_exclusion_filters)?;
    repositories::set_immutable_tags(control, &name, immutable).await?;
    let image_tag_mutability = if immutable { "IMMUTABLE" } else { "MUTABLE" };
    Ok(MutabilityOutput { registry_id: registry_id(control), repository_name: name, image_tag_mutability })
}

pub(super) async fn put_scanning(
    control: &Control,
    input: PutScanningInput,
) -> Result<ScanningOutput, Fault> {
    check_registry(control, input.registry_id.as_deref())?;
    let name = required("repositoryName", input.repository_name)?;
    repositories::find(control, &name)?;
    let given = required("imageScanningConfiguration", input.image_scanning_configuration)?;
    if given.scan_on_push {
        return Err(invalid("imageScanningConfiguration.scanOnPush 'true' is not supported here"));
    }
    Ok(ScanningOutput {
        registry_id: registry_id(control),
        repository_name: name,
        image_scanning_configuration: ImageScanning { scan_on_push: false },
    })
}

pub(super) async fn tag(control: &Control, input: TagInput) -> Result<Empty, Fault> {
    let name = by_arn(required("resourceArn", input.resource_arn)?)?;
    repositories::tag(control, &name, given::tags(input.tags)).await?;
    Ok(Empty {})
}

pub(super) async fn untag(control: &Control, input: TagInput) -> Result<Empty, Fault> {
    let name = by_arn(required("resourceArn", input.resource_arn)?)?;
    repositories::untag(control, &name, &input.tag_keys).await?;
    Ok(Empty {})
}

/// Returns the name in a repository's ARN.
pub(super) fn by_arn(given: String) -> Result<String, Fault> {
    let arn: Option<Arn> = given.parse().ok();
    let name = arn.and_then(|arn| arn.resource.strip_prefix("repository/").map(str::to_owned));
    name.ok_or_else(|| invalid(format!("resourceArn '{given}' is not a repository's ARN")))
}

pub(super) fn registry(control: &Control) -> DescribeRegistryOutput {
    DescribeRegistryOutput {
        registry_id: registry_id(control),
        replication_configuration: Replication::default(),
    }
}
