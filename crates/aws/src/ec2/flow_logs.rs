//! Flow logs.

use super::{Filter, Tag, TagSpecification};
use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// Input of CreateFlowLogs.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct CreateFlowLogsInput {
    pub resource_id: Vec<String>,
    pub resource_type: String,
    pub traffic_type: Option<String>,
    pub log_destination_type: Option<String>,
    pub log_destination: Option<String>,
    pub log_group_name: Option<String>,
    pub deliver_logs_permission_arn: Option<String>,
    pub log_format: Option<String>,
    pub max_aggregation_interval: Option<i64>,
    pub tag_specification: Vec<TagSpecification>,
    pub client_token: Option<String>,
    // What is refused by name.
    pub deliver_cross_account_role: Option<String>,
    pub destination_options: Option<DestinationOptions>,
    pub dry_run: bool,
}

/// How files of a flow log are made: refused by name.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct DestinationOptions {
    pub file_format: Option<String>,
    pub hive_compatible_partitions: Option<bool>,
    pub per_hour_partition: Option<bool>,
}

/// Output of CreateFlowLogs.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateFlowLogsOutput {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_token: Option<String>,
    pub flow_log_id_set: Vec<String>,
    pub unsuccessful: Vec<UnsuccessfulItem>,
}

/// What was not done, and why.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UnsuccessfulItem {
    pub resource_id: String,
    pub error: UnsuccessfulItemError,
}

/// Why something was not done.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UnsuccessfulItemError {
    pub code: String,
    pub message: String,
}

/// Input of DeleteFlowLogs and DescribeFlowLogs.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct FlowLogsInput {
    pub flow_log_id: Vec<String>,
    pub filter: Vec<Filter>,
    pub max_results: Option<i64>,
    pub next_token: Option<String>,
    pub dry_run: bool,
}

/// Output of DeleteFlowLogs.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeleteFlowLogsOutput {
    pub unsuccessful: Vec<UnsuccessfulItem>,
}

/// Output of DescribeFlowLogs.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeFlowLogsOutput {
    pub flow_log_set: Vec<FlowLog>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A flow log.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FlowLog {
    pub flow_log_id: String,
    pub resource_id: String,
    pub traffic_type: &'static str,
    pub flow_log_status: &'static str,
    pub deliver_logs_status: &'static str,
    pub deliver_logs_permission_arn: String,
    pub log_destination_type: &'static str,
    pub log_destination: String,
    pub log_group_name: String,
    pub log_format: String,
    pub max_aggregation_interval: u32,
    pub creation_time: Timestamp,
    pub tag_set: Vec<Tag>,
}
