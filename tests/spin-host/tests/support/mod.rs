//! Starts applications of the guest component, and asks them over sockets.

pub(crate) mod upstream;

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running host.
pub(crate) struct App {
    process: Child,
    pub(crate) address: String,
    control: String,
    // Removed with the application.
    _folder: TempDir,
}

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// The manifest of one component with every path, and `more` in its table or behind it.
pub(crate) fn manifest(more: &str) -> String {
    format!(
        r#"
        spin_manifest_version = 2
        application = {{ name = "app", version = "1.2.3" }}
        [[trigger.http]]
        route = "/..."
        component = "guest"
        [component.guest]
        source = "SERVICE"
        {more}
        "#
    )
}

/// A folder with the manifest, in which `SERVICE` and `MIDDLEWARE` stand for the two builds of the guest.
pub(crate) fn write(manifest: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let [service, middleware] = guests().map(|path| path.to_str().unwrap());
    let text = manifest
        .replace("SERVICE", service)
        .replace("MIDDLEWARE", middleware);
    std::fs::write(folder.path().join("spin.toml"), text).unwrap();
    folder
}

/// The middleware under another name, as `inner.wasm`.
pub(crate) fn write_inner(folder: &Path) {
    let mut bytes = std::fs::read(guests()[1]).unwrap();
    let [outer, inner] = [b"the outer middleware", b"the inner middleware"];
    let place = bytes.windows(outer.len()).position(|w| w == outer);
    let place = place.expect("the name in the built middleware");
    bytes[place..place + inner.len()].copy_from_slice(inner);
    std::fs::write(folder.join("inner.wasm"), bytes).unwrap();
}

/// The program, with the command `up` for the manifest in a folder.
pub(crate) fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spin-host"));
    command
        .args(["up", "--listen", "127.0.0.1:0", "--from"])
        .arg(folder)
        .args(arguments)
        // Most of these are killed, and leave their copies of files behind.
        .env("TMPDIR", folder);
    command
}

/// Runs a host that is not expected to start.
pub(crate) fn fail(manifest: &str, arguments: &[&str]) -> Output {
    let folder = write(manifest);
    let mut process = command(folder.path(), arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    for _ in 0..200 {
        if process.try_wait().unwrap().is_some() {
            return process.wait_with_output().unwrap();
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    process.kill().unwrap();
    panic!("it serves, though it must not: {manifest}");
}

impl App {
    pub(crate) fn start(manifest: &str, arguments: &[&str]) -> Self {
        Self::start_in(write(manifest), arguments)
    }

    pub(crate) fn start_in(folder: TempDir, arguments: &[&str]) -> Self {
        let mut process = command(folder.path(), arguments)
            .args(["--control", "127.0.0.1:0", "--quiet"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut next = |word: &str| {
            let line = lines.next().unwrap().unwrap();
            line.strip_prefix(word).expect(&line).to_owned()
        };
        let address = next("Serving http://");
        let control = next("Control http://");
        Self {
            process,
            address,
            control,
            _folder: folder,
        }
    }

    /// The answer to a GET as JSON.
    pub(crate) fn get(&self, path: &str) -> Value {
        self.ask("GET", path, &[], b"").json()
    }

    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.address);
        head.push_str(&format!(
            "Connection: close\r\nContent-Length: {}\r\n",
            body.len()
        ));
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let answer = exchange(&self.address, &[head.as_bytes(), b"\r\n", body].concat());
        answer.expect("an answer")
    }

    /// Asks the control interface, which must take it.
    pub(crate) fn control(&self, method: &str, path: &str, body: &str) -> Value {
        let answer = self.try_control(method, path, body);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    pub(crate) fn try_control(&self, method: &str, path: &str, body: &str) -> Answer {
        let text = format!(
            "{method} {path} HTTP/1.1\r\nHost: c\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        exchange(&self.control, text.as_bytes()).unwrap()
    }

    /// How many instances were started, and how many live.
    pub(crate) fn instances(&self) -> (u64, u64) {
        let counts = self.control("GET", "/instances", "");
        let count = |name: &str| counts[name].as_u64().unwrap();
        (count("started"), count("alive"))
    }

    /// Sends a signal, and waits for the end.
    pub(crate) fn end_by(mut self, signal: &str) -> std::process::ExitStatus {
        let id = self.process.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &id])
                .status()
                .unwrap()
                .success()
        );
        self.process.wait().unwrap()
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{}: {text}", self.status))
    }

    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(n, _)| n == name);
        named.map(|(_, value)| value.as_str()).collect()
    }
}

/// Sends bytes and reads until the other side closes; `None` where it closed without an answer.
pub(crate) fn exchange(address: &str, request: &[u8]) -> Option<Answer> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut writer = stream.try_clone().unwrap();
    let request = request.to_vec();
    // Both ways at once, since an answer may stream while the request does. A server that answers early may close.
    let sending = std::thread::spawn(move || drop(writer.write_all(&request)));
    let mut bytes = Vec::new();
    if let Err(error) = stream.read_to_end(&mut bytes) {
        // A host that is killed resets its connections.
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
    sending.join().unwrap();
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut answer = Answer {
        status: status.parse().unwrap(),
        headers,
        body: bytes[end + 4..].to_vec(),
    };
    if answer.header("transfer-encoding") == ["chunked"] {
        answer.body = join_chunks(&answer.body);
    }
    Some(answer)
}

fn join_chunks(mut bytes: &[u8]) -> Vec<u8> {
    let mut joined = Vec::new();
    loop {
        let end = bytes
            .windows(2)
            .position(|w| w == b"\r\n")
            .expect("a whole body");
        let size = std::str::from_utf8(&bytes[..end]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return joined;
        }
        joined.extend_from_slice(&bytes[end + 2..end + 2 + size]);
        bytes = &bytes[end + 2 + size + 2..];
    }
}

/// The two builds of the guest: from the environment where a build tool made them, else made here, once.
fn guests() -> [&'static Path; 2] {
    static GUESTS: OnceLock<[PathBuf; 2]> = OnceLock::new();
    let [service, middleware] = GUESTS.get_or_init(|| {
        ["SPIN_HOST_GUEST", "SPIN_HOST_GUEST_MIDDLEWARE"].map(|variable| {
            let given = std::env::var_os(variable).map(PathBuf::from);
            given.unwrap_or_else(|| build(variable == "SPIN_HOST_GUEST_MIDDLEWARE"))
        })
    });
    [service, middleware]
}

fn build(middleware: bool) -> PathBuf {
    let name = if middleware { "middleware" } else { "service" };
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("guest")
        .join(name);
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args([
            "build",
            "--quiet",
            "--release",
            "--package",
            "spin-host-guest",
        ])
        .args(["--target", "wasm32-wasip2", "--target-dir"])
        .arg(&target);
    if middleware {
        cargo.args(["--features", "middleware"]);
    }
    assert!(
        cargo.status().unwrap().success(),
        "the guest does not build"
    );
    target.join("wasm32-wasip2/release/spin_host_guest.wasm")
}
