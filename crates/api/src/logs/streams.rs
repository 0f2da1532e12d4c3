//! Log streams: shapes.

use wharf_aws::logs::{CreateLogStreamInput, DescribeLogStreamsInput, DescribeLogStreamsOutput, LogStream};
use wharf_aws::page;
use wharf_control::Control;
use wharf_control::log_store::StreamInfo;
use wharf_control::operations::log_groups::{self, Error};
use wharf_model::Arn;

use super::given::{self, bad_token, invalid};
use crate::Fault;

const PAGE_SIZE_MAX: usize = 50;

pub(super) async fn create(control: &Control, input: CreateLogStreamInput) -> Result<(), Fault> {
    let group = given::group_name(input.log_group_name)?;
    let stream = given::stream_name(input.log_stream_name)?;
    Ok(log_groups::create_stream(control, &group, &stream).await?)
}

pub(super) async fn delete(control: &Control, input: CreateLogStreamInput) -> Result<(), Fault> {
    let group = given::group_name(input.log_group_name)?;
    let stream = given::stream_name(input.log_stream_name)?;
    Ok(log_groups::delete_stream(control, &group, &stream).await?)
}

pub(super) async fn describe(
    control: &Control,
    input: DescribeLogStreamsInput,
) -> Result<DescribeLogStreamsOutput, Fault> {
    let name = given::group(input.log_group_name, input.log_group_identifier)?;
    let group = log_groups::find(control, &name)?;
    let prefix = input.log_stream_name_prefix;
    let by_time = match input.order_by.as_deref() {
        None | Some("LogStreamName") => false,
        Some("LastEventTime") if prefix.is_some() => {
            return Err(invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
        }
        Some("LastEventTime") => true,
        Some(other) => {
            return Err(invalid(format!("orderBy '{other}' must be 'LogStreamName' or 'LastEventTime'")));
        }
    };
    let streams = control.logs().streams(&name, &prefix.unwrap_or_default());
    let mut streams = streams.map_err(Error::from)?;
    if by_time {
        streams.sort_by_key(|stream| stream.last_event);
    }
    if input.descending {
        streams.reverse();
    }
    let start = match input.next_token.as_deref() {
        None => 0,
        Some(token) => {
            let last = page::last_key(token).map_err(|_| bad_token())?;
            streams.iter().position(|stream| stream.name == last).ok_or_else(bad_token)? + 1
        }
    };
    let limit = given::limit(input.limit, PAGE_SIZE_MAX)?;
    let end = streams.len().min(start + limit);
    let next_token = (end < streams.len()).then(|| page::token(&streams[end - 1].name));
    let log_streams = streams[start..end].iter().map(|stream| show(&group.arn, stream)).collect();
    Ok(DescribeLogStreamsOutput { log_streams, next_token })
}

fn show(group: &Arn, stream: &StreamInfo) -> LogStream {
    LogStream {
        log_stream_name: stream.name.clone(),
        creation_time: stream.created_at.0,
        first_event_timestamp: stream.first_event.map(|time| time.0),
        last_event_timestamp: stream.last_event.map(|time| time.0),
        last_ingestion_time: stream.last_ingestion.map(|time| time.0),
        arn: format!("{group}:log-stream:{}", stream.name),
        stored_bytes: stream.stored_bytes,
    }
}
