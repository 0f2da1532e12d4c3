//! One task's resolver.

use crate::{
    Names, Upstreams,
    budget::Budget,
    message::{self, Code, Heard, Question},
    names::Found,
};
use std::{
    io,
    net::{SocketAddr, TcpListener, UdpSocket},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Semaphore, watch},
    task::{AbortHandle, JoinSet},
    time::timeout,
};

/// Questions of one task that others are asked for at once.
const ASKING_MAX: usize = 128;
/// Connections of one task.
const CONNECTIONS_MAX: usize = 16;
/// How long a connection may be silent.
const IDLE: Duration = Duration::from_secs(10);
/// Longer questions than anybody has.
const QUESTION_MAX: usize = 4096;

/// What a resolver needs besides its sockets.
#[derive(Debug)]
struct Resolver {
    vpc: Option<String>,
    names: watch::Receiver<Arc<Names>>,
    upstreams: Upstreams,
    budget: Mutex<Budget>,
    asking: Semaphore,
}

/// Serves a task, of a VPC or of none, until the handle aborts it.
pub fn serve(
    udp: UdpSocket,
    tcp: TcpListener,
    vpc: Option<String>,
    names: watch::Receiver<Arc<Names>>,
    upstreams: Upstreams,
) -> io::Result<AbortHandle> {
    let udp = Arc::new(tokio::net::UdpSocket::from_std(udp)?);
    let tcp = tokio::net::TcpListener::from_std(tcp)?;
    let resolver = Arc::new(Resolver {
        vpc,
        names,
        upstreams,
        budget: Mutex::new(Budget::new(Instant::now())),
        asking: Semaphore::new(ASKING_MAX),
    });
    let server = tokio::spawn(async move {
        // What is under way belongs to the set, so that it ends with it and does not hold the namespace.
        let mut work = JoinSet::new();
        let mut buffer = vec![0; QUESTION_MAX];
        loop {
            tokio::select! {
                received = udp.recv_from(&mut buffer) => match received {
                    Ok((length, from)) => resolver.hear(&mut work, &udp, &buffer[..length], from),
                    Err(error) => pause(&error).await,
                },
                accepted = tcp.accept(), if work.len() < CONNECTIONS_MAX + ASKING_MAX => match accepted {
                    Ok((stream, _)) => {
                        let resolver = resolver.clone();
                        work.spawn(async move { resolver.converse(stream).await });
                    }
                    Err(error) => pause(&error).await,
                },
                Some(_) = work.join_next() => {}
            }
        }
    });
    Ok(server.abort_handle())
}

async fn pause(error: &io::Error) {
    tracing::debug!(%error, "question not received");
    tokio::time::sleep(Duration::from_millis(10)).await;
}

impl Resolver {
    /// Answers a question that came over UDP, at once or when others have.
    fn hear(
        self: &Arc<Resolver>,
        work: &mut JoinSet<()>,
        udp: &Arc<tokio::net::UdpSocket>,
        message: &[u8],
        from: SocketAddr,
    ) {
        if !self.afford() {
            return;
        }
        let (question, found) = match self.find(message) {
            Ok(found) => found,
            Err(Some(answer)) => return say(udp, &answer, from),
            Err(None) => return,
        };
        if let Some(answer) = known(message, &question, found) {
            return say(udp, &answer, from);
        }
        let (resolver, udp, message) = (self.clone(), udp.clone(), message.to_vec());
        work.spawn(async move {
            // A task that asks for more at once has to ask again.
            let Ok(_one) = resolver.asking.try_acquire() else { return };
            let answer = resolver.upstreams.ask(&message, &question).await;
            let answer = answer.unwrap_or_else(|| message::answer(&message, &question, Code::Failure, &[]));
            say(&udp, &answer, from);
        });
    }

    async fn converse(&self, mut stream: TcpStream) {
        while let Ok(Ok(length)) = timeout(IDLE, stream.read_u16()).await {
            let mut message = vec![0; usize::from(length).min(QUESTION_MAX)];
            let read = timeout(IDLE, stream.read_exact(&mut message)).await;
            if !matches!(read, Ok(Ok(_))) || usize::from(length) > QUESTION_MAX || !self.afford() {
                return;
            }
            let answer = match self.find(&message) {
                Ok((question, found)) => match known(&message, &question, found) {
                    Some(answer) => answer,
                    None => match self.asking.try_acquire() {
                        Ok(_one) => {
                            let answer = self.upstreams.ask_over_tcp(&message, &question).await;
                            answer.unwrap_or_else(|| message::answer(&message, &question, Code::Failure, &[]))
                        }
                        Err(_) => return,
                    },
                },
                Err(Some(answer)) => answer,
                Err(None) => return,
            };
            let Ok(length) = u16::try_from(answer.len()) else { return };
            let whole = [&length.to_be_bytes(), answer.as_slice()].concat();
            if !matches!(timeout(IDLE, stream.write_all(&whole)).await, Ok(Ok(()))) {
                return;
            }
        }
    }

    fn afford(&self) -> bool {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now())
    }

    /// Reads a question and looks for what is known here. The error is an answer to what is no question, if any.
    fn find(&self, message: &[u8]) -> Result<(Question, Found), Option<Vec<u8>>> {
        match message::read(message) {
            Heard::Question(question) => {
                let names = self.names.borrow().clone();
                let found = names.find(self.vpc.as_deref(), &question);
                Ok((question, found))
            }
            Heard::Answerable(code) => Err(Some(message::refusal(message, code))),
            Heard::Noise => Err(None),
        }
    }
}

/// Returns the answer to what is known here.
fn known(message: &[u8], question: &Question, found: Found) -> Option<Vec<u8>> {
    let (code, records) = match found {
        Found::Records(records) => (Code::Success, records),
        Found::NoName => (Code::NoName, Vec::new()),
        Found::Refused => (Code::Refused, Vec::new()),
        Found::Elsewhere => return None,
    };
    Some(message::answer(message, question, code, &records))
}

/// Sends an answer; who does not read it fast enough asks again.
fn say(udp: &tokio::net::UdpSocket, answer: &[u8], to: SocketAddr) {
    if let Err(error) = udp.try_send_to(answer, to) {
        tracing::debug!(%error, "answer not sent");
    }
}

#[cfg(test)]
mod tests;
