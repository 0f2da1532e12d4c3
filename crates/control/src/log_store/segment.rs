//! Segments: files of checked lines, and the directories they are in.

use super::{
    Error, file_error,
    index::{Base, BatchRef, Group},
};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufRead, BufReader},
    os::unix::fs::FileExt,
};
use wharf_model::Timestamp;

/// A segment that has grown to this is followed by another.
pub(crate) const SEGMENT_BYTES: u64 = 32 << 20;

const CHECK_DIGITS: usize = 8;
/// Holds the group's name, which may be longer than a file's name can be.
const NAME_FILE: &str = "group";
/// Holds what stays of segments that were removed.
const BASE_FILE: &str = "base.json";
/// Directories that are being deleted.
const TRASH_PREFIX: &str = ".deleted-";

/// One line: a batch of events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) stream: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) number: Option<u64>,
    pub(crate) stored_at: Timestamp,
    /// The stream and all its events up to here were deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) deleted: bool,
    pub(crate) events: Vec<(Timestamp, String)>,
}

impl Line {
    /// Returns the line as it stands in a segment, with its line end.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let json = serde_json::to_vec(self).expect("a line is plain values");
        let mut bytes = check(&json).into_bytes();
        bytes.push(b' ');
        bytes.extend_from_slice(&json);
        bytes.push(b'\n');
        bytes
    }

    /// Returns the line that these bytes are, unless they are damaged.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Line> {
        let (given, rest) = bytes.split_at_checked(CHECK_DIGITS)?;
        let json = rest.strip_prefix(b" ")?.strip_suffix(b"\n")?;
        if check(json).as_bytes() == given { serde_json::from_slice(json).ok() } else { None }
    }
}

fn check(json: &[u8]) -> String {
    let mut digits = hex::encode(Sha256::digest(json));
    digits.truncate(CHECK_DIGITS);
    digits
}

/// Returns the path of a segment.
pub(crate) fn path(dir: &Utf8Path, segment: u32) -> Utf8PathBuf {
    dir.join(format!("{segment:08}.log"))
}

/// Reads one line back.
pub(crate) fn read(dir: &Utf8Path, segment: u32, offset: u64, length: u32) -> Result<Line, Error> {
    let path = path(dir, segment);
    let read = || {
        let mut bytes = vec![0; length as usize];
        File::open(&path)?.read_exact_at(&mut bytes, offset)?;
        Line::decode(&bytes)
            .ok_or_else(|| std::io::Error::new(std::io::ErrorKind::InvalidData, "a line is damaged"))
    };
    read().map_err(|source| file_error(&path, source))
}

/// Reads the groups below `dir`, and finishes deletions.
pub(crate) fn load_all(dir: &Utf8Path) -> Result<BTreeMap<String, Group>, Error> {
    let mut groups = BTreeMap::new();
    for entry in dir.read_dir_utf8().map_err(|source| file_error(dir, source))? {
        let entry = entry.map_err(|source| file_error(dir, source))?;
        let path = entry.path();
        if entry.file_name().starts_with(TRASH_PREFIX) {
            fs::remove_dir_all(path).map_err(|source| file_error(path, source))?;
        } else if let Ok(name) = fs::read_to_string(path.join(NAME_FILE)) {
            groups.insert(name, load(path)?);
        }
    }
    Ok(groups)
}

fn load(dir: &Utf8Path) -> Result<Group, Error> {
    let mut group = match base(dir)? {
        Some(base) => Group::over(dir.to_owned(), base),
        None => Group::empty(dir.to_owned()),
    };
    remove_before(dir, group.first_segment)?;
    for segment in group.first_segment.. {
        let path = path(dir, segment);
        let file = match File::options().read(true).write(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => break,
            Err(source) => return Err(file_error(&path, source)),
        };
        group.segment = segment;
        group.length =
            load_segment(&mut group, segment, &file).map_err(|source| file_error(&path, source))?;
    }
    Ok(group)
}

fn base(dir: &Utf8Path) -> Result<Option<Base>, Error> {
    let path = dir.join(BASE_FILE);
    match fs::read(&path) {
        Ok(bytes) => {
            serde_json::from_slice(&bytes).map(Some).map_err(|error| file_error(&path, error.into()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(file_error(&path, source)),
    }
}

/// Writes down what stays of the segments before the base's first one, and then removes them.
pub(crate) fn remove_older(dir: &Utf8Path, base: &Base) -> Result<(), Error> {
    let (path, draft) = (dir.join(BASE_FILE), dir.join(".base.new"));
    let write = || {
        let file = File::create(&draft)?;
        serde_json::to_writer(&file, base)?;
        file.sync_all()?;
        fs::rename(&draft, &path)?;
        File::open(dir)?.sync_all()
    };
    write().map_err(|source| file_error(&path, source))?;
    remove_before(dir, base.first_segment)
}

/// Removes the segments before `first`: those that a base was written for.
fn remove_before(dir: &Utf8Path, first: u32) -> Result<(), Error> {
    for segment in (0..first).rev() {
        let path = path(dir, segment);
        match fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => break,
            Err(source) => return Err(file_error(&path, source)),
        }
    }
    Ok(())
}

/// Gives the disk space of a deleted stream's batches back. Their line ends stay, so that the segment is still read
/// line by line; what cannot be given back stays until the segment goes.
pub(crate) fn punch(dir: &Utf8Path, batches: &[BatchRef]) {
    use rustix::fs::{FallocateFlags, fallocate};
    let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    for batch in batches {
        let path = path(dir, batch.segment);
        let file = File::options().write(true).open(&path);
        let length = u64::from(batch.length.saturating_sub(1));
        let punched = file.and_then(|file| Ok(fallocate(&file, flags, batch.offset, length)?));
        if let Err(error) = punched {
            tracing::debug!(%path, %error, "space of a deleted log stream not given back yet");
            return;
        }
    }
}

/// Takes up the lines of a segment, cuts off a torn end, and returns the length.
fn load_segment(group: &mut Group, segment: u32, file: &File) -> std::io::Result<u64> {
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut bytes = Vec::new();
    let (mut offset, mut sound) = (0, 0);
    loop {
        bytes.clear();
        let length = reader.read_until(b'\n', &mut bytes)?;
        if length == 0 {
            break;
        }
        if let Some(line) = Line::decode(&bytes) {
            group.add(&line, segment, offset, u32::try_from(length).unwrap_or(u32::MAX));
            sound = offset + length as u64;
        }
        offset += length as u64;
    }
    if sound < offset {
        tracing::warn!(dir = %group.dir, segment, lost_bytes = offset - sound, "log segment ended in the middle of a line");
        file.set_len(sound)?;
        file.sync_all()?;
    }
    Ok(sound)
}

/// Makes a group's directory.
pub(crate) fn create(parent: &Utf8Path, name: &str) -> Result<Group, Error> {
    let readable: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(64).collect();
    let digits = &hex::encode(Sha256::digest(name))[..16];
    let dir = parent.join(format!("{}-{digits}", readable.trim_matches('-')));
    let make = || {
        fs::create_dir_all(&dir)?;
        fs::write(dir.join(NAME_FILE), name)?;
        File::open(dir.join(NAME_FILE))?.sync_all()?;
        File::open(&dir)?.sync_all()?;
        File::open(parent)?.sync_all()
    };
    make().map_err(|source| file_error(&dir, source))?;
    Ok(Group::empty(dir))
}

/// Removes a group's directory: from one moment to the next it is not there, whatever happens meanwhile.
pub(crate) fn remove(parent: &Utf8Path, dir: &Utf8Path) -> Result<(), Error> {
    let trash = parent.join(format!("{TRASH_PREFIX}{}", dir.file_name().unwrap_or_default()));
    let remove = || {
        fs::rename(dir, &trash)?;
        File::open(parent)?.sync_all()?;
        fs::remove_dir_all(&trash)
    };
    remove().map_err(|source| file_error(dir, source))
}
