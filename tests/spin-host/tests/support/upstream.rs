//! A server that components send to.

use std::io::{Read as _, Result, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// Serves until the test ends: `/late` answers after a second, `/pause` stops for a second within the body, `/redirect` sends elsewhere,
/// everything else shows the head of the request. `X-Connection` is the number of the connection.
pub(crate) fn start() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            std::thread::spawn(move || {
                let mut stream = stream.unwrap();
                // A client that has given up is gone.
                while serve(&mut stream, number).is_ok() {}
            });
        }
    });
    address
}

fn serve(stream: &mut TcpStream, number: usize) -> Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.extend_from_slice(&byte);
    }
    let asks = |path: &str| head.starts_with(format!("GET {path} ").as_bytes());
    let pause = Duration::from_secs(1);
    if asks("/late") {
        std::thread::sleep(pause);
    }
    let status = if asks("/redirect") {
        "302 Found\r\nLocation: /elsewhere"
    } else {
        "200 OK"
    };
    let length = head.len();
    let start = format!(
        "HTTP/1.1 {status}\r\nX-Twice: 1\r\nX-Twice: 2\r\nX-Connection: {number}\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(start.as_bytes())?;
    stream.write_all(&head[..1])?;
    if asks("/pause") {
        std::thread::sleep(pause);
    }
    stream.write_all(&head[1..])
}
