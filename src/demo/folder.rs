//! A folder of the demo's own in the system's place for temporary files, gone with everything in it when the demo ends.

use std::fs::DirBuilder;
use std::io;
use std::path::{Path, PathBuf};

/// How many names are tried.
const TRIES_MAX: usize = 8;

/// The folder; dropping it removes it.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes one that nobody else can read.
    ///
    /// # Errors
    /// When no folder can be made there.
    pub(super) fn make() -> io::Result<Folder> {
        let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
        for _ in 0..TRIES_MAX {
            let path = std::env::temp_dir().join(format!("baophat-demo-{}", random_hex::<8>()?));
            match private().create(&path) {
                Ok(()) => return Ok(Folder(path)),
                Err(e) => last = e,
            }
        }
        Err(last)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed stays; the system clears its temporary files itself.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(unix)]
fn private() -> DirBuilder {
    use std::os::unix::fs::DirBuilderExt;
    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    builder
}

#[cfg(not(unix))]
fn private() -> DirBuilder {
    DirBuilder::new()
}

/// So many random bytes as hex digits.
///
/// # Errors
/// When the system has no randomness.
pub(super) fn random_hex<const BYTES: usize>() -> io::Result<String> {
    let mut bytes = [0u8; BYTES];
    getrandom::fill(&mut bytes).map_err(|e| io::Error::other(e.to_string()))?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_gone_with_everything_in_it() {
        let folder = Folder::make().unwrap();
        let path = folder.path().to_path_buf();
        std::fs::write(path.join("store"), "x").unwrap();
        drop(folder);
        assert!(!path.exists());
    }
}
