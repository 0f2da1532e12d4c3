//! An OCI layout under construction in a scratch folder, and what each kind of source puts into it.

use super::archive::Files;
use super::rootfs::{self, Start};
use super::{ImportError, Prepared, docker};
use crate::digest::Digest;
use crate::unpack::Compression;
use camino::{Utf8Path, Utf8PathBuf};
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};

/// Makes a layout of whatever `path` is.
pub(super) fn prepare(
    scratch: &Utf8Path,
    path: &Utf8Path,
    start: Option<&Start>,
) -> Result<Prepared, ImportError> {
    let not_an_image = |why: &str| ImportError::NotAnImage { path: path.to_owned(), why: why.to_owned() };
    let about = fs::metadata(path).map_err(|source| ImportError::Read { path: path.to_owned(), source })?;
    let is_dir = about.is_dir();
    if is_dir && path.join("index.json").exists() {
        let names = names_of(&path.join("index.json"))?;
        return Ok(Prepared { folder: path.to_owned(), scratch: None, names });
    }
    let mut layout = Layout::new(scratch)?;
    if is_dir && path.join("manifest.json").exists() && path.join("version").exists() {
        from_skopeo_folder(path, &mut layout)?;
    } else if is_dir {
        let start = match start {
            Some(start) if rootfs::looks_like_one(path) => start,
            Some(_) => return Err(not_an_image("it is neither a layout nor the root of a file system")),
            None => {
                return Err(not_an_image(
                    "it is no layout; for the root of a file system, say what its containers run",
                ));
            }
        };
        rootfs::convert(path, start, &mut layout)?;
    } else {
        let files = Files::of_archive(path, &layout.make("parts")?)?;
        if files.has("index.json") {
            return from_archived_layout(&files, layout);
        } else if files.has("manifest.json") {
            docker::convert(&files, &mut layout)?;
        } else {
            return Err(not_an_image("the archive has neither index.json nor manifest.json"));
        }
    }
    layout.finish()
}

/// A layout being made.
pub(super) struct Layout {
    folder: Utf8PathBuf,
    manifests: Vec<Value>,
    names: Vec<String>,
}

/// Content in a layout.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) digest: Digest,
    pub(super) size: u64,
}

impl Stored {
    pub(super) fn descriptor(&self, media_type: &str) -> Value {
        json!({ "mediaType": media_type, "digest": self.digest, "size": self.size })
    }
}

impl Layout {
    fn new(scratch: &Utf8Path) -> Result<Layout, ImportError> {
        let layout = Layout { folder: scratch.to_owned(), manifests: Vec::new(), names: Vec::new() };
        layout.make("blobs/sha256")?;
        Ok(layout)
    }

    /// Returns the path of a file beside the layout.
    pub(super) fn scratch(&self, name: &str) -> Utf8PathBuf {
        self.folder.join(name)
    }

    fn make(&self, name: &str) -> Result<Utf8PathBuf, ImportError> {
        let path = self.folder.join(name);
        match fs::create_dir_all(&path) {
            Ok(()) => Ok(path),
            Err(source) => Err(ImportError::Write { path, source }),
        }
    }

    fn blob(&self, digest: &Digest) -> Utf8PathBuf {
        self.folder.join("blobs/sha256").join(digest.hex())
    }

    /// Stores a small document.
    pub(super) fn document(&self, content: &[u8]) -> Result<Stored, ImportError> {
        let digest = Digest::of(content);
        let path = self.blob(&digest);
        fs::write(&path, content).map_err(|source| ImportError::Write { path, source })?;
        Ok(Stored { digest, size: content.len() as u64 })
    }

    /// Stores a layer, compressed if it was not, and returns its descriptor.
    pub(super) fn layer(&self, from: &Utf8Path) -> Result<Value, ImportError> {
        let reading = |source| ImportError::Read { path: from.to_owned(), source };
        let draft = self.folder.join("layer");
        let writing = |source| ImportError::Write { path: draft.clone(), source };
        let mut file = BufReader::with_capacity(256 * 1024, File::open(from).map_err(reading)?);
        let mut out = Hashed::new(BufWriter::new(File::create(&draft).map_err(writing)?));
        let kind = compression(from).map_err(reading)?;
        match kind {
            Compression::None => {
                let mut gzip = GzEncoder::new(&mut out, flate2::Compression::fast());
                io::copy(&mut file, &mut gzip).and_then(|_| gzip.finish().map(drop)).map_err(writing)?;
            }
            Compression::Gzip | Compression::Zstd => {
                io::copy(&mut file, &mut out).map_err(writing)?;
            }
        }
        out.inner.flush().map_err(writing)?;
        let (digest, size) = (Digest::from_hasher(out.hasher), out.written);
        let path = self.blob(&digest);
        fs::rename(&draft, &path).map_err(|source| ImportError::Write { path, source })?;
        let suffix = if kind == Compression::Zstd { "zstd" } else { "gzip" };
        let media_type = format!("application/vnd.oci.image.layer.v1.tar+{suffix}");
        Ok(Stored { digest, size }.descriptor(&media_type))
    }

    /// Returns the digest of what a compressed layer unpacks to.
    pub(super) fn diff_id(&self, from: &Utf8Path) -> Result<Digest, ImportError> {
        let reading = |source| ImportError::Read { path: from.to_owned(), source };
        let file = BufReader::with_capacity(256 * 1024, File::open(from).map_err(reading)?);
        let kind = compression(from).map_err(reading)?;
        rootfs::drain(kind.reader(file).map_err(reading)?).map_err(reading)
    }

    /// Lists an image under the names it had.
    pub(super) fn add(&mut self, manifest: &Stored, media_type: &str, names: Vec<String>) {
        let mut entry = manifest.descriptor(media_type);
        // The index carries one name for each entry; an image of several is listed as often.
        let listed = names.iter().map(|name| Some(name.as_str()));
        for name in if names.is_empty() { vec![None] } else { listed.collect() } {
            if let Some(name) = name {
                entry["annotations"] = json!({ "org.opencontainers.image.ref.name": name });
            }
            self.manifests.push(entry.clone());
        }
        self.names.extend(names);
    }

    fn finish(self) -> Result<Prepared, ImportError> {
        let index = json!({ "schemaVersion": 2, "manifests": self.manifests });
        let path = self.folder.join("index.json");
        fs::write(&path, index.to_string()).map_err(|source| ImportError::Write { path, source })?;
        Ok(Prepared { scratch: Some(self.folder.clone()), folder: self.folder, names: self.names })
    }
}

/// Takes the documents and blobs of an archived layout over, under names that are digests.
fn from_archived_layout(files: &Files, layout: Layout) -> Result<Prepared, ImportError> {
    let index = files.document("index.json")?;
    let path = layout.folder.join("index.json");
    fs::write(&path, &index).map_err(|source| ImportError::Write { path: path.clone(), source })?;
    for name in files.names() {
        let digest = name.strip_prefix("blobs/sha256/").map(|hex| format!("sha256:{hex}").parse());
        if let (Some(Ok(digest)), Some(from)) = (digest, files.path(name)) {
            let to = layout.blob(&digest);
            fs::hard_link(from, &to).map_err(|source| ImportError::Write { path: to, source })?;
        }
    }
    let names = names_of(&path)?;
    Ok(Prepared { scratch: Some(layout.folder.clone()), folder: layout.folder, names })
}

/// Takes over what `skopeo copy … dir:` wrote: a manifest, and content in files named by its digest.
fn from_skopeo_folder(folder: &Utf8Path, layout: &mut Layout) -> Result<(), ImportError> {
    let path = folder.join("manifest.json");
    let content = fs::read(&path).map_err(|source| ImportError::Read { path: path.clone(), source })?;
    let parsed = crate::manifest::parse(&content, None);
    let parsed = parsed.map_err(|source| ImportError::Manifest { digest: Digest::of(&content), source })?;
    let entries =
        folder.read_dir_utf8().map_err(|source| ImportError::Read { path: folder.to_owned(), source })?;
    for entry in entries {
        let entry = entry.map_err(|source| ImportError::Read { path: folder.to_owned(), source })?;
        let Ok(digest) = format!("sha256:{}", entry.file_name()).parse() else { continue };
        let to = layout.blob(&digest);
        fs::copy(entry.path(), &to).map_err(|source| ImportError::Write { path: to, source })?;
    }
    let manifest = layout.document(&content)?;
    layout.add(&manifest, &parsed.media_type, Vec::new());
    Ok(())
}

/// Returns the names in a layout's index, for people: containerd writes the full one beside the tag.
fn names_of(index: &Utf8Path) -> Result<Vec<String>, ImportError> {
    let content = fs::read(index).map_err(|source| ImportError::Read { path: index.to_owned(), source })?;
    let index: super::Index = serde_json::from_slice(&content)
        .map_err(|source| ImportError::Index { path: index.to_owned(), source })?;
    Ok(index.manifests.iter().filter_map(|entry| entry.name().map(str::to_owned)).collect())
}

fn compression(path: &Utf8Path) -> io::Result<Compression> {
    let mut head = Vec::new();
    File::open(path)?.take(4).read_to_end(&mut head)?;
    Ok(Compression::of(&head))
}

/// Hashes and counts what is written.
struct Hashed<W> {
    inner: W,
    hasher: Sha256,
    written: u64,
}

impl<W> Hashed<W> {
    fn new(inner: W) -> Hashed<W> {
        Hashed { inner, hasher: Sha256::new(), written: 0 }
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        self.written += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
