//! Where a container's output goes, as its log driver's options say: read once, for who checks a definition and for
//! who delivers the lines.

mod datetime;
mod syslog;
#[cfg(test)]
mod tests;

use regex::{Regex, RegexBuilder};
use wharf_model::task_definition::{LogConfiguration, LogDriver};

pub use syslog::{Address, Format, Line, Syslog, TagPart};

/// What a container's output may take on its node where its driver keeps it there, unless its options say otherwise.
const FILE_BYTES_DEFAULT: u64 = 256 << 20;
/// What may wait in mode `non-blocking` unless `max-buffer-size` says otherwise.
const BUFFER_BYTES_DEFAULT: u64 = 10 << 20;

/// The most events that may be said to wait for a log router.
const EVENTS_MAX: u64 = 536_870_911;
/// The longest event of Docker's drivers.
const EVENT_BYTES: u64 = 16 << 10;

/// Where a container's output goes.
#[derive(Debug, Clone)]
pub enum Logging {
    /// To a log group.
    Group(Group),
    /// To syslog.
    Syslog(Syslog),
    /// To the log router of its task (see [`crate::firelens`]).
    Router {
        /// How many bytes may wait before the oldest are dropped; nothing to never drop any.
        buffer_max: Option<u64>,
    },
    /// Nowhere but the node's own files, of which the newest part is kept.
    Files {
        /// How much is kept, in bytes.
        bytes_max: u64,
    },
}

/// A log group, and how lines become its events.
#[derive(Debug, Clone)]
pub struct Group {
    /// The group.
    pub name: String,
    /// Whether it is made when it is not there.
    pub create: bool,
    /// What the stream's name begins with; without it the stream is the container's id.
    pub stream_prefix: Option<String>,
    /// What a line has that begins an event; without it each line is one.
    pub event_start: Option<Regex>,
    /// How many bytes may wait before the oldest are dropped; nothing to never drop any.
    pub buffer_max: Option<u64>,
}

/// Reads a configuration; the error names the option.
pub fn read(log: &LogConfiguration) -> Result<Logging, String> {
    let mut options = Options { log, known: Vec::new() };
    let logging = match log.driver {
        LogDriver::Awslogs => Logging::Group(group(&mut options)?),
        LogDriver::Syslog => Logging::Syslog(syslog::read(&mut options)?),
        LogDriver::JsonFile => Logging::Files { bytes_max: files(&mut options)? },
        // Its other options are the router's.
        LogDriver::Awsfirelens => return Ok(Logging::Router { buffer_max: events(&mut options)? }),
        LogDriver::None => Logging::Files { bytes_max: 0 },
    };
    options.none_is_left()?;
    Ok(logging)
}

/// Returns where output goes when a container has no log configuration.
pub fn unconfigured() -> Logging {
    Logging::Files { bytes_max: FILE_BYTES_DEFAULT }
}

/// The options of a driver, and which of them were looked at.
struct Options<'a> {
    log: &'a LogConfiguration,
    known: Vec<&'static str>,
}

impl<'a> Options<'a> {
    fn get(&mut self, name: &'static str) -> Option<&'a str> {
        self.known.push(name);
        self.log.options.get(name).map(String::as_str)
    }

    fn wrong(&self, name: &str, why: &str) -> String {
        let given = self.log.options.get(name).map_or("", String::as_str);
        format!("log option '{name}' of driver {} is '{given}': {why}", self.log.driver.as_str())
    }

    fn size(&mut self, name: &'static str) -> Result<Option<u64>, String> {
        let Some(given) = self.get(name) else { return Ok(None) };
        match bytes(given) {
            Some(bytes) if bytes > 0 => Ok(Some(bytes)),
            _ => Err(self.wrong(name, "it must be a size, such as 512k, 25m or 1g")),
        }
    }

    /// Returns how much may wait, from `mode` and `max-buffer-size`. Without either nothing is ever dropped, and the
    /// container does not wait all the same: its output is on the node's disk.
    fn buffer(&mut self) -> Result<Option<u64>, String> {
        let size = self.size("max-buffer-size")?;
        match self.get("mode") {
            None => Ok(size),
            Some("blocking") if size.is_some() => {
                Err(self.wrong("max-buffer-size", "it is only for mode 'non-blocking'"))
            }
            Some("blocking") => Ok(None),
            Some("non-blocking") => Ok(size.or(Some(BUFFER_BYTES_DEFAULT))),
            Some(_) => Err(self.wrong("mode", "it must be 'blocking' or 'non-blocking'")),
        }
    }

    fn none_is_left(&self) -> Result<(), String> {
        let left = self.log.options.keys().find(|name| !self.known.contains(&name.as_str()));
        match left {
            None => Ok(()),
            Some(name) => Err(format!(
                "log option '{name}' of driver {} is not supported by this version of Wharf",
                self.log.driver.as_str()
            )),
        }
    }
}

fn group(options: &mut Options<'_>) -> Result<Group, String> {
    for required in ["awslogs-group", "awslogs-region"] {
        if options.get(required).is_none_or(str::is_empty) {
            return Err(format!("log driver awslogs requires option '{required}'"));
        }
    }
    let create = match options.get("awslogs-create-group") {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(options.wrong("awslogs-create-group", "it must be 'true' or 'false'")),
    };
    let by_time = options.get("awslogs-datetime-format");
    let by_pattern = options.get("awslogs-multiline-pattern");
    let event_start = match (by_time, by_pattern) {
        (Some(_), Some(_)) => {
            return Err(
                "log options 'awslogs-datetime-format' and 'awslogs-multiline-pattern' cannot be given \
                        together"
                    .to_owned(),
            );
        }
        (Some(format), None) => {
            Some(datetime::regex(format).map_err(|why| options.wrong("awslogs-datetime-format", &why))?)
        }
        (None, Some(pattern)) => Some(pattern.to_owned()),
        (None, None) => None,
    };
    let event_start = event_start.map(|text| {
        let built = RegexBuilder::new(&text).size_limit(1 << 20).build();
        let option = if by_time.is_some() { "awslogs-datetime-format" } else { "awslogs-multiline-pattern" };
        built.map_err(|_| options.wrong(option, "it is not a regular expression that is supported"))
    });
    let event_start = event_start.transpose()?;
    let stream_prefix = options.get("awslogs-stream-prefix").filter(|prefix| !prefix.is_empty());
    Ok(Group {
        name: options.get("awslogs-group").unwrap_or_default().to_owned(),
        create,
        stream_prefix: stream_prefix.map(str::to_owned),
        event_start,
        buffer_max: options.buffer()?,
    })
}

/// Returns how many bytes may wait for a log router, from the number of events that may: as much as these could be, because
/// what waits is not counted until it is read.
fn events(options: &mut Options<'_>) -> Result<Option<u64>, String> {
    let Some(given) = options.get("log-driver-buffer-limit") else { return Ok(None) };
    match given.parse::<u64>() {
        Ok(count) if (1..=EVENTS_MAX).contains(&count) => Ok(Some(count * EVENT_BYTES)),
        _ => Err(options.wrong("log-driver-buffer-limit", "it must be a number from 1 to 536870911")),
    }
}

fn files(options: &mut Options<'_>) -> Result<u64, String> {
    let size = options.size("max-size")?;
    let count = match options.get("max-file") {
        None => 1,
        Some(given) => match given.parse::<u64>() {
            Ok(count) if count >= 1 => count,
            _ => return Err(options.wrong("max-file", "it must be a number from 1")),
        },
    };
    match (size, options.log.options.contains_key("max-file")) {
        (None, true) if count > 1 => Err(options.wrong("max-file", "it needs max-size")),
        (None, _) => Ok(FILE_BYTES_DEFAULT),
        (Some(size), _) => Ok(size.saturating_mul(count)),
    }
}

/// Reads a size as Docker does: a number, and `k`, `m`, `g`, with or without a `b`.
fn bytes(given: &str) -> Option<u64> {
    let text = given.trim().to_ascii_lowercase();
    let text = text.strip_suffix('b').unwrap_or(&text);
    let text = text.strip_suffix('i').unwrap_or(text);
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit: u64 = match &text[digits.len()..] {
        "" => 1,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}
