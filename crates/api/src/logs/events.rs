//! Log events: shapes, and the tokens that continue reading.

use std::time::Duration;

use wharf_aws::logs::{
    FilterLogEventsInput, FilterLogEventsOutput, FilterMatch, FilteredLogEvent, GetLogEventsInput,
    GetLogEventsOutput, OutputLogEvent, PutLogEventsInput, PutLogEventsOutput, RejectedLogEventsInfo,
    TestFilterInput, TestFilterOutput,
};
use wharf_aws::page;
use wharf_control::Control;
use wharf_control::log_store::{Direction, Filter, Pattern, Range};
use wharf_control::operations::log_groups::{self, Error, Rejected};
use wharf_model::{Timestamp, logs::LogEvent};

use super::given::{self, bad_token, invalid, required, time};
use crate::Fault;

const PAGE_SIZE_MAX: usize = 10_000;
/// What AWS adds to each event's size, and the most that a batch and an event may have.
const EVENT_OVERHEAD_BYTES: usize = 26;
const BATCH_BYTES_MAX: usize = 1 << 20;
const EVENT_BYTES_MAX: usize = 256 << 10;

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
    let bytes: usize = events.iter().map(|event| event.message.len() + EVENT_OVERHEAD_BYTES).sum();
    if bytes > BATCH_BYTES_MAX {
        return Err(invalid(format!("Upload too large: {bytes} bytes exceeds limit of {BATCH_BYTES_MAX}")));
    }
    if let Some(event) =
        events.iter().find(|event| event.message.len() + EVENT_OVERHEAD_BYTES > EVENT_BYTES_MAX)
    {
        let bytes = event.message.len() + EVENT_OVERHEAD_BYTES;
        return Err(invalid(format!(
            "Log event too large: {bytes} bytes exceeds limit of {EVENT_BYTES_MAX}"
        )));
    }
    if let (Some(first), Some(last)) = (events.first(), events.last())
        && last.timestamp.since(first.timestamp) > Duration::from_secs(86_400)
    {
        return Err(invalid(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        ));
    }
    if !events.is_sorted_by_key(|event| event.timestamp) {
        return Err(invalid("Log events in a single PutLogEvents request must be in chronological order."));
    }
    let rejected = log_groups::put_events(control, &group, &stream, events).await?;
    let Rejected { too_old_end, expired_end, too_new_start } = rejected;
    let info = RejectedLogEventsInfo {
        too_new_log_event_start_index: too_new_start,
        too_old_log_event_end_index: too_old_end,
        expired_log_event_end_index: expired_end,
    };
    Ok(PutLogEventsOutput {
        next_sequence_token: format!("{:056}", control.now().0),
        rejected_log_events_info: (rejected != Rejected::default()).then_some(info),
    })
}

pub(super) async fn get(control: &Control, input: GetLogEventsInput) -> Result<GetLogEventsOutput, Fault> {
    let group = given::group(input.log_group_name, input.log_group_identifier)?;
    let stream = given::stream_name(input.log_stream_name)?;
    let range = Range { from: time(input.start_time), to: time(input.end_time) };
    let range = log_groups::kept(control, &group, range);
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
        range: log_groups::kept(
            control,
            &group,
            Range { from: time(input.start_time), to: time(input.end_time.map(|end| end.saturating_add(1))) },
        ),
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

pub(super) fn test(input: TestFilterInput) -> Result<TestFilterOutput, Fault> {
    let pattern = Pattern::parse(&required("filterPattern", input.filter_pattern)?);
    let pattern = pattern.map_err(|error| invalid(error.to_string()))?;
    if input.log_event_messages.is_empty() || input.log_event_messages.len() > 50 {
        return Err(invalid("logEventMessages must have 1 to 50 entries"));
    }
    let all = (1..).zip(input.log_event_messages).filter(|(_, text)| pattern.matches(text));
    let matches = all.map(|(event_number, text)| FilterMatch {
        event_number,
        extracted_values: pattern.extract(&text).into_iter().collect(),
        event_message: text,
    });
    Ok(TestFilterOutput { matches: matches.collect() })
}

/// Returns the last event that a token of FilterLogEvents names.
fn place(token: &str) -> Option<(Timestamp, u64)> {
    let key = page::last_key(token).ok()?;
    let (time, number) = key.split_once(' ')?;
    Some((Timestamp(time.parse().ok()?), number.parse().ok()?))
}
