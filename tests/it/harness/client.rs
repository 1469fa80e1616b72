//! A plain HTTP client: one connection a request, every byte of the request in the hands of the test.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use super::wait::PATIENCE;

/// A request. Its target goes out as it stands.
#[derive(Clone, Debug)]
pub struct Request {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    /// A request without headers or body.
    pub fn new(method: &str, target: impl Into<String>) -> Request {
        Request { method: method.into(), target: target.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// With a header.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Request {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// With a key of the query API.
    pub fn key(self, key: &str) -> Request {
        self.header("authorization", format!("Bearer {key}"))
    }

    /// With a body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Request {
        self.body = body.into();
        self
    }

    /// With a JSON body.
    pub fn json(self, body: &Value) -> Request {
        self.header("content-type", "application/json").body(body.to_string())
    }

    /// The bytes of the request, for a connection that stays open.
    pub fn kept_alive(&self) -> Vec<u8> {
        self.written("keep-alive")
    }

    /// As it goes out, on a connection of its own.
    pub fn bytes(&self) -> Vec<u8> {
        self.written("close")
    }

    fn written(&self, connection: &str) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nhost: localhost\r\nconnection: {connection}\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let has_length = self.headers.iter().any(|(n, _)| matches!(n.as_str(), "content-length" | "transfer-encoding"));
        if !has_length && (!self.body.is_empty() || self.method == "POST") {
            head.push_str(&format!("content-length: {}\r\n", self.body.len()));
        }
        head.push_str("\r\n");
        [head.as_bytes(), &self.body].concat()
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// A header, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("no JSON ({e}) in {} {}", self.status, self.text()))
    }

    /// The answer, when it has this status.
    pub fn is(self, status: u16) -> Answer {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// The code of a problem document, when the answer is one with this status and a whole one.
    pub fn problem(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
        problem["code"].as_str().expect("a code").to_owned()
    }
}

/// Opens a connection.
pub fn open(address: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Sends a request and reads its answer.
pub fn exchange(address: SocketAddr, request: &Request) -> std::io::Result<Answer> {
    let mut stream = open(address)?;
    // A server that has seen enough answers before it has read everything: what counts is its answer.
    let written = stream.write_all(&request.bytes());
    read(&mut stream, request.method == "HEAD").or_else(|e| written.and(Err(e)))
}

/// Reads one answer to its end.
pub fn read_answer(stream: &mut TcpStream) -> std::io::Result<Answer> {
    read(stream, false)
}

/// Reads one answer; that of a HEAD ends with its head.
fn read(stream: &mut TcpStream, head_only: bool) -> std::io::Result<Answer> {
    let broken = |why: &str| std::io::Error::new(std::io::ErrorKind::InvalidData, why.to_owned());
    let mut bytes = Vec::new();
    let mut chunk = [0u8; 16 << 10];
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break at + 4;
        }
        match some(stream, &mut chunk)? {
            0 => return Err(broken("the connection ended before the answer's head")),
            n => bytes.extend_from_slice(&chunk[..n]),
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|l| l.split(' ').nth(1)?.parse().ok()).ok_or_else(|| broken("no status"))?;
    let headers: Vec<(String, String)> =
        lines.filter_map(|l| l.split_once(": ")).map(|(n, v)| (n.to_ascii_lowercase(), v.to_owned())).collect();
    let value = |name: &str| headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
    let length: Option<usize> = if head_only { Some(0) } else { value("content-length").and_then(|v| v.parse().ok()) };
    let mut body = bytes.split_off(head_end);
    while length.is_none_or(|l| body.len() < l) {
        match some(stream, &mut chunk) {
            Ok(0) => break,
            Ok(n) => body.extend_from_slice(&chunk[..n]),
            Err(e) if length.is_some() => return Err(e),
            Err(_) => break,
        }
    }
    if length.is_some_and(|l| body.len() < l) {
        return Err(broken("the answer's body is cut short"));
    }
    if value("transfer-encoding").is_some_and(|v| v.contains("chunked")) {
        body = unchunk(&body).ok_or_else(|| broken("bad chunks"))?;
    }
    Ok(Answer { status, headers, body })
}

/// Reads what is there. A wait with a time limit may be interrupted for no reason of ours, when the machine is paused for instance.
fn some(stream: &mut TcpStream, chunk: &mut [u8]) -> std::io::Result<usize> {
    loop {
        match stream.read(chunk) {
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line_end = rest.windows(2).position(|w| w == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line_end]).ok()?.trim(), 16).ok()?;
        rest = &rest[line_end + 2..];
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size + 2..)?;
    }
}
