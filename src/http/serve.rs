//! The socket and the server on it. What actix does not bound of a connection's time, a [`Line`] does.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use actix_http::HttpService;
use actix_http::error::{DispatchError, ParseError};
use actix_service::{ServiceFactoryExt, map_config};
use actix_web::App;
use actix_web::dev::{AppConfig, Server, fn_service};
use actix_web::web::ServiceConfig;
use tokio::net::{TcpSocket, TcpStream};

use super::line::{Line, Patience};
use crate::config::Limits;
use crate::metrics::Metrics;

/// How many connections may wait to be accepted; the system may allow fewer.
const ACCEPT_WAITING_MAX: u32 = 2_048;

/// How long a connection that we end is read on, so that its client gets the answer before the end.
const LINGER: Duration = Duration::from_secs(1);

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// The head of a connection's first request.
    pub head: Duration,
    /// A connection without a request.
    pub idle: Duration,
    /// A request, from its first byte to the first of its answer; or an answer that its client does not read.
    pub answer: Duration,
    /// Requests in progress when the process stops, in seconds.
    pub drain_seconds: u64,
}

/// Takes an address for listening. Must run inside a tokio runtime.
///
/// # Errors
/// When the address is none, or cannot be had.
pub fn listen(address: &str) -> io::Result<TcpListener> {
    let mut failed = io::Error::new(io::ErrorKind::InvalidInput, "no such address");
    for address in address.to_socket_addrs()? {
        match listen_on(address) {
            Ok(listener) => return Ok(listener),
            Err(e) => failed = e,
        }
    }
    Err(failed)
}

fn listen_on(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // As the standard library does it: a restart need not wait for the connections of the last run to be forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(ACCEPT_WAITING_MAX)?.into_std()
}

/// The connection ended because what came on it was no HTTP. actix answers such a request by itself, before there is a handler to count it.
fn is_malformed(ended: &DispatchError) -> bool {
    match ended {
        DispatchError::Parse(e) => !matches!(e, ParseError::Io(_) | ParseError::Incomplete | ParseError::Timeout),
        _ => false,
    }
}

/// The server on a socket, with the routes that are handed in and what counts requests that reach none; it runs when polled.
///
/// # Errors
/// When the socket cannot be taken over.
pub fn serve<F>(listener: TcpListener, routes: F, metrics: Arc<Metrics>, limits: &Limits, times: Times) -> io::Result<Server>
where
    F: Fn(&mut ServiceConfig) + Clone + Send + 'static,
{
    let address = listener.local_addr()?;
    let builder = Server::build()
        .workers(limits.workers)
        .max_concurrent_connections(limits.connections_max)
        .shutdown_timeout(times.drain_seconds)
        .disable_signals();
    // The limit of actix comes first: it ends an idle connection in order.
    let patience = Patience { owed: times.answer, idle: times.idle + LINGER * 5 };
    let stopping = builder.graceful_shutdown_signal();
    let server = builder.listen("baophat", listener, move || {
        let (routes, stopping, metrics) = (routes.clone(), stopping.clone(), metrics.clone());
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .client_request_timeout(times.head)
            .client_disconnect_timeout(LINGER)
            .keep_alive(times.idle)
            .local_addr(address)
            .h1(map_config(App::new().configure(routes), |()| AppConfig::default()));
        let line = fn_service(move |socket: TcpStream| async move {
            let peer = socket.peer_addr().ok();
            // An answer is one write: it need not wait for another.
            let _ = socket.set_nodelay(true);
            Ok((Line::new(socket, patience), peer))
        });
        line.and_then(http).map_err(move |ended| {
            if is_malformed(&ended) {
                metrics.malformed_requests.inc();
            }
            ended
        })
    })?;
    Ok(server.run())
}

#[cfg(test)]
mod tests {
    use actix_web::HttpResponse;
    use actix_web::web;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const SHORT: Duration = Duration::from_millis(50);
    const LONG: Duration = Duration::from_secs(600);

    /// Everything that comes on a connection after these pieces, each behind the answer to the one before, to its end by the server.
    async fn heard(times: Times, pieces: &[&str]) -> String {
        let listener = listen("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let routes = |config: &mut ServiceConfig| {
            config.route("/here", web::to(|| async { HttpResponse::Ok().body("ok") }));
        };
        let (bytes, records) = (1 << 20, 16);
        let limits = Limits {
            body_bytes_max: bytes,
            body_seconds_max: 1,
            api_body_bytes_max: bytes,
            inbox_records_max: records,
            connections_max: 16,
            workers: 1,
        };
        let server = serve(listener, routes, Arc::default(), &limits, times).unwrap();
        let handle = server.handle();
        let running = tokio::task::spawn_local(server);
        let mut client = TcpStream::connect(address).await.unwrap();
        let mut all = Vec::new();
        for (n, piece) in pieces.iter().enumerate() {
            if n > 0 {
                client.read_buf(&mut all).await.unwrap();
            }
            client.write_all(piece.as_bytes()).await.unwrap();
        }
        let ended = tokio::time::timeout(Duration::from_secs(30), client.read_to_end(&mut all)).await;
        assert!(ended.is_ok(), "the connection goes on after {:?}", String::from_utf8_lossy(&all));
        handle.stop(false).await;
        running.await.unwrap().unwrap();
        String::from_utf8(all).unwrap()
    }

    #[actix_web::test]
    async fn a_second_head_that_never_ends_ends_its_connection() {
        let times = Times { head: LONG, idle: LONG, answer: SHORT, drain_seconds: 1 };
        let all = heard(times, &["GET /here HTTP/1.1\r\nhost: a\r\n\r\n", "GET /here HTTP/1.1\r\nho"]).await;
        assert_eq!(all.matches("HTTP/1.1 200").count(), 1, "{all}");
        // In one piece with the first.
        let times = Times { head: LONG, idle: SHORT, answer: LONG, drain_seconds: 1 };
        let all = heard(times, &["GET /here HTTP/1.1\r\nhost: a\r\n\r\nGET /here HTTP/1.1\r\nho"]).await;
        assert_eq!(all.matches("HTTP/1.1 200").count(), 1, "{all}");
    }

    #[actix_web::test]
    async fn a_first_head_that_never_ends_is_answered_408() {
        let times = Times { head: SHORT, idle: LONG, answer: LONG, drain_seconds: 1 };
        let all = heard(times, &["GET /here HTTP/1.1\r\nho"]).await;
        assert!(all.starts_with("HTTP/1.1 408"), "{all}");
    }

    #[actix_web::test]
    async fn the_rest_of_an_unread_body_is_not_waited_for_without_end() {
        let times = Times { head: LONG, idle: SHORT, answer: LONG, drain_seconds: 1 };
        let all = heard(times, &["POST /nowhere HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nfffff\r\nabc"]).await;
        assert!(all.starts_with("HTTP/1.1 404"), "{all}");
    }
}
