//! A client's connection, as pingora reads and writes it.
//!
//! It hands on exactly one request: the head that was checked and as many bytes as its length says, so that what
//! follows cannot reach a target unchecked. Writes are gathered until pingora flushes: one send per answer, not three.
//! A connection that was upgraded ends when no byte passes in either direction for the idle time.

use crate::{buffer::Buffer, transport::Transport};
use async_trait::async_trait;
use bytes::{Buf, BytesMut};
use pingora_core::protocols::{
    GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl, TimingDigest,
    UniqueID, UniqueIDType, l4::socket::SocketAddr as L4Address, raw_connect::ProxyDigest,
};
use std::{
    fmt,
    future::poll_fn,
    io,
    net::SocketAddr,
    os::fd::AsRawFd,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    time::{Instant, Sleep, sleep, timeout},
};

/// As much as is gathered before it is sent.
const GATHER: usize = 16 << 10;
/// How much of a request that was answered early is still read, so that the client gets to see the answer.
const LINGER_BYTES: usize = 1 << 20;
const LINGER: Duration = Duration::from_secs(2);

/// A client's connection.
pub(crate) struct ClientStream {
    /// Present until it is dropped.
    transport: Option<Transport>,
    /// Read and not yet handed on.
    pub(crate) came: BytesMut,
    /// How many bytes of the request are still to be handed on.
    allowed: u64,
    out: BytesMut,
    idle: Option<Idle>,
    digest: Arc<SocketDigest>,
    traffic: Arc<Traffic>,
}

/// The bytes that passed on a connection.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    received: AtomicU64,
    sent: AtomicU64,
}

impl Traffic {
    /// Returns the bytes received and sent up to now.
    pub(crate) fn so_far(&self) -> [u64; 2] {
        [self.received.load(Relaxed), self.sent.load(Relaxed)]
    }
}

struct Idle {
    limit: Duration,
    last: Instant,
    timer: Pin<Box<Sleep>>,
}

impl ClientStream {
    /// Takes a connection.
    pub(crate) fn new(transport: Transport, at: SocketAddr, from: SocketAddr) -> ClientStream {
        let digest = SocketDigest::from_raw_fd(transport.as_raw_fd());
        // Known already; pingora would ask the kernel.
        let _ = digest.peer_addr.set(Some(L4Address::Inet(from)));
        let _ = digest.local_addr.set(Some(L4Address::Inet(at)));
        ClientStream {
            transport: Some(transport),
            came: BytesMut::new(),
            allowed: 0,
            out: BytesMut::new(),
            idle: None,
            digest: Arc::new(digest),
            traffic: Arc::default(),
        }
    }

    /// Waits until there is something to read. Holds no buffer meanwhile.
    pub(crate) async fn readable(&mut self) -> io::Result<()> {
        if !self.out.is_empty() {
            self.flush().await?;
        }
        self.came = BytesMut::new();
        self.out = BytesMut::new();
        match self.transport.as_mut().ok_or(io::ErrorKind::NotConnected)? {
            Transport::Plain(tcp) => tcp.readable().await,
            // What is there may be no more than a part of a record, so it must be read to be seen.
            transport @ Transport::Tls(_) => {
                let came = &mut self.came;
                let count = poll_fn(|cx| {
                    let mut bytes = Buffer::take();
                    let count = ready!(pin!(transport.read_buf(&mut *bytes)).poll(cx))?;
                    came.extend_from_slice(&bytes);
                    Poll::Ready(io::Result::Ok(count))
                });
                let count = count.await?;
                self.traffic.received.fetch_add(count as u64, Relaxed);
                Ok(())
            }
        }
    }

    /// Reads more of a head; 0 at the end.
    pub(crate) async fn read_more(&mut self) -> io::Result<usize> {
        self.came.reserve(4096);
        let transport = self.transport.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        let count = transport.read_buf(&mut self.came).await?;
        self.traffic.received.fetch_add(count as u64, Relaxed);
        Ok(count)
    }

    /// Returns what counts the bytes.
    pub(crate) fn traffic(&self) -> &Arc<Traffic> {
        &self.traffic
    }

    /// Lets this many bytes be read: one request.
    pub(crate) fn allow(&mut self, bytes: u64) {
        self.allowed = bytes;
    }

    /// Ends the connection when no byte passes for this long; never without a limit.
    pub(crate) fn end_when_idle(&mut self, limit: Option<Duration>) {
        let timer = |limit| Idle { limit, last: Instant::now(), timer: Box::pin(sleep(limit)) };
        self.idle = limit.map(timer);
    }

    /// Writes this and nothing more.
    pub(crate) async fn say(mut self, answer: &[u8]) {
        self.allowed = u64::MAX;
        // A client that is gone needs no answer.
        if self.write_all(answer).await.is_ok() && self.flush().await.is_ok() {
            Shutdown::shutdown(&mut self).await;
        }
    }

    fn passed(&mut self) {
        if let Some(idle) = &mut self.idle {
            idle.last = Instant::now();
        }
    }

    /// Ready when nothing has passed for too long.
    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(idle) = &mut self.idle else { return Poll::Pending };
        while idle.timer.as_mut().poll(cx).is_ready() {
            let end = idle.last + idle.limit;
            if end <= Instant::now() {
                return Poll::Ready(());
            }
            idle.timer.as_mut().reset(end);
        }
        Poll::Pending
    }

    fn poll_handed_on(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let limit = usize::try_from(self.allowed).unwrap_or(usize::MAX).min(buf.remaining());
        let transport = self.transport.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        if self.allowed == 0 {
            // The request is over: only the client's going matters. Bytes of the next request wait.
            if !self.came.is_empty() {
                return Poll::Pending;
            }
            let mut probe = [0; 1024];
            let mut probe = ReadBuf::new(&mut probe);
            let count = match transport {
                Transport::Plain(tcp) => ready!(tcp.poll_peek(cx, &mut probe))?,
                Transport::Tls(tls) => {
                    ready!(Pin::new(tls).poll_read(cx, &mut probe))?;
                    self.came.extend_from_slice(probe.filled());
                    let count = probe.filled().len();
                    self.traffic.received.fetch_add(count as u64, Relaxed);
                    count
                }
            };
            return if count > 0 { Poll::Pending } else { Poll::Ready(Ok(())) };
        }
        let before = buf.filled().len();
        let held = !self.came.is_empty();
        if held {
            let count = limit.min(self.came.len());
            buf.put_slice(&self.came[..count]);
            self.came.advance(count);
        } else if limit == buf.remaining() {
            ready!(Pin::new(transport).poll_read(cx, buf))?;
        } else {
            let mut part = ReadBuf::new(buf.initialize_unfilled_to(limit));
            ready!(Pin::new(transport).poll_read(cx, &mut part))?;
            let count = part.filled().len();
            buf.advance(count);
        }
        let count = buf.filled().len() - before;
        if !held {
            self.traffic.received.fetch_add(count as u64, Relaxed);
        }
        if self.allowed != u64::MAX {
            self.allowed -= count as u64;
        }
        self.passed();
        Poll::Ready(Ok(()))
    }

    /// Sends what was gathered and, with it, `more`; returns how much of `more` was sent.
    fn poll_send(&mut self, cx: &mut Context<'_>, more: &[u8]) -> Poll<io::Result<usize>> {
        let transport = self.transport.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        loop {
            let tcp = Pin::new(&mut *transport);
            let sent = match (self.out.is_empty(), more.is_empty()) {
                (true, true) => return Poll::Ready(Ok(0)),
                (false, true) => ready!(tcp.poll_write(cx, &self.out))?,
                (true, false) => ready!(tcp.poll_write(cx, more))?,
                (false, false) => {
                    let pieces = [io::IoSlice::new(&self.out), io::IoSlice::new(more)];
                    ready!(tcp.poll_write_vectored(cx, &pieces))?
                }
            };
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.traffic.sent.fetch_add(sent as u64, Relaxed);
            let gathered = sent.min(self.out.len());
            self.out.advance(gathered);
            if let Some(idle) = &mut self.idle {
                idle.last = Instant::now();
            }
            if sent > gathered {
                return Poll::Ready(Ok(sent - gathered));
            }
        }
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Poll::Ready(read) = self.poll_handed_on(cx, buf) {
            return Poll::Ready(read);
        }
        self.poll_idle(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.out.len() + bytes.len() <= GATHER {
            self.out.extend_from_slice(bytes);
            return Poll::Ready(Ok(bytes.len()));
        }
        self.poll_send(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(cx, &[]))?;
        let transport = self.transport.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        Pin::new(transport).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush(cx))?;
        let transport = self.transport.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        Pin::new(transport).poll_shutdown(cx)
    }
}

impl Drop for ClientStream {
    fn drop(&mut self) {
        let Some(mut transport) = self.transport.take() else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        // Without TLS, the socket's end says as much.
        let said = matches!(transport, Transport::Plain(_));
        if said && (self.allowed == 0 || self.idle.is_some()) {
            return;
        }
        // Closing with bytes unread would reset the connection and take the answer from the client. With TLS, an end
        // that is not said looks like one that somebody else made.
        runtime.spawn(async move {
            let mut bytes = [0; 4096];
            let mut left = LINGER_BYTES;
            let swallow = async {
                transport.shutdown().await?;
                while left > 0 {
                    match transport.read(&mut bytes).await? {
                        0 => break,
                        count => left = left.saturating_sub(count),
                    }
                }
                io::Result::Ok(())
            };
            let _ = timeout(LINGER, swallow).await;
        });
    }
}

impl fmt::Debug for ClientStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientStream").field("came", &self.came.len()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Shutdown for ClientStream {
    async fn shutdown(&mut self) {
        // A connection that is gone is shut down.
        let _ = AsyncWriteExt::shutdown(self).await;
    }
}

impl UniqueID for ClientStream {
    fn id(&self) -> UniqueIDType {
        self.transport.as_ref().map_or(-1, AsRawFd::as_raw_fd)
    }
}

impl Ssl for ClientStream {}

impl Peek for ClientStream {}

impl GetTimingDigest for ClientStream {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        Vec::new()
    }
}

impl GetProxyDigest for ClientStream {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        None
    }
}

impl GetSocketDigest for ClientStream {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        Some(self.digest.clone())
    }
}
