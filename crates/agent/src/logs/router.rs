//! Lines to a task's log router, in the forward protocol of Fluentd's specification (v1, forward mode): an array of the
//! tag and the entries, each an event time and a record. While the router cannot be reached they wait, in the
//! container's files; once the task's containers are gone nobody will take them any more.

use super::Phase;
use crate::record::Record;
use camino::Utf8PathBuf;
use std::{
    io,
    os::fd::AsRawFd,
    time::{Duration, Instant},
};
use tokio::{io::AsyncWriteExt, net::UnixStream, sync::watch};
use wharf_keeper::output::{Line, Stream};
use wharf_plan::firelens;

const BATCH_LINES: usize = 200;
const PAUSE_MIN: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// How long a router may take that does not read.
const SEND_MAX: Duration = Duration::from_secs(10);
/// How long it is silently waited for: it makes its socket some time after it was started.
const PATIENCE: Duration = Duration::from_secs(10);
/// The extension type of an event time.
const EVENT_TIME: i8 = 0;

/// Sends a container's lines.
#[derive(Debug)]
pub(crate) struct Sender {
    dir: Utf8PathBuf,
    tag: String,
    container_id: String,
    container_name: String,
    connection: Option<UnixStream>,
}

impl Sender {
    /// Returns the sender of a container, for a router whose socket will be in a directory.
    pub(super) fn new(dir: Utf8PathBuf, record: &Record, place: usize) -> Sender {
        Sender {
            dir,
            tag: firelens::tag(&record.definition(place).name, record.assignment.task.as_str()),
            container_id: record.notes[place].id.clone(),
            container_name: format!("/{}", record.docker_name(place)),
            connection: None,
        }
    }

    /// Sends lines until they were taken. Returns false when nobody can take them any more.
    pub(super) async fn send(&mut self, lines: &[Line], phase: &watch::Receiver<Phase>) -> bool {
        let (mut place, mut pause) = (0, PAUSE_MIN);
        let begun = Instant::now();
        let mut told = false;
        while place < lines.len() {
            let batch = &lines[place..lines.len().min(place + BATCH_LINES)];
            match self.try_send(batch).await {
                Ok(()) => {
                    place += batch.len();
                    pause = PAUSE_MIN;
                }
                Err(error) => {
                    self.connection = None;
                    if *phase.borrow() == Phase::Gone {
                        let lost = lines.len() - place;
                        tracing::warn!(tag = self.tag, lost, %error, "lines lost: the log router has ended");
                        return false;
                    }
                    if begun.elapsed() > PATIENCE && !std::mem::replace(&mut told, true) {
                        tracing::warn!(tag = self.tag, %error, "log router not reached, lines wait");
                    }
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        }
        true
    }

    async fn try_send(&mut self, lines: &[Line]) -> io::Result<()> {
        let message = self.message(lines);
        if self.connection.is_none() {
            // What a container made of the name is not followed anywhere.
            let socket = wharf_sandbox::inside::socket(&self.dir, firelens::SOCKET)?;
            let path = format!("/proc/self/fd/{}", socket.as_raw_fd());
            self.connection = Some(UnixStream::connect(path).await?);
        }
        let Some(connection) = &mut self.connection else { return Ok(()) };
        let late = || io::Error::new(io::ErrorKind::TimedOut, "it does not read");
        let sent = tokio::time::timeout(SEND_MAX, connection.write_all(&message)).await;
        sent.unwrap_or_else(|_| Err(late()))
    }

    fn message(&self, lines: &[Line]) -> Vec<u8> {
        let mut message =
            Vec::with_capacity(64 + lines.iter().map(|line| line.bytes.len() + 256).sum::<usize>());
        // Writing to memory does not fail.
        let _written = self.write(&mut message, lines);
        message
    }

    fn write(&self, message: &mut Vec<u8>, lines: &[Line]) -> Result<(), rmp::encode::ValueWriteError> {
        let count = u32::try_from(lines.len()).unwrap_or(u32::MAX);
        rmp::encode::write_array_len(message, 2)?;
        rmp::encode::write_str(message, &self.tag)?;
        rmp::encode::write_array_len(message, count)?;
        for line in lines {
            rmp::encode::write_array_len(message, 2)?;
            rmp::encode::write_ext_meta(message, 8, EVENT_TIME)?;
            message.extend_from_slice(&event_time(line.at_nanos));
            let source = match line.stream {
                Stream::Stdout => "stdout",
                Stream::Stderr => "stderr",
            };
            let record = [
                ("container_id", self.container_id.as_str()),
                ("container_name", &self.container_name),
                ("source", source),
                ("log", &String::from_utf8_lossy(&line.bytes)),
            ];
            rmp::encode::write_map_len(message, 4)?;
            for (key, value) in record {
                rmp::encode::write_str(message, key)?;
                rmp::encode::write_str(message, value)?;
            }
        }
        Ok(())
    }
}

/// Seconds and nanoseconds of an event, both of four bytes with the highest first.
fn event_time(nanos: i64) -> [u8; 8] {
    let seconds = u32::try_from(nanos / 1_000_000_000).unwrap_or_default();
    let rest = u32::try_from(nanos % 1_000_000_000).unwrap_or_default();
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&seconds.to_be_bytes());
    bytes[4..].copy_from_slice(&rest.to_be_bytes());
    bytes
}
