//! The text of a record.

use super::Flow;
use wharf_model::{
    EniId, Timestamp,
    network::{FlowField, FlowFormat},
};

/// What became of packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// They were let through.
    Accept,
    /// They were refused.
    Reject,
}

/// A record of an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What it tells.
    pub status: Status,
    /// When that began.
    pub start: Timestamp,
    /// When it ended.
    pub end: Timestamp,
}

/// What a record tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// A flow.
    Ok {
        /// The flow.
        flow: Flow,
        /// What became of it.
        action: Action,
        /// Its packets.
        packets: u64,
        /// Their bytes.
        bytes: u64,
    },
    /// There was no traffic.
    NoData,
    /// There was more than is known.
    SkipData,
}

/// Returns a record's line.
pub fn line(format: &FlowFormat, account: &str, interface: &EniId, record: &Record) -> String {
    let value = |field: &FlowField| match field {
        FlowField::Version => "2".to_owned(),
        FlowField::AccountId => account.to_owned(),
        FlowField::InterfaceId => interface.to_string(),
        FlowField::Start => secs(record.start),
        FlowField::End => secs(record.end),
        FlowField::LogStatus => match record.status {
            Status::Ok { .. } => "OK".to_owned(),
            Status::NoData => "NODATA".to_owned(),
            Status::SkipData => "SKIPDATA".to_owned(),
        },
        FlowField::SrcAddr
        | FlowField::DstAddr
        | FlowField::SrcPort
        | FlowField::DstPort
        | FlowField::Protocol
        | FlowField::Packets
        | FlowField::Bytes
        | FlowField::Action => of_flow(*field, &record.status).unwrap_or_else(|| "-".to_owned()),
    };
    format.fields().iter().map(value).collect::<Vec<_>>().join(" ")
}

fn of_flow(field: FlowField, status: &Status) -> Option<String> {
    let Status::Ok { flow, action, packets, bytes } = status else { return None };
    Some(match field {
        FlowField::SrcAddr => flow.from.to_string(),
        FlowField::DstAddr => flow.to.to_string(),
        FlowField::SrcPort => flow.from_port.to_string(),
        FlowField::DstPort => flow.to_port.to_string(),
        FlowField::Protocol => flow.protocol.to_string(),
        FlowField::Packets => packets.to_string(),
        FlowField::Bytes => bytes.to_string(),
        FlowField::Action => match action {
            Action::Accept => "ACCEPT".to_owned(),
            Action::Reject => "REJECT".to_owned(),
        },
        FlowField::Version
        | FlowField::AccountId
        | FlowField::InterfaceId
        | FlowField::Start
        | FlowField::End
        | FlowField::LogStatus => return None,
    })
}

fn secs(time: Timestamp) -> String {
    time.0.div_euclid(1000).to_string()
}
