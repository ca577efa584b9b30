//! Entries in a file, and how many there may be.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rusqlite::Connection;
use serde_json::json;
use timesheets::api::{Api, Options};

use crate::client::{ALICE, BOB, ENTRY, JSON, post, send};

fn start(database: &Path) -> anyhow::Result<Api> {
    Api::start_with(
        0,
        &Options {
            database: Some(database.to_owned()),
            app: None,
        },
    )
}

fn refusal(database: &Path) -> String {
    format!("{:#}", start(database).unwrap_err())
}

#[test]
fn entries_outlive_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("entries.db");
    let api = start(&file).unwrap();
    let (first, second) = (
        post(api.address(), ENTRY).json(),
        post(api.address(), ENTRY).json(),
    );
    let line = format!("DELETE /timesheets/{}", second["id"]);
    assert_eq!(send(api.address(), &line, ALICE, "").status, 204);
    drop(api);

    let api = start(&file).unwrap();
    let list = send(api.address(), "GET /timesheets", ALICE, "").json();
    assert_eq!(list["entries"], json!([first]));
    assert_eq!(
        send(api.address(), "GET /timesheets", BOB, "").json()["entries"],
        json!([])
    );
    // A number is not given twice, not even by the next program.
    let third = post(api.address(), ENTRY).json();
    assert!(third["id"].as_u64() > second["id"].as_u64(), "{third}");
}

#[test]
fn a_row_stands_in_the_database_when_its_answer_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("entries.db");
    let api = start(&file).unwrap();
    let id = post(api.address(), ENTRY).json()["id"].as_i64().unwrap();
    // Read while the API runs, as somebody with `sqlite3` would.
    let reader = Connection::open(&file).unwrap();
    let row: (i64, String, String, String, i64) = reader
        .query_row(
            "SELECT id, employee, date, project, quarter_hours FROM entries",
            [],
            |row| {
                Ok((
                    row.get(0)?,
                    row.get(1)?,
                    row.get(2)?,
                    row.get(3)?,
                    row.get(4)?,
                ))
            },
        )
        .unwrap();
    assert_eq!(
        row,
        (id, "alice".into(), "2026-03-02".into(), "apollo".into(), 30)
    );
}

#[test]
fn a_full_timesheet_and_a_full_ledger_take_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("entries.db");
    let api = start(&file).unwrap();
    let fill = |employee: &str, rows: u32| {
        let database = Connection::open(&file).unwrap();
        database
            .execute(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
                 INSERT INTO entries (employee, date, project, quarter_hours) SELECT ?1, '2026-03-02', 'apollo', 4 FROM n",
                rusqlite::params![employee, rows],
            )
            .unwrap();
    };
    let add = |who: &str| {
        send(
            api.address(),
            "POST /timesheets",
            &format!("{who}{JSON}"),
            ENTRY,
        )
    };
    fill("alice", 999);
    assert_eq!(add(ALICE).status, 201);
    let full = add(ALICE);
    assert_eq!(full.status, 507);
    assert!(
        full.text.contains("Your timesheet is full"),
        "{}",
        full.text
    );
    // Room is made by whoever filled it.
    let list = send(api.address(), "GET /timesheets", ALICE, "").json();
    let line = format!("DELETE /timesheets/{}", list["entries"][0]["id"]);
    assert_eq!(send(api.address(), &line, ALICE, "").status, 204);
    assert_eq!(add(ALICE).status, 201);

    assert_eq!(add(BOB).status, 201);
    fill("carol", 3_999);
    let full = add(BOB);
    assert_eq!(full.status, 507);
    assert!(full.text.contains("The ledger is full"), "{}", full.text);
    let hours = send(api.address(), "GET /reports/hours", BOB, "").json();
    assert_eq!(
        hours["hours"],
        json!({ "apollo": 998.0 + 3_999.0 + 3.0 * 7.5 })
    );
}

#[test]
fn the_files_are_their_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("entries.db");
    let api = start(&file).unwrap();
    post(api.address(), ENTRY);
    let mut seen = 0;
    for found in fs::read_dir(folder.path()).unwrap() {
        let found = found.unwrap();
        let mode = found.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", found.file_name());
        seen += 1;
    }
    // The database, its log, and the index of that.
    assert_eq!(seen, 3);
    drop(api);

    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let error = refusal(&file);
    assert!(error.contains("mode 640"), "{error}");
    assert!(error.contains("chmod 600"), "{error}");

    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let link = folder.path().join("link.db");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let error = refusal(&link);
    assert!(error.contains("link.db: it is a link"), "{error}");
    start(&file).unwrap();
}

#[test]
fn a_file_of_something_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("other.db");
    let private = || fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let make = |sql: &str| {
        let _ = fs::remove_file(&file);
        Connection::open(&file).unwrap().execute_batch(sql).unwrap();
        private();
    };
    make("CREATE TABLE songs (title TEXT)");
    let error = refusal(&file);
    assert!(error.contains("another program's"), "{error}");
    let mode: String = Connection::open(&file)
        .unwrap()
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "delete");
    make("PRAGMA user_version = 2");
    let error = refusal(&file);
    assert!(error.contains("it is of version 2"), "{error}");
    fs::write(&file, "a text that is longer than SQLite's own first words").unwrap();
    private();
    let error = refusal(&file);
    assert!(error.contains("not a database"), "{error}");
    let error = refusal(&folder.path().join("none/entries.db"));
    assert!(error.contains("none/entries.db"), "{error}");
}

#[test]
fn a_database_that_fails_is_our_fault_and_the_api_lives_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("entries.db");
    let api = start(&file).unwrap();
    let other = Connection::open(&file).unwrap();
    other
        .execute_batch("ALTER TABLE entries RENAME TO elsewhere")
        .unwrap();
    for line in [
        "GET /timesheets",
        "DELETE /timesheets/1",
        "GET /reports/hours",
    ] {
        let answer = send(api.address(), line, ALICE, "");
        assert_eq!(answer.status, 500, "{line}");
        assert_eq!(
            answer.json(),
            json!({ "title": "The entries cannot be had", "status": 500 })
        );
    }
    assert_eq!(post(api.address(), ENTRY).status, 500);
    assert_eq!(send(api.address(), "GET /healthz", "", "").status, 200);
    other
        .execute_batch("ALTER TABLE elsewhere RENAME TO entries")
        .unwrap();
    assert_eq!(post(api.address(), ENTRY).status, 201);

    // A row that this API would not have written.
    other
        .execute_batch("UPDATE entries SET date = 'today'")
        .unwrap();
    assert_eq!(
        send(api.address(), "GET /timesheets", ALICE, "").status,
        500
    );
}
