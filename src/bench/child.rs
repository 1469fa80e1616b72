//! The server under load: this very program, started as a process of its own, so that its memory is its own.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::traffic;

/// Key of the query API of the generated configuration.
pub const API_KEY: &str = "bench-api-key-0123456789abcdef";

/// A server process; killed when dropped.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// From the start to its first word.
    pub ready_after: Duration,
}

/// Days that callbacks and messages are kept, when nothing is to be pruned.
pub const KEEP_ALL: u32 = 3_650;

/// How long a server may take to become ready.
const READY_MAX: Duration = Duration::from_secs(300);

/// Accounts of the seeded stores, beside those of the traffic.
pub const MORE_ACCOUNTS: [&str; 2] = ["bench-zalo-2", "bench-esms-2"];

/// Writes the configuration of the server under load into a folder.
///
/// # Errors
/// When it cannot be written.
pub fn write_config(dir: &Path, days: u32) -> std::io::Result<PathBuf> {
    let [zalo, facebook, esms] = traffic::ACCOUNTS;
    let [zalo2, esms2] = MORE_ACCOUNTS;
    let mut text = format!(
        "listen = \"127.0.0.1:0\"\ndatabase = \"sqlite:{}\"\napi_keys = [\"{API_KEY}\"]\n[log]\nlevel = \"warn\"\n\
         [retention]\ncallbacks = \"{days}d\"\nmessages = \"{days}d\"\n\
         [[account]]\nid = \"{facebook}\"\nprovider = \"facebook\"\napp_id = \"1517776481860111\"\napp_secret = \"{}\"\nverify_token = \"bench-verify-token\"\n",
        dir.join(INBOX_FILE).display(),
        traffic::FACEBOOK_SECRET,
    );
    for id in [zalo, zalo2] {
        let (app, key) = (traffic::ZALO_APP, traffic::ZALO_KEY);
        text += &format!("[[account]]\nid = \"{id}\"\nprovider = \"zalo\"\napp_id = \"{app}\"\noa_secret_key = \"{key}\"\n");
    }
    for id in [esms, esms2] {
        text += &format!("[[account]]\nid = \"{id}\"\nprovider = \"esms\"\ncallback_token = \"{}\"\n", traffic::ESMS_TOKEN);
    }
    let path = dir.join("bench.toml");
    std::fs::write(&path, text)?;
    Ok(path)
}

/// What the servers log.
pub const SERVER_LOG: &str = "server.log";

/// The inbox file of every store that is made here.
pub const INBOX_FILE: &str = "bench.db";

impl Server {
    /// Serves with a configuration, and waits until it is ready.
    ///
    /// # Errors
    /// When it cannot be started or does not become ready.
    pub fn serve(config: &Path) -> std::io::Result<Server> {
        let started = Instant::now();
        let log = config.with_file_name(SERVER_LOG);
        let mut server = Server::start(&["serve".as_ref(), "--config".as_ref(), config.as_os_str()], &log)?;
        while !is_ready(server.address) {
            if started.elapsed() > READY_MAX {
                return Err(std::io::Error::other(format!("the server did not become ready; see {}", log.display())));
            }
            std::thread::yield_now();
        }
        server.ready_after = started.elapsed();
        Ok(server)
    }

    /// Serves the bare handler.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn bare(dir: &Path) -> std::io::Result<Server> {
        Server::start(&["bench-bare".as_ref()], &dir.join("bare.log"))
    }

    /// Starts `baophat ARGS` and waits for the line that tells its address. What it logs goes to a file: writing it is part of its work.
    fn start(args: &[&OsStr], log: &Path) -> std::io::Result<Server> {
        let started = Instant::now();
        let log = File::options().create(true).append(true).open(log)?;
        let program = std::env::current_exe()?;
        let mut child = Command::new(program).args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn()?;
        let out = child.stdout.take().ok_or(std::io::ErrorKind::BrokenPipe)?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        match line.trim().rsplit_once("http://").and_then(|(_, a)| a.parse().ok()) {
            Some(address) => Ok(Server { child, address, ready_after: started.elapsed() }),
            None => {
                let _ = child.kill();
                let _ = child.wait();
                Err(std::io::Error::other("the server ended before it listened; its words are in the .log file of the folder"))
            }
        }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory in bytes: now and at its highest.
    pub fn memory(&self) -> (u64, u64) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let field = |name: &str| {
            let line = status.lines().find(|l| l.starts_with(name))?;
            line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok().map(|kb| kb * 1024)
        };
        (field("VmRSS:").unwrap_or(0), field("VmHWM:").unwrap_or(0))
    }

    /// Processor time used so far, in seconds.
    pub fn cpu_seconds(&self) -> f64 {
        cpu_seconds(&self.child.id().to_string())
    }

    /// Ends it at once, as a power cut would.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Processor time that a process (`self` or a number) used so far, in seconds.
pub fn cpu_seconds(process: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |i: usize| fields.get(i).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    // Fields 14 and 15 of proc(5), in clock ticks of 1/100 s on Linux.
    (ticks(11) + ticks(12)) / 100.0
}

/// Bytes of the store's files in a folder.
pub fn store_bytes(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter(|e| e.file_name().to_string_lossy().starts_with("bench")).filter_map(|e| e.metadata().ok()).map(|m| m.len()).sum()
}

/// The server says of itself that it can take callbacks.
fn is_ready(server: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(server)?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.starts_with("HTTP/1.1 200"))
    };
    ask().unwrap_or(false)
}

/// Bytes of the inbox file, of the state file, and of their logs.
pub fn file_bytes(dir: &Path) -> [u64; 3] {
    let size = |name: &str| std::fs::metadata(dir.join(name)).map_or(0, |m| m.len());
    [size(INBOX_FILE), size("bench-state.db"), size("bench.db-wal") + size("bench-state.db-wal")]
}
