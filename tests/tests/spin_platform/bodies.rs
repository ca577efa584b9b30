//! Content on its way: long, in parts as they come, and slow.

use std::io::{Read, Write};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use e2e::http1;
use e2e::spin::application::Running;

use crate::raw::{PATIENCE, Upstream, chunk};
use crate::{Platform, connect, read_until};

const LARGE: usize = 100 << 20;

/// What content may add to the most memory that the process ever had.
const ALLOWANCE: usize = 32 << 20;

/// The most memory that the process ever had, in octets. `None` where nobody tells.
fn peak(running: &Running) -> Option<usize> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.spin.id())).ok();
    // Real Spin serves in a second process, of which only Spin knows.
    let status = status.filter(|_| running.spin.program().has_control());
    let Some(status) = status else {
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: nobody tells how much memory content took"
        );
        return None;
    };
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    let kib: usize = line.trim().trim_end_matches(" kB").parse().unwrap();
    Some(kib * 1024)
}

#[test]
fn a_large_request_takes_no_memory() {
    let Some(platform) = Platform::find() else {
        return;
    };
    const BLOCK: usize = 1 << 20;
    for chunked in [false, true] {
        let (sender, count) = channel();
        let upstream = Upstream::start(move |mut connection| {
            let head = connection.head();
            let count = match head.contains("chunked") {
                true => connection.swallow_chunks(),
                false => connection.swallow(LARGE),
            };
            sender.send(count).unwrap();
            connection.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
            connection.drain();
        });
        let running = platform.start(&platform.application(upstream.address()));
        // What compiled code and a first request take is not the content's.
        let first = format!("content-length: {LARGE}\r\n");
        let fields = if chunked {
            "transfer-encoding: chunked\r\n"
        } else {
            &first
        };
        let mut client = connect(&running);
        client
            .write_all(platform.head("POST", fields).as_bytes())
            .unwrap();
        let block = if chunked {
            chunk(BLOCK)
        } else {
            vec![b'x'; BLOCK]
        };
        client.write_all(&block).unwrap();
        std::thread::sleep(Duration::from_millis(300));
        let before = peak(&running);
        for _ in 1..LARGE / BLOCK {
            client.write_all(&block).unwrap();
        }
        if chunked {
            client.write_all(b"0\r\n\r\n").unwrap();
        }
        let answer = http1::read_answer(&mut client, false).unwrap();
        assert_eq!(answer.text(), "ok", "{}", running.spin.explain("no answer"));
        assert_eq!(count.recv_timeout(PATIENCE).unwrap(), LARGE);
        if let (Some(before), Some(after)) = (before, peak(&running)) {
            println!("100 MiB, chunked: {chunked}: {before} octets before, {after} after");
            assert!(after - before < ALLOWANCE, "{before} {after}");
        }
    }
}

#[test]
fn a_large_answer_takes_no_memory() {
    let Some(platform) = Platform::find() else {
        return;
    };
    const BLOCK: usize = 1 << 20;
    for chunked in [false, true] {
        let upstream = Upstream::start(move |mut connection| {
            connection.head();
            let (coding, block) = match chunked {
                true => ("transfer-encoding: chunked".to_owned(), chunk(BLOCK)),
                false => (format!("content-length: {LARGE}"), vec![b'x'; BLOCK]),
            };
            connection.write(format!("HTTP/1.1 200 OK\r\n{coding}\r\n\r\n").as_bytes());
            for _ in 0..LARGE / BLOCK {
                connection.write(&block);
            }
            if chunked {
                connection.write(b"0\r\n\r\n");
            }
            connection.drain();
        });
        let running = platform.start(&platform.application(upstream.address()));
        let mut client = connect(&running);
        client
            .write_all(platform.head("GET", "connection: close\r\n").as_bytes())
            .unwrap();
        let mut buffer = vec![0; BLOCK];
        let mut count = client.read(&mut buffer).unwrap();
        // A client that lets the gate wait: what it does not take must not pile up.
        std::thread::sleep(Duration::from_millis(500));
        let before = peak(&running);
        loop {
            match client.read(&mut buffer).unwrap() {
                0 => break,
                some => count += some,
            }
        }
        assert!(
            (LARGE..LARGE + (1 << 20)).contains(&count),
            "{count} octets"
        );
        if let (Some(before), Some(after)) = (before, peak(&running)) {
            println!("100 MiB back, chunked: {chunked}: {before} octets before, {after} after");
            assert!(before < 400 << 20, "{before} while nobody read");
            assert!(after - before < ALLOWANCE, "{before} {after}");
        }
    }
}

#[test]
fn an_answer_comes_as_it_is_made() {
    let Some(platform) = Platform::find() else {
        return;
    };
    for head in [
        "content-length: 10\r\n\r\nfirst",
        "transfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n",
    ] {
        let (go_on, may_go_on) = channel::<()>();
        let may_go_on = std::sync::Mutex::new(may_go_on);
        let upstream = Upstream::start(move |mut connection| {
            connection.head();
            connection.write(format!("HTTP/1.1 200 OK\r\n{head}").as_bytes());
            // Not before the client has the first part.
            let waited = may_go_on.lock().unwrap().recv_timeout(PATIENCE);
            if waited.is_ok() {
                connection.write(if head.contains("chunked") {
                    b"5\r\n last\r\n0\r\n\r\n"
                } else {
                    b" last"
                });
            }
            connection.drain();
        });
        let running = platform.start(&platform.application(upstream.address()));
        let mut client = connect(&running);
        client
            .write_all(platform.head("GET", "").as_bytes())
            .unwrap();
        read_until(&mut client, b"first");
        go_on.send(()).unwrap();
        read_until(&mut client, b" last");
    }
}

#[test]
fn a_request_goes_on_as_it_comes() {
    let Some(platform) = Platform::find() else {
        return;
    };
    for (fields, first, last) in [
        ("content-length: 10\r\n", "first", " last"),
        (
            "transfer-encoding: chunked\r\n",
            "5\r\nfirst\r\n",
            "5\r\n last\r\n0\r\n\r\n",
        ),
    ] {
        let (came, has_come) = channel();
        let upstream = Upstream::start(move |mut connection| {
            connection.head();
            assert!(connection.read_until(b"first"));
            came.send(()).unwrap();
            assert!(connection.read_until(b" last"));
            connection.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
            connection.drain();
        });
        let running = platform.start(&platform.application(upstream.address()));
        let mut client = connect(&running);
        client
            .write_all(platform.head("POST", fields).as_bytes())
            .unwrap();
        client.write_all(first.as_bytes()).unwrap();
        // The last part is not sent before the upstream has the first.
        has_come.recv_timeout(PATIENCE).unwrap();
        client.write_all(last.as_bytes()).unwrap();
        assert_eq!(http1::read_answer(&mut client, false).unwrap().text(), "ok");
    }
}

#[test]
fn an_answer_before_the_end_of_the_request_arrives() {
    let Some(platform) = Platform::find() else {
        return;
    };
    let upstream = Upstream::start(|mut connection| {
        connection.head();
        connection.write(
            b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\nconnection: close\r\n\r\nbig",
        );
    });
    let running = platform.start(&platform.application(upstream.address()));
    let mut client = connect(&running);
    client
        .write_all(
            platform
                .head("POST", "content-length: 1000000\r\n")
                .as_bytes(),
        )
        .unwrap();
    client.write_all(&[b'x'; 1000]).unwrap();
    let answer = http1::read_answer(&mut client, false).unwrap();
    assert_eq!((answer.status, answer.text().as_str()), (413, "big"));
}

#[test]
fn who_sends_slowly_is_not_cut_off() {
    let Some(platform) = Platform::find() else {
        return;
    };
    let (upstream, _heads) = Upstream::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    let application = platform
        .application(upstream.address())
        .with("upstream_timeout", "300ms");
    let running = platform.start(&application);
    for (fields, parts, end) in [
        ("content-length: 6\r\n", ["x", "x", "x", "x", "x", "x"], ""),
        (
            "transfer-encoding: chunked\r\n",
            ["1\r\nx\r\n"; 6],
            "0\r\n\r\n",
        ),
    ] {
        let mut client = connect(&running);
        client
            .write_all(platform.head("POST", fields).as_bytes())
            .unwrap();
        let began = Instant::now();
        for part in parts {
            std::thread::sleep(Duration::from_millis(250));
            client.write_all(part.as_bytes()).unwrap();
        }
        client.write_all(end.as_bytes()).unwrap();
        let answer = http1::read_answer(&mut client, false).unwrap();
        assert_eq!(answer.status, 200, "after {:?}", began.elapsed());
        assert!(began.elapsed() > Duration::from_millis(1_400));
    }
}

#[test]
fn an_answer_may_take_its_time_once_it_has_begun() {
    let Some(platform) = Platform::find() else {
        return;
    };
    let upstream = Upstream::start(|mut connection| {
        connection.head();
        connection.write(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n");
        for octet in b"slow" {
            std::thread::sleep(Duration::from_millis(400));
            connection.write(&[*octet]);
        }
        connection.drain();
    });
    let application = platform
        .application(upstream.address())
        .with("upstream_timeout", "300ms");
    let running = platform.start(&application);
    let mut client = connect(&running);
    client
        .write_all(platform.head("GET", "").as_bytes())
        .unwrap();
    let answer = http1::read_answer(&mut client, false).unwrap();
    assert_eq!((answer.status, answer.text().as_str()), (200, "slow"));
}

#[test]
fn interim_answers_disturb_nothing() {
    let Some(platform) = Platform::find() else {
        return;
    };
    let upstream = Upstream::start(|mut connection| {
        let head = connection.head();
        if head.starts_with("get ") {
            connection.write(b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n");
        } else {
            connection.write(b"HTTP/1.1 100 Continue\r\n\r\n");
            assert!(connection.read_until(b"hello"));
        }
        connection.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
    });
    let running = platform.start(&platform.application(upstream.address()));
    let answer = crate::exchange(&running, &platform.head("GET", ""));
    assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));

    let mut client = connect(&running);
    let fields = "content-length: 5\r\nexpect: 100-continue\r\n";
    client
        .write_all(platform.head("POST", fields).as_bytes())
        .unwrap();
    // A careful client sends nothing before this.
    read_until(&mut client, b"HTTP/1.1 100 Continue\r\n\r\n");
    client.write_all(b"hello").unwrap();
    let answer = http1::read_answer(&mut client, false).unwrap();
    assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));
}
