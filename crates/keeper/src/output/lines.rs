//! Chunks into lines.

use std::collections::VecDeque;

use super::{Chunk, Stream};

/// A line without its newline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which stream.
    pub stream: Stream,
    /// When its first byte was read, in nanoseconds since the epoch.
    pub at_nanos: i64,
    /// The bytes, without newline and without a carriage return before it.
    pub bytes: Vec<u8>,
}

/// Puts lines together per stream; one longer than `line_max` is cut.
#[derive(Debug)]
pub struct Lines {
    line_max: usize,
    open: [Option<Open>; 2],
    ready: VecDeque<Line>,
}

#[derive(Debug)]
struct Open {
    at_nanos: i64,
    /// The chunk its first byte came in.
    since: u64,
    bytes: Vec<u8>,
}

impl Lines {
    /// Returns an empty assembler.
    pub fn new(line_max: usize) -> Lines {
        Lines { line_max: line_max.max(1), open: [None, None], ready: VecDeque::new() }
    }

    /// Takes a chunk in.
    pub fn push(&mut self, chunk: &Chunk) {
        let slot = usize::from(chunk.stream == Stream::Stderr);
        let mut rest = chunk.bytes.as_slice();
        while !rest.is_empty() {
            let open = self.open[slot].get_or_insert_with(|| Open {
                at_nanos: chunk.at_nanos,
                since: chunk.next - 1,
                bytes: Vec::new(),
            });
            let room = self.line_max.saturating_sub(open.bytes.len());
            let newline = rest.iter().position(|byte| *byte == b'\n');
            let take = newline.unwrap_or(rest.len()).min(room);
            open.bytes.extend_from_slice(&rest[..take]);
            rest = &rest[take..];
            if rest.first() == Some(&b'\n') {
                rest = &rest[1..];
                self.finish(slot, chunk);
            } else if !rest.is_empty() {
                self.finish(slot, chunk);
            }
        }
    }

    /// Ends the lines that have no newline yet; for the end of the container, or after a while.
    pub fn flush(&mut self) {
        for (slot, stream) in [(0, Stream::Stdout), (1, Stream::Stderr)] {
            if let Some(open) = self.open[slot].take() {
                self.ready.push_back(Line { stream, at_nanos: open.at_nanos, bytes: open.bytes });
            }
        }
    }

    fn finish(&mut self, slot: usize, chunk: &Chunk) {
        let Some(mut open) = self.open[slot].take() else { return };
        if open.bytes.last() == Some(&b'\r') {
            open.bytes.pop();
        }
        self.ready.push_back(Line { stream: chunk.stream, at_nanos: open.at_nanos, bytes: open.bytes });
    }

    /// Returns where a follower may resume once every line given out is delivered, given the last chunk's `next`.
    ///
    /// A chunk is the unit of resumption: after a restart lines may come again, none is skipped.
    pub fn settled(&self, next: u64) -> u64 {
        self.open.iter().flatten().map(|open| open.since).fold(next, u64::min)
    }
}

impl Iterator for Lines {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        self.ready.pop_front()
    }
}
