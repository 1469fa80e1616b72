//! API keys: `Authorization: Bearer KEY`. Keys are random and long, so a fast hash keeps them; hashes are compared in constant time.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpRequest, web};
use base64::Engine;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::App;
use super::problem::Problem;

/// The hashes of every key that is accepted.
#[derive(Clone, Default)]
pub struct ApiKeys(Vec<[u8; 32]>);

/// The hash under which a key is kept.
fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

/// A new key and its hash.
///
/// # Errors
/// When the system has no randomness.
pub fn new_key() -> Result<(String, [u8; 32]), getrandom::Error> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes)?;
    let key = format!("bp_{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes));
    let hash = hash(&key);
    Ok((key, hash))
}

impl ApiKeys {
    /// From keys in clear and from kept hashes.
    pub fn new<'a>(clear: impl Iterator<Item = &'a str>, hashes: impl Iterator<Item = [u8; 32]>) -> ApiKeys {
        ApiKeys(clear.map(hash).chain(hashes).collect())
    }

    /// The request carries an accepted key.
    pub fn allow(&self, request: &HttpRequest) -> bool {
        let value = request.headers().get(AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let Some((scheme, key)) = value.split_once(' ') else { return false };
        if !scheme.eq_ignore_ascii_case("bearer") {
            return false;
        }
        let given = hash(key.trim());
        // Every hash is compared, whichever fits.
        self.0.iter().fold(subtle::Choice::from(0), |any, kept| any | kept.ct_eq(&given)).into()
    }
}

/// Lets only requests with a key pass, logs them, and gives each an id.
///
/// # Errors
/// 401 without a key.
pub async fn require_key<B: MessageBody>(request: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<B>, actix_web::Error> {
    let Some(app) = request.app_data::<web::Data<App>>().cloned() else {
        return Err(Problem::unavailable("not ready").into());
    };
    if !app.keys.allow(request.request()) {
        let detail = "send `Authorization: Bearer KEY` with one of the configured api_keys, or with the key printed at the first start";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail).into());
    }
    let id = request_id(request.request());
    let (method, path) = (request.method().clone(), request.path().to_owned());
    let mut response = next.call(request).await?;
    // No query and no body: they carry phone numbers.
    tracing::info!(request_id = id, %method, path, status = response.status().as_u16(), "asked");
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
    }
    Ok(response)
}

/// The caller's own request id where it is a plain one, else a new one.
fn request_id(request: &HttpRequest) -> String {
    let given = request.headers().get("x-request-id").and_then(|v| v.to_str().ok());
    let plain = |id: &&str| (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    match given.filter(plain) {
        Some(id) => id.to_owned(),
        None => {
            let mut bytes = [0u8; 12];
            let _ = getrandom::fill(&mut bytes);
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
        }
    }
}
