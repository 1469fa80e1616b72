//! `baophat backup`: a checked copy of the store, taken while it is served.
//!
//! The outbox is copied first, where there is one: behind an older cursor something is sent once more, and nothing is left out. Then the
//! state is copied and the inbox after it, so that the state's cursor never points beyond the copied records: whatever came
//! in between is folded when the copy is served. Everything is written beside the target and renamed at the end.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::lang::say;
use super::open::Opened;
use super::out::{Field, Out, Tone};
use super::progress::Progress;
use super::{CliError, Globals, Json, Verdict};
use crate::clock::{Clock, WallClock};
use crate::domain::time::Millis;
use crate::store::sqlite::inbox::InboxReader;
use crate::store::sqlite::state::{AccountNumbers, StateFile};
use crate::store::sqlite::{Part, Place};

/// Endings that make the target a file and not a folder.
const FILE_ENDINGS: [&str; 3] = ["db", "sqlite", "sqlite3"];

/// Options of `backup`.
#[derive(Debug, Args)]
pub struct Options {
    /// A new folder; a new file such as copy.db (the others go beside it, into copy-state.db and so on); or a folder that is there, which gets
    /// a new one with the time in its name. Nothing is ever overwritten
    #[arg(value_name = "FILE_OR_DIR")]
    to: PathBuf,
    #[command(flatten)]
    json: Json,
}

/// Where the copy goes.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    /// Into a folder that is made.
    Folder(PathBuf),
    /// Into this file and the one beside it.
    Pair(PathBuf),
}

/// What was copied.
struct Copied {
    place: Place,
    last_seq: u64,
    cursor: u64,
    bytes: u64,
}

/// Copies the store.
pub fn run(globals: &Globals, options: &Options) -> Result<Verdict, CliError> {
    let opened = Opened::new(globals, options.json.json)?;
    let target = target(&options.to, WallClock.now())?;
    let copied = copy(&opened.place, &target)?;
    let mut out = Out::stdout(globals.no_color);
    if options.json.json {
        let (inbox, state) = (copied.place.inbox().display().to_string(), copied.place.state().display().to_string());
        out.json(&json!({ "inbox": inbox, "state": state, "last_seq": copied.last_seq, "cursor": copied.cursor, "bytes": copied.bytes }))?;
    } else {
        let lang = opened.lang;
        out.line(&[Field::new(say(lang, "Đã sao lưu và kiểm tra xong.", "Copied and checked."), Tone::Good)])?;
        out.fields(&[
            ("inbox", copied.place.inbox().display().to_string().into()),
            ("state", copied.place.state().display().to_string().into()),
            (say(lang, "bản ghi cuối", "last record"), copied.last_seq.to_string().into()),
            ("byte", copied.bytes.to_string().into()),
        ])?;
        let restore = say(
            lang,
            "Khôi phục: đặt cả hai tệp cạnh nhau, trỏ `database` vào tệp inbox rồi chạy `baophat serve`, ví dụ:",
            "To restore: keep both files side by side, point `database` at the inbox and start `baophat serve`, for example:",
        );
        out.line(&[restore.into()])?;
        out.line(&[format!("  BAOPHAT__DATABASE=sqlite:{} baophat serve", copied.place.inbox().display()).into()])?;
    }
    out.finish()?;
    Ok(Verdict::Done)
}

/// Where a copy to this path goes.
fn target(to: &Path, now: Millis) -> Result<Target, CliError> {
    let taken =
        |path: &Path| CliError::Usage(format!("{} exists; a backup never overwrites anything, so name another target", path.display()));
    let folder_asked = to.as_os_str().to_string_lossy().ends_with(std::path::MAIN_SEPARATOR);
    let ending = to.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    let target = if to.is_dir() {
        let stamp: String = now.to_string().chars().filter(char::is_ascii_alphanumeric).collect();
        Target::Folder(to.join(format!("baophat-{stamp}")))
    } else if folder_asked || !FILE_ENDINGS.contains(&ending.as_str()) {
        Target::Folder(to.to_path_buf())
    } else {
        Target::Pair(to.to_path_buf())
    };
    let made = match &target {
        Target::Folder(path) => vec![path.clone()],
        Target::Pair(path) => vec![path.clone(), Place::new(path).state(), Place::new(path).outbox()],
    };
    if let Some(there) = made.iter().find(|path| path.symlink_metadata().is_ok()) {
        return Err(taken(there));
    }
    let parent = parent(&made[0]);
    if !parent.is_dir() {
        return Err(CliError::Usage(format!("the folder {} does not exist; make it first", parent.display())));
    }
    Ok(target)
}

fn parent(path: &Path) -> PathBuf {
    path.parent().filter(|p| !p.as_os_str().is_empty()).map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// Copies into a folder beside the target, checks, syncs, and puts it in its place.
fn copy(from: &Place, target: &Target) -> Result<Copied, CliError> {
    let (Target::Folder(to) | Target::Pair(to)) = target;
    let staging = Staging::new(to)?;
    let name = match target {
        Target::Folder(_) => from.inbox().file_name(),
        Target::Pair(file) => file.file_name(),
    };
    let staged = Place::new(staging.0.join(name.unwrap_or_default()));
    let outbox = from.outbox().exists();
    if outbox {
        let mut progress = Progress::new("outbox");
        from.copy(Part::Outbox, &staged.outbox(), &mut |done, total| progress.at(done, total))?;
    }
    let mut progress = Progress::new("state");
    from.copy(Part::State, &staged.state(), &mut |done, total| progress.at(done, total))?;
    let mut progress = Progress::new("inbox");
    from.copy(Part::Inbox, staged.inbox(), &mut |done, total| progress.at(done, total))?;
    drop(progress);
    let (last_seq, cursor) = measured(&staged)?;
    let bytes = sync(staged.inbox())? + sync(&staged.state())? + if outbox { sync(&staged.outbox())? } else { 0 };
    sync(&staging.0)?;
    let place = match target {
        Target::Folder(folder) => {
            rename(&staging.0, folder)?;
            Place::new(folder.join(name.unwrap_or_default()))
        }
        Target::Pair(file) => {
            let place = Place::new(file);
            if outbox {
                rename(&staged.outbox(), &place.outbox())?;
            }
            rename(&staged.state(), &place.state())?;
            rename(staged.inbox(), place.inbox())?;
            place
        }
    };
    sync(&parent(to))?;
    Ok(Copied { place, last_seq, cursor, bytes })
}

/// Opens the copy as a store, and holds its cursor against its records.
fn measured(copy: &Place) -> Result<(u64, u64), CliError> {
    let inbox = InboxReader::open(copy)?;
    let state = StateFile::open_reader(copy, AccountNumbers::new(inbox.accounts()?))?;
    let (last_seq, cursor) = (inbox.last_seq()?, state.cursor()?);
    if cursor > last_seq {
        return Err(CliError::No(format!("the copy does not belong together (cursor {cursor}, last record {last_seq}); it was removed")));
    }
    Ok((last_seq, cursor))
}

fn cannot_write(path: &Path) -> impl FnOnce(std::io::Error) -> CliError + '_ {
    move |source| CliError::File { path: path.display().to_string(), source }
}

/// Makes a file or folder durable; its size.
fn sync(path: &Path) -> Result<u64, CliError> {
    let file = File::open(path).map_err(cannot_write(path))?;
    file.sync_all().map_err(cannot_write(path))?;
    Ok(file.metadata().map_err(cannot_write(path))?.len())
}

fn rename(from: &Path, to: &Path) -> Result<(), CliError> {
    fs::rename(from, to).map_err(cannot_write(to))
}

/// A folder beside the target, gone when it is dropped.
struct Staging(PathBuf);

impl Staging {
    fn new(to: &Path) -> Result<Staging, CliError> {
        let name = to.file_name().unwrap_or_default().to_string_lossy();
        let path = parent(to).join(format!(".{name}.part-{}", std::process::id()));
        fs::create_dir(&path).map_err(cannot_write(&path))?;
        Ok(Staging(path))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // Renamed away when all went well.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_764_000_000_111);

    fn store(dir: &Path) -> Place {
        let place = Place::new(dir.join("baophat.db"));
        place.open_writer(Part::Inbox).unwrap();
        place.open_writer(Part::State).unwrap();
        place
    }

    #[test]
    fn a_target_is_a_folder_unless_it_looks_like_a_database_file() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        assert_eq!(target(&at("copy"), NOW).unwrap(), Target::Folder(at("copy")));
        assert_eq!(target(&at("copy-2026.01.31"), NOW).unwrap(), Target::Folder(at("copy-2026.01.31")));
        assert_eq!(target(&at("copy.db"), NOW).unwrap(), Target::Pair(at("copy.db")));
        assert_eq!(target(dir.path(), NOW).unwrap(), Target::Folder(at("baophat-20251124T160000111Z")));
    }

    #[test]
    fn nothing_is_overwritten_and_a_missing_folder_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("a.db"), "x").unwrap();
        fs::write(at("b-state.db"), "x").unwrap();
        for name in ["a.db", "b.db", "none/c.db", "none/c"] {
            assert_eq!(target(&at(name), NOW).unwrap_err().exit_code(), 2, "{name}");
        }
    }

    #[test]
    fn a_copy_opens_as_a_store_and_leaves_nothing_else_behind() {
        let dir = tempfile::tempdir().unwrap();
        let from = store(dir.path());
        let copied = copy(&from, &Target::Folder(dir.path().join("copy"))).unwrap();
        assert_eq!((copied.last_seq, copied.cursor), (0, 0));
        assert_eq!(copied.place, Place::new(dir.path().join("copy/baophat.db")));
        from.open_writer(Part::Outbox).unwrap();
        let copied = copy(&from, &Target::Pair(dir.path().join("x.db"))).unwrap();
        let mut names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|n| !n.starts_with("baophat"));
        names.sort();
        assert_eq!(names, ["copy", "x-outbox.db", "x-state.db", "x.db"]);
        copied.place.open_writer(Part::Inbox).unwrap();
    }
}
