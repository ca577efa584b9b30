//! The API on a socket that one user can open.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;

use serde_json::json;
use timesheets::api::{Options, SocketApi};

use crate::client::{ALICE, ENTRY, JSON, send_to_socket};

#[test]
fn it_answers_whoever_can_open_the_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("api.sock");
    let api = SocketApi::start(&path, &Options::default()).unwrap();
    let mode = path.symlink_metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let headers = format!("{ALICE}{JSON}");
    let added = send_to_socket(&path, "POST /timesheets", &headers, ENTRY);
    assert_eq!(added.status, 201);
    let list = send_to_socket(&path, "GET /timesheets", ALICE, "").json();
    assert_eq!(list["entries"], json!([added.json()]));
    assert_eq!(send_to_socket(&path, "GET /timesheets", "", "").status, 401);
    assert_eq!(api.served(), 3);

    drop(api);
    assert!(!path.exists());
    UnixStream::connect(&path).unwrap_err();
    SocketApi::start(&path, &Options::default()).unwrap();
}

#[test]
fn one_program_listens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("api.sock");
    let first = SocketApi::start(&path, &Options::default()).unwrap();
    let error = SocketApi::start(&path, &Options::default()).unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        format!(
            "listening on the socket {}: somebody listens there already",
            path.display()
        )
    );
    assert_eq!(send_to_socket(&path, "GET /healthz", "", "").status, 200);
    drop(first);
}
