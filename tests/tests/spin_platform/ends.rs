//! How content ends: with trailers, or too early, or because nobody is there to take it.

use std::io::Write;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use e2e::http1;

use crate::raw::{PATIENCE, Upstream, chunk};
use crate::{Platform, connect, read_until};

#[test]
fn an_answer_that_breaks_off_is_seen_to_break_off() {
    // As Spin has it, and where the component takes fields of the connection away, and so makes the answer anew.
    for arguments in [&[][..], &["--forbidden-headers", "none"]] {
        let Some(platform) = (match arguments.is_empty() {
            true => Platform::find(),
            false => Platform::find_steered(),
        }) else {
            return;
        };
        for answer in [
            "content-length: 1000\r\n\r\nhalf",
            "content-length: 1000\r\n\r\n",
            "transfer-encoding: chunked\r\n\r\n",
            "transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
            "transfer-encoding: chunked\r\n\r\n8\r\nhalf",
            "transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\nrubbish\r\n",
        ] {
            let upstream = Upstream::start(move |mut connection| {
                connection.head();
                let head = "HTTP/1.1 200 OK\r\nconnection: close\r\n";
                connection.write((head.to_owned() + answer).as_bytes());
                // Long enough for the first octets to be on their way.
                std::thread::sleep(Duration::from_millis(200));
            });
            let application = platform.application(upstream.address());
            let running = platform.start(&application.arguments(arguments));
            let mut client = connect(&running);
            client
                .write_all(platform.head("GET", "").as_bytes())
                .unwrap();
            let seen = http1::read_answer(&mut client, false);
            let error = seen.expect_err(answer).to_string();
            assert!(error.contains("closed"), "{answer}: {error}");
        }
    }
}

#[test]
fn a_request_that_breaks_off_is_never_made_whole() {
    let Some(platform) = Platform::find() else {
        return;
    };
    const CHUNKED: &str = "transfer-encoding: chunked\r\n";
    let mut begun = 0;
    for (method, fields, part) in [
        ("POST", "content-length: 1000\r\n", "half"),
        ("POST", "content-length: 1000\r\n", ""),
        ("POST", CHUNKED, ""),
        ("DELETE", CHUNKED, ""),
        ("GET", CHUNKED, ""),
        ("POST", CHUNKED, "rubbish\r\n"),
        ("POST", CHUNKED, "4\r\nhalf\r\n"),
        ("POST", CHUNKED, "8\r\nhalf"),
        ("POST", CHUNKED, "4\r\nhalf\r\nrubbish\r\n"),
    ] {
        let (ended, end) = channel();
        let upstream = Upstream::start(move |mut connection| {
            // It may break off before anything of it goes on.
            let head = connection.next_head();
            let has_content = |head: &String| {
                head.contains("transfer-encoding: chunked") || head.contains("content-length: 1000")
            };
            let is_whole = match &head {
                None => false,
                Some(head) if !has_content(head) => true,
                Some(_) => connection.read_until(b"0\r\n\r\n"),
            };
            ended.send((is_whole, connection.rest())).unwrap();
        });
        let running = platform.start(&platform.application(upstream.address()));
        let mut client = connect(&running);
        client
            .write_all(platform.head(method, fields).as_bytes())
            .unwrap();
        client.write_all(part.as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(200));
        drop(client);
        // Or the upstream hears nothing of it, which is as good.
        let heard = end.recv_timeout(Duration::from_secs(3));
        let (is_whole, rest) = heard.unwrap_or_default();
        assert!(!is_whole, "{method} {fields}{part}: {rest}");
        begun += usize::from(rest.contains("half"));
    }
    assert!(begun > 0, "something goes on until it breaks off");
}

#[test]
fn a_client_that_leaves_stops_the_answer() {
    let Some(platform) = Platform::find() else {
        return;
    };
    let (stopped, has_stopped) = channel();
    let upstream = Upstream::start(move |mut connection| {
        connection.head();
        connection.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
        let block = chunk(64 * 1024);
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if !connection.try_write(&block) {
                stopped.send(()).unwrap();
                return;
            }
        }
    });
    let running = platform.start(&platform.application(upstream.address()));
    let mut client = connect(&running);
    client
        .write_all(platform.head("GET", "").as_bytes())
        .unwrap();
    read_until(&mut client, b"xxxx");
    drop(client);
    has_stopped.recv_timeout(PATIENCE / 2).unwrap();
    // And nobody else is disturbed.
    let healthy = b"GET /healthz HTTP/1.1\r\nhost: api.example.com\r\n\r\n";
    let mut other = connect(&running);
    other.write_all(healthy).unwrap();
    read_until(&mut other, b"xxxx");
}

#[test]
fn trailers_of_requests_pass_but_those_that_must_not() {
    let Some(platform) = Platform::find() else {
        return;
    };
    for body in ["5\r\nhello\r\n", ""] {
        let (came, trailers) = channel();
        let upstream = Upstream::start(move |mut connection| {
            connection.head();
            assert!(connection.read_until(b"0\r\n"));
            assert!(connection.read_until(b"\r\n\r\n"));
            came.send(connection.rest().to_lowercase()).unwrap();
            connection.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
            connection.drain();
        });
        let running = platform.start(&platform.application(upstream.address()));
        let names = "x-checksum, x-auth-sub, x_auth_sub, authorization, x-forwarded-for, spin-client-addr, connection, x-last";
        let fields = format!("transfer-encoding: chunked\r\nte: trailers\r\ntrailer: {names}\r\n");
        let request = platform.head("POST", &fields)
            + body
            + "0\r\nx-checksum: 1234\r\nx-auth-sub: eve\r\nx_auth_sub: eve\r\nauthorization: Bearer eve\r\n\
               x-forwarded-for: eve\r\nspin-client-addr: eve\r\nx-last: here\r\n\r\n";
        assert_eq!(crate::exchange(&running, &request).status, 200);
        let seen = trailers.recv_timeout(PATIENCE).unwrap();
        let (_, seen) = seen.split_once("0\r\n").unwrap();
        let mut lines: Vec<&str> = seen.trim_end().lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["x-checksum: 1234", "x-last: here"], "with {body:?}");
    }
}

#[test]
fn trailers_of_answers_pass() {
    use e2e::judge::Prepared;
    use e2e::spin::application::Protocol;
    let Some(platform) = Platform::find() else {
        return;
    };
    let upstream = Upstream::start(|mut connection| {
        connection.head();
        connection.write(
            b"HTTP/1.1 200 OK\r\ntrailer: grpc-status\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\ngrpc-status: 0\r\n\r\n",
        );
        connection.drain();
    });
    let running = platform.start(&platform.application(upstream.address()));
    let request = Prepared::get("/timesheets").bearer(&platform.token());
    let answer = running.send(Protocol::Http2, &request, "trailers").unwrap();
    assert_eq!(answer.text(), "hello");
    assert_eq!(
        answer.trailers,
        [("grpc-status".to_owned(), "0".to_owned())]
    );
}
