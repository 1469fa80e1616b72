//! Reading a request's body under a limit of bytes and of time: actix limits neither the time of a body nor what it costs.
//!
//! A body has to be read before anything can be proven about it, so what strangers may fill has a bound over all of them: long
//! bodies share it, short ones (every ordinary callback) need none of it and are read whatever the others do.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use actix_web::web;
use futures_util::StreamExt;

/// Why a body was not read. The number is how many bytes it had or announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// More bytes than the limit.
    TooLarge(u64),
    /// Not there in time.
    TooSlow(u64),
    /// Compressed; nothing we take is.
    Compressed(u64),
    /// Long, while too many long ones are being read.
    Busy,
    /// The connection broke.
    Broken,
}

/// A body longer than this is a long one.
pub const SHORT_BYTES_MAX: usize = 16 << 10;

/// What all long bodies together may have in memory until they are stored or refused; no less than the longest that can be allowed.
pub const LONG_BYTES_MAX: usize = 64 << 20;

/// The room that long bodies share.
#[derive(Debug, Default)]
pub struct Room {
    taken: Arc<AtomicUsize>,
}

/// Room that one body has taken; given back when dropped.
#[derive(Debug)]
pub struct Taken {
    bytes: usize,
    of: Arc<AtomicUsize>,
}

impl Room {
    /// The share of a body of which nothing has come yet.
    pub fn none_yet(&self) -> Taken {
        Taken { bytes: 0, of: self.taken.clone() }
    }
}

impl Taken {
    /// Takes what a body of so many bytes needs.
    fn grow(&mut self, bytes: usize) -> Result<(), BodyError> {
        if bytes <= SHORT_BYTES_MAX {
            return Ok(());
        }
        let more = bytes.saturating_sub(self.bytes);
        if self.of.fetch_add(more, Ordering::Relaxed) + more > LONG_BYTES_MAX {
            self.of.fetch_sub(more, Ordering::Relaxed);
            return Err(BodyError::Busy);
        }
        self.bytes += more;
        Ok(())
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.of.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Reads a body. What it takes of the room is to be held until it is stored.
///
/// # Errors
/// When it is too large, too slow, compressed or broken off, or when it is long and there is no room.
pub async fn read(
    request: &HttpRequest,
    payload: &mut web::Payload,
    bytes_max: usize,
    time_max: Duration,
    taken: &mut Taken,
) -> Result<Vec<u8>, BodyError> {
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<u64>().ok());
    let encoded = request.headers().get_all(CONTENT_ENCODING).any(|v| !v.as_bytes().eq_ignore_ascii_case(b"identity"));
    if encoded {
        return Err(BodyError::Compressed(announced.unwrap_or(0)));
    }
    if let Some(n) = announced.filter(|n| *n > bytes_max as u64) {
        return Err(BodyError::TooLarge(n));
    }
    let mut body = Vec::with_capacity(announced.unwrap_or(0).min(SHORT_BYTES_MAX as u64) as usize);
    let reading = async {
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| BodyError::Broken)?;
            if body.len() + chunk.len() > bytes_max {
                return Err(BodyError::TooLarge((body.len() + chunk.len()) as u64));
            }
            taken.grow(body.len() + chunk.len())?;
            body.extend_from_slice(&chunk);
        }
        Ok(())
    };
    match tokio::time::timeout(time_max, reading).await {
        Ok(done) => done.map(|()| body),
        Err(_) => Err(BodyError::TooSlow(body.len() as u64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_bodies_share_their_room_and_short_ones_need_none() {
        let room = Room::default();
        let mut long: Vec<Taken> = (0..LONG_BYTES_MAX >> 20).map(|_| room.none_yet()).collect();
        for (n, taken) in long.iter_mut().enumerate() {
            // In steps, as chunks come.
            assert_eq!(taken.grow(SHORT_BYTES_MAX), Ok(()));
            assert_eq!(taken.grow(512 << 10), Ok(()), "{n}");
            assert_eq!(taken.grow(1 << 20), Ok(()), "{n}");
        }
        let mut late = room.none_yet();
        assert_eq!(late.grow(SHORT_BYTES_MAX), Ok(()));
        assert_eq!(late.grow(SHORT_BYTES_MAX + 1), Err(BodyError::Busy));
        assert_eq!(late.grow(SHORT_BYTES_MAX), Ok(()), "a refusal takes nothing");
        long.pop();
        assert_eq!(late.grow(1 << 20), Ok(()));
        drop((late, long));
        assert_eq!(room.taken.load(Ordering::Relaxed), 0, "all of it is given back");
        assert_eq!(room.none_yet().grow(LONG_BYTES_MAX), Ok(()));
    }
}
