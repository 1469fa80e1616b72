//! The service in this process, with a clock put by hand: for deadlines.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::JoinHandle;

use baophat::app;
use baophat::clock::HandClock;
use baophat::config::{Config, Env};
use baophat::domain::time::Millis;
use baophat::metrics::Metrics;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::server::with_key;
use super::wait::PATIENCE;
use super::{Answer, KEY, Request, config, exchange};

/// A service in a thread of this process; stopped in order when dropped.
pub struct Inside {
    /// Its clock.
    pub clock: HandClock,
    /// What it counts; of the last start.
    pub metrics: Arc<Metrics>,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    folder: TempDir,
}

impl Inside {
    /// A service on a new store whose clock stands at a moment.
    pub fn start(at: Millis, more: &str) -> Inside {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("baophat.toml"), config(folder.path(), &with_key(more))).unwrap();
        let clock = HandClock::new(at);
        let running = run(folder.path(), clock.clone());
        Inside { clock, metrics: running.metrics, address: running.address, stop: Some(running.stop), thread: Some(running.thread), folder }
    }

    /// Stops it in order and starts it again on the same store, at the same moment.
    pub fn restart(&mut self) {
        self.stop();
        let running = run(self.folder.path(), self.clock.clone());
        (self.metrics, self.address) = (running.metrics, running.address);
        (self.stop, self.thread) = (Some(running.stop), Some(running.thread));
    }

    /// The folder of its files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }

    /// Sends a request.
    pub fn send(&self, request: &Request) -> Answer {
        exchange(self.address, request).unwrap()
    }

    /// Asks the query API.
    pub fn get(&self, target: &str) -> Value {
        self.send(&Request::new("GET", target).key(KEY)).is(200).json()
    }

    /// Tells the query API something.
    pub fn post(&self, target: &str, body: &Value) -> Answer {
        self.send(&Request::new("POST", target).key(KEY).json(body))
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A service that runs.
struct Running {
    address: SocketAddr,
    metrics: Arc<Metrics>,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

/// Starts a service on the configuration in a folder.
fn run(folder: &Path, clock: HandClock) -> Running {
    let config = Config::load(Some(&folder.join("baophat.toml")), &Env::default()).unwrap();
    let (tell, told) = channel();
    let (stop, stopped) = oneshot::channel();
    let thread = std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let service = app::start(&config, Arc::new(clock)).await.unwrap();
            tell.send((service.address, service.metrics.clone())).unwrap();
            let _ = stopped.await;
            service.stop().await.unwrap();
        });
    });
    let (address, metrics) = told.recv_timeout(PATIENCE).unwrap();
    Running { address, metrics, stop, thread }
}
