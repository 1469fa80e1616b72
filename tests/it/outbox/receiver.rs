//! A receiver on this machine: it records what comes and answers by plan.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver as Until, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::Value;

/// One request that came.
#[derive(Clone, Debug)]
pub struct Taken {
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Taken {
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).unwrap_or_else(|| panic!("no {name}: {self:?}"))
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

#[derive(Default)]
struct Shared {
    taken: Mutex<Vec<Taken>>,
    plan: Mutex<VecDeque<String>>,
    gate: Mutex<Option<Until<()>>>,
    over: AtomicBool,
}

/// A web server; ends when dropped.
pub struct Receiver {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Receiver {
    pub fn start() -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, shared) = (listener.local_addr().unwrap(), Arc::new(Shared::default()));
        let its = shared.clone();
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if its.over.load(Ordering::SeqCst) {
                    break;
                }
                let its = its.clone();
                std::thread::spawn(move || serve(&stream, &its));
            }
        });
        Receiver { address, shared, thread: Some(thread) }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Answers the next requests so, then 200 again: a status, or a status and headers.
    pub fn plan(&self, answers: &[&str]) {
        self.shared.plan.lock().unwrap().extend(answers.iter().map(|a| (*a).to_owned()));
    }

    /// Answers nothing until what is given back is dropped.
    pub fn hold(&self) -> Sender<()> {
        let (open, gate) = channel();
        *self.shared.gate.lock().unwrap() = Some(gate);
        open
    }

    /// What came so far.
    pub fn taken(&self) -> Vec<Taken> {
        self.shared.taken.lock().unwrap().clone()
    }

    /// The events that came so far.
    pub fn types(&self) -> Vec<String> {
        self.taken().iter().map(|t| t.json()["type"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(stream: &TcpStream, shared: &Shared) {
    let mut reader = BufReader::new(stream);
    while let Some(taken) = read(&mut reader) {
        let path = taken.path.clone();
        shared.taken.lock().unwrap().push(taken);
        let gate = shared.gate.lock().unwrap().take();
        if let Some(gate) = gate {
            let _ = gate.recv();
        }
        let answer = shared.plan.lock().unwrap().pop_front().unwrap_or_else(|| "200".into());
        let (status, headers) = answer.split_once('\n').unwrap_or((&answer, ""));
        let headers: String = headers.lines().map(|h| format!("{h}\r\n")).collect();
        let mut to = stream;
        // What it does not take it answers as many do: with the address that was called.
        let body = if status.starts_with('2') { String::new() } else { format!("no {path}") };
        if write!(to, "HTTP/1.1 {status} x\r\n{headers}content-length: {}\r\n\r\n{body}", body.len()).is_err() {
            return;
        }
    }
}

fn read(reader: &mut impl BufRead) -> Option<Taken> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let path = lines.first()?.split(' ').nth(1)?.to_owned();
    let pairs = lines.iter().skip(1).filter_map(|l| l.split_once(": "));
    let headers: Vec<(String, String)> = pairs.map(|(n, v)| (n.to_ascii_lowercase(), v.to_owned())).collect();
    let length = headers.iter().find(|(n, _)| n == "content-length").and_then(|(_, v)| v.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Taken { path, headers, body })
}

/// A mail server that takes one mail; what the client said, line by line.
pub fn mail_server() -> (SocketAddr, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut to = &stream;
        let mut said = Vec::new();
        let mut data = false;
        to.write_all(b"220 mail.test ESMTP\r\n").unwrap();
        for line in BufReader::new(&stream).lines().map_while(Result::ok) {
            let answer = match line.split(' ').next().unwrap_or_default() {
                _ if data && line == "." => Some("250 taken"),
                _ if data => None,
                "EHLO" => Some("250-mail.test\r\n250 8BITMIME"),
                "DATA" => Some("354 go on"),
                "QUIT" => Some("221 bye"),
                _ => Some("250 ok"),
            };
            data = (data && line != ".") || (!data && line == "DATA");
            said.push(line);
            if let Some(answer) = answer {
                to.write_all(format!("{answer}\r\n").as_bytes()).unwrap();
            }
        }
        said
    });
    (address, thread)
}
