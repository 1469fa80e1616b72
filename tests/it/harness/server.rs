//! The built program in a process of its own: a folder for its files, its printed address, its end.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tempfile::TempDir;

use super::wait::{PATIENCE, until};
use super::{Answer, KEY, Request, TOKEN, exchange};

/// The configuration of every test, with more lines at its top.
pub fn config(folder: &Path, more: &str) -> String {
    let database = folder.join("baophat.db");
    format!(
        r#"listen = "127.0.0.1:0"
database = "sqlite:{}"
lang = "en"
{more}
[log]
format = "json"

[[account]]
id = "shop-oa"
provider = "zalo"
app_id = "4100200300400500600"
oa_secret_key = "vector-oa-key-01"
oa_ids = ["9100200300400500601", "9100200300400500602"]
site_verification = "FakeCodeOfTheConsole-1"

[[account]]
id = "shop-page"
provider = "facebook"
app_id = "550011122233344"
app_secret = ["giay-bao-phat-demo-key-A1", "giay-bao-phat-demo-key-B2"]
verify_token = "xac-nhan-demo-2026"
page_ids = ["104417700031337", "104417700031338"]

[[account]]
id = "shop-sms"
provider = "esms"
callback_token = "{TOKEN}"
"#,
        database.display()
    )
}

/// The line with which every configuration fixes the key of the query API.
pub fn with_key(more: &str) -> String {
    format!("api_keys = [\"{KEY}\"]\n{more}")
}

/// How a start came out.
pub struct Started {
    /// How the process ended.
    pub status: ExitStatus,
    /// What it wrote to standard error.
    pub stderr: String,
}

/// A running server; killed by its process id when dropped.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    printed: Mutex<Receiver<String>>,
    stderr: Arc<Mutex<String>>,
    folder: Arc<TempDir>,
}

fn command(config: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_baophat"));
    command.arg("serve").arg("--config").arg(config);
    command
}

/// The same command, under a soft limit of the bytes that a file may have; a write beyond it fails and does not kill.
fn limited(config: &Path, kibibytes: u32) -> Command {
    let mut command = Command::new("sh");
    let script = format!("trap '' XFSZ; ulimit -S -f {}; exec \"$0\" serve --config \"$1\"", kibibytes * 2);
    command.arg("-c").arg(script).arg(env!("CARGO_BIN_EXE_baophat")).arg(config);
    command
}

/// The same command, for root too without the right to write what is marked read-only.
fn unprivileged(config: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-dac_override", "--inh-caps=-dac_override"]);
    command.arg(env!("CARGO_BIN_EXE_baophat")).arg("serve").arg("--config").arg(config);
    command
}

/// Runs as root, who may write everything.
fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    status.lines().any(|l| l.starts_with("Uid:") && l.split_whitespace().nth(2) == Some("0"))
}

impl Server {
    /// A server on a new store that the permissions of its files bind, whoever runs the tests.
    pub fn start_bound() -> Server {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let path = Server::write_config(folder.path(), &with_key(""));
        Server::run(folder, if is_root() { unprivileged(&path) } else { command(&path) })
    }

    /// A server on a new store.
    pub fn start() -> Server {
        Server::start_with("")
    }

    /// A server on a new store with more lines in its configuration.
    pub fn start_with(more: &str) -> Server {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let path = Server::write_config(folder.path(), &with_key(more));
        Server::run(folder, command(&path))
    }

    /// A server on a new store, without a configured key.
    pub fn start_without_key() -> Server {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let path = Server::write_config(folder.path(), "");
        Server::run(folder, command(&path))
    }

    /// A server on a new store whose files may not grow beyond so many KiB.
    pub fn start_limited(kibibytes: u32) -> Server {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let path = Server::write_config(folder.path(), &with_key(""));
        Server::run(folder, limited(&path, kibibytes))
    }

    /// A server on the files that lie in a folder.
    pub fn start_on(folder: TempDir) -> Server {
        let path = Server::write_config(folder.path(), &with_key(""));
        Server::run(Arc::new(folder), command(&path))
    }

    /// A server on a new store with more in its environment.
    pub fn start_in(environment: &[(&str, &Path)]) -> Server {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let path = Server::write_config(folder.path(), &with_key(""));
        let mut command = command(&path);
        command.envs(environment.iter().copied());
        Server::run(folder, command)
    }

    /// Starts anew on the same store with more in its environment.
    pub fn restart_in(self, environment: &[(&str, &Path)]) -> Server {
        let folder = self.folder.clone();
        drop(self);
        let mut command = command(&folder.path().join("baophat.toml"));
        command.envs(environment.iter().copied());
        Server::run(folder, command)
    }

    /// Starts anew on the same store.
    pub fn restart(self) -> Server {
        let folder = self.folder.clone();
        drop(self);
        let path = folder.path().join("baophat.toml");
        Server::run(folder, command(&path))
    }

    /// A start that is expected to end by itself, in this folder.
    pub fn start_in_vain(folder: &Path) -> Started {
        let mut child = command(&folder.join("baophat.toml")).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let ended = until("the start is given up", || child.try_wait().unwrap());
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        Started { status: ended, stderr }
    }

    /// Writes the configuration of a folder.
    pub fn write_config(folder: &Path, more: &str) -> PathBuf {
        let path = folder.join("baophat.toml");
        std::fs::write(&path, config(folder, more)).unwrap();
        path
    }

    fn run(folder: Arc<TempDir>, mut command: Command) -> Server {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = Arc::new(Mutex::new(String::new()));
        let (kept, mut pipe) = (stderr.clone(), BufReader::new(child.stderr.take().unwrap()));
        std::thread::spawn(move || {
            let mut line = String::new();
            while pipe.read_line(&mut line).is_ok_and(|n| n > 0) {
                kept.lock().unwrap().push_str(&line);
                line.clear();
            }
        });
        let (tell, printed) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).all(|line| tell.send(line).is_ok()));
        let first = printed.recv_timeout(PATIENCE);
        let line = first.unwrap_or_else(|e| panic!("no address ({e}): {}", stderr.lock().unwrap()));
        let address = line.strip_prefix("baophat is listening on http://").expect("the address").parse().unwrap();
        Server { child, address, printed: Mutex::new(printed), stderr, folder }
    }

    /// The folder of its files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line on standard output behind the address; `None` when it ends without one.
    pub fn printed(&self) -> Option<String> {
        self.printed.lock().unwrap().recv_timeout(PATIENCE).ok()
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }

    /// Kills it at once (SIGKILL) and waits for its end.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        let sent = Command::new("kill").arg("-TERM").arg(self.pid().to_string()).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for its end.
    pub fn ended(&mut self) -> ExitStatus {
        until("the server ends", || self.child.try_wait().unwrap())
    }

    /// Stops it in order and gives its exit status.
    pub fn stop(&mut self) -> ExitStatus {
        self.terminate();
        self.ended()
    }

    /// Sends a request.
    pub fn send(&self, request: &Request) -> Answer {
        exchange(self.address, request).unwrap_or_else(|e| panic!("{e} on {request:?}\n{}", self.log()))
    }

    /// Asks the query API.
    pub fn get(&self, target: &str) -> Answer {
        self.send(&Request::new("GET", target).key(KEY))
    }

    /// Tells the query API something.
    pub fn post(&self, target: &str, body: &Value) -> Answer {
        self.send(&Request::new("POST", target).key(KEY).json(body))
    }

    /// The messages that a query finds.
    pub fn find(&self, query: &str) -> Vec<Value> {
        self.get(&format!("/v1/messages?{query}")).is(200).json()["data"].as_array().unwrap().clone()
    }

    /// The one message with a provider's id, as soon as it is there and fits.
    pub fn message(&self, message_id: &str, fits: impl Fn(&Value) -> bool) -> Value {
        until(&format!("message {message_id} is there and fits"), || {
            let found = self.find(&format!("message_id={message_id}"));
            found.into_iter().next().filter(|m| fits(m))
        })
    }

    /// One message with its timeline.
    pub fn detail(&self, message: &Value) -> Value {
        self.get(&format!("/v1/messages/{}", message["id"].as_str().unwrap())).is(200).json()
    }

    /// Every stored callback, oldest first, once all of them are processed.
    pub fn callbacks(&self) -> Vec<Value> {
        let mut all = until("every callback is processed", || {
            let all = self.walk("/v1/callbacks?limit=500");
            all.iter().all(|c| c["status"] != "received").then_some(all)
        });
        all.reverse();
        all
    }

    /// Every item of a list, page by page.
    pub fn walk(&self, target: &str) -> Vec<Value> {
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.get(&format!("{target}{cursor}")).is(200).json();
            all.extend(page["data"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("---- log of the server\n{}", self.log());
        }
    }
}
