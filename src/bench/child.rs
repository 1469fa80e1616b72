//! The server under load: this very program, started as a process of its own, so that its memory is its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
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

/// Writes the configuration of the server under load into a folder.
///
/// # Errors
/// When it cannot be written.
pub fn write_config(dir: &Path) -> std::io::Result<PathBuf> {
    let [zalo, facebook, esms] = traffic::ACCOUNTS;
    let text = format!(
        "listen = \"127.0.0.1:0\"\ndatabase = \"sqlite:{db}\"\napi_keys = [\"{API_KEY}\"]\n[log]\nlevel = \"warn\"\n\
         [[account]]\nid = \"{zalo}\"\nprovider = \"zalo\"\napp_id = \"{}\"\noa_secret_key = \"{}\"\n\
         [[account]]\nid = \"{facebook}\"\nprovider = \"facebook\"\napp_id = \"1517776481860111\"\napp_secret = \"{}\"\nverify_token = \"bench-verify-token\"\n\
         [[account]]\nid = \"{esms}\"\nprovider = \"esms\"\ncallback_token = \"{}\"\n",
        traffic::ZALO_APP,
        traffic::ZALO_KEY,
        traffic::FACEBOOK_SECRET,
        traffic::ESMS_TOKEN,
        db = dir.join("bench.db").display(),
    );
    let path = dir.join("bench.toml");
    std::fs::write(&path, text)?;
    Ok(path)
}

impl Server {
    /// Starts `baophat ARGS` and waits for the line that tells its address.
    ///
    /// # Errors
    /// When it cannot be started or ends without telling its address.
    pub fn start(args: &[&str]) -> std::io::Result<Server> {
        let started = Instant::now();
        let mut child = Command::new(std::env::current_exe()?).args(args).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let out = child.stdout.take().ok_or(std::io::ErrorKind::BrokenPipe)?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        match line.trim().rsplit_once("http://").and_then(|(_, a)| a.parse().ok()) {
            Some(address) => Ok(Server { child, address, ready_after: started.elapsed() }),
            None => {
                let _ = child.kill();
                let _ = child.wait();
                Err(std::io::Error::other("the server ended before it listened; its own words stand above"))
            }
        }
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
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
        let ticks = |i: usize| fields.get(i).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
        // Fields 14 and 15 of proc(5), in clock ticks of 1/100 s on Linux.
        (ticks(11) + ticks(12)) / 100.0
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

/// Bytes of the store's files in a folder.
pub fn store_bytes(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter(|e| e.file_name().to_string_lossy().starts_with("bench")).filter_map(|e| e.metadata().ok()).map(|m| m.len()).sum()
}
