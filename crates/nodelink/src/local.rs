//! What the command line asks of the processes of its machine, over a socket that only root may use: one request and
//! one answer for each connection.

use crate::{FrameError, read_frame, write_frame};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{UnixListener, UnixStream};
use wharf_model::logs::LogEvent;

/// What an agent is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToNode {
    /// Which images are here.
    ListImages,
    /// Bring an image here.
    PullImage {
        /// Its name.
        name: String,
    },
    /// Remove images that no task has.
    RemoveImages {
        /// Their names or digests.
        names: Vec<String>,
    },
    /// Remove every image that nobody has used for so long.
    PruneImages {
        /// How long, in seconds.
        unused_secs: u64,
    },
}

/// What an agent answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromNode {
    /// The images that are here.
    Images(Vec<NodeImage>),
    /// The image is here; its digest.
    Pulled(String),
    /// What was removed.
    Removed(RemovedImages),
    /// Why it was not done.
    Refused(String),
}

/// An image on a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeImage {
    /// The digest that its names stand for.
    pub digest: String,
    /// The names.
    pub names: Vec<String>,
    /// About how many bytes of the disk its layers take; some may be other images' too.
    pub bytes: u64,
    /// Seconds since it was used.
    pub unused_secs: u64,
    /// Why it would not be removed, when it would not.
    pub held: Option<String>,
}

/// Images that were removed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemovedImages {
    /// Their digests.
    pub images: Vec<String>,
    /// How many layers nobody needed any more.
    pub layers: usize,
    /// About how many bytes of the disk these took.
    pub bytes: u64,
}

/// What control is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToControl {
    /// Put an image from files of this machine into a repository.
    ImportImage {
        /// The archive or folder, an absolute path.
        path: String,
        /// The image's name there, where it holds several.
        name: Option<String>,
        /// The repository, with or without a tag; that of the image's name there when absent.
        target: Option<String>,
        /// What containers of a root file system run.
        command: Vec<String>,
        /// Their environment, each `NAME=value`.
        env: Vec<String>,
    },
    /// Where a task's output is.
    TaskOutput {
        /// Its id or ARN.
        task: String,
    },
    /// Stored lines.
    LogPage {
        /// The group.
        group: String,
        /// The stream.
        stream: String,
        /// The number of the first line.
        from: u64,
    },
    /// Write a backup to a file of this machine.
    Backup {
        /// The file, an absolute path.
        path: String,
        /// Whether the registry's images go with it.
        with_registry: bool,
        /// Whether the stored logs go with it.
        with_logs: bool,
    },
}

/// What control answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromControl {
    /// The image is in the registry.
    Imported {
        /// The name that task definitions use for it.
        name: String,
        /// Its digest.
        digest: String,
    },
    /// Where a task's output is.
    TaskOutput {
        /// Its id.
        task: String,
        /// Whether it has stopped.
        stopped: bool,
        /// Each of its containers.
        containers: Vec<ContainerOutput>,
    },
    /// Stored lines, oldest first.
    LogPage {
        /// The lines.
        events: Vec<LogEvent>,
        /// The number of the line after the last.
        next: u64,
    },
    /// The backup is there.
    BackedUp {
        /// The revision that it has.
        revision: u64,
        /// How many records that is.
        records: u64,
        /// The file's size.
        bytes: u64,
    },
    /// Why it was not done.
    Refused(String),
}

/// Where a container's output is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerOutput {
    /// The container's name.
    pub name: String,
    /// Its id on its node, once it was made there.
    pub runtime_id: Option<String>,
    /// Where its lines are.
    pub place: OutputPlace,
}

/// Where lines are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum OutputPlace {
    /// In a log group.
    Stored {
        /// The group.
        group: String,
        /// The stream.
        stream: String,
    },
    /// In files of the node, for as long as the task is there.
    Node,
    /// Nowhere that can be read: the driver sends them away.
    Elsewhere {
        /// The driver.
        driver: String,
    },
}

/// Answers connections for ever; each gets what `answer` returns.
pub async fn serve<Asked, Answered, Answering>(
    listener: UnixListener,
    answer: impl Fn(Asked) -> Answering + Send + Sync + 'static,
) where
    Asked: DeserializeOwned + Send + 'static,
    Answered: Serialize + Send + Sync + 'static,
    Answering: Future<Output = Answered> + Send + 'static,
{
    let answer = Arc::new(answer);
    loop {
        let mut stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "local connection not accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let answer = Arc::clone(&answer);
        tokio::spawn(async move {
            let exchanged: Result<(), FrameError> = async {
                if let Some(asked) = read_frame(&mut stream).await? {
                    write_frame(&mut stream, &answer(asked).await).await?;
                }
                Ok(())
            }
            .await;
            if let Err(error) = exchanged {
                tracing::debug!(%error, "local request not answered");
            }
        });
    }
}

/// Asks over a connection and returns the answer; nothing when the other side gave none.
pub async fn ask<Asked: Serialize, Answered: DeserializeOwned>(
    mut stream: UnixStream,
    asked: &Asked,
) -> Result<Option<Answered>, FrameError> {
    write_frame(&mut stream, asked).await?;
    read_frame(&mut stream).await
}
