//! Keeper, from the agent's asynchronous side.
//!
//! Calls go over a few kept connections on blocking threads. A call whose connection broke is made again: all of them
//! are safe to repeat, and [`Keeper::run`] looks at what is there before it tries twice. Exits come over a thread of
//! their own, which connects again for ever.

use crate::error::chain;
use camino::Utf8PathBuf;
use std::{
    os::fd::{AsFd, OwnedFd},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::mpsc;
use wharf_keeper::{
    Client, ClientError,
    protocol::{Container, Created, Exit, Refusal, State},
};
use wharf_sandbox::spec::ContainerSpec;

/// How long a start waits for a keeper that is away, being restarted or upgraded.
const PATIENCE: Duration = Duration::from_secs(5);

/// Keeper.
#[derive(Debug, Clone)]
pub(crate) struct Keeper {
    socket: Utf8PathBuf,
    idle: Arc<Mutex<Vec<Client>>>,
}

/// What comes from keeper unasked.
#[derive(Debug)]
pub(crate) enum News {
    /// A connection was made: whatever happened before it is in this list.
    Here(Vec<Container>),
    /// A container ended. Told again for each connection until it is forgotten.
    Exited(Exit),
}

impl Keeper {
    /// Names keeper's socket.
    pub(crate) fn new(socket: Utf8PathBuf) -> Keeper {
        Keeper { socket, idle: Arc::default() }
    }

    /// Creates and starts a container, or finds it created by an earlier call whose answer was lost.
    pub(crate) async fn run(
        &self,
        id: &str,
        spec: ContainerSpec,
        namespace: Arc<OwnedFd>,
    ) -> Result<Created, ClientError> {
        let (spec, deadline) = (Arc::new(spec), Instant::now() + PATIENCE);
        loop {
            let (spec, namespace, name) = (spec.clone(), namespace.clone(), id.to_owned());
            let result = self.once(move |client| client.run(&name, &spec, namespace.as_fd())).await;
            match result {
                Err(ClientError::Refused(Refusal::Exists { .. })) => match self.found(id).await? {
                    Some(created) => return Ok(created),
                    None => self.delete_and_forget(id).await?,
                },
                Err(ClientError::Talk(_) | ClientError::Connect { .. }) if Instant::now() < deadline => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                result => return result,
            }
        }
    }

    /// Returns a container that exists; starts it when it was only created, and waits for a launcher or cleaner that is
    /// still at work. Nothing where it has to be made anew.
    async fn found(&self, id: &str) -> Result<Option<Created>, ClientError> {
        loop {
            let containers = self.list().await?;
            let Some(container) = containers.into_iter().find(|container| container.id == id) else {
                return Ok(None);
            };
            match container.state {
                State::Running | State::Exited => {
                    let at_nanos = container.started_nanos.unwrap_or(container.created_nanos);
                    return Ok(Some(Created { pid: container.pid, at_nanos, notes: Vec::new() }));
                }
                State::Created => {
                    let id = id.to_owned();
                    gone_is_fine(self.call(move |client| client.start(&id)).await)?;
                }
                State::Creating | State::Deleting => {}
                State::Deleted => return Ok(None),
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Sends a signal; a container that is not there any more needs none.
    pub(crate) async fn kill(&self, id: &str, signal: i32) -> Result<(), ClientError> {
        let id = id.to_owned();
        gone_is_fine(self.call(move |client| client.kill(&id, signal)).await)
    }

    /// Removes a container but for its exit and its output. Waits for a launcher or cleaner that is still at work for
    /// an agent before this one.
    pub(crate) async fn delete(&self, id: &str) -> Result<(), ClientError> {
        loop {
            let name = id.to_owned();
            match self.call(move |client| client.delete(&name)).await {
                Err(ClientError::Refused(Refusal::WrongState {
                    state: State::Creating | State::Deleting,
                    ..
                })) => {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                Err(ClientError::Refused(Refusal::WrongState { state: State::Deleted, .. })) => return Ok(()),
                result => return unknown_is_fine(result),
            }
        }
    }

    /// Removes what a container's last run left but for its files and its output, and forgets how it ended. Waits like
    /// [`Keeper::delete`].
    pub(crate) async fn reset(&self, id: &str) -> Result<(), ClientError> {
        loop {
            let name = id.to_owned();
            match self.call(move |client| client.delete_but_files(&name)).await {
                Err(ClientError::Refused(Refusal::WrongState {
                    state: State::Creating | State::Deleting,
                    ..
                })) => {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                Err(ClientError::Refused(Refusal::WrongState { state: State::Deleted, .. })) | Ok(()) => {
                    break;
                }
                result => return unknown_is_fine(result),
            }
        }
        self.forget(id).await
    }

    /// Begins a further process in a running container, on a connection of its own.
    pub(crate) async fn exec<T: Send + 'static>(
        &self,
        ask: impl FnOnce(Client) -> Result<T, ClientError> + Send + 'static,
    ) -> Result<T, ClientError> {
        let socket = self.socket.clone();
        let asked = tokio::task::spawn_blocking(move || ask(Client::connect(&socket)?));
        asked.await.unwrap_or_else(|panic| Err(ClientError::Talk(std::io::Error::other(panic))))
    }

    /// Forgets the exit of a deleted container.
    pub(crate) async fn forget(&self, id: &str) -> Result<(), ClientError> {
        let id = id.to_owned();
        unknown_is_fine(self.call(move |client| client.forget(&id)).await)
    }

    /// Removes every trace of a container but its output.
    pub(crate) async fn delete_and_forget(&self, id: &str) -> Result<(), ClientError> {
        self.delete(id).await?;
        self.forget(id).await
    }

    /// Returns every container keeper knows.
    pub(crate) async fn list(&self) -> Result<Vec<Container>, ClientError> {
        self.call(Client::list).await
    }

    /// Says on a channel what happens, from now on and until the receiver is dropped.
    pub(crate) fn watch(&self) -> mpsc::UnboundedReceiver<News> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let socket = self.socket.clone();
        std::thread::spawn(move || {
            let mut away = false;
            while !sender.is_closed() {
                if let Err(error) = follow(&socket, &sender) {
                    if !away {
                        tracing::warn!(error = chain(&error), "keeper is away");
                    }
                    away = matches!(error, ClientError::Connect { .. });
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        receiver
    }

    /// Makes a call that is safe to repeat; a kept connection may have died with the keeper of before.
    async fn call<T: Send + 'static>(
        &self,
        ask: impl Fn(&mut Client) -> Result<T, ClientError> + Clone + Send + 'static,
    ) -> Result<T, ClientError> {
        match self.once(ask.clone()).await {
            Err(ClientError::Talk(_)) => self.once(ask).await,
            result => result,
        }
    }

    async fn once<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut Client) -> Result<T, ClientError> + Send + 'static,
    ) -> Result<T, ClientError> {
        let (socket, idle) = (self.socket.clone(), self.idle.clone());
        let called = tokio::task::spawn_blocking(move || {
            let kept = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut client = kept.map_or_else(|| Client::connect(&socket), Ok)?;
            let result = ask(&mut client);
            let mut idle = idle.lock().unwrap_or_else(PoisonError::into_inner);
            match &result {
                Ok(_) | Err(ClientError::Refused(_)) => idle.push(client),
                // What else is kept is no better.
                Err(_) => idle.clear(),
            }
            result
        });
        called.await.unwrap_or_else(|panic| Err(ClientError::Talk(std::io::Error::other(panic))))
    }
}

fn follow(socket: &Utf8PathBuf, sender: &mpsc::UnboundedSender<News>) -> Result<(), ClientError> {
    let exits = Client::connect(socket)?.watch()?;
    let containers = Client::connect(socket)?.list()?;
    if sender.send(News::Here(containers)).is_err() {
        return Ok(());
    }
    // The agent ends with its process, so a blocked reader is nobody's loss; in tests keeper ends first.
    for exit in exits {
        if sender.send(News::Exited(exit?)).is_err() {
            break;
        }
    }
    Ok(())
}

fn gone_is_fine(result: Result<(), ClientError>) -> Result<(), ClientError> {
    match result {
        Err(ClientError::Refused(Refusal::Unknown { .. } | Refusal::WrongState { .. })) => Ok(()),
        result => result,
    }
}

fn unknown_is_fine(result: Result<(), ClientError>) -> Result<(), ClientError> {
    match result {
        Err(ClientError::Refused(Refusal::Unknown { .. })) => Ok(()),
        result => result,
    }
}
