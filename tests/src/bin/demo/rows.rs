//! The requests of the demo, what each should get, and what it got.

use std::fmt::Write as _;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail};
use e2e::http1::{self, Answer};
use e2e::stop::Stop;
use scopegate::issuer::{Grant, Issuer};
use scopegate_core::Algorithm;
use serde_json::{Value, json};
use timesheets::wish::IDENTITY;

use crate::gate::Gate;

/// What the policy of the example asks tokens to be meant for.
const AUDIENCE: &str = "https://timesheets.example.com/api";

const ENTRY: &str = r#"{"date":"2026-03-02","project":"apollo","hours":7.5}"#;

/// For the table, and for the lines to copy (a working day).
const SHORT: i64 = 5 * 60;
const LONG: i64 = 12 * 60 * 60;

/// One request and what should come back.
struct Row {
    name: &'static str,
    method: &'static str,
    path: &'static str,
    token: Option<Token>,
    headers: &'static [(&'static str, &'static str)],
    body: Option<&'static str>,
    /// Status, and the title of the refusal or whom the API took for the caller.
    expected: &'static str,
}

/// Alice's token, where it differs from a good one that may read.
struct Token {
    scope: &'static str,
    audience: &'static str,
    expired: bool,
    key: Algorithm,
    role: Option<&'static str>,
}

const READER: Token = Token {
    scope: "read:timesheets",
    audience: AUDIENCE,
    expired: false,
    key: Algorithm::Rs256,
    role: None,
};

const READ: Row = Row {
    name: "",
    method: "GET",
    path: "/timesheets",
    token: Some(READER),
    headers: &[],
    body: None,
    expected: "200, caller alice",
};

const CREATE: Row = Row {
    method: "POST",
    body: Some(ENTRY),
    ..READ
};

const INVALID: &str = "401 Missing or invalid token";

const ROWS: &[Row] = &[
    Row {
        name: "no token",
        token: None,
        expected: INVALID,
        ..READ
    },
    Row {
        name: "valid read",
        ..READ
    },
    Row {
        name: "valid create",
        token: Some(Token {
            scope: "read:timesheets create:timesheets",
            ..READER
        }),
        expected: "201, caller alice",
        ..CREATE
    },
    Row {
        name: "create with a read-only token",
        expected: "403 Insufficient scope",
        ..CREATE
    },
    Row {
        name: "expired token",
        token: Some(Token {
            expired: true,
            ..READER
        }),
        expected: INVALID,
        ..READ
    },
    Row {
        name: "token meant for another API",
        token: Some(Token {
            audience: "https://payroll.example.com/api",
            ..READER
        }),
        expected: INVALID,
        ..READ
    },
    Row {
        name: "spoofed identity header",
        headers: &[(IDENTITY, "mallory"), ("X_Auth_Sub", "mallory")],
        ..READ
    },
    Row {
        name: "read, signed with ES256",
        token: Some(Token {
            key: Algorithm::Es256,
            ..READER
        }),
        ..READ
    },
    Row {
        name: "report, without the role",
        path: "/reports/hours",
        expected: "403 Forbidden",
        ..READ
    },
    Row {
        name: "report, as an auditor",
        path: "/reports/hours",
        token: Some(Token {
            role: Some("auditor"),
            ..READER
        }),
        ..READ
    },
    Row {
        name: "path that no route names",
        path: "/admin",
        expected: "403 Forbidden",
        ..READ
    },
    Row {
        name: "ambiguous path",
        path: "/timesheets/%2e%2e/admin",
        expected: "400 Ambiguous path",
        ..READ
    },
    Row {
        name: "public route, no token",
        path: "/healthz",
        token: None,
        expected: "200",
        ..READ
    },
];

/// How long the API may take to tell of a request that was answered already (on Spin, by a line in a file).
const TOLD_WITHIN: Duration = Duration::from_secs(5);

/// Sends all rows, prints the table as it goes, and returns how many are not as they should be.
pub(crate) fn table(
    out: &mut impl Write,
    issuer: &Issuer,
    gate: &dyn Gate,
    stop: &Stop,
) -> Result<usize> {
    line(out, ["", "request", "expected", "got"])?;
    let mut wrong: usize = 0;
    let served_before = gate.served();
    let mut passed: u64 = 0;
    for row in ROWS {
        if stop.wanted() {
            bail!("stopped by a signal before the table was complete");
        }
        let token = row
            .token
            .as_ref()
            .map(|token| mint(issuer, token, SHORT))
            .transpose()?;
        let answer = http1::exchange(gate.address(), &row.wire(gate.address(), token.as_deref()))?;
        let mut got = describe(&answer);
        if answer.status < 400 {
            passed = passed.saturating_add(1);
        }
        let served = || gate.served().saturating_sub(served_before);
        if !comes_true(|| served() >= passed) {
            got.push_str(", but not from the API");
        }
        // A refusal that the API has seen all the same would be no refusal.
        if served() > passed {
            got.push_str(", and it reached the API");
            passed = served();
        }
        if !judged(out, row.name, row.expected, &got)? {
            wrong = wrong.saturating_add(1);
        }
    }
    if wrong == 0 {
        writeln!(out, "\nAll {} rows are as they should be.", ROWS.len())?;
    } else {
        writeln!(
            out,
            "\n{wrong} of {} rows are not as they should be.",
            ROWS.len()
        )?;
    }
    Ok(wrong)
}

/// Whether it does, before too long.
fn comes_true(it: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + TOLD_WITHIN;
    while !it() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}

/// One line of the table. Returns whether it is as it should be.
pub(crate) fn judged(out: &mut impl Write, name: &str, expected: &str, got: &str) -> Result<bool> {
    let right = got == expected;
    line(out, [if right { "✓" } else { "✗" }, name, expected, got])?;
    Ok(right)
}

/// One line a row. Its token lies in a file that curl reads as a header: a line that fits the screen, and no token in
/// the shell's history.
pub(crate) fn curl_lines(
    out: &mut impl Write,
    issuer: &Issuer,
    gate: SocketAddr,
    folder: &Path,
) -> Result<()> {
    writeln!(
        out,
        "\nTo try in another terminal (the tokens, one a file, last for 12 hours):"
    )?;
    for row in ROWS {
        let mut file = None;
        if let Some(token) = &row.token {
            let path = folder.join(row.name.replace(|c: char| !c.is_alphanumeric(), "-"));
            let header = format!("authorization: Bearer {}\n", mint(issuer, token, LONG)?);
            std::fs::write(&path, header).with_context(|| format!("writing {}", path.display()))?;
            file = Some(path);
        }
        writeln!(
            out,
            "\n# {}: {}\n{}",
            row.name,
            row.expected,
            row.curl(gate, file.as_deref())
        )?;
    }
    Ok(())
}

fn line(out: &mut impl Write, [mark, name, expected, got]: [&str; 4]) -> Result<()> {
    let text = format!("{mark:2} {name:31} {expected:29} {got}");
    writeln!(out, "{}", text.trim_end())?;
    Ok(())
}

fn mint(issuer: &Issuer, token: &Token, lasts: i64) -> Result<String> {
    let mut grant = Grant::new("alice", token.audience, token.scope);
    if let Some(role) = token.role {
        grant.say("roles", json!([role]));
    }
    // Longer ago than any clock may be off (the policy allows 30 s).
    grant.expires_in = Some(if token.expired { -3600 } else { lasts });
    grant.algorithm = Some(token.key);
    Ok(issuer.mint(&grant, SystemTime::now())?.text)
}

/// The answer in the words of the table.
pub(crate) fn describe(answer: &Answer) -> String {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let status = answer.status;
    if let Some(title) = body["title"].as_str() {
        format!("{status} {title}")
    } else if let Some(caller) = body["employee"].as_str() {
        format!("{status}, caller {caller}")
    } else {
        status.to_string()
    }
}

impl Row {
    /// What the row sends beside its token.
    fn headers(&self) -> Vec<(&str, &str)> {
        let mut headers = self.headers.to_vec();
        if self.body.is_some() {
            headers.push(("content-type", "application/json"));
        }
        headers
    }

    fn wire(&self, gate: SocketAddr, token: Option<&str>) -> Vec<u8> {
        let mut wire = format!(
            "{} {} HTTP/1.1\r\nhost: {gate}\r\nconnection: close\r\n",
            self.method, self.path
        );
        // Writing to a String cannot fail.
        if let Some(token) = token {
            let _ = write!(wire, "authorization: Bearer {token}\r\n");
        }
        for (name, value) in self.headers() {
            let _ = write!(wire, "{name}: {value}\r\n");
        }
        let body = self.body.unwrap_or_default();
        let _ = write!(wire, "content-length: {}\r\n\r\n{body}", body.len());
        wire.into_bytes()
    }

    /// The same for a shell. `--path-as-is` keeps curl from tidying the path up.
    fn curl(&self, gate: SocketAddr, token_file: Option<&Path>) -> String {
        let mut command = String::from("curl -i --path-as-is");
        if self.method != "GET" {
            let _ = write!(command, " -X {}", self.method);
        }
        let _ = write!(command, " http://{gate}{}", self.path);
        if let Some(file) = token_file {
            let _ = write!(command, " -H {}", quoted(&format!("@{}", file.display())));
        }
        for (name, value) in self.headers() {
            let _ = write!(command, " -H {}", quoted(&format!("{name}: {value}")));
        }
        if let Some(body) = self.body {
            let _ = write!(command, " -d {}", quoted(body));
        }
        command
    }
}

/// For a POSIX shell, whatever the text holds.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
