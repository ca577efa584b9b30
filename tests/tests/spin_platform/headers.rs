//! Header fields: those of a connection, those of Spin, those about the origin, and the length.

use std::sync::mpsc::Receiver;

use crate::raw::{PATIENCE, Upstream};
use crate::{Platform, exchange, is_problem};

const PLAIN: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// Whether the fields hold one of that name.
fn has(head: &str, name: &str) -> bool {
    head.lines()
        .any(|line| line.starts_with(&format!("{name}:")))
}

/// The values under a name.
fn values<'a>(head: &'a str, name: &str) -> Vec<&'a str> {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines
        .filter(|(known, _)| *known == name)
        .map(|(_, value)| value)
        .collect()
}

fn received(heads: &Receiver<String>) -> String {
    heads.recv_timeout(PATIENCE).unwrap()
}

const OF_THE_CONNECTION: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authorization",
    "proxy-authenticate",
    "te",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
];

#[test]
fn what_concerns_a_connection_crosses_in_neither_direction() {
    // As Spin has it, and where the host hands everything to the component, which then has to know it.
    for arguments in [&[][..], &["--forbidden-headers", "none"]] {
        let Some(platform) = (match arguments.is_empty() {
            true => Platform::find(),
            false => Platform::find_steered(),
        }) else {
            return;
        };
        let (upstream, heads) = Upstream::answering(
            "HTTP/1.1 200 OK\r\nconnection: close, x-nominated, content-type\r\nkeep-alive: timeout=5\r\n\
             proxy-authenticate: Basic\r\nproxy-connection: close\r\nupgrade: h2c\r\nx-nominated: secret\r\nx-stays: 1\r\n\
             content-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        );
        let application = platform
            .application(upstream.address())
            .arguments(arguments);
        let running = platform.start(&application);
        let answer = exchange(
            &running,
            &platform.head(
                "POST",
                "connection: keep-alive, X-Nominated, content-length, x-auth-sub\r\nkeep-alive: timeout=9\r\nproxy-connection: x\r\n\
                 proxy-authorization: Basic eDp5\r\nte: trailers\r\nhttp2-settings: AAMAAABkAAQAAP__\r\nupgrade: x-other\r\n\
                 x-nominated: 1\r\nx-stays: 1\r\ncontent-length: 0\r\n",
            ),
        );
        let head = received(&heads);
        for name in OF_THE_CONNECTION {
            assert!(!has(&head, name), "{name} upstream: {head}");
            // The answer's own coding is between Spin and the client.
            let is_own = name == "transfer-encoding";
            assert!(
                is_own || answer.header(name).is_empty(),
                "{name}: {answer:?}"
            );
        }
        assert_eq!(values(&head, "x-stays"), ["1"], "{head}");
        assert_eq!(values(&head, "x-auth-sub"), ["alice"], "{head}");
        assert_eq!(values(&head, "content-length"), ["0"], "{head}");
        assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));
        assert_eq!(answer.header("x-stays"), ["1"]);
        assert_eq!(answer.header("content-type"), ["text/plain"]);
        // What `Connection` nominates nobody can know who does not see `Connection`.
        let is_known = !arguments.is_empty();
        assert_eq!(has(&head, "x-nominated"), !is_known, "{head}");
        assert_eq!(
            answer.header("x-nominated").is_empty(),
            is_known,
            "{answer:?}"
        );
    }
}

#[test]
fn nothing_in_the_name_of_spin_goes_on() {
    let Some(platform) = Platform::find() else {
        return;
    };
    let (upstream, heads) = Upstream::answering(PLAIN);
    let running = platform.start(&platform.application(upstream.address()));
    let fields = "spin-client-addr: 203.0.113.9:1\r\nSpin-Full-Url: http://evil.example/\r\nspin_path_info: /admin\r\n\
                  spin-anything: x\r\nSPIN-PATH-MATCH-ID: 7\r\nspinner: stays\r\n";
    assert_eq!(
        exchange(&running, &platform.head("GET", fields)).status,
        200
    );
    let head = received(&heads);
    let of_spin = head
        .lines()
        .filter(|line| line.replace('_', "-").starts_with("spin-"));
    assert_eq!(of_spin.collect::<Vec<_>>(), Vec::<&str>::new());
    assert!(has(&head, "spinner"), "{head}");
    // Nor does what it says: the client is who Spin saw.
    assert_eq!(values(&head, "x-forwarded-for"), ["127.0.0.1"], "{head}");
}

const ORIGIN: &str = "forwarded: for=203.0.113.9\r\nx-forwarded-for: 203.0.113.9\r\nX-Forwarded-Host: evil.example\r\n\
                      x-forwarded-proto: https\r\nx-forwarded-port: 8443\r\nx-real-ip: 203.0.113.9\r\nx_forwarded_for: 203.0.113.9\r\n";

#[test]
fn the_gate_says_where_a_request_came_from() {
    let Some(platform) = Platform::find() else {
        return;
    };
    let (upstream, heads) = Upstream::answering(PLAIN);
    let running = platform.start(&platform.application(upstream.address()));
    assert_eq!(
        exchange(&running, &platform.head("GET", ORIGIN)).status,
        200
    );
    let head = received(&heads);
    assert!(
        !head.contains("203.0.113.9") && !head.contains("evil"),
        "{head}"
    );
    assert_eq!(values(&head, "x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(values(&head, "x-forwarded-host"), ["api.example.com"]);
    assert_eq!(values(&head, "x-forwarded-proto"), ["http"]);
    assert!(
        !has(&head, "x-forwarded-port") && !has(&head, "forwarded"),
        "{head}"
    );
}

#[test]
fn a_proxy_in_front_says_it_where_the_variable_allows_it() {
    let Some(platform) = Platform::find() else {
        return;
    };
    let (upstream, heads) = Upstream::answering(PLAIN);
    let application = platform
        .application(upstream.address())
        .with("forwarded", "keep");
    let running = platform.start(&application);
    assert_eq!(
        exchange(&running, &platform.head("GET", ORIGIN)).status,
        200
    );
    let head = received(&heads);
    for line in ORIGIN.to_lowercase().lines() {
        assert!(head.lines().any(|seen| seen == line), "{line}: {head}");
    }
    assert_eq!(
        values(&head, "x-forwarded-for"),
        ["203.0.113.9"],
        "and nothing is added"
    );
}

#[test]
fn the_upstream_gets_its_own_host() {
    let Some(platform) = Platform::find() else {
        return;
    };
    let (upstream, heads) = Upstream::answering(PLAIN);
    let running = platform.start(&platform.application(upstream.address()));
    assert_eq!(exchange(&running, &platform.head("GET", "")).status, 200);
    assert_eq!(
        values(&received(&heads), "host"),
        [upstream.address().to_string()]
    );
    // A target with an address in it is the same request, and one that names another host than `Host` is none.
    let whole = platform
        .head("GET", "")
        .replacen(" /", " http://api.example.com/", 1);
    assert_eq!(exchange(&running, &whole).status, 200);
    let head = received(&heads);
    assert!(head.starts_with("get /timesheets http/1.1\r\n"), "{head}");
    let other = whole.replacen("http://api", "http://other", 1);
    let answer = e2e::http1::exchange(running.spin.address(), other.as_bytes());
    assert!(answer.is_err(), "{answer:?}");
    assert!(heads.try_recv().is_err());
}

#[test]
fn a_length_stays_a_length_and_chunks_stay_chunks() {
    let Some(platform) = Platform::find() else {
        return;
    };
    let (upstream, heads) = Upstream::answering(PLAIN);
    let running = platform.start(&platform.application(upstream.address()));
    for (method, fields, body) in [
        ("POST", "content-length: 5\r\n", "hello"),
        ("POST", "content-length: 0\r\n", ""),
        ("DELETE", "content-length: 0\r\n", ""),
        ("GET", "content-length: 5\r\n", "hello"),
        (
            "POST",
            "transfer-encoding: chunked\r\n",
            "5\r\nhello\r\n0\r\n\r\n",
        ),
    ] {
        let answer = exchange(&running, &(platform.head(method, fields) + body));
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (200, "ok"),
            "{method} {fields}"
        );
        assert_eq!(answer.header("content-length"), ["2"]);
        assert!(answer.header("transfer-encoding").is_empty(), "{answer:?}");
        let head = received(&heads);
        let framing = head.lines().filter(|line| {
            line.starts_with("content-length") || line.starts_with("transfer-encoding")
        });
        assert_eq!(framing.collect::<Vec<_>>(), [fields.trim_end()], "{method}");
    }
}

#[test]
fn content_of_a_get_needs_a_length() {
    let Some(platform) = Platform::find() else {
        return;
    };
    let (upstream, heads) = Upstream::answering(PLAIN);
    let running = platform.start(&platform.application(upstream.address()));
    // hyper, which is Spin's client, sends none with a GET unless it knows the length: it would be lost, and nobody told.
    let fields = "transfer-encoding: chunked\r\n";
    let request = platform.head("GET", fields) + "5\r\nhello\r\n0\r\n\r\n";
    is_problem(&exchange(&running, &request), 411);
    let log = running.gate_log();
    assert!(
        log.contains("not forwarded reason=\"length_required\""),
        "{log}"
    );
    assert!(heads.try_recv().is_err(), "the upstream was reached");
    // Chunks of which there are none are no content.
    let empty = platform.head("GET", fields) + "0\r\n\r\n";
    assert_eq!(exchange(&running, &empty).status, 200);
    assert!(!has(&received(&heads), "transfer-encoding"));
}

#[test]
fn no_content_stays_none() {
    let Some(platform) = Platform::find() else {
        return;
    };
    let (upstream, heads) = Upstream::answering(PLAIN);
    let running = platform.start(&platform.application(upstream.address()));
    for method in ["GET", "HEAD", "DELETE", "OPTIONS", "POST", "PUT", "OTHER"] {
        let answer =
            e2e::http1::exchange(running.spin.address(), platform.head(method, "").as_bytes());
        assert_eq!(answer.unwrap().status, 200, "{method}");
        let head = received(&heads);
        assert!(!has(&head, "transfer-encoding"), "{method}: {head}");
        // Which says the same (RFC 9112 section 6.3).
        let length = values(&head, "content-length");
        assert!(length.is_empty() || length == ["0"], "{method}: {head}");
    }
}

#[test]
fn answers_without_content_keep_what_they_say() {
    let Some(platform) = Platform::find() else {
        return;
    };
    for (method, answer, status, length) in [
        (
            "HEAD",
            "HTTP/1.1 200 OK\r\ncontent-length: 12345\r\n\r\n",
            200,
            vec!["12345"],
        ),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n", 204, vec![]),
        (
            "GET",
            "HTTP/1.1 304 Not Modified\r\netag: \"1\"\r\n\r\n",
            304,
            vec![],
        ),
        (
            "GET",
            "HTTP/1.1 304 Not Modified\r\ncontent-length: 12345\r\n\r\n",
            304,
            vec!["12345"],
        ),
        (
            "GET",
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            200,
            vec!["0"],
        ),
        (
            "GET",
            "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nx-why: none\r\n\r\n",
            404,
            vec!["0"],
        ),
        (
            "GET",
            "HTTP/1.1 302 Found\r\nlocation: /else\r\ncontent-length: 0\r\n\r\n",
            302,
            vec!["0"],
        ),
    ] {
        let (upstream, heads) = Upstream::answering(answer);
        let running = platform.start(&platform.application(upstream.address()));
        let seen = exchange(&running, &platform.head(method, ""));
        assert_eq!(seen.status, status, "{answer}");
        assert_eq!(seen.header("content-length"), length, "{method} {answer}");
        assert_eq!(seen.text(), "", "{answer}");
        received(&heads);
        assert!(heads.try_recv().is_err(), "redirects are the client's");
    }
}

#[test]
fn refusals_say_their_length_and_leave_the_connection() {
    let Some(platform) = Platform::find() else {
        return;
    };
    let (upstream, heads) = Upstream::answering(PLAIN);
    let running = platform.start(&platform.application(upstream.address()));
    let bare = |target: &str| format!("GET {target} HTTP/1.1\r\nhost: api.example.com\r\n\r\n");
    for (request, status) in [
        (bare("/timesheets"), 401),
        (bare("//timesheets"), 400),
        (bare("/nowhere"), 403),
        (
            platform.head("GET", "").replace("/timesheets", "/admin"),
            403,
        ),
    ] {
        let refused = exchange(&running, &request);
        is_problem(&refused, status);
        let head = e2e::http1::exchange(
            running.spin.address(),
            request.replacen("GET", "HEAD", 1).as_bytes(),
        );
        let head = head.unwrap();
        assert_eq!(head.status, status);
        assert_eq!(
            head.header("content-length"),
            refused.header("content-length")
        );
    }
    // Ten on one connection, each answered before the next.
    use std::io::Write as _;
    let mut connection = e2e::http1::connect(running.spin.address()).unwrap();
    for _ in 0..10 {
        connection
            .write_all(bare("/timesheets").as_bytes())
            .unwrap();
        is_problem(
            &e2e::http1::read_answer(&mut connection, false).unwrap(),
            401,
        );
    }
    assert!(heads.try_recv().is_err(), "the upstream knows of none");
}

#[test]
fn a_request_that_is_framed_in_two_ways_is_one_request() {
    let Some(platform) = Platform::find() else {
        return;
    };
    let (upstream, heads) = Upstream::answering(PLAIN);
    let running = platform.start(&platform.application(upstream.address()));
    let hidden = "GET /admin HTTP/1.1\r\nhost: api.example.com\r\n\r\n";
    let mut passed = 0;
    for (fields, body) in [
        (
            "content-length: 5\r\ntransfer-encoding: chunked\r\n",
            "0\r\n\r\n",
        ),
        (
            "transfer-encoding: chunked\r\ncontent-length: 5\r\n",
            "0\r\n\r\n",
        ),
        (
            "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n",
            "0\r\n\r\n",
        ),
        ("transfer-encoding: identity, chunked\r\n", "0\r\n\r\n"),
        ("transfer-encoding: xchunked\r\n", "0\r\n\r\n"),
        ("transfer-encoding: \x0bchunked\r\n", "0\r\n\r\n"),
        ("transfer-encoding : chunked\r\n", "0\r\n\r\n"),
        ("content-length: 5\r\ncontent-length: 6\r\n", "hello"),
        ("content-length: 0\r\ncontent-length: 5\r\n", "hello"),
        ("content-length: 5, 6\r\n", "hello"),
        ("content-length: +5\r\n", "hello"),
        ("content-length: 0x5\r\n", "hello"),
        ("content-length: -1\r\n", ""),
    ] {
        let request = platform.head("POST", fields) + body + hidden;
        let answer = e2e::http1::exchange(running.spin.address(), request.as_bytes());
        // What follows on the connection has no token, so it may be refused, but must never be seen as something that was allowed.
        let seen: Vec<String> = heads.try_iter().collect();
        if !matches!(&answer, Ok(answer) if answer.status == 200) {
            assert_eq!(seen.len(), 0, "{fields}{answer:?}");
            continue;
        }
        passed += 1;
        assert_eq!(seen.len(), 1, "{fields}{seen:?}");
        assert!(seen[0].starts_with("post /timesheets "), "{fields}{seen:?}");
        let framing =
            values(&seen[0], "content-length").len() + values(&seen[0], "transfer-encoding").len();
        assert_eq!(framing, 1, "{fields}{seen:?}");
    }
    println!("{passed} passed");
}

#[test]
fn the_paths_that_spin_answers_itself_lead_nowhere() {
    let Some(platform) = Platform::find() else {
        return;
    };
    let (upstream, heads) = Upstream::answering(PLAIN);
    let running = platform.start(&platform.application(upstream.address()));
    let at = |path: &str| {
        exchange(
            &running,
            &platform.head("GET", "").replace("/timesheets", path),
        )
    };
    assert_eq!(at("/.well-known/spin/health").text(), "OK");
    assert_eq!(at("/.well-known/spin/other").status, 404);
    // The gate knows no route for what merely looks like them.
    for path in [
        "/.well-known/spin",
        "/.Well-Known/spin/health",
        "/.well-known/./spin/health",
        "/.well-known/spin%2fhealth",
    ] {
        let answer = at(path);
        is_problem(
            &answer,
            if path.contains("/./") || path.contains("%2f") {
                400
            } else {
                403
            },
        );
    }
    assert!(heads.try_recv().is_err(), "the upstream was reached");
}
