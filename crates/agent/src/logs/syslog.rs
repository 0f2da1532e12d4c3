//! Lines to syslog. While it cannot be reached they wait, in the container's files.

use crate::clock;
use std::{fs, io, time::Duration};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpStream, UdpSocket, UnixDatagram, UnixStream},
};
use wharf_keeper::output::{Line, Stream};
use wharf_model::task_definition::ContainerDefinition;
use wharf_plan::logging::{Address, Syslog, TagPart};

/// Where the host's syslog listens, by custom.
const HOST_SOCKETS: [&str; 3] = ["/dev/log", "/var/run/syslog", "/var/run/log"];
/// What a datagram carries.
const DATAGRAM_MAX: usize = 60 << 10;
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// How long a receiver may take that does not read.
const SEND_MAX: Duration = Duration::from_secs(10);

/// Sends a container's lines.
#[derive(Debug)]
pub(crate) struct Sender {
    syslog: Syslog,
    tag: String,
    host: String,
    connection: Option<Connection>,
}

#[derive(Debug)]
enum Connection {
    Tcp(TcpStream),
    Udp(UdpSocket),
    Unix(UnixStream),
    UnixDatagram(UnixDatagram),
}

impl Sender {
    pub(super) fn new(syslog: Syslog, definition: &ContainerDefinition, id: &str) -> Sender {
        let parts = syslog.tag.iter().map(|part| match part {
            TagPart::Text(text) => text.as_str(),
            // The part that differs from container to container.
            TagPart::Id => id.get(..12).unwrap_or(id),
            TagPart::FullId => id,
            TagPart::Name => &definition.name,
            TagPart::ImageName => &definition.image,
            TagPart::DaemonName => "wharf",
        });
        let tag = parts.collect();
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let host = Some(host.trim().to_owned()).filter(|host| !host.is_empty());
        Sender { syslog, tag, host: host.unwrap_or_else(|| "localhost".to_owned()), connection: None }
    }

    pub(super) fn buffer_max(&self) -> Option<u64> {
        self.syslog.buffer_max
    }

    /// Sends lines, each until it was taken.
    pub(super) async fn send(&mut self, lines: &[Line]) {
        let mut place = 0;
        let mut pause = PAUSE_MIN;
        let mut told = false;
        while place < lines.len() {
            match self.try_send(&lines[place..]).await {
                Ok(sent) => {
                    place += sent;
                    pause = PAUSE_MIN;
                }
                Err(error) => {
                    self.connection = None;
                    if !std::mem::replace(&mut told, true) {
                        tracing::warn!(address = ?self.syslog.address, %error, "syslog not reached, lines wait");
                    }
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        }
    }

    /// Sends as many lines as go at once, and returns how many.
    async fn try_send(&mut self, lines: &[Line]) -> io::Result<usize> {
        let messages = lines.iter().take(200).map(|line| self.message(line));
        let messages: Vec<String> = messages.collect();
        if self.connection.is_none() {
            self.connection = Some(connect(&self.syslog.address).await?);
        }
        let Some(connection) = &mut self.connection else { return Ok(0) };
        let sending = async {
            match connection {
                Connection::Tcp(stream) => stream.write_all(joined(&messages).as_bytes()).await?,
                Connection::Unix(stream) => stream.write_all(joined(&messages).as_bytes()).await?,
                Connection::Udp(socket) => {
                    for message in &messages {
                        match socket.send(cut(message)).await {
                            // What is said of the datagram before: nobody listened, and nobody ever says that one arrived.
                            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                            sent => drop(sent?),
                        }
                    }
                }
                Connection::UnixDatagram(socket) => {
                    for message in &messages {
                        socket.send(cut(message)).await?;
                    }
                }
            }
            Ok(messages.len())
        };
        let late = || io::Error::new(io::ErrorKind::TimedOut, "it does not read");
        tokio::time::timeout(SEND_MAX, sending).await.unwrap_or_else(|_| Err(late()))
    }

    fn message(&self, line: &Line) -> String {
        // What ends a message on a stream cannot be in one.
        let text = String::from_utf8_lossy(&line.bytes).replace(['\n', '\0'], " ");
        self.syslog.message(&wharf_plan::logging::Line {
            at: clock::from_nanos(line.at_nanos),
            is_error: line.stream == Stream::Stderr,
            tag: &self.tag,
            host: &self.host,
            process: std::process::id(),
            text: &text,
        })
    }
}

fn joined(messages: &[String]) -> String {
    let mut all = messages.join("\n");
    all.push('\n');
    all
}

fn cut(message: &str) -> &[u8] {
    &message.as_bytes()[..message.len().min(DATAGRAM_MAX)]
}

async fn connect(address: &Address) -> io::Result<Connection> {
    match address {
        Address::Tcp(address) => Ok(Connection::Tcp(TcpStream::connect(address).await?)),
        Address::Udp(address) => {
            let socket = match tokio::net::lookup_host(address).await?.next() {
                Some(found) if found.is_ipv6() => UdpSocket::bind("[::]:0").await?,
                _ => UdpSocket::bind("0.0.0.0:0").await?,
            };
            socket.connect(address).await?;
            Ok(Connection::Udp(socket))
        }
        Address::Unix(path) => Ok(Connection::Unix(UnixStream::connect(path).await?)),
        Address::UnixDatagram(path) => datagram(path),
        Address::Host => {
            let mut last = io::Error::from(io::ErrorKind::NotFound);
            for path in HOST_SOCKETS {
                match datagram(path) {
                    Ok(connection) => return Ok(connection),
                    Err(error) => last = error,
                }
                if let Ok(stream) = UnixStream::connect(path).await {
                    return Ok(Connection::Unix(stream));
                }
            }
            Err(last)
        }
    }
}

fn datagram(path: &str) -> io::Result<Connection> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(path)?;
    Ok(Connection::UnixDatagram(socket))
}
