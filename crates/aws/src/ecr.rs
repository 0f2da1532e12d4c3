//! Request and response shapes of Elastic Container Registry. Fields are AWS's members.

mod layers;

use crate::{Tag, Timestamp};
pub use layers::*;
use serde::{Deserialize, Serialize};

/// Input of CreateRepository.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CreateRepositoryInput {
    pub registry_id: Option<String>,
    pub repository_name: Option<String>,
    pub tags: Vec<Tag>,
    pub image_tag_mutability: Option<String>,
    pub image_tag_mutability_exclusion_filters: Vec<serde_json::Value>,
    pub image_scanning_configuration: Option<ImageScanning>,
    pub encryption_configuration: Option<Encryption>,
}

/// Whether images are scanned.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ImageScanning {
    pub scan_on_push: bool,
}

/// How images are encrypted.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Encryption {
    pub encryption_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
}

/// A repository.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Repository {
    pub repository_arn: String,
    pub registry_id: String,
    pub repository_name: String,
    pub repository_uri: String,
    pub created_at: Timestamp,
    pub image_tag_mutability: &'static str,
    pub image_scanning_configuration: ImageScanning,
    pub encryption_configuration: Encryption,
}

/// Output of CreateRepository and DeleteRepository.
#[derive(Debug, Clone, Serialize)]
pub struct RepositoryOutput {
    pub repository: Repository,
}

/// Input of DescribeRepositories.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DescribeRepositoriesInput {
    pub registry_id: Option<String>,
    pub repository_names: Vec<String>,
    pub next_token: Option<String>,
    pub max_results: Option<i64>,
}

/// Output of DescribeRepositories.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeRepositoriesOutput {
    pub repositories: Vec<Repository>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// Input of DeleteRepository.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DeleteRepositoryInput {
    pub registry_id: Option<String>,
    pub repository_name: Option<String>,
    pub force: bool,
}

/// Output of GetAuthorizationToken.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GetAuthorizationTokenOutput {
    pub authorization_data: Vec<AuthorizationData>,
}

/// A password for the registry.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizationData {
    pub authorization_token: String,
    pub expires_at: Timestamp,
    pub proxy_endpoint: String,
}

/// Which image, by digest or by tag or by both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ImageIdentifier {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_tag: Option<String>,
}

/// Input of DescribeImages, ListImages and BatchDeleteImage.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ImagesInput {
    pub registry_id: Option<String>,
    pub repository_name: Option<String>,
    pub image_ids: Vec<ImageIdentifier>,
    pub filter: Option<ImagesFilter>,
    pub next_token: Option<String>,
    pub max_results: Option<i64>,
}

/// Which images are wanted.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ImagesFilter {
    pub tag_status: Option<String>,
}

/// Output of DescribeImages.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeImagesOutput {
    pub image_details: Vec<ImageDetail>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// An image.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageDetail {
    pub registry_id: String,
    pub repository_name: String,
    pub image_digest: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub image_tags: Vec<String>,
    pub image_size_in_bytes: u64,
    pub image_pushed_at: Timestamp,
    pub image_manifest_media_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_media_type: Option<String>,
}

/// Output of ListImages.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListImagesOutput {
    pub image_ids: Vec<ImageIdentifier>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// Output of BatchDeleteImage.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchDeleteImageOutput {
    pub image_ids: Vec<ImageIdentifier>,
    pub failures: Vec<ImageFailure>,
}

/// An image that was not deleted.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageFailure {
    pub image_id: ImageIdentifier,
    pub failure_code: &'static str,
    pub failure_reason: &'static str,
}

/// Input of ListTagsForResource.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ListTagsInput {
    pub resource_arn: Option<String>,
}

/// Output of ListTagsForResource.
#[derive(Debug, Clone, Serialize)]
pub struct ListTagsOutput {
    pub tags: Vec<Tag>,
}
