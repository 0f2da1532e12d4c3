//! Log groups and their streams. The records are in the state file, the events in the log store.

use crate::{
    Control,
    log_store::{self, Batch, StreamInfo},
};
use std::sync::Arc;
use thiserror::Error;
use wharf_model::{
    logs::{LogEvent, LogGroup},
    tag::Tag,
};
use wharf_store::{StoreError, UpdateError};

/// Why something about logs was not done.
#[derive(Debug, Error)]
pub enum Error {
    /// There is such a group already.
    #[error("The specified log group already exists")]
    GroupExists,
    /// There is no such group.
    #[error("The specified log group does not exist.")]
    GroupNotFound,
    /// There is such a stream already.
    #[error("The specified log stream already exists")]
    StreamExists,
    /// There is no such stream.
    #[error("The specified log stream does not exist.")]
    StreamNotFound,
    /// The stored events cannot be used.
    #[error("use the stored logs")]
    Logs(#[source] log_store::Error),
    /// The state file cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<log_store::Error> for Error {
    fn from(error: log_store::Error) -> Error {
        match error {
            log_store::Error::GroupNotFound(_) => Error::GroupNotFound,
            log_store::Error::StreamNotFound(_) => Error::StreamNotFound,
            error @ (log_store::Error::File { .. } | log_store::Error::Closed) => Error::Logs(error),
        }
    }
}

impl From<UpdateError<Error>> for Error {
    fn from(error: UpdateError<Error>) -> Error {
        match error {
            UpdateError::Refused(error) => error,
            UpdateError::Store(error) => Error::Store(error),
        }
    }
}

/// Makes a group.
pub async fn create(control: &Control, name: &str, tags: Vec<Tag>) -> Result<(), Error> {
    let group = LogGroup {
        name: name.to_owned(),
        arn: control.config().place.arn("logs", format_args!("log-group:{name}")),
        created_at: control.now(),
        tags,
    };
    control
        .store()
        .update(|draft| {
            if draft.get::<LogGroup>(&group.name).is_some() {
                return Err(Error::GroupExists);
            }
            draft.put(group);
            Ok(())
        })
        .await?;
    Ok(control.logs().create_group(name).await?)
}

/// Deletes a group with everything in it.
pub async fn delete(control: &Control, name: &str) -> Result<(), Error> {
    find(control, name)?;
    // Events first: a crash in between leaves an empty group, never events that a new group would inherit.
    control.logs().delete_group(name).await?;
    control.store().change(|draft| draft.delete::<LogGroup>(name)).await?;
    Ok(())
}

/// Returns the groups whose names start with `prefix`, by name.
pub fn list(control: &Control, prefix: &str) -> Vec<Arc<LogGroup>> {
    control.store().view().list(prefix)
}

/// Returns a group.
pub fn find(control: &Control, name: &str) -> Result<Arc<LogGroup>, Error> {
    control.store().view().get(name).ok_or(Error::GroupNotFound)
}

/// Makes a stream.
pub async fn create_stream(control: &Control, group: &str, stream: &str) -> Result<(), Error> {
    if self::stream(control, group, stream)?.is_some() {
        return Err(Error::StreamExists);
    }
    append(control, group, stream, None, Vec::new()).await
}

/// Returns a stream, if it is there.
pub fn stream(control: &Control, group: &str, stream: &str) -> Result<Option<StreamInfo>, Error> {
    Ok(control.logs().streams(group, stream)?.into_iter().find(|info| info.name == stream))
}

/// Stores events of a stream that must be there.
pub async fn put_events(
    control: &Control,
    group: &str,
    stream: &str,
    events: Vec<LogEvent>,
) -> Result<(), Error> {
    self::stream(control, group, stream)?.ok_or(Error::StreamNotFound)?;
    append(control, group, stream, None, events).await
}

/// Stores a node's batch; it is durable when this returns. The stream is made when it is not there, the group if
/// `create_group` says so. A batch that was stored already, by its number and events, is not stored again.
pub async fn deliver(
    control: &Control,
    group: &str,
    stream: &str,
    create_group: bool,
    batch: u64,
    events: Vec<LogEvent>,
) -> Result<(), Error> {
    if create_group && find(control, group).is_err() {
        match create(control, group, Vec::new()).await {
            // Two streams may find the group missing at once.
            Ok(()) | Err(Error::GroupExists) => {}
            Err(error) => return Err(error),
        }
        // The other one may not have made its files yet.
        control.logs().create_group(group).await?;
    }
    append(control, group, stream, Some(batch), events).await
}

async fn append(
    control: &Control,
    group: &str,
    stream: &str,
    number: Option<u64>,
    events: Vec<LogEvent>,
) -> Result<(), Error> {
    let batch =
        Batch { group: group.to_owned(), stream: stream.to_owned(), number, events, now: control.now() };
    Ok(control.logs().append(batch).await?)
}
