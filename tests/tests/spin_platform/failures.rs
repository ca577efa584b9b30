//! Upstreams that do not answer, or not as a server does: 502 and 504, as problem documents.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use e2e::http1;
use e2e::spin::application::Running;

use crate::raw::{PATIENCE, Upstream};
use crate::{Platform, exchange, is_problem};

fn title(answer: &http1::Answer) -> String {
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    body["title"].as_str().unwrap().to_owned()
}

/// The gate answers so, for requests with and without content, and says so in its log.
fn answers(platform: &Platform, running: &Running, status: u16, wanted: &str, reason: &str) {
    for request in [
        platform.head("GET", ""),
        platform.head("POST", "content-length: 5\r\n") + "hello",
        platform.head("POST", "transfer-encoding: chunked\r\n") + "5\r\nhello\r\n0\r\n\r\n",
    ] {
        let answer = exchange(running, &request);
        is_problem(&answer, status);
        assert_eq!(title(&answer), wanted);
    }
    let log = running.gate_log();
    assert!(
        log.contains(&format!(
            "not forwarded reason=\"{reason}\" route=\"/timesheets\""
        )),
        "{log}"
    );
}

fn is_unreachable(platform: &Platform, running: &Running) {
    answers(
        platform,
        running,
        502,
        "Upstream unreachable",
        "upstream_unreachable",
    );
}

#[test]
fn nobody_listens() {
    let Some(platform) = Platform::find() else {
        return;
    };
    let nobody = SocketAddr::from(([127, 0, 0, 1], 1));
    is_unreachable(&platform, &platform.start(&platform.application(nobody)));
}

#[test]
fn a_name_that_nobody_has() {
    let Some(platform) = Platform::find() else {
        return;
    };
    let nobody = SocketAddr::from(([127, 0, 0, 1], 1));
    let mut application = platform
        .application(nobody)
        .with("upstream", "http://upstream.invalid");
    application
        .outbound
        .push("http://upstream.invalid".to_owned());
    is_unreachable(&platform, &platform.start(&application));
}

#[test]
fn an_upstream_that_the_manifest_does_not_allow() {
    let Some(platform) = Platform::find() else {
        return;
    };
    let nobody = SocketAddr::from(([127, 0, 0, 1], 1));
    let application = platform
        .application(nobody)
        .with("upstream", "http://other.example");
    let running = platform.start(&application);
    is_unreachable(&platform, &running);
    assert!(
        running
            .gate_log()
            .contains("the address is not among the `allowed_outbound_hosts`")
    );
}

#[test]
fn an_upstream_that_speaks_no_http_or_ends() {
    let Some(platform) = Platform::find() else {
        return;
    };
    for answer in [
        "",
        "220 mail.example ESMTP\r\n",
        "HTTP/1.1 200 OK\r\ncontent-le",
        "HTTP/1.1 200 OK\r\n: x\r\n\r\n",
    ] {
        let upstream = Upstream::start(move |mut connection| {
            connection.head();
            std::thread::sleep(Duration::from_millis(50));
            connection.write(answer.as_bytes());
        });
        is_unreachable(
            &platform,
            &platform.start(&platform.application(upstream.address())),
        );
    }
}

#[test]
fn an_upstream_that_is_too_slow() {
    let Some(platform) = Platform::find() else {
        return;
    };
    let upstream = Upstream::start(|mut connection| {
        connection.head();
        std::thread::sleep(PATIENCE);
    });
    let application = platform
        .application(upstream.address())
        .with("upstream_timeout", "300ms");
    let running = platform.start(&application);
    let began = Instant::now();
    is_problem(&exchange(&running, &platform.head("GET", "")), 504);
    let took = began.elapsed().as_millis();
    assert!((300..900).contains(&took), "{took} ms");
    answers(
        &platform,
        &running,
        504,
        "Upstream timeout",
        "upstream_timeout",
    );
}

#[test]
fn an_upstream_that_takes_no_content() {
    use std::io::Write as _;
    let Some(platform) = Platform::find() else {
        return;
    };
    let upstream = Upstream::start(|mut connection| {
        connection.head();
        // hyper holds on to a connection that takes nothing, and so to the client's content, until it ends.
        std::thread::sleep(Duration::from_secs(3));
    });
    let application = platform
        .application(upstream.address())
        .with("upstream_timeout", "300ms");
    let running = platform.start(&application);
    let length = 64 << 20;
    let mut client = http1::connect(running.spin.address()).unwrap();
    client
        .write_all(
            platform
                .head("POST", &format!("content-length: {length}\r\n"))
                .as_bytes(),
        )
        .unwrap();
    let mut sending = client.try_clone().unwrap();
    let began = Instant::now();
    let sender = std::thread::spawn(move || {
        // More than all buffers on the way take. It stops when the gate answers and closes.
        let _ = sending.write_all(&vec![b'x'; length]);
    });
    let answer = http1::read_answer(&mut client, false).unwrap();
    is_problem(&answer, 504);
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    drop(client);
    sender.join().unwrap();
}

#[test]
fn a_grpc_client_is_told_in_its_own_way() {
    let Some(platform) = Platform::find() else {
        return;
    };
    let nobody = SocketAddr::from(([127, 0, 0, 1], 1));
    let running = platform.start(&platform.application(nobody));
    let answer = exchange(
        &running,
        &platform.head(
            "POST",
            "content-type: application/grpc\r\ncontent-length: 0\r\n",
        ),
    );
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), ["application/grpc"]);
    assert_eq!(answer.header("grpc-status"), ["14"]);
    assert_eq!(answer.header("grpc-message"), ["Upstream unreachable"]);
    assert_eq!(answer.header("content-length"), ["0"]);
}

#[test]
fn an_upstream_that_comes_back_is_reached() {
    let Some(platform) = Platform::find() else {
        return;
    };
    // Its address is free again, as after a crash; whoever takes it in between makes this test fail, not pass.
    let address = std::net::TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap();
    let running = platform.start(&platform.application(address));
    is_problem(&exchange(&running, &platform.head("GET", "")), 502);
    let listener = std::net::TcpListener::bind(address).unwrap();
    let server = std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        let (mut stream, _) = listener.accept().unwrap();
        let mut buffer = [0; 4096];
        assert!(stream.read(&mut buffer).unwrap() > 0);
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            .unwrap();
    });
    assert_eq!(exchange(&running, &platform.head("GET", "")).text(), "ok");
    server.join().unwrap();
}

#[test]
fn who_is_too_slow_is_left() {
    use std::sync::mpsc::channel;
    let Some(platform) = Platform::find() else {
        return;
    };
    let (left, is_left) = channel();
    let upstream = Upstream::start(move |mut connection| {
        let head = connection.head();
        connection.drain();
        left.send(head).unwrap();
    });
    let application = platform
        .application(upstream.address())
        .with("upstream_timeout", "300ms");
    let running = platform.start(&application);
    let mut seen = Vec::new();
    for request in [
        platform.head("GET", ""),
        platform.head("POST", "content-length: 5\r\n") + "hello",
        platform.head("POST", "transfer-encoding: chunked\r\n") + "5\r\nhello\r\n0\r\n\r\n",
    ] {
        is_problem(&exchange(&running, &request), 504);
        // Its connection is no use to anyone any more.
        seen.push(is_left.recv_timeout(Duration::from_secs(3)).is_ok());
    }
    assert_eq!(seen, [true; 3]);
}
