//! The handle that operations and loops share.

use crate::{
    Config,
    links::{board::Board, commands::Commands},
    log_store::{self, LogStore},
    vault::{Vault, VaultError},
};
use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};
use thiserror::Error;
use wharf_image::{Registry, RegistryError};
use wharf_model::{Timestamp, logs::LogGroup};
use wharf_store::Store;

/// Why a control plane cannot be made over a state directory.
#[derive(Debug, Error)]
pub enum StartError {
    /// The stored logs cannot be used.
    #[error("open the stored logs")]
    Logs(#[from] log_store::Error),
    /// The image registry cannot be used.
    #[error("open the image registry")]
    Registry(#[from] RegistryError),
    /// The key of secrets cannot be used.
    #[error("open the key of secrets")]
    Vault(#[from] VaultError),
}

/// The control plane; clones share it.
#[derive(Clone)]
pub struct Control {
    shared: Arc<Shared>,
}

struct Shared {
    store: Store,
    config: Config,
    logs: LogStore,
    registry: Arc<Registry>,
    vault: Vault,
    balancer: Board,
    commands: Commands,
    /// Held once by every agent's session; so its count tells whether there is one.
    agents: Arc<()>,
}

impl Control {
    /// Returns a control plane over `store`, with its logs and its image registry below the state directory.
    /// Nothing runs until its loops are started.
    pub fn new(store: Store, config: Config) -> Result<Control, StartError> {
        let groups = store.view().list::<LogGroup>("").iter().map(|group| group.name.clone()).collect();
        let logs = LogStore::open(&config.state_dir.join("logs"), &groups)?;
        let registry = Arc::new(Registry::new(&config.state_dir.join("registry"))?);
        let vault = Vault::open(&config.state_dir.join("secrets.key"))?;
        let (balancer, commands, agents) = (Board::default(), Commands::default(), Arc::default());
        let shared = Shared { store, config, logs, registry, vault, balancer, commands, agents };
        Ok(Control { shared: Arc::new(shared) })
    }

    /// Returns the store.
    pub fn store(&self) -> &Store {
        &self.shared.store
    }

    /// Returns the configuration.
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// Returns the stored logs.
    pub fn logs(&self) -> &LogStore {
        &self.shared.logs
    }

    /// Returns the image registry, which also answers under `/v2/`.
    pub fn registry(&self) -> &Arc<Registry> {
        &self.shared.registry
    }

    /// Returns what encrypts and decrypts secrets.
    pub(crate) fn vault(&self) -> &Vault {
        &self.shared.vault
    }

    /// Returns what the balancer should serve and says it serves.
    pub fn balancer(&self) -> &Board {
        &self.shared.balancer
    }

    /// Returns the commands that people run in containers.
    pub fn commands(&self) -> &Commands {
        &self.shared.commands
    }

    /// Returns what an agent's session holds while it lasts.
    pub(crate) fn agent_session(&self) -> Arc<()> {
        Arc::clone(&self.shared.agents)
    }

    /// Returns the processes that are not connected: `agent`, `balancer`. With simulated nodes there is no balancer.
    pub fn missing(&self) -> Vec<&'static str> {
        let agent = Arc::strong_count(&self.shared.agents) > 1;
        let balancer = self.shared.config.simulated || self.shared.balancer.is_connected();
        let parts = [("agent", agent), ("balancer", balancer)];
        parts.into_iter().filter(|(_, connected)| !connected).map(|(name, _)| name).collect()
    }

    /// Returns the time.
    pub fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}
