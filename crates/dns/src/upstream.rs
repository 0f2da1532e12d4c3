//! The resolvers of the host, asked for what is not known here.

use crate::message::{self, Question};
use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
    time::timeout,
};

/// How long one resolver may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long what the host's file says is believed.
const KEPT: Duration = Duration::from_secs(5);
/// As many resolvers as the C library asks.
const SERVERS_MAX: usize = 3;
const PORT: u16 = 53;
const MESSAGE_MAX: usize = 65_535;

/// The host's resolvers, as its `resolv.conf` names them.
#[derive(Debug, Clone)]
pub struct Upstreams {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    file: PathBuf,
    known: Mutex<Option<(Instant, Vec<SocketAddr>)>>,
}

impl Upstreams {
    /// Returns those of a file, which is read again and again.
    pub fn of(file: impl Into<PathBuf>) -> Upstreams {
        Upstreams { shared: Arc::new(Shared { file: file.into(), known: Mutex::default() }) }
    }

    /// Asks one after the other over UDP; returns the first answer.
    pub(crate) async fn ask(&self, message: &[u8], question: &Question) -> Option<Vec<u8>> {
        for server in self.servers() {
            match timeout(PATIENCE, over_udp(server, message, question)).await {
                Ok(Ok(answer)) => return Some(answer),
                Ok(Err(error)) => tracing::debug!(%server, %error, "resolver not asked"),
                Err(_) => tracing::debug!(%server, "resolver did not answer in time"),
            }
        }
        None
    }

    /// The same over TCP, for answers that are too long for UDP.
    pub(crate) async fn ask_over_tcp(&self, message: &[u8], question: &Question) -> Option<Vec<u8>> {
        for server in self.servers() {
            match timeout(PATIENCE, over_tcp(server, message, question)).await {
                Ok(Ok(answer)) => return Some(answer),
                Ok(Err(error)) => tracing::debug!(%server, %error, "resolver not asked"),
                Err(_) => tracing::debug!(%server, "resolver did not answer in time"),
            }
        }
        None
    }

    fn servers(&self) -> Vec<SocketAddr> {
        let mut known = self.shared.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, servers)) = known.as_ref()
            && at.elapsed() < KEPT
        {
            return servers.clone();
        }
        let servers = parse(&fs::read_to_string(&self.shared.file).unwrap_or_default());
        *known = Some((Instant::now(), servers.clone()));
        servers
    }
}

fn parse(text: &str) -> Vec<SocketAddr> {
    let servers = text.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
    let servers = servers.filter_map(|rest| rest.trim().parse::<IpAddr>().ok());
    servers.map(|server| SocketAddr::new(server, PORT)).take(SERVERS_MAX).collect()
}

async fn over_udp(server: SocketAddr, message: &[u8], question: &Question) -> io::Result<Vec<u8>> {
    // A socket for each question: its port is the kernel's choice, and a stranger must guess both.
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (std::net::Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(server).await?;
    let asked = message::with_id(message, id()?);
    socket.send(&asked).await?;
    let mut buffer = vec![0; 4096];
    loop {
        let length = socket.recv(&mut buffer).await?;
        let answer = &buffer[..length];
        if message::answers(answer, &asked, question) {
            return Ok(message::with_id(answer, [message[0], message[1]]));
        }
    }
}

async fn over_tcp(server: SocketAddr, message: &[u8], question: &Question) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await?;
    let asked = message::with_id(message, id()?);
    let length = u16::try_from(asked.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), asked.as_slice()].concat()).await?;
    let length = usize::from(stream.read_u16().await?);
    let mut answer = vec![0; length.min(MESSAGE_MAX)];
    stream.read_exact(&mut answer).await?;
    if message::answers(&answer, &asked, question) {
        Ok(message::with_id(&answer, [message[0], message[1]]))
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidData, "not an answer to the question"))
    }
}

fn id() -> io::Result<[u8; 2]> {
    let mut id = [0; 2];
    getrandom::fill(&mut id).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(id)
}

#[cfg(test)]
mod tests;
