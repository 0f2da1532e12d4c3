//! A layer's tar becomes a directory in overlay form.
//!
//! The archive is somebody else's: every name in it is resolved by the kernel inside the layer's directory
//! (`openat2`, RESOLVE_IN_ROOT), nothing is followed on the last step, and names with `..` are refused.
//! Whiteouts become character devices 0:0 and opaque markers an extended attribute, as overlayfs has them.
//! Device nodes are left out: a container gets its own `/dev`. What an archive may cost is limited.

mod meter;
mod place;

use crate::blob::is_full;
use crate::digest::Digest;
use camino::{Utf8Path, Utf8PathBuf};
use meter::Meter;
use place::{Owner, Place};
use std::io::{self, Read, Write};
use tar::{Archive, EntryType};

/// What a layer may cost.
#[derive(Clone, Copy, Debug)]
pub struct UnpackLimits {
    /// Entries in the archive.
    pub entries_max: u64,
    /// Parts of a path.
    pub depth_max: usize,
    /// Bytes of the uncompressed archive, and of the files it makes.
    pub bytes_max: u64,
    /// Uncompressed bytes for each compressed one, once `ratio_free_bytes` were passed.
    pub ratio_max: u64,
    /// Uncompressed bytes for which no ratio is asked.
    pub ratio_free_bytes: u64,
    /// Bytes of one entry's header: long names, extended attributes.
    pub header_bytes_max: u64,
}

impl Default for UnpackLimits {
    fn default() -> UnpackLimits {
        UnpackLimits {
            entries_max: 2_000_000,
            depth_max: 255,
            bytes_max: 64 << 30,
            ratio_max: 200,
            ratio_free_bytes: 512 << 20,
            header_bytes_max: 2 << 20,
        }
    }
}

/// How a layer is compressed, found from its first bytes and not from what its media type claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// A plain tar.
    None,
    /// gzip, of any number of members.
    Gzip,
    /// Zstandard, with a window of at most 128 MiB.
    Zstd,
}

impl Compression {
    /// Returns the compression that content beginning with `head` has.
    pub fn of(head: &[u8]) -> Compression {
        match head {
            [0x1f, 0x8b, ..] => Compression::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Compression::Zstd,
            _ => Compression::None,
        }
    }

    /// Returns what undoes it.
    pub(crate) fn reader<'r>(self, from: impl Read + 'r) -> io::Result<Box<dyn Read + 'r>> {
        Ok(match self {
            Compression::None => Box::new(from),
            Compression::Gzip => Box::new(flate2::read::MultiGzDecoder::new(from)),
            Compression::Zstd => {
                let mut decoder = zstd::Decoder::new(from)?;
                decoder.window_log_max(27)?;
                Box::new(decoder)
            }
        })
    }
}

/// What came of unpacking a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpacked {
    /// The digest of the uncompressed archive.
    pub diff_id: Digest,
    /// The entries in the archive.
    pub entries: u64,
    /// The bytes of the files made.
    pub bytes: u64,
    /// Device nodes and attributes that were left out.
    pub left_out: u64,
}

/// Why a layer was not unpacked. The directory then holds a part of it and must be removed.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// A path that no honest archive has.
    #[error("entry {path:?}: {why}")]
    Path {
        /// The path in the archive.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The archive costs more than it may.
    #[error("the layer has more than {limit} {what}")]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// How much there may be.
        limit: u64,
    },
    /// The archive is damaged or no archive.
    #[error("archive/tar: invalid tar header or damaged compression: {0}")]
    Archive(#[source] io::Error),
    /// The disk is full.
    #[error("no space left on device at {0}")]
    DiskFull(Utf8PathBuf),
    /// Something in the archive could not be made on the disk.
    #[error("{operation} {path:?}: {source}")]
    Make {
        /// What was tried.
        operation: &'static str,
        /// The path in the archive.
        path: String,
        /// What the system said.
        source: io::Error,
    },
}

/// Unpacks an archive of `compressed` bytes into `folder`, which exists and is empty. Blocks.
pub fn unpack(
    archive: impl Read,
    compression: Compression,
    compressed: u64,
    folder: &Utf8Path,
    limits: &UnpackLimits,
) -> Result<Unpacked, UnpackError> {
    let plain = compression.reader(archive).map_err(UnpackError::Archive)?;
    let meter = Meter::new(plain, compressed, limits);
    let place = Place::open(folder, limits.depth_max)?;
    let mut layer =
        Layer { meter: &meter, place, limits, entries: 0, left_out: 0, buffer: vec![0; 128 * 1024] };
    let unpacked = layer.run().and_then(|()| {
        meter.drain()?;
        layer.place.finish()?;
        Ok(Unpacked {
            diff_id: meter.digest(),
            entries: layer.entries,
            bytes: meter.bytes_made(),
            left_out: layer.left_out,
        })
    });
    unpacked.map_err(|error| match error {
        // A limit surfaces in the tar parser as an error of reading; the meter knows better.
        UnpackError::Archive(source) => meter.exceeded().unwrap_or(UnpackError::Archive(source)),
        UnpackError::Make { source, .. } if is_full(&source) => UnpackError::DiskFull(folder.to_owned()),
        error => error,
    })
}

struct Layer<'a, 'r> {
    meter: &'a Meter<'r>,
    place: Place,
    limits: &'a UnpackLimits,
    entries: u64,
    left_out: u64,
    buffer: Vec<u8>,
}

type Entry<'a, 'm, 'r> = tar::Entry<'a, &'m Meter<'r>>;

impl<'m, 'r> Layer<'m, 'r> {
    fn run(&mut self) -> Result<(), UnpackError> {
        let mut archive = Archive::new(self.meter);
        let mut entries = archive.entries().map_err(UnpackError::Archive)?;
        loop {
            self.meter.expect_header();
            let Some(entry) = entries.next() else { return Ok(()) };
            let mut entry = entry.map_err(UnpackError::Archive)?;
            self.entries += 1;
            if self.entries > self.limits.entries_max {
                return Err(UnpackError::Limit { what: "entries", limit: self.limits.entries_max });
            }
            self.entry(&mut entry)?;
            self.meter.expect_content();
            io::copy(&mut entry, &mut io::sink()).map_err(UnpackError::Archive)?;
        }
    }

    fn entry(&mut self, entry: &mut Entry<'_, 'm, 'r>) -> Result<(), UnpackError> {
        let kind = entry.header().entry_type();
        if matches!(kind, EntryType::XGlobalHeader) {
            return Ok(());
        }
        let given = entry.path_bytes().into_owned();
        let path = self.parts(&given)?;
        let owner = self.owner(entry, &given)?;
        let Some((name, parents)) = path.split_last() else {
            return match kind {
                EntryType::Directory => self.place.root(&owner),
                _ => Err(refused(&given, "the root of a layer is a directory")),
            };
        };
        if let Some(hidden) = name.strip_prefix(b".wh.") {
            return match hidden {
                b".wh..opq" => self.place.opaque(parents, &given),
                b"" | b"." | b".." => Err(refused(&given, "a whiteout of nothing")),
                hidden if hidden.starts_with(b".wh.") => Ok(()),
                hidden => self.place.whiteout(parents, hidden, &given),
            };
        }
        match kind {
            EntryType::Directory => self.place.directory(parents, name, &owner, &given),
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                self.meter.make(entry.size())?;
                let mut file = self.place.file(parents, name, &given)?;
                self.meter.expect_content();
                loop {
                    let count = entry.read(&mut self.buffer).map_err(UnpackError::Archive)?;
                    if count == 0 {
                        break;
                    }
                    file.write_all(&self.buffer[..count]).map_err(|source| make("write", &given, source))?;
                }
                self.place.complete(&file, &owner, &given)
            }
            EntryType::Symlink => {
                let target = entry.link_name_bytes().unwrap_or_default().into_owned();
                if target.is_empty() || target.contains(&0) || target.len() > 4095 {
                    return Err(refused(&given, "a symbolic link without a proper target"));
                }
                self.place.symlink(parents, name, &target, &owner, &given)
            }
            EntryType::Link => {
                let target = entry.link_name_bytes().unwrap_or_default().into_owned();
                let target = self.parts(&target)?;
                let Some((from, folders)) = target.split_last() else {
                    return Err(refused(&given, "a hard link without a target"));
                };
                self.place.link(parents, name, folders, from, &given)
            }
            EntryType::Fifo => self.place.fifo(parents, name, &owner, &given),
            EntryType::Char | EntryType::Block => {
                tracing::debug!(path = %String::from_utf8_lossy(&given), "device node left out");
                self.left_out += 1;
                Ok(())
            }
            _ => Err(refused(&given, "an entry of an unknown type")),
        }
    }

    /// Splits a path from the archive; a leading slash and single dots mean nothing.
    fn parts(&self, path: &[u8]) -> Result<Vec<Vec<u8>>, UnpackError> {
        if path.len() > 4095 {
            return Err(refused(&path[..64], "a path of more than 4095 bytes"));
        }
        if path.contains(&0) {
            return Err(refused(path, "a path with a zero byte"));
        }
        let parts = path.split(|&byte| byte == b'/').filter(|part| !part.is_empty() && *part != b".");
        let parts: Vec<Vec<u8>> = parts.map(<[u8]>::to_vec).collect();
        if parts.iter().any(|part| part == b"..") {
            return Err(refused(path, "a path with .. in it"));
        }
        if parts.iter().any(|part| part.len() > 255) {
            return Err(refused(path, "a name of more than 255 bytes"));
        }
        if parts.len() > self.limits.depth_max {
            return Err(refused(path, "a path with too many parts"));
        }
        Ok(parts)
    }

    fn owner(&mut self, entry: &mut Entry<'_, 'm, 'r>, path: &[u8]) -> Result<Owner, UnpackError> {
        let header = entry.header();
        let field = |value: io::Result<u64>| value.map_err(UnpackError::Archive);
        let id = |value: u64| match u32::try_from(value) {
            Ok(id) if id != u32::MAX => Ok(id),
            _ => Err(refused(path, "an owner beyond 32 bits")),
        };
        let mode = header.mode().map_err(UnpackError::Archive)? & 0o7777;
        let (uid, gid) = (id(field(header.uid())?)?, id(field(header.gid())?)?);
        let mut owner = Owner {
            uid,
            gid,
            mode,
            seconds: header.mtime().unwrap_or(0),
            nanoseconds: 0,
            attributes: Vec::new(),
        };
        let Some(extensions) = entry.pax_extensions().map_err(UnpackError::Archive)? else {
            return Ok(owner);
        };
        for extension in extensions {
            let extension = extension.map_err(UnpackError::Archive)?;
            let key = extension.key_bytes();
            if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
                if kept(name) {
                    owner.attributes.push((name.to_vec(), extension.value_bytes().to_vec()));
                } else {
                    self.left_out += 1;
                }
            } else if key == b"mtime"
                && let Some((seconds, nanoseconds)) = extension.value().ok().and_then(moment)
            {
                (owner.seconds, owner.nanoseconds) = (seconds, nanoseconds);
            }
        }
        Ok(owner)
    }
}

/// Attributes that images rightly carry. `trusted.` would speak to overlayfs in our name, and access lists
/// and labels belong to the machine the image was built on.
fn kept(name: &[u8]) -> bool {
    name == b"security.capability" || name.starts_with(b"user.") && !name.starts_with(b"user.overlay.")
}

/// Reads a moment with a fraction, such as `1700000000.25`.
fn moment(text: &str) -> Option<(u64, u32)> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = fraction.chars().chain(std::iter::repeat('0')).take(9).collect();
    Some((seconds.parse().ok()?, digits.parse().ok()?))
}

fn refused(path: &[u8], why: &'static str) -> UnpackError {
    UnpackError::Path { path: String::from_utf8_lossy(path).into_owned(), why }
}

fn make(operation: &'static str, path: &[u8], source: io::Error) -> UnpackError {
    UnpackError::Make { operation, path: String::from_utf8_lossy(path).into_owned(), source }
}

#[cfg(test)]
mod tests;
