//! Images for containers, from the own registry or any other.

pub(crate) mod cleanup;

use crate::{
    config::{AgentConfig, ImageLimits},
    error::Error,
};
use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeSet, HashSet},
    fmt,
    sync::{Arc, Mutex, PoisonError},
};
use wharf_image::{Digest, Image, LocalRegistry, Login, PullLimits, Puller, PullerConfig};
use wharf_nodelink::agent::NodeSettings;

/// What the journal keeps of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ImageNote {
    /// The digest that the name stood for.
    pub(crate) digest: String,
    /// The image's id.
    pub(crate) id: String,
    /// The signal that asks its program to stop.
    pub(crate) stop_signal: Option<String>,
}

impl ImageNote {
    /// Returns what is kept of an image.
    pub(crate) fn of(image: &Image) -> ImageNote {
        ImageNote {
            digest: image.digest.to_string(),
            id: image.id.to_string(),
            stop_signal: image.config.stop_signal.clone(),
        }
    }
}

/// The images of this node.
pub(crate) struct Images {
    root: Utf8PathBuf,
    tasks_dir: Utf8PathBuf,
    limits: ImageLimits,
    /// What deployments are pinned to; nothing before control has said it, and then nothing is removed.
    pinned: Mutex<Option<HashSet<Digest>>>,
    current: Mutex<Option<Current>>,
}

struct Current {
    endpoint: String,
    password: String,
    puller: Puller,
}

impl Images {
    /// Says where images are kept and how many.
    pub(crate) fn new(config: &AgentConfig) -> Images {
        Images {
            root: config.images_dir(),
            tasks_dir: config.tasks_dir(),
            limits: config.image_limits,
            pinned: Mutex::new(None),
            current: Mutex::new(None),
        }
    }

    /// Says where the own registry is and how to log in there.
    pub(crate) fn use_registry(&self, settings: &NodeSettings) -> Result<(), Error> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let (endpoint, password) = (&settings.registry, &settings.registry_password);
        if current.as_ref().is_some_and(|known| known.endpoint == *endpoint && known.password == *password) {
            return Ok(());
        }
        let login = Login { user: "AWS".to_owned(), password: password.clone() };
        let config = PullerConfig {
            root: self.root.clone(),
            local: Some(LocalRegistry { endpoint: endpoint.clone(), credentials: Arc::new(Some(login)) }),
            limits: PullLimits::default(),
        };
        let opened = Puller::new(config);
        let puller =
            opened.map_err(|source| Error::Images { path: self.root.clone(), source: Box::new(source) })?;
        *current = Some(Current { endpoint: endpoint.clone(), password: password.clone(), puller });
        Ok(())
    }

    /// Keeps these images here, though no task has them now.
    pub(crate) fn pin(&self, digests: &BTreeSet<String>) {
        let parsed = digests.iter().filter_map(|digest| digest.parse().ok()).collect();
        *self.pinned.lock().unwrap_or_else(PoisonError::into_inner) = Some(parsed);
    }

    /// Makes an image available, or returns the reason that its container is given.
    pub(crate) async fn pull(&self, name: &str, login: Option<Login>) -> Result<Image, String> {
        let Some(puller) = self.puller() else {
            return Err("CannotPullContainerError: the node does not know its registry yet".to_owned());
        };
        match puller.pull_as(name, login.clone()).await {
            // Images that nobody needs are in the way of one that somebody does.
            Err(error) if error.is_disk_full() && self.make_room().await => {
                puller.pull_as(name, login.clone()).await.map_err(|error| error.reason())
            }
            pulled => pulled.map_err(|error| error.reason()),
        }
    }

    /// Makes the image available that a name stands for in a deployment, when that is settled, or now.
    pub(crate) async fn pull_pinned(
        &self,
        name: &str,
        digest: Option<&String>,
        login: Option<Login>,
    ) -> Result<Image, String> {
        match digest {
            Some(digest) if !name.contains('@') => self.pull(&format!("{name}@{digest}"), login).await,
            _ => self.pull(name, login).await,
        }
    }

    /// Makes the image available that a name stood for before, whatever it stands for now.
    pub(crate) async fn pull_again(
        &self,
        name: &str,
        login: Option<Login>,
        before: Option<&ImageNote>,
    ) -> Result<Image, String> {
        let digest = before.and_then(|note| note.digest.parse::<Digest>().ok());
        let here = digest.zip(self.puller()).and_then(|(digest, puller)| puller.cached(&digest));
        match here {
            Some(image) => Ok(image),
            None => self.pull(name, login).await,
        }
    }

    fn puller(&self) -> Option<Puller> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().map(|current| current.puller.clone())
    }
}

impl fmt::Debug for Images {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Images").field("root", &self.root).finish_non_exhaustive()
    }
}
