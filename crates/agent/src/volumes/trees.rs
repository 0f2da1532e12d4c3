//! Directories of file systems. A symlink in one leads nowhere but into it.

use super::{VolumeError, file};
use camino::{Utf8Path, Utf8PathBuf};
use wharf_nodelink::provisions::FileTree;
use wharf_sandbox::inside::{self, NewDirectory};

/// Returns a file system's root; sees to it that the directory that a volume shows is there, made if its access point says
/// how.
pub(super) fn root(trees: &Utf8Path, tree: &FileTree) -> Result<Utf8PathBuf, VolumeError> {
    let root = trees.join(&tree.file_system);
    if !root.is_dir() {
        return Err(file("open", &root)(std::io::ErrorKind::NotFound.into()));
    }
    let new = tree.creation.map(|creation| NewDirectory {
        uid: creation.uid,
        gid: creation.gid,
        mode: creation.mode,
    });
    match inside::ensure(&root, &tree.directory, new) {
        Ok(()) => Ok(root),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(VolumeError::NoDirectory { volume: tree.volume.clone(), path: tree.directory.clone() })
        }
        Err(source) => Err(VolumeError::Tree {
            file_system: tree.file_system.clone(),
            path: tree.directory.clone(),
            source,
        }),
    }
}
