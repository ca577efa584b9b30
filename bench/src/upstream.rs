//! The service behind it all: a small answer, always the same, as fast as a thread for each connection gives it.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use anyhow::{Context, Result, bail};

/// What it answers, behind its header fields.
pub(crate) const CONTENT: &str = r#"[{"id":1,"user":"alice","project":"scopegate","day":"2026-03-02","hours":7.5},{"id":2,"user":"alice","project":"scopegate","day":"2026-03-03","hours":6}]"#;

/// A head that is longer comes from something that is broken.
const LONGEST_HEAD: usize = 64 * 1024;

/// Starts it on loopback; it ends with the process.
pub(crate) fn start() -> Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("the upstream")?;
    let address = listener.local_addr()?;
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{CONTENT}",
        CONTENT.len()
    );
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            thread::spawn(move || {
                if let Err(error) = serve(stream, answer.as_bytes()) {
                    eprintln!("the upstream: {error:#}");
                }
            });
        }
    });
    Ok(address)
}

fn serve(mut stream: TcpStream, answer: &[u8]) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; LONGEST_HEAD];
    let mut filled = 0;
    loop {
        // A client that goes away between or within requests is as it should be: its measurement has ended.
        let count = match stream.read(&mut buffer[filled..]) {
            Ok(0) | Err(_) => return Ok(()),
            Ok(count) => count,
        };
        filled += count;
        if !buffer[..filled].ends_with(b"\r\n\r\n") {
            if filled == LONGEST_HEAD {
                bail!("a head without an end");
            }
            continue;
        }
        // Nobody here sends content, nor a second request before the first is answered: the end of what came is the end of a head.
        if !buffer.starts_with(b"GET ") {
            bail!("something else than a GET came");
        }
        filled = 0;
        if stream.write_all(answer).is_err() {
            return Ok(());
        }
    }
}
