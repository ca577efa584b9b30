//! `timesheets-api`, from its arguments to its end.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::json;

use crate::client::{ALICE, ENTRY, JSON, post, send_to_socket};

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_timesheets-api"))
}

/// It, and the line with which it says that it listens.
fn start(arguments: &[&str]) -> (Child, String) {
    start_as(program().args(arguments))
}

fn start_as(command: &mut Command) -> (Child, String) {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let out = child.stdout.as_mut().unwrap();
    BufReader::new(out).read_line(&mut line).unwrap();
    (child, line.trim_end().to_owned())
}

/// Its exit status and what it complained of.
fn end(child: Child) -> (i32, String) {
    let id = child.id().to_string();
    let sent = Command::new("kill").args(["-TERM", &id]).status().unwrap();
    assert!(sent.success());
    let output = child.wait_with_output().unwrap();
    let complaints = String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), complaints)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_socket_goes_with_the_program_and_the_entries_stay() {
    let folder = tempfile::tempdir().unwrap();
    let (socket, database) = (folder.path().join("s"), folder.path().join("entries.db"));
    let listen = format!("unix:{}", text(&socket));
    let arguments = ["--listen", &listen, "--database", text(&database)];
    let headers = format!("{ALICE}{JSON}");
    for entries in 1..=2 {
        let (child, line) = start(&arguments);
        assert_eq!(line, listen);
        assert_eq!(
            send_to_socket(&socket, "POST /timesheets", &headers, ENTRY).status,
            201
        );
        let list = send_to_socket(&socket, "GET /timesheets", ALICE, "").json();
        assert_eq!(list["entries"].as_array().unwrap().len(), entries);
        assert_eq!(end(child), (0, String::new()));
        assert!(!socket.exists());
    }
}

/// `ulimit -f` makes a write beyond the limit fail as on a full disk: at the end of a statement, when its pages go to the log.
#[test]
fn a_full_disk_is_told_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (socket, database) = (folder.path().join("s"), folder.path().join("entries.db"));
    let listen = format!("unix:{}", text(&socket));
    // Blocks of 512 or of 1,024 octets, as the shell has it: room for a few entries.
    let script = "trap '' XFSZ; ulimit -f 256; exec \"$0\" \"$@\"";
    let (child, _) = start_as(Command::new("sh").args([
        "-c",
        script,
        env!("CARGO_BIN_EXE_timesheets-api"),
        "--listen",
        &listen,
        "--database",
        text(&database),
    ]));
    let headers = format!("{ALICE}{JSON}");
    let entries =
        || send_to_socket(&socket, "GET /timesheets", ALICE, "").json()["entries"].clone();
    let mut kept = Vec::new();
    let refused = loop {
        assert!(kept.len() < 200, "the disk is never full");
        let answer = send_to_socket(&socket, "POST /timesheets", &headers, ENTRY);
        match answer.status {
            201 => kept.push(answer.json()),
            _ => break answer,
        }
        assert_eq!(entries(), json!(kept));
    };
    assert!(!kept.is_empty());
    let remove = format!("DELETE /timesheets/{}", kept[0]["id"]);
    for answer in [refused, send_to_socket(&socket, &remove, ALICE, "")] {
        let problem = json!({ "title": "The entries cannot be had", "status": 500 });
        assert_eq!((answer.status, answer.json()), (500, problem));
    }
    assert_eq!(entries(), json!(kept));
    let (status, complaints) = end(child);
    assert_eq!(status, 0);
    assert!(
        complaints.contains("timesheets: the database: "),
        "{complaints}"
    );
}

#[test]
fn on_a_port_it_says_who_may_come() {
    let (child, line) = start(&["--listen", "127.0.0.1:0"]);
    let address = line.strip_prefix("http://").unwrap();
    let address = address.strip_suffix('/').unwrap().parse().unwrap();
    assert_eq!(post(address, ENTRY).json()["employee"], json!("alice"));
    let (status, complaints) = end(child);
    assert_eq!(status, 0);
    assert!(
        complaints.starts_with("warning: everybody on this machine can reach this port"),
        "{complaints}"
    );
    assert_eq!(complaints.lines().count(), 1, "{complaints}");
}

#[test]
fn what_it_cannot_do_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let none = folder.path().join("none");
    let socket = format!("unix:{}/s", text(&none));
    for (arguments, status, complaint) in [
        (&["--help"][..], 0, ""),
        (&["--nonsense"], 2, "--nonsense"),
        (&["--listen", "0.0.0.0:1"], 2, "no other address"),
        (&["--listen", "unix:"], 2, "unix:PATH"),
        (&["--listen", &socket], 1, "there is no folder"),
        (
            &["--listen", "127.0.0.1:0", "--app", text(&none)],
            1,
            "there is no app in",
        ),
    ] {
        let output = program().args(arguments).output().unwrap();
        let complaints = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{arguments:?}");
        assert!(complaints.contains(complaint), "{arguments:?} {complaints}");
    }
}
