//! A root file system in a folder becomes an image of one layer.

use super::ImportError;
use super::layout::Layout;
use crate::manifest::OCI_MANIFEST;
use camino::Utf8Path;
use flate2::{Compression, write::GzEncoder};
use std::fs::File;
use std::io::{self, BufWriter, Write};

/// What a container of the image runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Start {
    /// The program with its arguments.
    pub command: Vec<String>,
    /// The environment, each `NAME=value`.
    pub env: Vec<String>,
}

/// Puts the folder's files into the layout as one image.
pub(super) fn convert(folder: &Utf8Path, start: &Start, layout: &mut Layout) -> Result<(), ImportError> {
    let path = layout.scratch("rootfs.tar.gz");
    let reading = |source| ImportError::Read { path: folder.to_owned(), source };
    let file = File::create(&path).map_err(|source| ImportError::Write { path: path.clone(), source })?;
    let mut archive = tar::Builder::new(GzEncoder::new(BufWriter::new(file), Compression::fast()));
    archive.follow_symlinks(false);
    let packed = archive.append_dir_all(".", folder).and_then(|()| archive.into_inner());
    let packed = packed.and_then(GzEncoder::finish).and_then(|mut file| file.flush());
    packed.map_err(reading)?;
    let layer = layout.layer(&path)?;
    let diff_id = layout.diff_id(&path)?;
    let mut env = start.env.clone();
    if !env.iter().any(|entry| entry.starts_with("PATH=")) {
        env.push("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned());
    }
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let config = serde_json::json!({
        "os": "linux", "architecture": architecture,
        "config": { "Cmd": start.command, "Env": env },
        "rootfs": { "type": "layers", "diff_ids": [diff_id] },
    });
    let config = layout.document(config.to_string().as_bytes())?;
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": config.descriptor("application/vnd.oci.image.config.v1+json"),
        "layers": [layer],
    });
    let manifest = layout.document(manifest.to_string().as_bytes())?;
    layout.add(&manifest, OCI_MANIFEST, Vec::new());
    Ok(())
}

/// Returns whether a folder looks like the root of a file system.
pub(super) fn looks_like_one(folder: &Utf8Path) -> bool {
    ["bin", "usr", "etc", "lib"].iter().any(|name| folder.join(name).symlink_metadata().is_ok())
}

/// Copies what can be read, and hashes it on the way.
pub(super) fn drain(mut from: impl io::Read) -> io::Result<crate::digest::Digest> {
    use sha2::Digest as _;
    let mut hasher = sha2::Sha256::new();
    io::copy(&mut from, &mut hasher)?;
    Ok(crate::digest::Digest::from_hasher(hasher))
}
