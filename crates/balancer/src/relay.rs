//! A connection that was upgraded: bytes pass in both directions until one side ends it, or nothing passes for too long.
//!
//! Pingora is not asked: it takes the end of the upgrade request's empty body for the client's end of the connection
//! when the target answers at once. Nothing is held while nothing passes.

use crate::{buffer::Buffer, patience::Patience};
use std::{
    future::{Future, poll_fn},
    io,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};

/// Passes on what both sides say. What one has said before it ended still reaches the other.
pub(crate) async fn both(
    client: &mut (impl AsyncRead + AsyncWrite + Unpin),
    target: &mut (impl AsyncRead + AsyncWrite + Unpin),
    patience: &mut Patience,
) {
    let (mut there, mut back) = (Way::default(), Way::default());
    loop {
        let step = poll_fn(|cx| {
            let (one, other) = (there.poll(client, target, cx), back.poll(target, client, cx));
            match (one, other) {
                (Poll::Ready(Err(error)), _) | (_, Poll::Ready(Err(error))) => Poll::Ready(Err(error)),
                (Poll::Pending, Poll::Pending) => Poll::Pending,
                (Poll::Ready(Ok(())), _) | (_, Poll::Ready(Ok(()))) => Poll::Ready(Ok(())),
            }
        });
        match patience.wait(step).await {
            Some(Ok(())) if there.over && back.over => return,
            Some(Ok(())) => {}
            Some(Err(error)) => {
                tracing::debug!(%error, "upgraded connection broke");
                return;
            }
            None => {
                tracing::debug!("upgraded connection was idle");
                return;
            }
        }
    }
}

/// One of the two directions.
#[derive(Default)]
struct Way {
    /// What was read, and how much of it is written.
    held: Option<(Buffer, usize)>,
    /// Something is written that may not be on its way yet.
    written: bool,
    ended: bool,
    over: bool,
}

impl Way {
    /// Ready when it got on.
    fn poll(
        &mut self,
        from: &mut (impl AsyncRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if self.over {
            return Poll::Pending;
        }
        if let Some((bytes, done)) = &mut self.held {
            let count = ready!(Pin::new(&mut *to).poll_write(cx, &bytes[*done..]))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            *done += count;
            if *done == bytes.len() {
                self.held = None;
                self.written = true;
            }
            return Poll::Ready(Ok(()));
        }
        if self.written {
            ready!(Pin::new(&mut *to).poll_flush(cx))?;
            self.written = false;
        }
        if self.ended {
            ready!(Pin::new(to).poll_shutdown(cx))?;
            self.over = true;
            return Poll::Ready(Ok(()));
        }
        let mut bytes = Buffer::take();
        match ready!(pin!(from.read_buf(&mut *bytes)).poll(cx))? {
            0 => self.ended = true,
            _ => self.held = Some((bytes, 0)),
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests;
