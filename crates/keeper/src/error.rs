//! Why keeper cannot work, and how errors are put in one line.

use camino::Utf8PathBuf;

/// Why keeper cannot begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another keeper has the state directory.
    #[error("another keeper is using {0}")]
    Locked(Utf8PathBuf),
    /// A file or directory could not be used.
    #[error("{what} {path}")]
    File { what: &'static str, path: Utf8PathBuf, source: std::io::Error },
    /// A system call failed.
    #[error("{0}")]
    System(&'static str, #[source] nix::Error),
    /// The machine has no control groups that would do.
    #[error("find control groups")]
    Cgroup(#[from] wharf_sandbox::cgroup::CgroupError),
    /// The system call filter could not be compiled.
    #[error("compile system call filter")]
    Seccomp(#[from] wharf_sandbox::seccomp::SeccompFailure),
}

/// Returns an error and its causes in one line, without saying anything twice.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.ends_with(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}
