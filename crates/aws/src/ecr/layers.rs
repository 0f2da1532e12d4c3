//! Shapes of layers and manifests that are brought through the API, and of what repositories say of themselves.

use super::{ImageFailure, ImageIdentifier, Tag};
use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// Input of operations on a repository alone.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RepositoryInput {
    pub registry_id: Option<String>,
    pub repository_name: Option<String>,
}

/// Input of BatchGetImage.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct BatchGetImageInput {
    pub registry_id: Option<String>,
    pub repository_name: Option<String>,
    pub image_ids: Vec<ImageIdentifier>,
    pub accepted_media_types: Vec<String>,
}

/// Output of BatchGetImage.
#[derive(Debug, Clone, Serialize)]
pub struct BatchGetImageOutput {
    pub images: Vec<Image>,
    pub failures: Vec<ImageFailure>,
}

/// An image's manifest.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    pub registry_id: String,
    pub repository_name: String,
    pub image_id: ImageIdentifier,
    pub image_manifest: String,
    pub image_manifest_media_type: String,
}

/// Input of PutImage.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PutImageInput {
    pub registry_id: Option<String>,
    pub repository_name: Option<String>,
    pub image_manifest: Option<String>,
    pub image_manifest_media_type: Option<String>,
    pub image_tag: Option<String>,
    pub image_digest: Option<String>,
}

/// Output of PutImage.
#[derive(Debug, Clone, Serialize)]
pub struct PutImageOutput {
    pub image: Image,
}

/// Input of BatchCheckLayerAvailability.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CheckLayersInput {
    pub registry_id: Option<String>,
    pub repository_name: Option<String>,
    pub layer_digests: Vec<String>,
}

/// Output of BatchCheckLayerAvailability.
#[derive(Debug, Clone, Serialize)]
pub struct CheckLayersOutput {
    pub layers: Vec<Layer>,
    pub failures: Vec<LayerFailure>,
}

/// A layer, and whether it is here.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Layer {
    pub layer_digest: String,
    pub layer_availability: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer_size: Option<u64>,
}

/// A layer that cannot be asked about.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LayerFailure {
    pub layer_digest: String,
    pub failure_code: &'static str,
    pub failure_reason: String,
}

/// Output of InitiateLayerUpload.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InitiateUploadOutput {
    pub upload_id: String,
    pub part_size: u64,
}

/// Input of UploadLayerPart. The blob is base64.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct UploadPartInput {
    pub registry_id: Option<String>,
    pub repository_name: Option<String>,
    pub upload_id: Option<String>,
    pub part_first_byte: Option<i64>,
    pub part_last_byte: Option<i64>,
    pub layer_part_blob: Option<String>,
}

/// Output of UploadLayerPart.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadPartOutput {
    pub registry_id: String,
    pub repository_name: String,
    pub upload_id: String,
    pub last_byte_received: i64,
}

/// Input of CompleteLayerUpload.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CompleteUploadInput {
    pub registry_id: Option<String>,
    pub repository_name: Option<String>,
    pub upload_id: Option<String>,
    pub layer_digests: Vec<String>,
}

/// Output of CompleteLayerUpload.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CompleteUploadOutput {
    pub registry_id: String,
    pub repository_name: String,
    pub upload_id: String,
    pub layer_digest: String,
}

/// Input of GetDownloadUrlForLayer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DownloadUrlInput {
    pub registry_id: Option<String>,
    pub repository_name: Option<String>,
    pub layer_digest: Option<String>,
}

/// Output of GetDownloadUrlForLayer.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DownloadUrlOutput {
    pub download_url: String,
    pub layer_digest: String,
}

/// Input of PutLifecyclePolicy.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PutLifecyclePolicyInput {
    pub registry_id: Option<String>,
    pub repository_name: Option<String>,
    pub lifecycle_policy_text: Option<String>,
}

/// Output of PutLifecyclePolicy, GetLifecyclePolicy and DeleteLifecyclePolicy.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LifecyclePolicyOutput {
    pub registry_id: String,
    pub repository_name: String,
    pub lifecycle_policy_text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_evaluated_at: Option<Timestamp>,
}

/// Input of SetRepositoryPolicy. There is nobody whom a policy could lock out, so `force` has nothing to decide.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SetPolicyInput {
    pub registry_id: Option<String>,
    pub repository_name: Option<String>,
    pub policy_text: Option<String>,
}

/// Output of SetRepositoryPolicy, GetRepositoryPolicy and DeleteRepositoryPolicy.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyOutput {
    pub registry_id: String,
    pub repository_name: String,
    pub policy_text: String,
}

/// Input of PutImageTagMutability.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PutMutabilityInput {
    pub registry_id: Option<String>,
    pub repository_name: Option<String>,
    pub image_tag_mutability: Option<String>,
    pub image_tag_mutability_exclusion_filters: Vec<serde_json::Value>,
}

/// Output of PutImageTagMutability.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MutabilityOutput {
    pub registry_id: String,
    pub repository_name: String,
    pub image_tag_mutability: &'static str,
}

/// Input of PutImageScanningConfiguration.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PutScanningInput {
    pub registry_id: Option<String>,
    pub repository_name: Option<String>,
    pub image_scanning_configuration: Option<super::ImageScanning>,
}

/// Output of PutImageScanningConfiguration.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScanningOutput {
    pub registry_id: String,
    pub repository_name: String,
    pub image_scanning_configuration: super::ImageScanning,
}

/// Input of TagResource and UntagResource.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TagInput {
    pub resource_arn: Option<String>,
    pub tags: Vec<Tag>,
    pub tag_keys: Vec<String>,
}

/// Output of DescribeRegistry.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeRegistryOutput {
    pub registry_id: String,
    pub replication_configuration: Replication,
}

/// Where images are copied to: nowhere.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Replication {
    pub rules: Vec<()>,
}
