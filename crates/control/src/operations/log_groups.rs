//! Log groups and their streams. The records are in the state file, the events in the log store.

use crate::{
    Control,
    log_store::{self, Batch, Range, StreamInfo},
};
use std::{sync::Arc, time::Duration};
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
    /// A parameter that makes no sense.
    #[error("{0}")]
    Invalid(String),
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

/// How old an event may be that is put, and how far ahead.
const AGE_MAX: Duration = Duration::from_secs(14 * 86_400);
const AHEAD_MAX: Duration = Duration::from_secs(2 * 3600);

/// Makes a group.
pub async fn create(control: &Control, name: &str, tags: Vec<Tag>) -> Result<(), Error> {
    let group = LogGroup {
        name: name.to_owned(),
        arn: control.config().place.arn("logs", format_args!("log-group:{name}")),
        created_at: control.now(),
        tags,
        retention_days: None,
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

/// The days that a retention may have.
const RETENTION_DAYS: [u32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/// Sets how many days events are kept; for ever when absent.
pub async fn set_retention(control: &Control, name: &str, days: Option<u32>) -> Result<(), Error> {
    if let Some(days) = days
        && !RETENTION_DAYS.contains(&days)
    {
        let listed: Vec<String> = RETENTION_DAYS.iter().map(ToString::to_string).collect();
        return Err(Error::Invalid(format!(
            "1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [{}]",
            listed.join(", ")
        )));
    }
    change(control, name, |group| {
        group.retention_days = days;
        Ok(())
    })
    .await
}

/// Adds tags to a group, or replaces their values.
pub async fn tag(control: &Control, name: &str, tags: Vec<Tag>) -> Result<(), Error> {
    super::tags::check(&tags).map_err(|error| Error::Invalid(error.to_string()))?;
    change(control, name, |group| {
        group.tags.retain(|known| tags.iter().all(|tag| tag.key != known.key));
        group.tags.extend(tags.iter().cloned());
        if group.tags.len() > 50 {
            return Err(Error::Invalid("A log group has at most 50 tags.".to_owned()));
        }
        Ok(())
    })
    .await
}

/// Removes the tags with these keys from a group.
pub async fn untag(control: &Control, name: &str, keys: &[String]) -> Result<(), Error> {
    change(control, name, |group| {
        group.tags.retain(|tag| !keys.contains(&tag.key));
        Ok(())
    })
    .await
}

async fn change(
    control: &Control,
    name: &str,
    change: impl Fn(&mut LogGroup) -> Result<(), Error>,
) -> Result<(), Error> {
    let changed = control.store().update(|draft| {
        let known = draft.get::<LogGroup>(name).ok_or(Error::GroupNotFound)?;
        let mut group = (*known).clone();
        change(&mut group)?;
        if group != *known {
            draft.put(group);
        }
        Ok(())
    });
    Ok(changed.await?)
}

/// Returns the part of a range whose events are kept.
pub fn kept(control: &Control, group: &str, range: Range) -> Range {
    let since = find(control, group).ok().and_then(|group| group.kept_since(control.now()));
    Range { from: range.from.max(since), ..range }
}

/// Deletes a stream with all its events.
pub async fn delete_stream(control: &Control, group: &str, stream: &str) -> Result<(), Error> {
    Ok(control.logs().delete_stream(group, stream, control.now()).await?)
}

/// Gives back the space of events that are not kept any more.
pub async fn trim(control: &Control) -> Result<(), Error> {
    for group in list(control, "") {
        if let Some(since) = group.kept_since(control.now()) {
            control.logs().trim(&group.name, since).await?;
        }
    }
    Ok(())
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

/// Which events of a batch were not taken: `None` for none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rejected {
    /// The events before this place are older than 14 days.
    pub too_old_end: Option<usize>,
    /// The events before this place are older than the group keeps any.
    pub expired_end: Option<usize>,
    /// The events from this place on are more than two hours ahead.
    pub too_new_start: Option<usize>,
}

/// Stores events of a stream that must be there, oldest first, but for those that are too old or too new.
pub async fn put_events(
    control: &Control,
    group: &str,
    stream: &str,
    mut events: Vec<LogEvent>,
) -> Result<Rejected, Error> {
    self::stream(control, group, stream)?.ok_or(Error::StreamNotFound)?;
    let now = control.now();
    let since = find(control, group)?.kept_since(now);
    let end = |before| Some(events.partition_point(|event| event.timestamp < before)).filter(|end| *end > 0);
    let ahead = events.partition_point(|event| event.timestamp <= now + AHEAD_MAX);
    let rejected = Rejected {
        too_old_end: end(now - AGE_MAX),
        expired_end: since.and_then(end),
        too_new_start: Some(ahead).filter(|start| *start < events.len()),
    };
    events.truncate(ahead);
    events.drain(..rejected.too_old_end.max(rejected.expired_end).unwrap_or(0).min(events.len()));
    if !events.is_empty() {
        append(control, group, stream, None, events).await?;
    }
    Ok(rejected)
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
    }
    // Whoever else makes the group has recorded it, and may not have made its files yet.
    if create_group && !control.logs().has_group(group) {
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
