//! One connection under a limit of time: whoever asks must finish asking, whoever is answered must read, and nobody just stays.
//!
//! actix times the head of a connection's first request, and the pause between two whole ones. A later head that never ends, the
//! rest of a body that nobody reads, or a reader who never reads would hold its connection for good, and some thousand of them
//! would be all there are. It must not know what is said on the line.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// How long a line may stand still.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// While something is owed: an answer to bytes that came, or room for bytes that go. What trickles in does not prolong it.
    pub owed: Duration,
    /// After something was written, while nothing has come since.
    pub idle: Duration,
}

/// A connection that ends when it stands still for too long.
pub struct Line<T> {
    io: T,
    patience: Patience,
    owed: bool,
    /// Since when something is owed, or nothing is.
    since: Instant,
    /// Rings at the earliest when it is too long; it is put forward only when it rings.
    bell: Pin<Box<Sleep>>,
}

impl<T> Line<T> {
    /// A connection, from now on.
    pub fn new(io: T, patience: Patience) -> Line<T> {
        let bell = Box::pin(sleep(patience.owed.min(patience.idle)));
        Line { io, patience, owed: false, since: Instant::now(), bell }
    }

    fn owe(&mut self) {
        if !self.owed {
            (self.owed, self.since) = (true, Instant::now());
        }
    }

    fn due(&self) -> Instant {
        self.since + if self.owed { self.patience.owed } else { self.patience.idle }
    }

    /// To be asked before waiting; whoever waits is woken when it is time to ask again.
    fn overdue(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        while self.bell.as_mut().poll(cx).is_ready() {
            let due = self.due();
            if due <= Instant::now() {
                return Err(stood_still());
            }
            self.bell.as_mut().reset(due);
        }
        // It was set for the longer time, and the shorter one counts now.
        if self.bell.deadline() > self.due() {
            let due = self.due();
            self.bell.as_mut().reset(due);
            return self.overdue(cx);
        }
        Ok(())
    }
}

fn stood_still() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the connection stood still")
}

impl<T: AsyncRead + Unpin> AsyncRead for Line<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // Whoever never pauses is never waited for.
        if self.owed && self.due() <= Instant::now() {
            return Poll::Ready(Err(stood_still()));
        }
        let before = buf.filled().len();
        match Pin::new(&mut self.io).poll_read(cx, buf) {
            Poll::Ready(Ok(())) if buf.filled().len() > before => {
                self.owe();
                Poll::Ready(Ok(()))
            }
            Poll::Pending => match self.overdue(cx) {
                Ok(()) => Poll::Pending,
                Err(e) => Poll::Ready(Err(e)),
            },
            ended => ended,
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Line<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.io).poll_write(cx, bytes);
        match done {
            Poll::Ready(Ok(n)) if n > 0 => (self.owed, self.since) = (false, Instant::now()),
            Poll::Pending => {
                self.owe();
                if let Err(e) = self.overdue(cx) {
                    return Poll::Ready(Err(e));
                }
            }
            Poll::Ready(_) => {}
        }
        done
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    /// Short enough to wait for, and too long to wait for.
    const SHORT: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(600);

    const OWED: Patience = Patience { owed: SHORT, idle: LONG };
    const IDLE: Patience = Patience { owed: LONG, idle: SHORT };

    /// Reads as actix does: what has come is kept, and more is waited for.
    async fn ended(line: &mut Line<tokio::io::DuplexStream>) -> io::ErrorKind {
        let mut all = Vec::new();
        line.read_to_end(&mut all).await.unwrap_err().kind()
    }

    #[actix_web::test]
    async fn a_request_that_is_never_finished_ends_its_connection_however_it_drips() {
        for every in [SHORT / 8, SHORT * 600] {
            let (mut client, server) = duplex(1 << 10);
            let mut line = Line::new(server, OWED);
            let dripping = async {
                let mut pace = tokio::time::interval(every);
                loop {
                    pace.tick().await;
                    client.write_all(b"x").await.unwrap();
                }
            };
            tokio::select! {
                why = ended(&mut line) => assert_eq!(why, io::ErrorKind::TimedOut),
                () = dripping => {}
            }
        }
    }

    #[actix_web::test]
    async fn a_request_that_pours_in_without_end_ends_its_connection() {
        let (mut client, server) = duplex(1 << 10);
        let mut line = Line::new(server, OWED);
        let pouring = async { while client.write_all(&[b'x'; 4 << 10]).await.is_ok() {} };
        tokio::select! {
            why = ended(&mut line) => assert_eq!(why, io::ErrorKind::TimedOut),
            () = pouring => {}
        }
    }

    #[actix_web::test]
    async fn a_connection_on_which_nothing_is_owed_waits_for_the_other_limit() {
        let (mut client, server) = duplex(1 << 10);
        let mut line = Line::new(server, OWED);
        let mut byte = [0u8; 1];
        for _ in 0..3 {
            // Longer than anything may be owed: the bell rings, and nobody minds.
            let idle = tokio::time::timeout(SHORT * 2, line.read(&mut byte)).await;
            assert!(idle.is_err(), "{idle:?}");
            client.write_all(b"?").await.unwrap();
            assert_eq!(line.read(&mut byte).await.unwrap(), 1);
            line.write_all(b"!").await.unwrap();
            assert_eq!(client.read(&mut byte).await.unwrap(), 1);
        }
        client.write_all(b"?").await.unwrap();
        assert_eq!(ended(&mut line).await, io::ErrorKind::TimedOut, "and counts again when something is");
    }

    #[actix_web::test]
    async fn whoever_was_answered_and_stays_is_ended() {
        let (mut client, server) = duplex(1 << 10);
        let mut line = Line::new(server, IDLE);
        let mut byte = [0u8; 1];
        client.write_all(b"?").await.unwrap();
        assert_eq!(line.read(&mut byte).await.unwrap(), 1);
        // As long as something is owed, the other limit counts.
        assert!(tokio::time::timeout(SHORT * 2, line.read(&mut byte)).await.is_err());
        line.write_all(b"!").await.unwrap();
        assert_eq!(ended(&mut line).await, io::ErrorKind::TimedOut);
        drop(client);
    }

    #[actix_web::test]
    async fn an_answer_that_nobody_reads_ends_its_connection() {
        let (client, server) = duplex(16);
        let mut line = Line::new(server, OWED);
        assert_eq!(line.write_all(&[0; 64]).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(client);
    }
}
