//! The options of driver `syslog`, and a message as syslog has it.

use super::Options;
use std::net::SocketAddr;
use time::{OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};
use wharf_model::Timestamp;

/// A syslog, and how messages are written for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Syslog {
    /// Where it listens.
    pub address: Address,
    /// The facility's number.
    pub facility: u8,
    /// The form.
    pub format: Format,
    /// What names the container in each message.
    pub tag: Vec<TagPart>,
    /// How many bytes may wait before the oldest are dropped; nothing to never drop any.
    pub buffer_max: Option<u64>,
}

/// Where a syslog listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// The host's own.
    Host,
    /// A stream socket of this machine.
    Unix(String),
    /// A datagram socket of this machine.
    UnixDatagram(String),
    /// A host and port.
    Tcp(String),
    /// A host and port, by datagrams.
    Udp(String),
}

/// The form of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// RFC 3164; for the sockets of this machine without a host's name.
    Rfc3164,
    /// RFC 5424.
    Rfc5424,
    /// RFC 5424 with microseconds.
    Rfc5424Micro,
}

/// A part of a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagPart {
    /// As it stands.
    Text(String),
    /// The first 12 letters of the container's id.
    Id,
    /// The whole id.
    FullId,
    /// The container's name.
    Name,
    /// The image's name.
    ImageName,
    /// What runs the container.
    DaemonName,
}

const FACILITIES: [&str; 24] = [
    "kern",
    "user",
    "mail",
    "daemon",
    "auth",
    "syslog",
    "lpr",
    "news",
    "uucp",
    "cron",
    "authpriv",
    "ftp",
    "ntp",
    "security",
    "console",
    "solaris-cron",
    "local0",
    "local1",
    "local2",
    "local3",
    "local4",
    "local5",
    "local6",
    "local7",
];

pub(super) fn read(options: &mut Options<'_>) -> Result<Syslog, String> {
    let address = match options.get("syslog-address") {
        None => Address::Host,
        Some(given) => address(given).map_err(|why| options.wrong("syslog-address", &why))?,
    };
    let facility = match options.get("syslog-facility") {
        None => 3,
        Some(given) => {
            let by_name = FACILITIES.iter().position(|name| *name == given);
            let number = by_name.or_else(|| given.parse().ok().filter(|number| *number < FACILITIES.len()));
            let number = number.and_then(|number| u8::try_from(number).ok());
            number.ok_or_else(|| {
                options.wrong("syslog-facility", "it is no facility, such as daemon or local0")
            })?
        }
    };
    let format = match options.get("syslog-format") {
        None | Some("rfc3164") => Format::Rfc3164,
        Some("rfc5424") => Format::Rfc5424,
        Some("rfc5424micro") => Format::Rfc5424Micro,
        Some(_) => {
            return Err(options.wrong("syslog-format", "it must be rfc3164, rfc5424 or rfc5424micro"));
        }
    };
    let tag = tag(options.get("tag").unwrap_or("{{.ID}}")).map_err(|why| options.wrong("tag", &why))?;
    Ok(Syslog { address, facility, format, tag, buffer_max: options.buffer()? })
}

fn address(given: &str) -> Result<Address, String> {
    let (scheme, rest) = given.split_once("://").ok_or("it needs a scheme, such as udp:// or unix://")?;
    let path = || {
        if rest.starts_with('/') {
            Ok(rest.to_owned())
        } else {
            Err("the path must begin with a slash".to_owned())
        }
    };
    let host = || {
        let port = rest
            .rsplit_once(':')
            .map(|(_, port)| port)
            .filter(|_| rest.parse::<SocketAddr>().is_ok() || !rest.ends_with(']'));
        let whole = match port {
            Some(port) if port.parse::<u16>().is_ok_and(|port| port > 0) => rest.to_owned(),
            Some(_) if rest.contains(':') => return Err("the port is not a number".to_owned()),
            _ => format!("{rest}:514"),
        };
        if whole.starts_with(':') { Err("the host is missing".to_owned()) } else { Ok(whole) }
    };
    match scheme {
        "unix" => Ok(Address::Unix(path()?)),
        "unixgram" => Ok(Address::UnixDatagram(path()?)),
        "tcp" => Ok(Address::Tcp(host()?)),
        "udp" => Ok(Address::Udp(host()?)),
        "tcp+tls" => Err("tcp+tls is not supported by this version of Wharf".to_owned()),
        other => Err(format!("'{other}' must be one of tcp, udp, unix and unixgram")),
    }
}

fn tag(given: &str) -> Result<Vec<TagPart>, String> {
    let mut parts = Vec::new();
    let mut rest = given;
    while let Some((before, inside)) = rest.split_once("{{") {
        if !before.is_empty() {
            parts.push(TagPart::Text(before.to_owned()));
        }
        let (name, after) = inside.split_once("}}").ok_or("a '{{' is not closed")?;
        parts.push(match name.trim() {
            ".ID" => TagPart::Id,
            ".FullID" => TagPart::FullId,
            ".Name" => TagPart::Name,
            ".ImageName" => TagPart::ImageName,
            ".DaemonName" => TagPart::DaemonName,
            other => return Err(format!("'{{{{{other}}}}}' is not supported by this version of Wharf")),
        });
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(TagPart::Text(rest.to_owned()));
    }
    if parts.is_empty() { Err("it is empty".to_owned()) } else { Ok(parts) }
}

impl Syslog {
    /// Returns a line as a message, without what ends it on a stream. `host` and `process` name who sends it.
    pub fn message(&self, line: &Line<'_>) -> String {
        let severity = if line.is_error { 3 } else { 6 };
        let priority = self.facility * 8 + severity;
        let Line { tag, host, process, text, .. } = line;
        let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(line.at.0) * 1_000_000);
        let moment = moment.unwrap_or(OffsetDateTime::UNIX_EPOCH);
        match self.format {
            Format::Rfc3164 => {
                let form =
                    format_description!("[month repr:short] [day padding:space] [hour]:[minute]:[second]");
                let moment = moment.format(&form).unwrap_or_default();
                let host = match self.address {
                    Address::Host | Address::Unix(_) | Address::UnixDatagram(_) => String::new(),
                    Address::Tcp(_) | Address::Udp(_) => format!("{host} "),
                };
                format!("<{priority}>{moment} {host}{tag}[{process}]: {text}")
            }
            Format::Rfc5424 => {
                let moment =
                    moment.replace_nanosecond(0).unwrap_or(moment).format(&Rfc3339).unwrap_or_default();
                format!("<{priority}>1 {moment} {host} {tag} {process} {tag} - {text}")
            }
            Format::Rfc5424Micro => {
                let form = format_description!(
                    "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z"
                );
                let moment = moment.format(&form).unwrap_or_default();
                format!("<{priority}>1 {moment} {host} {tag} {process} {tag} - {text}")
            }
        }
    }
}

/// A line on its way to syslog.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// When it was written.
    pub at: Timestamp,
    /// Whether to standard error.
    pub is_error: bool,
    /// What names the container.
    pub tag: &'a str,
    /// The machine's name.
    pub host: &'a str,
    /// The sender's process id.
    pub process: u32,
    /// The line.
    pub text: &'a str,
}
