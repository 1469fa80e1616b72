//! Where a request ends: half-closed and broken connections, many requests in one piece, bodies in chunks, `Expect`.

use std::io::{Read, Write};
use std::net::Shutdown;

use serde_json::Value;

use super::wire::{dial, hear, kept_open, say_and_hang_up};
use crate::harness::{KEY, Request, Server, read_answer, sign, until};

fn receipt(id: &str) -> Request {
    sign::zalo_post(sign::zalo_receipt(id, "4700100200300400500", 1_764_000_000_111))
}

/// A signed callback whose body goes out in these pieces, each a chunk.
fn chunked(id: &str, pieces: usize, more: &str) -> Vec<u8> {
    let body = sign::zalo_receipt(id, "4700100200300400500", 1_764_000_000_111);
    let signature = sign::zalo(body.as_bytes(), sign::ZALO_KEY);
    let mut text = format!("POST /webhooks/zalo/shop-oa HTTP/1.1\r\nhost: localhost\r\nx-zevent-signature: {signature}\r\n{more}\r\n");
    for piece in body.as_bytes().chunks(body.len().div_ceil(pieces)) {
        text.push_str(&format!("{:X}\r\n{}\r\n", piece.len(), std::str::from_utf8(piece).unwrap()));
    }
    text.push_str("0\r\n\r\n");
    text.into_bytes()
}

#[test]
fn whoever_has_asked_may_close_their_side_and_still_gets_the_answer() {
    let server = Server::start();
    let heard = say_and_hang_up(&server, &kept_open(&receipt("half")));
    assert_eq!((heard.statuses, heard.ended), (vec![200], true));
    server.message("half", |m| m["state"] == "delivered");
    let question = kept_open(&Request::new("GET", "/v1/messages").key(KEY));
    assert_eq!(say_and_hang_up(&server, &question).statuses, [200]);
}

#[test]
fn a_body_that_ends_early_is_not_stored_and_its_connection_ends() {
    let server = Server::start();
    let whole = kept_open(&receipt("cut"));
    for missing in [1, 40, 100] {
        let heard = say_and_hang_up(&server, &whole[..whole.len() - missing]);
        assert!(heard.ended && heard.statuses.iter().all(|s| *s == 400), "{heard:?}");
        // Gone without a word.
        let mut stream = dial(&server);
        stream.write_all(&whole[..whole.len() - missing]).unwrap();
        drop(stream);
        // In the middle of a chunk, and of the chunks.
        let pieces = chunked("cut", 3, "transfer-encoding: chunked\r\n");
        let heard = say_and_hang_up(&server, &pieces[..pieces.len() - 5 - missing]);
        assert!(heard.ended && heard.statuses.iter().all(|s| *s == 400), "{heard:?}");
    }
    until("each of them is counted", || {
        let counted = server.get("/metrics").text();
        let broken = counted.lines().find_map(|l| l.strip_prefix("baophat_refused_total{reason=\"broken\"} ")?.parse::<u32>().ok());
        (broken == Some(9)).then_some(())
    });
    assert_eq!(server.callbacks(), Vec::<Value>::new());
    server.send(&receipt("whole")).is(200);
    assert_eq!(server.callbacks().len(), 1);
}

#[test]
fn requests_in_one_piece_are_answered_in_order_and_each_is_stored_once() {
    let server = Server::start();
    let forged = Request::new("POST", "/webhooks/zalo/shop-oa").header("x-zevent-signature", "mac=12").body("{}");
    let unknown = Request::new("POST", "/webhooks/zalo/nobody").body("");
    let wrong = Request::new("PUT", "/webhooks/zalo/shop-oa");
    let (mut all, mut expected) = (Vec::new(), Vec::new());
    // More of them than actix takes in at once.
    for n in 0..40 {
        all.extend(kept_open(&receipt(&format!("piped-{n}"))));
        expected.push(200);
        let (other, status) = [(&forged, 401), (&unknown, 404), (&wrong, 405)][n % 3];
        all.extend(kept_open(other));
        expected.push(status);
    }
    all.extend(Request::new("GET", "/v1/refused").key(KEY).bytes());
    expected.push(200);
    let mut stream = dial(&server);
    stream.write_all(&all).unwrap();
    let heard = hear(&mut stream);
    assert_eq!(heard.statuses, expected);
    let listed: Value = serde_json::from_slice(heard.bodies.last().unwrap()).unwrap();
    assert_eq!(listed["data"].as_array().unwrap().len(), 40, "what came before it was done before it");
    let stored = server.callbacks();
    assert_eq!(stored.len(), 40);
    assert!(stored.iter().all(|c| c["repeats"] == 0), "{stored:?}");
    assert_eq!(server.walk("/v1/messages?limit=500&state=delivered").len(), 40);
}

#[test]
fn a_signed_body_in_chunks_is_taken_however_it_is_cut() {
    let server = Server::start();
    for (n, (pieces, more)) in [
        (1, "transfer-encoding: chunked\r\n"),
        (7, "Transfer-Encoding:  ChUnKeD \r\n"),
        (1_000, "te: trailers\r\ntransfer-encoding:chunked\r\n"),
    ]
    .into_iter()
    .enumerate()
    {
        let heard = say_and_hang_up(&server, &chunked(&format!("chunks-{n}"), pieces, more));
        assert_eq!(heard.statuses, [200], "{more}");
        server.message(&format!("chunks-{n}"), |m| m["state"] == "delivered");
    }
    // One byte after the other.
    let mut stream = dial(&server);
    for byte in chunked("drops", 5, "transfer-encoding: chunked\r\nconnection: close\r\n") {
        stream.write_all(&[byte]).unwrap();
    }
    assert_eq!(hear(&mut stream).statuses, [200]);
    assert_eq!(server.callbacks().len(), 4);
    // A body that nobody reads is no request, and what follows it is.
    let unread = chunked("unread", 3, "transfer-encoding: chunked\r\n");
    let unread = String::from_utf8(unread).unwrap().replace("shop-oa", "nobody");
    let heard = say_and_hang_up(&server, &[unread.as_bytes(), &receipt("behind").bytes()].concat());
    assert_eq!(heard.statuses[0], 404);
    assert!(heard.statuses.len() == 1 || heard.statuses == [404, 200], "{heard:?}");
    assert_eq!(server.callbacks().len(), 3 + heard.statuses.len());
}

#[test]
fn who_asks_before_sending_a_body_is_told_to_go_on() {
    let server = Server::start();
    let request = kept_open(&receipt("expected").header("expect", "100-continue"));
    let head_end = request.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
    let mut stream = dial(&server);
    stream.write_all(&request[..head_end]).unwrap();
    let mut interim = [0u8; 25];
    stream.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(&request[head_end..]).unwrap();
    assert_eq!(read_answer(&mut stream).unwrap().status, 200);
    stream.shutdown(Shutdown::Write).unwrap();
    server.message("expected", |m| m["state"] == "delivered");
}
