//! Request smuggling: heads whose body ends in two places, so that a proxy in front and the server behind could each see another
//! request. What is hidden in them here is a callback with a *valid* signature; it must never be seen as a request of its own.

use super::wire::{Heard, say};
use crate::harness::{Request, Server, sign};

/// The request that hides.
fn hidden() -> Vec<u8> {
    sign::zalo_post(sign::zalo_receipt("smuggled", "4700100200300400500", 1_764_000_000_111)).bytes()
}

/// Sends a head and a body that hides the request, once for each of these.
fn none_is_seen(server: &Server, all: &[(String, Vec<u8>)]) {
    for (name, bytes) in all {
        let Heard { statuses, ended, .. } = say(server, bytes);
        assert!(statuses.len() <= 1, "{name:?}: two answers: {statuses:?}");
        assert!(statuses.iter().all(|s| (400..500).contains(s)), "{name:?}: {statuses:?}");
        assert!(ended, "{name:?}: the connection goes on");
        assert!(server.walk("/v1/callbacks?limit=500").is_empty(), "{name:?}: the hidden request was stored");
    }
    server.send(&Request::new("GET", "/livez")).is(200);
    // The hidden one is a good one, where it is not hidden.
    assert_eq!(say(server, &hidden()).statuses, [200]);
    assert_eq!(server.callbacks().len(), 1);
}

fn head(lines: &str) -> Vec<u8> {
    format!("POST /webhooks/zalo/shop-oa HTTP/1.1\r\nhost: localhost\r\n{lines}\r\n\r\n").into_bytes()
}

#[test]
fn heads_with_two_ends_are_refused_and_hide_no_request() {
    let server = Server::start_with("limits.body_seconds_max = 1");
    let length = hidden().len();
    let with_chunk = length + 5;
    let lines = [
        format!("content-length: {with_chunk}\r\ntransfer-encoding: chunked"),
        format!("transfer-encoding: chunked\r\ncontent-length: {with_chunk}"),
        "transfer-encoding: chunked\r\ncontent-length: 0".into(),
        format!("content-length: 0\r\ncontent-length: {length}"),
        format!("content-length: {length}\r\ncontent-length: 0"),
        "content-length: 0\r\ncontent-length: 0".into(),
        format!("content-length: 0, {length}"),
        "content-length: 0, 0".into(),
        "content-length: +0".into(),
        "content-length: -0".into(),
        "content-length: -1".into(),
        "content-length: 0x0".into(),
        "content-length: 0 0".into(),
        "content-length: 0;".into(),
        "content-length: 0.0".into(),
        "content-length: 0e0".into(),
        "content-length: ".into(),
        "content-length: \u{660}".into(),
        "content-length: 18446744073709551616".into(),
        "content-length : 0".into(),
        "content-length\t: 0".into(),
        "transfer-encoding: identity".into(),
        "transfer-encoding: identity, chunked".into(),
        "transfer-encoding: chunked, identity".into(),
        "transfer-encoding: chunked, chunked".into(),
        "transfer-encoding: gzip, chunked".into(),
        "transfer-encoding: gzip".into(),
        "transfer-encoding: xchunked".into(),
        "transfer-encoding: \"chunked\"".into(),
        "transfer-encoding: chunked;q=1".into(),
        "transfer-encoding: ".into(),
        "transfer-encoding: chunked\r\ntransfer-encoding: identity".into(),
        "transfer-encoding: identity\r\ntransfer-encoding: chunked".into(),
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked".into(),
        "transfer-encoding:\u{b}chunked".into(),
        "transfer-encoding: chunked\0".into(),
        "transfer-encoding : chunked".into(),
        "transfer-encoding: \u{3c7}hunked".into(),
        "transfer\0-encoding: chunked".into(),
        "x-a: b\r\n transfer-encoding: chunked".into(),
        "x-a: b\r\n\tcontent-length: 5".into(),
        "transfer-encoding:\r\n chunked".into(),
        "x-a: b\rtransfer-encoding: chunked".into(),
        "x-a: b\rcontent-length: 0".into(),
        " content-length: 0".into(),
        "\0: a".into(),
        "x\0a: b".into(),
        "x-a: \0".into(),
        ": a".into(),
        "x-a".into(),
        "host: elsewhere".into(),
        // A line that ends in LF alone ends for us too, so what hides behind it counts, and contradicts.
        format!("x-a: b\ntransfer-encoding: chunked\r\ncontent-length: {with_chunk}"),
        format!("x-a: b\ncontent-length: {length}\r\ncontent-length: 0"),
        format!("x-a: b\ncontent-length: 0\r\ncontent-length: {length}"),
        // Nothing here is upgraded; actix then takes all that follows as the body.
        "connection: upgrade\r\nupgrade: websocket\r\ncontent-length: 0".into(),
    ];
    let all: Vec<_> = lines.into_iter().map(|l| (l.clone(), [head(&l).as_slice(), b"0\r\n\r\n", &hidden()].concat())).collect();
    none_is_seen(&server, &all);
}

#[test]
fn first_lines_that_are_none_are_refused_and_hide_no_request() {
    let server = Server::start();
    let firsts = [
        "POST /webhooks/zalo/shop-oa HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /webhooks/zalo/shop-oa HTTP/1.0\r\nhost: a\r\n\r\n",
        "POST /webhooks/zalo/shop-oa HTTP/1.1\r\ncontent-length: 0\r\n\r\n",
        "POST /webhooks/zalo/shop-oa HTTP/1.1 \r\nhost: a\r\n\r\n",
        "POST  /webhooks/zalo/shop-oa HTTP/1.1\r\nhost: a\r\n\r\n",
        "POST /webhooks/zalo/shop-oa HTTP/1.1\0\r\nhost: a\r\n\r\n",
        "POST /webhooks/zalo/shop-oa HTTP/11\r\nhost: a\r\n\r\n",
        "POST /webhooks/zalo/shop-oa\r\nhost: a\r\n\r\n",
        "POST /webhooks/zalo/shop -oa HTTP/1.1\r\nhost: a\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ];
    let all: Vec<_> = firsts.iter().map(|f| ((*f).to_owned(), [f.as_bytes(), &hidden()].concat())).collect();
    none_is_seen(&server, &all);
}

#[test]
fn chunks_of_no_size_are_refused_and_hide_no_request() {
    let server = Server::start_with("limits.body_seconds_max = 1");
    let all: Vec<_> = [
        "-1\r\n",
        "+0\r\n\r\n",
        "0x0\r\n\r\n",
        "g\r\n",
        " 0\r\n\r\n",
        "\r\n",
        "0\n\n",
        "0 1\r\n\r\n",
        "10000000000000000\r\n",
        "fffffffffffffff\r\n",
        "ffffffffffffffff\r\n",
        "5\r\nabcdefgh\r\n0\r\n\r\n",
        "5\r\nabcde0\r\n\r\n",
        "5\nabcde\n0\n\n",
        "5;a\nabcde\r\n0\r\n\r\n",
        "5;\u{1}\r\nabcde\r\n0\r\n\r\n",
        "0;\n\r\n\r\n",
        "0\r\r\n\r\n",
        "0\0\r\n\r\n",
    ]
    .iter()
    .map(|c| ((*c).to_owned(), [&head("transfer-encoding: chunked"), c.as_bytes(), &hidden()].concat()))
    .collect();
    none_is_seen(&server, &all);
}

#[test]
fn a_body_that_nobody_reads_hides_no_request() {
    let server = Server::start();
    let length = hidden().len();
    let all: Vec<_> = [
        "GET /v1/messages",
        "POST /v1/messages",
        "DELETE /webhooks/zalo/shop-oa",
        "GET /webhooks/zalo/shop-oa",
        "POST /webhooks/zalo/nobody",
        "POST /nothing",
        "GET /webhooks/facebook/shop-page?hub.mode=subscribe",
    ]
    .iter()
    .map(|line| {
        let head = format!("{line} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n");
        ((*line).to_owned(), [head.as_bytes(), &hidden()].concat())
    })
    .collect();
    none_is_seen(&server, &all);
}

#[test]
fn what_hides_in_a_read_body_is_a_body() {
    let server = Server::start();
    let length = hidden().len();
    // Behind a line that ends in LF alone; and said as it should be.
    for lines in [format!("x-a: b\ncontent-length: {length}"), format!("content-length: {length}")] {
        let request = [head(&format!("{lines}\r\nconnection: close")).as_slice(), &hidden()].concat();
        let Heard { statuses, ended, .. } = say(&server, &request);
        assert_eq!((statuses, ended), (vec![401], true), "{lines:?}");
    }
    assert!(server.callbacks().is_empty());
}
