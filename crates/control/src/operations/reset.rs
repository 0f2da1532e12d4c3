//! Forgetting everything at once, for test suites (`POST /_wharf/reset` with `--ephemeral`).

use crate::{
    Control,
    operations::{
        file_systems, interfaces, log_groups,
        networks::{self, addresses},
        repositories,
    },
};
use thiserror::Error;
use wharf_model::{
    account::AccountSetting,
    capacity::CapacityProvider,
    certificate::Certificate,
    cluster::Cluster,
    file_system::FileSystem,
    instance::ContainerInstance,
    load_balancer::{Listener, LoadBalancer},
    logs::LogGroup,
    network::{
        ElasticIp, FlowLog, InternetGateway, NatGateway, NetworkInterface, PrefixList, RouteTable,
        SecurityGroup, Subnet, Vpc,
    },
    repository::Repository,
    rule::Rule,
    secret::{Parameter, Secret},
    service::{Service, ServiceDeployment, ServiceRevision},
    target_group::{Target, TargetGroup},
    task::Task,
    task_definition::TaskDefinition,
};
use wharf_store::{Draft, Record, RequestToken, StoreError, TargetHealthRecord};

/// A reset that was not completed; repeating it is safe.
#[derive(Debug, Error)]
pub enum ResetError {
    /// A repository's images could not be removed.
    #[error("remove repository {name}")]
    Repository {
        /// The repository.
        name: String,
        /// Why.
        source: repositories::Error,
    },
    /// A log group could not be removed.
    #[error("remove log group {name}")]
    LogGroup {
        /// The group.
        name: String,
        /// Why.
        source: log_groups::Error,
    },
    /// A file system could not be removed.
    #[error("remove file system {id}")]
    FileSystem {
        /// The file system.
        id: String,
        /// Why.
        source: file_systems::Error,
    },
    /// The state could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Control {
    /// Makes the account as new: no clusters, tasks, services, load balancers, images, logs, secrets, certificates or
    /// file systems, and the default VPC.
    ///
    /// The nodes stop the tasks by themselves once these are gone from their assignments.
    pub async fn reset(&self) -> Result<(), ResetError> {
        let (repositories, groups) = {
            let view = self.store().view();
            (view.list::<Repository>(""), view.list::<LogGroup>(""))
        };
        for repository in repositories {
            let name = repository.name.to_string();
            let deleted = repositories::delete(self, &name, true).await;
            deleted.map_err(|source| ResetError::Repository { name, source })?;
        }
        for group in groups {
            let name = group.name.clone();
            let deleted = log_groups::delete(self, &name).await;
            deleted.map_err(|source| ResetError::LogGroup { name, source })?;
        }
        let trees = self.store().view().list::<FileSystem>("");
        for tree in &trees {
            self.store().change(|draft| file_systems::forget(draft, &tree.id)).await?;
            let removed = file_systems::remove_tree(self, &tree.id).await;
            removed.map_err(|source| ResetError::FileSystem { id: tree.id.clone(), source })?;
        }
        let now = self.now();
        self.store()
            .change(|draft| {
                // The authority stays: whoever tests here may trust it.
                clear::<Certificate>(draft);
                clear::<Secret>(draft);
                clear::<Parameter>(draft);
                for interface in draft.list::<NetworkInterface>("") {
                    interfaces::release(draft, &interface.id, now);
                }
                clear::<Task>(draft);
                clear::<RequestToken>(draft);
                clear::<Service>(draft);
                clear::<ServiceDeployment>(draft);
                clear::<ServiceRevision>(draft);
                clear::<ContainerInstance>(draft);
                clear::<CapacityProvider>(draft);
                clear::<AccountSetting>(draft);
                clear::<Cluster>(draft);
                clear::<TaskDefinition>(draft);
                clear::<Target>(draft);
                clear::<TargetHealthRecord>(draft);
                clear::<TargetGroup>(draft);
                clear::<Rule>(draft);
                clear::<Listener>(draft);
                clear::<LoadBalancer>(draft);
                clear::<FlowLog>(draft);
                for address in draft.list::<ElasticIp>("") {
                    addresses::let_go(draft, &address);
                }
                clear::<NatGateway>(draft);
                clear::<RouteTable>(draft);
                clear::<InternetGateway>(draft);
                clear::<PrefixList>(draft);
                clear::<SecurityGroup>(draft);
                clear::<Subnet>(draft);
                clear::<Vpc>(draft);
                networks::make_default(draft, self.config());
            })
            .await?;
        Ok(())
    }
}

fn clear<R: Record>(draft: &mut Draft<'_>) {
    for record in draft.list::<R>("") {
        draft.delete::<R>(&record.key());
    }
}
