//! A server that components send to.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// Serves until the test ends: `/late` answers after a second, `/pause` stops for a second within the body, everything else shows the
/// head of the request.
pub(crate) fn start() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || serve(stream.unwrap()));
        }
    });
    address
}

fn serve(mut stream: TcpStream) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.extend_from_slice(&byte),
            _ => return,
        }
    }
    let pause = Duration::from_secs(1);
    if head.starts_with(b"GET /late ") {
        std::thread::sleep(pause);
    }
    let length = head.len();
    let start = format!(
        "HTTP/1.1 200 OK\r\nX-Twice: 1\r\nX-Twice: 2\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
    );
    // A client that has given up may be gone.
    let _ = stream.write_all(start.as_bytes());
    if head.starts_with(b"GET /pause ") {
        let _ = stream.write_all(&head[..1]);
        std::thread::sleep(pause);
        let _ = stream.write_all(&head[1..]);
    } else {
        let _ = stream.write_all(&head);
    }
}
