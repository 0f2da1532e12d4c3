//! The times that stand in signatures: `20150830T123600Z`.

use http::HeaderMap;
use http::header::DATE;
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc2822;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};

const BASIC: &[BorrowedFormatItem<'_>] = format_description!("[year][month][day]T[hour][minute][second]Z");

/// Returns the time that a stamp names.
pub(super) fn parse(stamp: &str) -> Option<OffsetDateTime> {
    PrimitiveDateTime::parse(stamp, BASIC).ok().map(PrimitiveDateTime::assume_utc)
}

/// Returns the stamp of a time.
pub(super) fn format(time: OffsetDateTime) -> String {
    time.to_offset(UtcOffset::UTC).format(BASIC).unwrap_or_else(|_| time.to_string())
}

/// Returns the stamp that a request's headers carry: `X-Amz-Date`, or else `Date` in either form.
pub(super) fn of_headers(headers: &HeaderMap) -> Option<String> {
    if let Some(value) = headers.get("x-amz-date") {
        return value.to_str().ok().map(str::to_owned);
    }
    let date = headers.get(DATE)?.to_str().ok()?;
    match OffsetDateTime::parse(date, &Rfc2822) {
        Ok(time) => Some(format(time)),
        Err(_) => Some(date.to_owned()),
    }
}
