//! A point in time as it stands in a message.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

/// The name by which the XML encoder recognises a timestamp.
pub(crate) const NEWTYPE: &str = "wharf_aws::Timestamp";

const ISO: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// A point in time: epoch seconds with a fraction in JSON, ISO 8601 in XML.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    millis: i64,
}

impl Timestamp {
    /// Returns the time this many milliseconds after 1970.
    pub fn from_millis(millis: i64) -> Timestamp {
        Timestamp { millis }
    }

    /// Returns the milliseconds since 1970.
    pub fn as_millis(self) -> i64 {
        self.millis
    }

    /// Returns the ISO 8601 form, or nothing for a year that has none.
    pub(crate) fn to_iso(self) -> Option<String> {
        let nanos = i128::from(self.millis).checked_mul(1_000_000)?;
        OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()?.format(ISO).ok()
    }

    /// Returns the time that a number of seconds with a fraction names.
    pub(crate) fn parse_secs(given: &str) -> Option<Timestamp> {
        let secs = given.parse::<f64>().ok().filter(|secs| secs.is_finite())?;
        Some(Timestamp::from_secs(secs))
    }

    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, and the year 292 million will do")]
    fn from_secs(secs: f64) -> Timestamp {
        Timestamp { millis: (secs * 1000.0).round() as i64 }
    }
}

impl Serialize for Timestamp {
    #[expect(clippy::cast_precision_loss, reason = "exact to the millisecond for 285,000 years")]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(NEWTYPE, &(self.millis as f64 / 1000.0))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        deserializer.deserialize_any(Visitor)
    }
}

struct Visitor;

impl de::Visitor<'_> for Visitor {
    type Value = Timestamp;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a timestamp")
    }

    #[expect(clippy::cast_precision_loss, reason = "a second more or less in the far future")]
    fn visit_i64<E: de::Error>(self, secs: i64) -> Result<Timestamp, E> {
        Ok(Timestamp::from_secs(secs as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "a second more or less in the far future")]
    fn visit_u64<E: de::Error>(self, secs: u64) -> Result<Timestamp, E> {
        Ok(Timestamp::from_secs(secs as f64))
    }

    fn visit_f64<E: de::Error>(self, secs: f64) -> Result<Timestamp, E> {
        Ok(Timestamp::from_secs(secs))
    }

    fn visit_str<E: de::Error>(self, given: &str) -> Result<Timestamp, E> {
        if let Some(at) = Timestamp::parse_secs(given) {
            return Ok(at);
        }
        let parsed = OffsetDateTime::parse(given, &Rfc3339)
            .map_err(|_| E::invalid_value(de::Unexpected::Str(given), &self))?;
        let millis = parsed.unix_timestamp_nanos() / 1_000_000;
        i64::try_from(millis)
            .map(Timestamp::from_millis)
            .map_err(|_| E::invalid_value(de::Unexpected::Str(given), &self))
    }
}

#[cfg(test)]
mod tests;
