//! Log events: shapes, and the tokens that continue reading.

use wharf_aws::logs::{
    FilterLogEventsInput, FilterLogEventsOutput, FilteredLogEvent, GetLogEventsInput, GetLogEventsOutput,
    OutputLogEvent, PutLogEventsInput, PutLogEventsOutput,
};
use wharf_aws::page;
use wharf_control::Control;
use wharf_control::log_store::{Direction, Filter, Pattern, Range};
use wharf_control::operations::log_groups::{self, Error};
use wharf_model::{Timestamp, logs::LogEvent};

use super::given::{self, bad_token, invalid, required, time};
use crate::Fault;

const PAGE_SIZE_MAX: usize = 10_000;

pub(super) async fn put(control: &Control, input: PutLogEventsInput) -> Result<PutLogEventsOutput, Fault> {
    let group = given::group_name(input.log_group_name)?;
    let stream = given::stream_name(input.log_stream_name)?;
    if input.log_events.is_empty() || input.log_events.len() > PAGE_SIZE_MAX {
        return Err(invalid("logEvents must have 1 to 10000 entries"));
    }
    let events = input.log_events.into_iter().map(|event| {
        let message = required("logEvents.message", event.message)?;
        if message.is_empty() {
            return Err(invalid("logEvents.message must not be empty"));
        }
        Ok(LogEvent { timestamp: Timestamp(required("logEvents.timestamp", event.timestamp)?), message })
    });
    let events = events.collect::<Result<Vec<_>, Fault>>()?;
    if !events.is_sorted_by_key(|event| event.timestamp) {
        return Err(invalid("Log events in a single PutLogEvents request must be in chronological order."));
    }
    log_groups::put_events(control, &group, &stream, events).await?;
    Ok(PutLogEventsOutput { next_sequence_token: format!("{:056}", control.now().0) })
}

pub(super) async fn get(control: &Control, input: GetLogEventsInput) -> Result<GetLogEventsOutput, Fault> {
    let group = given::group(input.log_group_name, input.log_group_identifier)?;
    let stream = given::stream_name(input.log_stream_name)?;
    let range = Range { from: time(input.start_time), to: time(input.end_time) };
    let from = match input.next_token.as_deref() {
        Some(token) => direction(token).ok_or_else(bad_token)?,
        None if input.start_from_head => Direction::Forward(0),
        None => Direction::Backward(u64::MAX),
    };
    let limit = given::limit(input.limit, PAGE_SIZE_MAX)?;
    let page = control.logs().events(&group, &stream, range, from, limit).await.map_err(Error::from)?;
    let events = page.events.into_iter().map(|event| OutputLogEvent {
        timestamp: event.timestamp.0,
        message: event.message,
        ingestion_time: event.stored_at.0,
    });
    Ok(GetLogEventsOutput {
        events: events.collect(),
        next_forward_token: format!("f/{:056}/s", page.end),
        next_backward_token: format!("b/{:056}/s", page.start),
    })
}

/// Returns where a token of GetLogEvents says that reading goes on.
pub(super) fn direction(token: &str) -> Option<Direction> {
    let (way, rest) = token.split_once('/')?;
    let index = rest.strip_suffix("/s").unwrap_or(rest).parse().ok()?;
    match way {
        "f" => Some(Direction::Forward(index)),
        "b" => Some(Direction::Backward(index)),
        _ => None,
    }
}

pub(super) async fn filter(
    control: &Control,
    input: FilterLogEventsInput,
) -> Result<FilterLogEventsOutput, Fault> {
    let group = given::group(input.log_group_name, input.log_group_identifier)?;
    if !input.log_stream_names.is_empty() && input.log_stream_name_prefix.is_some() {
        return Err(invalid("logStreamNames and logStreamNamePrefix cannot be specified together"));
    }
    let pattern = Pattern::parse(&input.filter_pattern.unwrap_or_default());
    let filter = Filter {
        streams: input.log_stream_names,
        prefix: input.log_stream_name_prefix.unwrap_or_default(),
        // Here, unlike in GetLogEvents, the end is part of the range.
        range: Range {
            from: time(input.start_time),
            to: time(input.end_time.map(|end| end.saturating_add(1))),
        },
        pattern: pattern.map_err(|error| invalid(error.to_string()))?,
        after: input.next_token.as_deref().map(|token| place(token).ok_or_else(bad_token)).transpose()?,
        limit: given::limit(input.limit, PAGE_SIZE_MAX)?,
    };
    let page = control.logs().filter(&group, filter).await.map_err(Error::from)?;
    let events = page.events.into_iter().map(|event| FilteredLogEvent {
        event_id: format!("{:028}{:028}", event.timestamp.0.max(0), event.number),
        log_stream_name: event.stream,
        timestamp: event.timestamp.0,
        message: event.message,
        ingestion_time: event.stored_at.0,
    });
    Ok(FilterLogEventsOutput {
        events: events.collect(),
        searched_log_streams: Vec::new(),
        next_token: page.next.map(|(time, number)| page::token(&format!("{} {number}", time.0))),
    })
}

/// Returns the last event that a token of FilterLogEvents names.
fn place(token: &str) -> Option<(Timestamp, u64)> {
    let key = page::last_key(token).ok()?;
    let (time, number) = key.split_once(' ')?;
    Some((Timestamp(time.parse().ok()?), number.parse().ok()?))
}
