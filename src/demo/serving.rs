//! The service of the demo, on a thread of its own, and the wish of the person at the keyboard that it should end.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use super::DemoError;
use crate::app::{AppError, start};
use crate::clock::WallClock;
use crate::config::Config;

/// The running service; dropping it stops it in order.
pub(super) struct Serving {
    /// Where it can be reached from this machine.
    pub origin: String,
    /// A word whenever somebody wants it to end (Ctrl-C, SIGTERM, the terminal was closed).
    pub told: Receiver<()>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), AppError>>>,
}

impl Serving {
    /// Starts it.
    ///
    /// # Errors
    /// When the store, the address or a thread cannot be had.
    pub(super) fn start(config: Config) -> Result<Serving, DemoError> {
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = channel();
        let (up, started) = channel();
        let serve = move || actix_web::rt::System::new().block_on(serve(config, up, tell, stopped));
        let thread = std::thread::Builder::new().name("demo-serve".to_owned()).spawn(serve).map_err(DemoError::Thread)?;
        match started.recv() {
            Ok(address) => Ok(Serving { origin: origin(address), told, stop: Some(stop), thread: Some(thread) }),
            Err(_) => Err(joined(thread).err().unwrap_or(DemoError::Ended)),
        }
    }

    /// Stops it: no new requests, the inbox drains, the projection catches up, files close.
    ///
    /// # Errors
    /// When the server itself ended with an error.
    pub(super) fn stop(mut self) -> Result<(), DemoError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), DemoError> {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        self.thread.take().map_or(Ok(()), joined)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

fn joined(thread: JoinHandle<Result<(), AppError>>) -> Result<(), DemoError> {
    thread.join().map_err(|_| DemoError::Ended)?.map_err(DemoError::App)
}

async fn serve(config: Config, up: Sender<SocketAddr>, tell: Sender<()>, mut stop: oneshot::Receiver<()>) -> Result<(), AppError> {
    let service = start(&config, Arc::new(WallClock)).await?;
    let _ = up.send(service.address);
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()), signal(SignalKind::hangup()));
    if let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)) = signals {
        loop {
            tokio::select! {
                _ = &mut stop => break,
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
            let _ = tell.send(());
        }
    } else {
        // Without signals only `--for` ends the demo in order.
        let _ = stop.await;
    }
    service.stop().await
}

/// How this machine reaches an address that it listens on.
fn origin(address: SocketAddr) -> String {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_for_everybody_is_shown_as_one_of_this_machine() {
        assert_eq!(origin("0.0.0.0:80".parse().unwrap()), "http://127.0.0.1:80");
        assert_eq!(origin("[::]:80".parse().unwrap()), "http://[::1]:80");
        assert_eq!(origin("127.0.0.1:1".parse().unwrap()), "http://127.0.0.1:1");
    }
}
