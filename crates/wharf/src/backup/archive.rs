//! The backup's format: lines of JSON, in a zstd stream or plain.
//!
//! ```text
//! {"backup":{"format":1,"layout":1,"revision":812,…}}
//! {"record":{"table":"tasks","key":"default/0123…","value":{…}}}       one for each record
//! {"file":{"path":"credentials.json","mode":384}}                      one for each file, followed by
//! {"data":"eyJhY2Nlc3Nfa…"}                                            its content in pieces
//! {"end":{"records":1234,"files":1,"sha256":"…"}}                      of every byte of the lines before
//! ```
//!
//! A record's value stands there as it is in the state file, byte for byte.

use anyhow::{Context, bail};
use base64::{Engine, engine::general_purpose::STANDARD};
use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io::{BufRead, BufReader, Read, Write};
use wharf_store::Row;

/// The format that is written and read.
pub(crate) const FORMAT: u32 = 1;

/// How much of a file is in one line.
const PIECE: usize = 1 << 20;
/// The longest line that is read: a record has the size of a request, a piece that of its base64.
const LINE_MAX: u64 = 64 << 20;
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) format: u32,
    /// The layout of the state file that it was taken from.
    pub(crate) layout: u64,
    /// The first version that knows this layout.
    pub(crate) needs: String,
    pub(crate) written_by: String,
    pub(crate) revision: u64,
    /// Seconds since 1970.
    pub(crate) taken_at: u64,
    pub(crate) region: String,
    pub(crate) account: String,
    pub(crate) with_registry: bool,
    pub(crate) with_logs: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct Named {
    path: Utf8PathBuf,
    mode: u32,
}

#[derive(Debug, Serialize, Deserialize)]
struct End {
    records: u64,
    files: u64,
    sha256: String,
}

#[derive(Debug, Deserialize)]
struct Key {
    table: String,
    key: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Backup(Head),
    File(Named),
    Data(String),
    End(End),
}

#[derive(Debug, Deserialize)]
struct RecordLine {
    record: Key,
}

/// A backup that is being written.
pub(crate) struct Archive<W: Write> {
    out: zstd::Encoder<'static, W>,
    digest: Sha256,
    records: u64,
    files: u64,
}

impl<W: Write> Archive<W> {
    /// Begins one.
    pub(crate) fn begin(out: W, head: &Head) -> anyhow::Result<Archive<W>> {
        let mut out = zstd::Encoder::new(out, 3).context("compress the backup")?;
        out.include_checksum(true).context("compress the backup")?;
        let mut archive = Archive { out, digest: Sha256::new(), records: 0, files: 0 };
        archive.line(&Line::Backup(head.clone()))?;
        Ok(archive)
    }

    /// Adds a record.
    pub(crate) fn record(&mut self, table: &str, key: &str, value: &[u8]) -> Result<(), std::io::Error> {
        let (table, key) = (serde_json::to_string(table)?, serde_json::to_string(key)?);
        self.put(format!("{{\"record\":{{\"table\":{table},\"key\":{key},\"value\":").as_bytes())?;
        self.put(value)?;
        self.put(b"}}\n")?;
        self.records += 1;
        Ok(())
    }

    /// Adds a file.
    pub(crate) fn file(&mut self, path: &Utf8Path, mode: u32, mut content: impl Read) -> anyhow::Result<()> {
        self.line(&Line::File(Named { path: path.to_owned(), mode }))?;
        let mut piece = Vec::with_capacity(PIECE);
        loop {
            piece.clear();
            content.by_ref().take(PIECE as u64).read_to_end(&mut piece)?;
            if piece.is_empty() {
                break;
            }
            self.line(&Line::Data(STANDARD.encode(&piece)))?;
        }
        self.files += 1;
        Ok(())
    }

    /// Returns how many records there are so far.
    pub(crate) fn records(&self) -> u64 {
        self.records
    }

    /// Ends it and returns what it was written to.
    pub(crate) fn end(mut self) -> anyhow::Result<W> {
        let sha256 = hex::encode(self.digest.clone().finalize());
        let end = End { records: self.records, files: self.files, sha256 };
        self.line(&Line::End(end))?;
        Ok(self.out.finish()?)
    }

    fn line(&mut self, line: &Line) -> anyhow::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        Ok(self.put(&text)?)
    }

    fn put(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.digest.update(bytes);
        self.out.write_all(bytes)
    }
}

/// What is in a backup.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// A record.
    Record(Row),
    /// A file begins; its path is below the state directory, and one of those that are backed up.
    File { path: Utf8PathBuf, mode: u32 },
    /// A piece of the file that began last.
    Data(Vec<u8>),
}

/// A backup that is being read.
pub(crate) struct Reading {
    input: Box<dyn BufRead>,
    digest: Sha256,
    records: u64,
    files: u64,
    number: u64,
    ended: bool,
}

impl Reading {
    /// Begins to read one, and returns what it says of itself.
    pub(crate) fn begin(input: impl Read + 'static) -> anyhow::Result<(Reading, Head)> {
        let mut input = BufReader::with_capacity(1 << 16, input);
        let is_compressed = input.fill_buf()?.starts_with(&ZSTD_MAGIC);
        let input: Box<dyn BufRead> = if is_compressed {
            Box::new(BufReader::with_capacity(1 << 16, zstd::Decoder::with_buffer(input)?))
        } else {
            Box::new(input)
        };
        let mut reading =
            Reading { input, digest: Sha256::new(), records: 0, files: 0, number: 0, ended: false };
        let first = reading.line().ok().flatten().and_then(|line| serde_json::from_slice(&line).ok());
        match first {
            Some(Line::Backup(head)) if head.format == FORMAT => Ok((reading, head)),
            Some(Line::Backup(head)) => bail!(
                "it is of format {}, and this version reads format {FORMAT}: it needs wharf >= {}",
                head.format,
                head.written_by
            ),
            _ => bail!("it is not a backup of wharf"),
        }
    }

    /// Returns the next item, and none after the last one of a whole backup.
    pub(crate) fn next(&mut self) -> anyhow::Result<Option<Item>> {
        if self.ended {
            return Ok(None);
        }
        let before = hex::encode(self.digest.clone().finalize());
        let Some(line) = self.line()? else { bail!("it is cut off after line {}", self.number) };
        let at = || format!("understand line {}", self.number);
        if line.starts_with(b"{\"record\":") {
            let row = record(&line).with_context(at)?;
            self.records += 1;
            return Ok(Some(Item::Record(row)));
        }
        match serde_json::from_slice(&line).with_context(at)? {
            Line::Backup(_) => bail!("line {} begins another backup", self.number),
            Line::File(Named { path, mode }) => {
                if !is_ours(&path) {
                    bail!("line {}: the path '{path}' is not one of a backup", self.number);
                }
                self.files += 1;
                Ok(Some(Item::File { path, mode: mode & 0o777 }))
            }
            Line::Data(text) => {
                if self.files == 0 {
                    bail!("line {} belongs to no file", self.number);
                }
                Ok(Some(Item::Data(STANDARD.decode(text).with_context(at)?)))
            }
            Line::End(end) => {
                let whole = end.sha256 == before && (end.records, end.files) == (self.records, self.files);
                if !whole || self.line()?.is_some() {
                    bail!("it is damaged: its content is not what was backed up");
                }
                self.ended = true;
                Ok(None)
            }
        }
    }

    fn line(&mut self) -> anyhow::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let read = self.input.by_ref().take(LINE_MAX).read_until(b'\n', &mut line);
        read.with_context(|| format!("read line {}", self.number + 1))?;
        if line.is_empty() {
            return Ok(None);
        }
        if line.last() != Some(&b'\n') {
            bail!("it is cut off in line {}", self.number + 1);
        }
        self.digest.update(&line);
        self.number += 1;
        Ok(Some(line))
    }
}

/// Takes a record's line apart, and leaves its value as it is.
fn record(line: &[u8]) -> anyhow::Result<Row> {
    const VALUE: &[u8] = b",\"value\":";
    // Inside a string the quotes would be escaped, so this is the member.
    let at = line.windows(VALUE.len()).position(|window| window == VALUE).context("it has no value")?;
    let value = line[at + VALUE.len()..].trim_ascii_end();
    let value = value.strip_suffix(b"}}").context("it is not closed")?;
    let RecordLine { record: Key { table, key } } = serde_json::from_slice(&[&line[..at], b"}}"].concat())?;
    Ok(Row { table, key, bytes: value.to_vec() })
}

/// Returns whether a path is one that backups have: below the state directory, and of what is backed up.
fn is_ours(path: &Utf8Path) -> bool {
    let plain = path.components().all(|part| matches!(part, Utf8Component::Normal(_)));
    let root = path.components().next().map(|part| part.as_str());
    plain
        && root
            .is_some_and(|root| super::KEYS.contains(&path.as_str()) || ["registry", "logs"].contains(&root))
}

#[cfg(test)]
mod tests;
