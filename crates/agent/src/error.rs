//! Why an agent cannot work.

use camino::Utf8PathBuf;
use thiserror::Error;

/// Why an agent cannot start or go on, or could not remove everything.
#[derive(Debug, Error)]
pub enum Error {
    /// A file of the agent's own could not be used.
    #[error("{what} {path}")]
    File {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: Utf8PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A file of the agent's own does not hold what it should.
    #[error("understand {path}")]
    Content {
        /// The file.
        path: Utf8PathBuf,
        /// Why not.
        source: serde_json::Error,
    },
    /// The file of the node's id holds something else.
    #[error("{path} does not hold a node id")]
    NodeId {
        /// The file.
        path: Utf8PathBuf,
        /// Why not.
        source: wharf_model::InvalidName,
    },
    /// The network could not be changed.
    #[error("prepare the network")]
    Network(#[from] wharf_sandbox::network::NetworkError),
    /// The firewall could not be changed.
    #[error("prepare the firewall")]
    Firewall(#[from] wharf_sandbox::firewall::FirewallError),
    /// Control groups could not be changed.
    #[error("use control groups")]
    Cgroup(#[from] wharf_sandbox::cgroup::CgroupError),
    /// Keeper did not do its part.
    #[error("ask keeper")]
    Keeper(#[from] wharf_keeper::ClientError),
    /// The store of images could not be opened.
    #[error("open the images in {path}")]
    Images {
        /// Its directory.
        path: Utf8PathBuf,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What was mounted for tasks could not be unmounted.
    #[error("unmount volumes")]
    Storage(#[from] wharf_sandbox::storage::StorageError),
    /// Control speaks another version of the protocol, or not the protocol.
    #[error("talk to control")]
    Link(#[from] wharf_nodelink::FrameError),
}

impl Error {
    /// Returns what a failure of a file operation is wrapped with.
    pub(crate) fn file(
        what: &'static str,
        path: impl Into<Utf8PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        move |source| Error::File { what, path, source }
    }
}

/// Returns an error with its causes on one line, for reasons that people read.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let mut texts: Vec<String> = causes.map(ToString::to_string).collect();
    texts.dedup();
    texts.join(": ")
}
