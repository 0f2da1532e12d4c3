//! The cluster operations.

use super::{given, shown};
use crate::Fault;
use wharf_aws::ecs::{
    self, ClusterOutput, CreateClusterInput, DeleteClusterInput, DescribeClustersInput,
    DescribeClustersOutput, ListClustersInput, ListClustersOutput,
};
use wharf_control::{
    Control,
    operations::{
        Error,
        clusters::{self, ClusterSummary},
        references,
    },
};
use wharf_model::cluster::ClusterStatus;

/// What a new cluster may ask for and does not get, with the values that ask for nothing.
const NOT_HONOURED: [(&str, &str); 4] = [
    ("configuration", ""),
    ("capacityProviders", ""),
    ("defaultCapacityProviderStrategy", ""),
    ("serviceConnectDefaults", ""),
];

pub(super) async fn create(control: &Control, input: CreateClusterInput) -> Result<ClusterOutput, Error> {
    given::refuse(&input.others, "", &NOT_HONOURED)?;
    if let Some(setting) = input.settings.iter().find(|setting| setting.value != "disabled") {
        return Err(given::unsupported("settings", &format!(" {}={}", setting.name, setting.value)));
    }
    let given = input.cluster_name.as_deref().unwrap_or("default");
    let name = given.parse().map_err(|_| Error::invalid(format!("Invalid cluster name '{given}'.")))?;
    let made = clusters::create(control, name, given::tags(input.tags)?).await?;
    Ok(ClusterOutput { cluster: shape(&made) })
}

pub(super) async fn delete(control: &Control, input: DeleteClusterInput) -> Result<ClusterOutput, Error> {
    let given = input.cluster.ok_or_else(|| Error::invalid("Cluster can not be blank."))?;
    let name = references::cluster(Some(&given), &control.config().place)?;
    Ok(ClusterOutput { cluster: shape(&clusters::delete(control, &name).await?) })
}

pub(super) fn describe(
    control: &Control,
    input: &DescribeClustersInput,
) -> Result<DescribeClustersOutput, Error> {
    let known = ["ATTACHMENTS", "CONFIGURATIONS", "SETTINGS", "STATISTICS"];
    let with_tags = given::includes_tags(&input.include, &known)?;
    let with_settings = input.include.iter().any(|include| include == "SETTINGS");
    if input.clusters.len() > 100 {
        return Err(Error::invalid("Clusters can have at most 100 items."));
    }
    let described = clusters::describe(control, &input.clusters);
    let cluster = |summary: &ClusterSummary| {
        let mut cluster = shape(summary);
        if !with_tags {
            cluster.tags.clear();
        }
        if !with_settings {
            cluster.settings.clear();
        }
        cluster
    };
    Ok(DescribeClustersOutput {
        clusters: described.found.iter().map(cluster).collect(),
        failures: shown::failures(described.failures),
    })
}

pub(super) fn list(control: &Control, input: &ListClustersInput) -> Result<ListClustersOutput, Fault> {
    let clusters = clusters::list(control);
    let key = |cluster: &std::sync::Arc<wharf_model::cluster::Cluster>| cluster.name.to_string();
    let page = given::page(clusters, key, input.next_token.as_deref(), input.max_results, 100)?;
    Ok(ListClustersOutput {
        cluster_arns: page.items.iter().map(|cluster| cluster.arn.to_string()).collect(),
        next_token: page.next,
    })
}

fn shape(summary: &ClusterSummary) -> ecs::Cluster {
    let ClusterSummary { cluster, running_tasks, pending_tasks, active_services } = summary;
    ecs::Cluster {
        cluster_arn: cluster.arn.to_string(),
        cluster_name: cluster.name.to_string(),
        status: match cluster.status {
            ClusterStatus::Active => "ACTIVE",
            ClusterStatus::Inactive => "INACTIVE",
        },
        registered_container_instances_count: 0,
        running_tasks_count: *running_tasks,
        pending_tasks_count: *pending_tasks,
        active_services_count: *active_services,
        statistics: Vec::new(),
        tags: shown::tags(&cluster.tags),
        settings: vec![shown::pair("containerInsights", "disabled")],
        capacity_providers: Vec::new(),
        default_capacity_provider_strategy: Vec::new(),
    }
}
