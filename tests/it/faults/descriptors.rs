//! A process without file descriptors: what is acknowledged is on disk, a store that cannot be asked is not called read-only, and
//! everything goes on when there are descriptors again.

use std::net::TcpStream;
use std::process::Command;

use crate::harness::{Request, Server, exchange, open, sign, until};

fn receipt(id: &str) -> Request {
    sign::zalo_post(sign::zalo_receipt(id, "4700100200300400500", 1_764_000_000_111))
}

/// Lets the running program have so many descriptors.
fn limit(server: &Server, most: &str) {
    let set = Command::new("prlimit").arg("--pid").arg(server.pid().to_string()).arg(format!("--nofile={most}:")).status();
    assert!(set.is_ok_and(|s| s.success()), "prlimit of util-linux");
}

/// A request on a connection that stays open.
fn on(stream: &mut TcpStream, request: &Request) -> u16 {
    std::io::Write::write_all(stream, &request.kept_alive()).unwrap();
    crate::harness::read_answer(stream).unwrap().status
}

#[test]
fn without_descriptors_it_lives_keeps_what_it_acknowledges_and_goes_on_when_there_are_some_again() {
    let mut server = Server::start();
    server.send(&receipt("before")).is(200);
    server.message("before", |m| m["state"] == "delivered");
    let mut kept: Vec<TcpStream> = (0..4).map(|_| open(server.address).unwrap()).collect();
    for stream in &mut kept {
        assert_eq!(on(stream, &Request::new("GET", "/livez")), 200);
    }
    // Every number below is taken, so nothing can be opened or accepted.
    limit(&server, "3");
    // These wait with the system.
    let waiting: Vec<TcpStream> = (0..8).map(|_| open(server.address).unwrap()).collect();
    let mut acknowledged = Vec::new();
    for n in 0..40 {
        let id = format!("during-{n}");
        match on(&mut kept[n % 4], &receipt(&id)) {
            200 => acknowledged.push(id),
            503 => {}
            other => panic!("{other}"),
        }
        let asked = on(&mut kept[n % 4], &Request::new("GET", "/v1/messages").key(crate::harness::KEY));
        assert!([200, 503].contains(&asked), "{asked}");
        assert_eq!(on(&mut kept[n % 4], &Request::new("GET", "/livez")), 200);
    }
    assert_eq!(acknowledged.len(), 40, "the inbox needs no further descriptor");
    assert_eq!(on(&mut kept[0], &Request::new("GET", "/readyz")), 200);
    assert!(!server.log().contains("read-only"), "{}", server.log());
    limit(&server, "1024");
    drop(waiting);
    until("it accepts again", || exchange(server.address, &Request::new("GET", "/readyz")).is_ok_and(|a| a.status == 200).then_some(()));
    server.send(&receipt("after")).is(200);
    server.kill();
    let server = server.restart();
    server.callbacks();
    for id in acknowledged.iter().map(String::as_str).chain(["before", "after"]) {
        server.message(id, |m| m["state"] == "delivered");
    }
}
