//! Where things lie, and how programs are run.

use camino::Utf8PathBuf;
use std::process::Command;

/// Returns the cache folder.
fn cache() -> Utf8PathBuf {
    match std::env::var("WHARF_CACHE") {
        Ok(dir) => dir.into(),
        Err(_) => {
            format!("{}/.cache/wharf", std::env::var("HOME").unwrap_or_else(|_| "/root".to_owned())).into()
        }
    }
}

/// Returns the OCI layout of a bundle, as skopeo writes it.
///
/// # Panics
/// When `scripts/bundles` has not been run.
pub fn bundle(name: &str) -> String {
    let layouts = std::env::var("WHARF_BUNDLES").map_or_else(|_| cache().join("bundles"), Utf8PathBuf::from);
    let layout = layouts.join(name);
    assert!(layout.join("index.json").exists(), "{layout} is missing: run scripts/bundles {name}");
    format!("oci:{layout}:latest")
}

/// Returns the binary under test.
pub(crate) fn binary() -> Utf8PathBuf {
    if let Ok(binary) = std::env::var("WHARF_BINARY") {
        return binary.into();
    }
    let target = std::env::var("CARGO_TARGET_DIR").map_or_else(|_| cache().join("target"), Utf8PathBuf::from);
    target.join("release/wharf")
}

/// Runs a program and returns what it printed.
///
/// # Panics
/// When it fails; with what it said.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}
