//! Reading a request's body under a limit of bytes and of time: actix limits neither the time of a body nor what it costs.

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
    /// The connection broke.
    Broken,
}

/// Reads a body.
///
/// # Errors
/// When it is too large, too slow, compressed or broken off.
pub async fn read(request: &HttpRequest, payload: &mut web::Payload, bytes_max: usize, time_max: Duration) -> Result<Vec<u8>, BodyError> {
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<u64>().ok());
    let encoded = request.headers().get(CONTENT_ENCODING).is_some_and(|v| !v.as_bytes().eq_ignore_ascii_case(b"identity"));
    if encoded {
        return Err(BodyError::Compressed(announced.unwrap_or(0)));
    }
    if let Some(n) = announced.filter(|n| *n > bytes_max as u64) {
        return Err(BodyError::TooLarge(n));
    }
    let mut body = Vec::with_capacity(announced.unwrap_or(0).min(64 << 10) as usize);
    let reading = async {
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| BodyError::Broken)?;
            if body.len() + chunk.len() > bytes_max {
                return Err(BodyError::TooLarge((body.len() + chunk.len()) as u64));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(())
    };
    match tokio::time::timeout(time_max, reading).await {
        Ok(done) => done.map(|()| body),
        Err(_) => Err(BodyError::TooSlow(body.len() as u64)),
    }
}
