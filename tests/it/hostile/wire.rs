//! Bytes as they are: a request written without any help, and everything that comes back until the connection ends.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};

use crate::harness::{Request, Server, open};

/// What came back on one connection.
#[derive(Debug)]
pub struct Heard {
    /// The status of every answer, in order.
    pub statuses: Vec<u16>,
    /// The bodies of them.
    pub bodies: Vec<Vec<u8>>,
    /// The server has ended the connection.
    pub ended: bool,
}

/// A connection.
pub fn dial(server: &Server) -> TcpStream {
    open(server.address).unwrap()
}

/// Sends bytes and hears everything until the server ends the connection; the client keeps its own side open.
pub fn say(server: &Server, bytes: &[u8]) -> Heard {
    let mut stream = dial(server);
    let _ = stream.write_all(bytes);
    hear(&mut stream)
}

/// Sends bytes, ends the client's side, and hears everything.
pub fn say_and_hang_up(server: &Server, bytes: &[u8]) -> Heard {
    let mut stream = dial(server);
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    hear(&mut stream)
}

/// Hears everything until the server ends the connection.
pub fn hear(stream: &mut TcpStream) -> Heard {
    let mut bytes = Vec::new();
    let ended = match stream.read_to_end(&mut bytes) {
        Ok(_) => true,
        // Ended with bytes of ours still unread.
        Err(e) => matches!(e.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
    };
    let (statuses, bodies) = answers(&bytes).into_iter().unzip();
    Heard { statuses, bodies, ended }
}

/// Takes bytes apart into answers. An interim one (100) counts as well.
fn answers(mut rest: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let mut all = Vec::new();
    while let Some(end) = rest.windows(4).position(|w| w == b"\r\n\r\n") {
        let head = String::from_utf8_lossy(&rest[..end]).to_ascii_lowercase();
        let status: u16 = head.strip_prefix("http/1.").and_then(|h| h.split(' ').nth(1)?.parse().ok()).unwrap_or_else(|| panic!("{head}"));
        let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0usize);
        assert!(status == 100 || head.contains("content-length"), "an answer that this reader does not know: {head}");
        let body = &rest[end + 4..][..length];
        all.push((status, body.to_vec()));
        rest = &rest[end + 4 + length..];
    }
    assert!(rest.is_empty(), "more than answers: {}", String::from_utf8_lossy(rest));
    all
}

/// A request as bytes on a connection that is to be used again.
pub fn kept_open(request: &Request) -> Vec<u8> {
    let text = request.bytes();
    let close = b"connection: close\r\n";
    let at = text.windows(close.len()).position(|w| w == close).unwrap();
    [&text[..at], &text[at + close.len()..]].concat()
}
