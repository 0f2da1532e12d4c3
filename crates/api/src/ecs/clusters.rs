//! The cluster operations.

use super::{given, shown};
use crate::Fault;
use wharf_aws::ecs::{
    self, ClusterConfiguration, ClusterOutput, CreateClusterInput, DeleteClusterInput, DescribeClustersInput,
    DescribeClustersOutput, KeyValuePair, ListClustersInput, ListClustersOutput,
    PutClusterCapacityProvidersInput, UpdateClusterInput, UpdateClusterSettingsInput,
};
use wharf_control::{
    Control,
    operations::{
        Error, capacity_providers,
        clusters::{self, ClusterSummary, NewCluster},
        references,
    },
};
use wharf_model::{
    ClusterName,
    cluster::{ClusterStatus, ExecuteCommandLogging},
};

/// What a cluster may ask for and does not get, with the values that ask for nothing.
const NOT_HONOURED: [(&str, &str); 1] = [("serviceConnectDefaults", "")];

pub(super) async fn create(control: &Control, input: CreateClusterInput) -> Result<ClusterOutput, Error> {
    given::refuse(&input.others, "", &NOT_HONOURED)?;
    check_settings(&input.settings)?;
    let given = input.cluster_name.as_deref().unwrap_or("default");
    let name = given.parse().map_err(|_| Error::invalid(format!("Invalid cluster name '{given}'.")))?;
    let new = NewCluster {
        execute_command_logging: logging(input.configuration.as_ref())?,
        capacity_providers: input.capacity_providers,
        default_strategy: given::strategy(&input.default_capacity_provider_strategy)?,
        tags: given::tags(input.tags)?,
    };
    Ok(ClusterOutput { cluster: shape(&clusters::create(control, name, new).await?) })
}

pub(super) async fn update(control: &Control, input: UpdateClusterInput) -> Result<ClusterOutput, Error> {
    given::refuse(&input.others, "", &NOT_HONOURED)?;
    check_settings(&input.settings)?;
    let logging = logging(input.configuration.as_ref())?;
    let name = named(control, input.cluster.as_deref())?;
    Ok(ClusterOutput { cluster: shape(&clusters::update(control, &name, logging).await?) })
}

/// The one setting there is can have one value only, so there is nothing to change.
pub(super) fn update_settings(
    control: &Control,
    input: &UpdateClusterSettingsInput,
) -> Result<ClusterOutput, Error> {
    if input.settings.is_empty() {
        return Err(Error::invalid("Settings cannot be empty."));
    }
    check_settings(&input.settings)?;
    let name = named(control, input.cluster.as_deref())?;
    Ok(ClusterOutput { cluster: shape(&clusters::get(control, &name)?) })
}

pub(super) async fn put_capacity_providers(
    control: &Control,
    input: PutClusterCapacityProvidersInput,
) -> Result<ClusterOutput, Error> {
    let name = named(control, input.cluster.as_deref())?;
    let absent = |member: &str| Error::invalid(format!("{member} must be specified."));
    let providers = input.capacity_providers.ok_or_else(|| absent("capacityProviders"))?;
    let strategy = input.default_capacity_provider_strategy;
    let strategy = given::strategy(&strategy.ok_or_else(|| absent("defaultCapacityProviderStrategy"))?)?;
    let changed = capacity_providers::put_for_cluster(control, &name, &providers, strategy).await?;
    Ok(ClusterOutput { cluster: shape(&changed) })
}

fn named(control: &Control, given: Option<&str>) -> Result<ClusterName, Error> {
    let given = given.filter(|given| !given.is_empty());
    let given = given.ok_or_else(|| Error::invalid("Cluster can not be blank."))?;
    references::cluster(Some(given), &control.config().place)
}

fn check_settings(settings: &[KeyValuePair]) -> Result<(), Error> {
    for KeyValuePair { name, value } in settings {
        match (name.as_str(), value.as_str()) {
            ("containerInsights", "disabled") => {}
            ("containerInsights", "enabled" | "enhanced") => {
                return Err(given::unsupported("settings", &format!(" {name}={value}")));
            }
            _ => return Err(Error::invalid(format!("Invalid cluster setting {name}={value}."))),
        }
    }
    Ok(())
}

fn logging(given: Option<&ClusterConfiguration>) -> Result<Option<ExecuteCommandLogging>, Error> {
    let Some(given) = given else { return Ok(None) };
    given::refuse(&given.others, " of configuration", &[("managedStorageConfiguration", "")])?;
    let Some(given) = &given.execute_command_configuration else { return Ok(None) };
    let of = " of executeCommandConfiguration";
    given::refuse(&given.others, of, &[("kmsKeyId", ""), ("logConfiguration", "")])?;
    match given.logging.as_deref() {
        None => Ok(None),
        Some("NONE") => Ok(Some(ExecuteCommandLogging::None)),
        Some("DEFAULT") => Ok(Some(ExecuteCommandLogging::Default)),
        Some("OVERRIDE") => Err(given::unsupported("logging", &format!(" OVERRIDE{of}"))),
        Some(other) => Err(Error::invalid(format!("Invalid logging '{other}'{of}."))),
    }
}

pub(super) async fn delete(control: &Control, input: DeleteClusterInput) -> Result<ClusterOutput, Error> {
    let name = named(control, input.cluster.as_deref())?;
    Ok(ClusterOutput { cluster: shape(&clusters::delete(control, &name).await?) })
}

pub(super) fn describe(
    control: &Control,
    input: &DescribeClustersInput,
) -> Result<DescribeClustersOutput, Error> {
    let known = ["ATTACHMENTS", "CONFIGURATIONS", "SETTINGS", "STATISTICS"];
    let with_tags = given::includes_tags(&input.include, &known)?;
    let asks = |what: &str| input.include.iter().any(|include| include == what);
    if input.clusters.len() > 100 {
        return Err(Error::invalid("Clusters can have at most 100 items."));
    }
    let described = clusters::describe(control, &input.clusters);
    let cluster = |summary: &ClusterSummary| {
        let mut cluster = shape(summary);
        if !with_tags {
            cluster.tags.clear();
        }
        if !asks("SETTINGS") {
            cluster.settings.clear();
        }
        if !asks("STATISTICS") {
            cluster.statistics.clear();
        }
        if !asks("CONFIGURATIONS") {
            cluster.configuration = None;
        }
        cluster.attachments = asks("ATTACHMENTS").then(Vec::new);
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
    let ClusterSummary { cluster, running_tasks, pending_tasks, active_services, instances, statistics } =
        summary;
    ecs::Cluster {
        cluster_arn: cluster.arn.to_string(),
        cluster_name: cluster.name.to_string(),
        status: match cluster.status {
            ClusterStatus::Active => "ACTIVE",
            ClusterStatus::Inactive => "INACTIVE",
        },
        registered_container_instances_count: *instances,
        running_tasks_count: *running_tasks,
        pending_tasks_count: *pending_tasks,
        active_services_count: *active_services,
        statistics: statistics.iter().map(|(name, number)| shown::pair(name, number)).collect(),
        tags: shown::tags(&cluster.tags),
        settings: vec![shown::pair("containerInsights", "disabled")],
        capacity_providers: cluster.capacity_providers.clone(),
        default_capacity_provider_strategy: shown::strategy(&cluster.default_strategy),
        configuration: cluster.execute_command_logging.map(|logging| ClusterConfiguration {
            execute_command_configuration: Some(ecs::ExecuteCommandConfiguration {
                logging: Some(logging.as_str().to_owned()),
                ..ecs::ExecuteCommandConfiguration::default()
            }),
            ..ClusterConfiguration::default()
        }),
        attachments: None,
    }
}
