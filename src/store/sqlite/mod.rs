//! The SQLite store: two files and an outbox beside them, one writer each, any number of readers. All SQL of the program stands in this folder.

pub mod backup;
pub mod inbox;
mod keys;
pub mod outbox;
pub mod query;
pub mod repeats;
mod seam;
pub mod state;

use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::ops::{Deref, DerefMut};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use rustix::fs::{Access, access};
use rustix::io::Errno;

use super::StoreError;

/// The version of every file's layout that this program writes.
pub const SCHEMA_VERSION: i64 = 3;

/// How long a connection waits for another process's lock (only the commands of the command line ever share the files).
const BUSY_WAIT: Duration = Duration::from_secs(10);

/// Page cache of a connection, in KiB: the inbox is appended to, the state is read and written all over, a reader asks small questions.
const INBOX_CACHE_KIB: i64 = 4_096;
const STATE_CACHE_KIB: i64 = 16_384;
const READER_CACHE_KIB: i64 = 512;

/// How long a write-ahead log may grow before it is moved into its file, in pages of 4 KiB. Moving costs a sync in the committing thread.
const CHECKPOINT_PAGES: i64 = 1_000;

/// How many prepared statements a connection keeps.
const STATEMENTS_MAX: usize = 128;

/// `schema.sql`, which is the documentation too.
const SCHEMA: &str = include_str!("../../../schema.sql");

/// Steps from an older layout: (from version, inbox SQL, state SQL).
pub const MIGRATIONS: &[(i64, &str, &str)] = &[
(
    1,
    "",
    // The keys of version 1 stay where they are, in `message_key`, and are sealed from there.
    "CREATE TABLE recipient_key (hash INTEGER NOT NULL, row INTEGER NOT NULL, PRIMARY KEY (hash, row)) STRICT, WITHOUT ROWID;
     CREATE TABLE key_run (
       run INTEGER PRIMARY KEY, side INTEGER NOT NULL CHECK (side IN (0, 1)), level INTEGER NOT NULL,
       buckets INTEGER NOT NULL, keys INTEGER NOT NULL, bloom BLOB
     ) STRICT;
     CREATE TABLE key_page (page INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
     CREATE TABLE stuck_group (
       account  INTEGER NOT NULL,
       kind     TEXT NOT NULL,
       state    INTEGER NOT NULL,
       cause    TEXT NOT NULL,
       count    INTEGER NOT NULL,
       PRIMARY KEY (account, kind, state, cause)
     ) STRICT, WITHOUT ROWID;
     CREATE TRIGGER stuck_group_added AFTER INSERT ON message WHEN new.stuck_cause IS NOT NULL BEGIN
       INSERT INTO stuck_group (account, kind, state, cause, count) VALUES (new.account, coalesce(new.kind, ''), new.state, new.stuck_cause, 1)
         ON CONFLICT DO UPDATE SET count = count + 1;
     END;
     CREATE TRIGGER stuck_group_left AFTER UPDATE OF stuck_cause, state, kind ON message WHEN old.stuck_cause IS NOT NULL BEGIN
       UPDATE stuck_group SET count = count - 1
         WHERE account = old.account AND kind = coalesce(old.kind, '') AND state = old.state AND cause = old.stuck_cause;
     END;
     CREATE TRIGGER stuck_group_joined AFTER UPDATE OF stuck_cause, state, kind ON message WHEN new.stuck_cause IS NOT NULL BEGIN
       INSERT INTO stuck_group (account, kind, state, cause, count) VALUES (new.account, coalesce(new.kind, ''), new.state, new.stuck_cause, 1)
         ON CONFLICT DO UPDATE SET count = count + 1;
     END;
     CREATE TRIGGER stuck_group_gone AFTER DELETE ON message WHEN old.stuck_cause IS NOT NULL BEGIN
       UPDATE stuck_group SET count = count - 1
         WHERE account = old.account AND kind = coalesce(old.kind, '') AND state = old.state AND cause = old.stuck_cause;
     END;
     INSERT INTO stuck_group SELECT account, coalesce(kind, ''), state, stuck_cause, count(*) FROM message
       WHERE stuck_cause IS NOT NULL GROUP BY 1, 2, 3, 4;",
),
(
    2,
    "",
    "CREATE INDEX message_stuck_row ON message (account, row) WHERE stuck_cause IS NOT NULL;
     CREATE TABLE sheet (name TEXT PRIMARY KEY, data BLOB NOT NULL) STRICT;
     CREATE TABLE feed (last INTEGER PRIMARY KEY, size INTEGER NOT NULL, at INTEGER NOT NULL, data BLOB NOT NULL) STRICT;",
),
];

/// Longest address that is read from a lock file.
const ADDRESS_BYTES_MAX: u64 = 256;

/// Which of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The inbox.
    Inbox,
    /// The state.
    State,
    /// What waits to be sent on.
    Outbox,
}

impl Part {
    fn schema(self) -> &'static str {
        let marks = ("-- ======== inbox ========", "-- ======== state ========", "-- ======== outbox ========");
        let between = |mark: &str, next: &str| SCHEMA.find(mark).map_or("", |i| SCHEMA[i..].split(next).next().unwrap_or_default());
        match self {
            Part::Inbox => between(marks.0, marks.1),
            Part::State => between(marks.1, marks.2),
            Part::Outbox => SCHEMA.find(marks.2).map_or("", |i| &SCHEMA[i..]),
        }
    }

    /// A commit of it must survive a power cut when it returns.
    fn synced(self) -> bool {
        self != Part::State
    }
}

/// Where a store lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    inbox: PathBuf,
}

impl Place {
    /// The store whose inbox is this file.
    pub fn new(inbox: impl Into<PathBuf>) -> Place {
        Place { inbox: inbox.into() }
    }

    /// The inbox file.
    pub fn inbox(&self) -> &Path {
        &self.inbox
    }

    /// The state file beside it.
    pub fn state(&self) -> PathBuf {
        self.beside("state")
    }

    /// The outbox file beside it; made when something is to be sent on.
    pub fn outbox(&self) -> PathBuf {
        self.beside("outbox")
    }

    fn beside(&self, what: &str) -> PathBuf {
        let stem = self.inbox.file_stem().unwrap_or_default().to_string_lossy();
        let extension = self.inbox.extension().map(|e| format!(".{}", e.to_string_lossy())).unwrap_or_default();
        self.inbox.with_file_name(format!("{stem}-{what}{extension}"))
    }

    fn lock_file(&self) -> PathBuf {
        let mut name = self.inbox.file_name().unwrap_or_default().to_os_string();
        name.push(".lock");
        self.inbox.with_file_name(name)
    }

    fn path(&self, part: Part) -> PathBuf {
        match part {
            Part::Inbox => self.inbox.clone(),
            Part::State => self.state(),
            Part::Outbox => self.outbox(),
        }
    }

    /// The store has been made.
    pub fn exists(&self) -> bool {
        self.inbox.exists()
    }

    /// Takes the store for this process, until the lock is dropped.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another process serves it; [`StoreError::Open`] when its folder cannot be written.
    pub fn lock(&self) -> Result<Lock, StoreError> {
        let path = self.lock_file();
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(|e| StoreError::Open {
            path: self.inbox.display().to_string(),
            reason: format!("{} cannot be written ({e}); check that its folder exists and belongs to this user", path.display()),
        })?;
        match file.try_lock() {
            Ok(()) => {
                // Whoever held it before may have left an address.
                let _ = file.set_len(0);
                Ok(Lock { file })
            }
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: self.inbox.display().to_string() }),
            Err(TryLockError::Error(e)) => {
                Err(StoreError::Open { path: self.inbox.display().to_string(), reason: format!("it cannot be locked: {e}") })
            }
        }
    }

    /// The address at which the process that holds the store answers, where it left one.
    pub fn holder(&self) -> Option<String> {
        let mut word = String::new();
        File::open(self.lock_file()).ok()?.take(ADDRESS_BYTES_MAX).read_to_string(&mut word).ok()?;
        Some(word).filter(|address| !address.is_empty())
    }

    /// The files of one part still take writes. SQLite maps the index of the write-ahead log into memory, and writing such a page of a
    /// file that became read-only ends the process with a bus error. Readers write there too (the mark up to which they read), so the
    /// files are asked before every batch and before every question.
    ///
    /// Asked, not opened: closing a file beside SQLite takes every lock of this process on it away, and the next program that looks
    /// into the store would take itself for the only one and delete the log.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`]. A file that is not there, or cannot be opened for another reason, is left for the engine to report.
    pub fn usable(&self, part: Part) -> Result<(), StoreError> {
        let path = self.path(part);
        SUFFIXES.iter().try_for_each(|suffix| takes_writes(&format!("{}{suffix}", path.display())))
    }

    /// Opens one of the files for its one writer, making it or bringing it to this version first.
    ///
    /// # Errors
    /// When the file cannot be opened, is damaged, or is of a newer version.
    pub fn open_writer(&self, part: Part) -> Result<Db, StoreError> {
        let path = self.path(part);
        if part == Part::Inbox {
            refuse_orphaned_log(&path)?;
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(&path, flags).map_err(|e| cannot_open(&path, &e))?;
        let synchronous = if part.synced() { "FULL" } else { "NORMAL" };
        let cache = if part == Part::State { STATE_CACHE_KIB } else { INBOX_CACHE_KIB };
        set_up(&conn).map_err(|e| cannot_open(&path, &e))?;
        conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).map_err(|e| cannot_open(&path, &e))?;
        conn.pragma_update(None, "synchronous", synchronous).map_err(|e| cannot_open(&path, &e))?;
        conn.pragma_update(None, "cache_size", -cache).map_err(|e| cannot_open(&path, &e))?;
        conn.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES).map_err(|e| cannot_open(&path, &e))?;
        check_settings(&conn, &path, part)?;
        migrate(&conn, &path, part, SCHEMA_VERSION, MIGRATIONS)?;
        Ok(Db::new(conn, &path))
    }

    /// Opens one of the files for reading.
    ///
    /// # Errors
    /// When the file cannot be opened or is of another version.
    pub fn open_reader(&self, part: Part) -> Result<Db, StoreError> {
        let path = self.path(part);
        if !path.exists() {
            let reason = "there is no such file yet; start `baophat serve` once, or check `database` in the configuration".to_owned();
            return Err(StoreError::Open { path: path.display().to_string(), reason });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(&path, flags).map_err(|e| cannot_open(&path, &e))?;
        set_up(&conn).map_err(|e| cannot_open(&path, &e))?;
        conn.pragma_update(None, "cache_size", -READER_CACHE_KIB).map_err(|e| cannot_open(&path, &e))?;
        let found = version(&conn).map_err(|e| cannot_open(&path, &e))?;
        if found > SCHEMA_VERSION {
            return Err(StoreError::Newer { path: path.display().to_string(), found, known: SCHEMA_VERSION });
        }
        Ok(Db::new(conn, &path))
    }
}

/// A connection to one of the files, which remembers which files on the disk it opened: SQLite goes on writing into files that were
/// deleted or replaced, and nothing of that is found by the next start.
pub struct Db {
    conn: Connection,
    /// The file, its log and the log's index.
    files: [Opened; SUFFIXES.len()],
}

/// Where a file lies, and its device and number when it was opened, if it was there.
struct Opened {
    path: String,
    identity: Option<(u64, u64)>,
}

/// What SQLite puts beside a file, and the file itself.
const SUFFIXES: [&str; 3] = ["", "-wal", "-shm"];

fn identity(path: &str) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|m| (m.dev(), m.ino()))
}

impl Db {
    fn new(conn: Connection, path: &Path) -> Db {
        let files = SUFFIXES.map(|suffix| {
            let path = format!("{}{suffix}", path.display());
            Opened { identity: identity(&path), path }
        });
        Db { conn, files }
    }

    fn path(&self) -> &str {
        &self.files[0].path
    }

    /// The files still lie where a start would look for them. Asked behind a commit and before its receipts.
    ///
    /// # Errors
    /// [`StoreError::Gone`] with the first that does not.
    pub fn in_place(&self) -> Result<(), StoreError> {
        for file in &self.files {
            if file.identity.is_some() && identity(&file.path) != file.identity {
                return Err(StoreError::Gone { path: file.path.clone() });
            }
        }
        Ok(())
    }

    /// [`Place::usable`] for this file, which lies where it was opened.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`] and [`StoreError::Gone`].
    pub fn usable(&self) -> Result<(), StoreError> {
        self.takes_writes()?;
        self.in_place()
    }

    /// What went wrong, with the file's name where the file is what is wrong.
    pub(crate) fn fault(&self, doing: &'static str, source: rusqlite::Error) -> StoreError {
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => cannot_open(Path::new(self.path()), &source),
            _ => classify(doing, source),
        }
    }

    fn takes_writes(&self) -> Result<(), StoreError> {
        self.files.iter().try_for_each(|file| takes_writes(&file.path))
    }

    /// The file reads as a start would read it: by a connection of its own, since pages that this one keeps in memory do not show what
    /// was done to the file. `sql` reads one value at its growing end.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] only; a file that cannot be opened just now says nothing about what it holds.
    pub fn prove(&self, sql: &str) -> Result<(), StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let read = Connection::open_with_flags(self.path(), flags).and_then(|fresh| {
            set_up(&fresh)?;
            fresh.query_row(sql, [], |_| Ok(()))
        });
        match read.map_err(|e| cannot_open(Path::new(self.path()), &e)) {
            Err(e @ StoreError::Damaged { .. }) => Err(e),
            _ => Ok(()),
        }
    }
}

impl Deref for Db {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.conn
    }
}

impl DerefMut for Db {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.conn
    }
}

/// A store taken by this process.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Leaves word for other processes at which address the holder answers. Without it they go by the configuration, so a word that
    /// cannot be written costs little.
    pub fn tell(&self, address: &str) {
        let _ = (&self.file).write_all(address.as_bytes());
    }
}

/// SQLite deletes a log that it finds beside no file, and with it the last records of an inbox that somebody has moved away.
fn refuse_orphaned_log(path: &Path) -> Result<(), StoreError> {
    let place = path.display().to_string();
    let log = format!("{place}-wal");
    if path.exists() || !std::fs::metadata(&log).is_ok_and(|m| m.len() > 0) {
        return Ok(());
    }
    let reason = format!("it is gone, but its log {log} is there; put the file back beside it, or move the log away to begin anew");
    Err(StoreError::Open { path: place, reason })
}

fn set_up(conn: &Connection) -> rusqlite::Result<()> {
    conn.busy_timeout(BUSY_WAIT)?;
    // The index of every question is named, so a plan need not be made anew for each bound value (measured: 8 % of the fold).
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // Closing must not write: the files may have become read-only (see `Place::usable`). The writers empty their logs themselves at the end.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update(None, "temp_store", "MEMORY")
}

/// The durability promise hangs on these two settings, so they are read back.
fn check_settings(conn: &Connection, path: &Path, part: Part) -> Result<(), StoreError> {
    let journal: String = conn.pragma_query_value(None, "journal_mode", |r| r.get(0)).map_err(|e| cannot_open(path, &e))?;
    let synchronous: i64 = conn.pragma_query_value(None, "synchronous", |r| r.get(0)).map_err(|e| cannot_open(path, &e))?;
    let wanted = if part.synced() { 2 } else { 1 };
    if journal == "wal" && synchronous == wanted {
        return Ok(());
    }
    let reason = format!(
        "its file system does not allow journal_mode=WAL with synchronous={wanted} (got {journal}, {synchronous}); use a local disk"
    );
    Err(StoreError::Open { path: path.display().to_string(), reason })
}

fn version(conn: &Connection) -> rusqlite::Result<i64> {
    conn.pragma_query_value(None, "user_version", |r| r.get(0))
}

/// Makes a new file, or brings an older one up step by step, each step in one transaction.
///
/// # Errors
/// When the file is of a newer version or a step fails.
pub fn migrate(conn: &Connection, path: &Path, part: Part, to: i64, steps: &[(i64, &str, &str)]) -> Result<(), StoreError> {
    let engine = |source| classify("bringing the store to this version", source);
    let mut found = version(conn).map_err(|e| cannot_open(path, &e))?;
    if found > to {
        return Err(StoreError::Newer { path: path.display().to_string(), found, known: to });
    }
    if found == 0 {
        let sql = format!("BEGIN IMMEDIATE;\n{}\nPRAGMA user_version = {SCHEMA_VERSION};\nCOMMIT;", part.schema());
        conn.execute_batch(&sql).map_err(engine)?;
        found = SCHEMA_VERSION;
    }
    while found < to {
        let step = steps.iter().find(|(from, _, _)| *from == found);
        let Some((_, inbox, state)) = step else {
            let reason = format!("it has version {found}, and there is no way from it to version {to}");
            return Err(StoreError::Open { path: path.display().to_string(), reason });
        };
        let sql = match part {
            Part::Inbox => inbox,
            Part::State => state,
            Part::Outbox => "",
        };
        conn.execute_batch(&format!("BEGIN IMMEDIATE;\n{sql}\nPRAGMA user_version = {};\nCOMMIT;", found + 1)).map_err(engine)?;
        found += 1;
    }
    Ok(())
}

fn cannot_open(path: &Path, e: &rusqlite::Error) -> StoreError {
    let place = path.display().to_string();
    match e.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => StoreError::Damaged { path: place, detail: e.to_string() },
        _ => StoreError::Open { path: place, reason: format!("{e}; check the path, its owner and the disk") },
    }
}

fn takes_writes(path: &str) -> Result<(), StoreError> {
    match access(path, Access::WRITE_OK) {
        Err(Errno::ACCESS | Errno::PERM | Errno::ROFS) => Err(StoreError::ReadOnly),
        _ => Ok(()),
    }
}

/// Tells full and read-only disks from other faults of the engine.
pub(crate) fn classify(doing: &'static str, source: rusqlite::Error) -> StoreError {
    match source.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full,
        Some(ErrorCode::ReadOnly) => StoreError::ReadOnly,
        _ => StoreError::Engine { doing, source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_file_splits_into_three_parts_that_run() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::new(dir.path().join("a.db"));
        assert_eq!(place.state(), dir.path().join("a-state.db"));
        assert_eq!(place.outbox(), dir.path().join("a-outbox.db"));
        for part in [Part::Inbox, Part::State, Part::Outbox] {
            let conn = place.open_writer(part).unwrap();
            assert_eq!(version(&conn).unwrap(), SCHEMA_VERSION);
            drop(conn);
            place.open_writer(part).unwrap();
        }
    }

    #[test]
    fn a_newer_store_is_refused_and_an_older_one_is_brought_up() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::new(dir.path().join("a.db"));
        let conn = place.open_writer(Part::State).unwrap();
        let next = SCHEMA_VERSION + 1;
        let steps = [(SCHEMA_VERSION, "", "CREATE TABLE extra (a INTEGER) STRICT;"), (next, "", "CREATE TABLE extra2 (a INTEGER) STRICT;")];
        migrate(&conn, Path::new("x"), Part::State, next + 1, &steps).unwrap();
        assert_eq!(version(&conn).unwrap(), next + 1);
        conn.execute("INSERT INTO extra2 VALUES (1)", []).unwrap();
        drop(conn);
        let newer = |e: &StoreError| matches!(e, StoreError::Newer { found, known, .. } if (*found, *known) == (next + 1, SCHEMA_VERSION));
        assert!(place.open_writer(Part::State).is_err_and(|e| newer(&e)));
        assert!(place.open_reader(Part::State).is_err_and(|e| newer(&e)));
    }

    /// What a file is made of, without the words of its SQL.
    fn layout(conn: &Connection) -> Vec<(String, String, String)> {
        let sql = "SELECT m.type, m.name, group_concat(c.name || ' ' || c.type || c.\"notnull\" || c.pk)
                   FROM sqlite_schema m LEFT JOIN pragma_table_info(m.name) c GROUP BY m.type, m.name ORDER BY m.type, m.name";
        let mut all = conn.prepare(sql).unwrap();
        let rows = all.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get::<_, Option<String>>(2)?.unwrap_or_default())));
        rows.unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn a_store_of_version_1_becomes_what_a_new_one_is_and_keeps_its_keys() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::new(dir.path().join("a.db"));
        let conn = place.open_writer(Part::State).unwrap();
        let new = layout(&conn);
        conn.execute_batch(
            "DROP TABLE recipient_key; DROP TABLE key_run; DROP TABLE key_page; DROP TABLE stuck_group; DROP TABLE sheet; DROP TABLE feed; DROP INDEX message_stuck_row;
            DROP TRIGGER stuck_group_added; DROP TRIGGER stuck_group_left; DROP TRIGGER stuck_group_joined; DROP TRIGGER stuck_group_gone;
            PRAGMA user_version = 1",
        )
        .unwrap();
        conn.execute("INSERT INTO message_key VALUES (-7, 3)", []).unwrap();
        drop(conn);
        let conn = place.open_writer(Part::State).unwrap();
        assert_eq!((layout(&conn), version(&conn).unwrap()), (new, SCHEMA_VERSION));
        assert_eq!(keys::rows(&conn, crate::domain::projection::Key(-7i64 as u64), 9).unwrap(), [3]);
    }

    #[test]
    fn a_store_is_taken_once() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::new(dir.path().join("a.db"));
        let first = place.lock().unwrap();
        assert!(matches!(place.lock(), Err(StoreError::InUse { .. })));
        assert_eq!(place.holder(), None);
        first.tell("127.0.0.1:8080");
        assert_eq!(place.holder().as_deref(), Some("127.0.0.1:8080"));
        drop(first);
        let _second = place.lock().unwrap();
        assert_eq!(place.holder(), None, "the word of the holder before is gone");
    }

    #[test]
    fn a_file_that_is_no_database_is_called_damaged() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        std::fs::write(&path, vec![b'x'; 8192]).unwrap();
        assert!(matches!(Place::new(path).open_writer(Part::Inbox), Err(StoreError::Damaged { .. })));
    }
}
