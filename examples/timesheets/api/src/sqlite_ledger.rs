//! The entries in a SQLite database, where the API is a server.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use rusqlite::{Connection, ErrorCode, OpenFlags, Row, params};

use crate::entry::{Draft, Entry, Work, hours_of};
use crate::ledger::{Count, Ledger};

/// Of the tables below. A database says which version made it.
const VERSION: u32 = 1;

/// `AUTOINCREMENT`, so that the number of a removed entry is not given again.
const SCHEMA: &str = "
    CREATE TABLE entries (
        id            INTEGER PRIMARY KEY AUTOINCREMENT,
        employee      TEXT NOT NULL,
        date          TEXT NOT NULL,
        project       TEXT NOT NULL,
        quarter_hours INTEGER NOT NULL CHECK (quarter_hours BETWEEN 1 AND 96)
    ) STRICT;
    CREATE INDEX entries_of_employee ON entries (employee, id);
    PRAGMA user_version = 1;
";

/// Somebody with `sqlite3` may hold the file for a moment; the start waits no longer than this.
const PATIENCE_AT_START: Duration = Duration::from_secs(2);

/// The entries of all timesheets, in one database.
#[derive(Debug)]
pub(crate) struct SqliteLedger {
    database: Connection,
}

/// What the database did not do. What it prints names no data of anybody.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Another program holds the file. Nothing was done; it may be tried again.
    Busy,
    /// SQLite says no.
    Sqlite(rusqlite::Error),
    /// The row of that number is no entry.
    NoEntry(i64),
}

impl SqliteLedger {
    /// An empty one, which ends with the program.
    ///
    /// # Errors
    /// SQLite cannot start.
    pub(crate) fn in_memory() -> anyhow::Result<Self> {
        let database = Connection::open_in_memory().context("opening a database in memory")?;
        Self::prepared(database)
    }

    /// That of a file, which is made where there is none, for its owner alone.
    ///
    /// # Errors
    /// It cannot be opened, it is a link, another user's or open to others, or it is no database of this version.
    pub(crate) fn in_file(path: &Path) -> anyhow::Result<Self> {
        let open = || -> anyhow::Result<Self> {
            // The whole path: SQLite takes `file:…` for a URL and `:memory:` for no file.
            let path = make_private(path)?;
            // Not even a link that takes the file's place now.
            let flags = OpenFlags::default() | OpenFlags::SQLITE_OPEN_NOFOLLOW;
            let ledger = Self::prepared(Connection::open_with_flags(path, flags)?)?;
            // Whoever looks into the file does not wait, and an entry is on the disk before its answer is sent.
            let database = &ledger.database;
            database.pragma_update(None, "journal_mode", "WAL")?;
            database.pragma_update(None, "synchronous", "FULL")?;
            // From now on whoever asks decides how long to wait.
            database.busy_timeout(Duration::ZERO)?;
            Ok(ledger)
        };
        open().with_context(|| format!("opening the database {}", path.display()))
    }

    fn prepared(mut database: Connection) -> anyhow::Result<Self> {
        database.busy_timeout(PATIENCE_AT_START)?;
        // All or nothing, and no other program in between.
        let transaction =
            database.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let version: u32 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let tables: u32 =
            transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        match (version, tables) {
            (0, 0) => transaction.execute_batch(SCHEMA)?,
            (VERSION, _) => {}
            (0, _) => bail!("it is another program's: no version, but tables"),
            (other, _) => bail!("it is of version {other}; this program knows version {VERSION}"),
        }
        transaction.commit()?;
        Ok(Self { database })
    }
}

/// SQLite makes its files as the umask says. Those beside the database (`-wal`, `-shm`) get the mode of the database.
#[cfg(unix)]
fn make_private(path: &Path) -> anyhow::Result<PathBuf> {
    crate::private_file::make(path)
}

/// Where there are neither modes nor numbers of users.
#[cfg(not(unix))]
fn make_private(path: &Path) -> anyhow::Result<PathBuf> {
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)?;
    Ok(path.canonicalize()?)
}

impl Ledger for SqliteLedger {
    type Failure = Failure;

    async fn entries_of(&mut self, employee: &str) -> Result<Vec<Entry>, Failure> {
        let mut statement = self.database.prepare(
            "SELECT id, employee, date, project, quarter_hours FROM entries WHERE employee = ? ORDER BY id",
        )?;
        let mut rows = statement.query([employee])?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next()? {
            entries.push(entry(row)?);
        }
        Ok(entries)
    }

    async fn quarters_by_project(&mut self) -> Result<BTreeMap<String, u32>, Failure> {
        let mut statement = self
            .database
            .prepare("SELECT project, sum(quarter_hours) FROM entries GROUP BY project")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    async fn count(&mut self, employee: &str) -> Result<Count, Failure> {
        let count = |row: &Row<'_>| -> rusqlite::Result<Count> {
            Ok(Count {
                own: row.get(0)?,
                all: row.get(1)?,
            })
        };
        let sql = "SELECT count(*) FILTER (WHERE employee = ?), count(*) FROM entries";
        Ok(self.database.query_row(sql, [employee], count)?)
    }

    async fn add(&mut self, employee: String, work: Work) -> Result<Entry, Failure> {
        let sql =
            "INSERT INTO entries (employee, date, project, quarter_hours) VALUES (?, ?, ?, ?)";
        let quarters = work.hours().quarters();
        let values = params![employee, work.date(), work.project(), quarters];
        // Not `RETURNING` and a row: that comes before the statement ends, and on a full disk the end is what fails.
        self.database.execute(sql, values)?;
        let id = self.database.last_insert_rowid();
        Ok(Entry {
            id: u64::try_from(id).map_err(|_| Failure::NoEntry(id))?,
            employee,
            work,
        })
    }

    async fn remove(&mut self, employee: &str, id: u64) -> Result<bool, Failure> {
        // A number beyond SQLite's is none that it gave.
        let Ok(id) = i64::try_from(id) else {
            return Ok(false);
        };
        let sql = "DELETE FROM entries WHERE id = ? AND employee = ?";
        Ok(self.database.execute(sql, params![id, employee])? == 1)
    }
}

fn entry(row: &Row<'_>) -> Result<Entry, Failure> {
    let number: i64 = row.get("id")?;
    let draft = Draft {
        date: row.get("date")?,
        project: row.get("project")?,
        hours: hours_of(row.get("quarter_hours")?),
    };
    match (u64::try_from(number), Work::try_from(draft)) {
        (Ok(id), Ok(work)) => Ok(Entry {
            id,
            employee: row.get("employee")?,
            work,
        }),
        _ => Err(Failure::NoEntry(number)),
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy) => Self::Busy,
            _ => Self::Sqlite(error),
        }
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("it is busy, and was for longer than a request waits"),
            // The code and its meaning. SQLite's message may quote what was written.
            Self::Sqlite(rusqlite::Error::SqliteFailure(error, _)) => error.fmt(f),
            Self::Sqlite(_) => f.write_str("a value is not of the type that the table has"),
            Self::NoEntry(id) => write!(f, "row {id} is no entry"),
        }
    }
}
