//! A connection that does not wait for ever.

use super::Stream;
use std::{
    future::Future,
    io::{self, ErrorKind},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

/// A connection whose reads and writes fail when nothing moves for a while.
///
/// A limit on silence rather than on the whole lets a large mail come over a slow line.
#[derive(Debug)]
pub struct Patient {
    stream: Stream,
    limit: Option<Duration>,
    timer: Pin<Box<Sleep>>,
    waiting: bool,
}

impl Patient {
    /// Wraps a connection; `limit` is the longest silence.
    pub fn new(stream: Stream, limit: Duration) -> Self {
        Self { stream, limit: Some(limit), timer: Box::pin(sleep(limit)), waiting: false }
    }

    /// Changes the longest silence; `None` waits for ever.
    pub fn set_limit(&mut self, limit: Option<Duration>) {
        self.limit = limit;
        self.waiting = false;
    }

    /// Gives the connection back, to upgrade it.
    pub fn into_inner(self) -> Stream {
        self.stream
    }

    /// Passes a result on; while there is none, watches the time.
    fn watch<T>(&mut self, cx: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        let Some(limit) = self.limit.filter(|_| result.is_pending()) else {
            self.waiting = false;
            return result;
        };
        if !self.waiting {
            self.waiting = true;
            self.timer.as_mut().reset(Instant::now() + limit);
        }
        match self.timer.as_mut().poll(cx) {
            Poll::Ready(()) => {
                Poll::Ready(Err(io::Error::new(ErrorKind::TimedOut, "the server says nothing")))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.watch(cx, result)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.watch(cx, result)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(cx);
        self.watch(cx, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.watch(cx, result)
    }
}
