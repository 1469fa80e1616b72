//! The whole program in this process, and bytes on its socket.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use baophat::app;
use baophat::clock::WallClock;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tempfile::TempDir;

use super::accounts::{API_KEY, ESMS_TOKEN, load};
use super::proof;

/// How long an answer may take before something is wrong.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running program.
pub struct Service {
    address: SocketAddr,
    /// The last callback that was looked at.
    seen: Mutex<u64>,
    _folder: TempDir,
}

impl Service {
    /// One for all, which runs as long as the process.
    pub fn shared() -> &'static Service {
        static SERVICE: OnceLock<Service> = OnceLock::new();
        SERVICE.get_or_init(Service::start)
    }

    fn start() -> Service {
        let folder = tempfile::tempdir().unwrap();
        let config = load(folder.path());
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let service = app::start(&config, Arc::new(WallClock)).await.unwrap();
                tell.send(service.address).unwrap();
                std::future::pending::<()>().await;
            });
        });
        Service { address: told.recv_timeout(PATIENCE).unwrap(), seen: Mutex::new(0), _folder: folder }
    }

    /// Sends bytes, ends the client's side, and gives everything that comes back.
    fn say(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(Shutdown::Write);
        let mut all = Vec::new();
        // A reset is an end as well: what was answered is there.
        if let Err(e) = stream.read_to_end(&mut all) {
            assert_ne!(e.kind(), std::io::ErrorKind::WouldBlock, "the connection goes on after {:?}", String::from_utf8_lossy(bytes));
        }
        all
    }

    fn ask(&self, target: &str) -> Value {
        let request = format!("GET {target} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {API_KEY}\r\nconnection: close\r\n\r\n");
        let answer = self.say(request.as_bytes());
        let body = answer.windows(4).position(|w| w == b"\r\n\r\n").map(|at| &answer[at + 4..]).unwrap_or_default();
        serde_json::from_slice(body).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&answer)))
    }

    /// Sends bytes; then no answer is a fault of ours, and what was stored is proven.
    pub fn check(&self, bytes: &[u8]) {
        let mut seen = self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let answer = self.say(bytes);
        let statuses = statuses(&answer);
        let fine = |s: &u16| *s < 500 || *s == 503;
        assert!(statuses.iter().all(fine), "{statuses:?} for {:?}", String::from_utf8_lossy(bytes));
        if !statuses.contains(&200) {
            return;
        }
        let listed = self.ask("/v1/callbacks?limit=100");
        let lines = listed["data"].as_array().unwrap();
        for line in lines.iter().filter(|l| l["seq"].as_u64().unwrap() > *seen) {
            let stored = self.ask(&format!("/v1/callbacks/{}", line["seq"]));
            assert!(proven(&stored, bytes), "{stored} came of {:?}", String::from_utf8_lossy(bytes));
        }
        *seen = lines.first().and_then(|l| l["seq"].as_u64()).unwrap_or(0).max(*seen);
    }
}

/// What is stored carries its own proof, or what was sent has the token somewhere, however it is escaped.
fn proven(stored: &Value, sent: &[u8]) -> bool {
    let body = STANDARD.decode(stored["body_base64"].as_str().unwrap()).unwrap();
    match stored["provider"].as_str().unwrap() {
        "esms" => {
            // `+` is no blank in a path; nothing in the token is one.
            let plain: Vec<u8> =
                form_urlencoded::parse(&[b"a=", sent].concat()).flat_map(|(n, v)| format!("{n}={v}&").into_bytes()).collect();
            plain.windows(ESMS_TOKEN.len()).any(|w| w == ESMS_TOKEN.as_bytes())
        }
        provider => proof::signed(provider, |name| stored["headers"][name].as_str().map(str::to_owned), &body),
    }
}

/// The statuses of all answers.
fn statuses(answer: &[u8]) -> Vec<u16> {
    let starts = answer.windows(9).enumerate().filter(|(_, w)| *w == b"HTTP/1.1 ").map(|(at, _)| at + 9);
    starts.filter_map(|at| std::str::from_utf8(answer.get(at..at + 3)?).ok()?.parse().ok()).collect()
}
