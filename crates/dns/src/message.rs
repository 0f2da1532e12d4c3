//! Questions and answers on the wire (RFC 1035), as far as a resolver that forwards needs them.
//!
//! Only the header and the one question are read: what else a message holds is for those it is passed on to. So nothing
//! here follows a pointer or believes a count.

use std::net::Ipv4Addr;

/// The shortest message.
const HEADER_LEN: usize = 12;
const LABEL_MAX: usize = 63;
const NAME_MAX: usize = 255;

const RESPONSE: u8 = 0x80;
const OPERATION: u8 = 0x78;
const RECURSION_DESIRED: u8 = 0x01;
const RECURSION_AVAILABLE: u8 = 0x80;

const CLASS_INTERNET: u16 = 1;
/// How long an answer may be kept, in seconds. Tasks come and go.
const TTL_SECS: u32 = 5;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An IPv4 address.
    A,
    /// The name of an address.
    Ptr,
    /// Anything that there is.
    Any,
    /// Another record.
    Other,
}

/// How an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    Success = 0,
    Malformed = 1,
    Failure = 2,
    NoName = 3,
    NotImplemented = 4,
    Refused = 5,
}

/// A record of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Record {
    /// An address.
    A(Ipv4Addr),
    /// A name.
    Ptr(String),
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    /// The name in lower case, without its last dot; the root is empty.
    pub(crate) name: String,
    /// What is asked for; `Other` for every class but the internet's.
    pub(crate) kind: Kind,
    /// Where the question ends.
    end: usize,
}

/// What a message from a task is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    /// A question.
    Question(Question),
    /// Something to be answered with nothing but a code.
    Answerable(Code),
    /// Something that must not be answered: it is too short, or an answer itself.
    Noise,
}

/// Reads a message from a task.
pub(crate) fn read(message: &[u8]) -> Heard {
    let Some(header) = message.get(..HEADER_LEN) else { return Heard::Noise };
    if header[2] & RESPONSE != 0 {
        return Heard::Noise;
    }
    if header[2] & OPERATION != 0 {
        return Heard::Answerable(Code::NotImplemented);
    }
    let questions = u16::from_be_bytes([header[4], header[5]]);
    match question(message).filter(|_| questions == 1) {
        Some(question) => Heard::Question(question),
        None => Heard::Answerable(Code::Malformed),
    }
}

fn question(message: &[u8]) -> Option<Question> {
    let mut name = String::new();
    let mut at = HEADER_LEN;
    loop {
        let length = usize::from(*message.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        // A question's name is the first of its message, so there is nothing that a pointer could lead to.
        let label = message.get(at..at + length).filter(|_| length <= LABEL_MAX)?;
        at += length;
        if !name.is_empty() {
            name.push('.');
        }
        // Names of ours are plain; other bytes are only passed on, and must not look like a dot.
        name.extend(label.iter().map(|byte| match byte {
            b'.' => '\u{fffd}',
            byte if byte.is_ascii_graphic() => char::from(byte.to_ascii_lowercase()),
            _ => '\u{fffd}',
        }));
        if at - HEADER_LEN > NAME_MAX {
            return None;
        }
    }
    let rest = message.get(at..at + 4)?;
    let class = u16::from_be_bytes([rest[2], rest[3]]);
    let kind = match (u16::from_be_bytes([rest[0], rest[1]]), class) {
        (1, CLASS_INTERNET) => Kind::A,
        (12, CLASS_INTERNET) => Kind::Ptr,
        (255, CLASS_INTERNET) => Kind::Any,
        _ => Kind::Other,
    };
    Some(Question { name, kind, end: at + 4 })
}

/// Returns the answer to a message that could be read as a question.
pub(crate) fn answer(message: &[u8], question: &Question, code: Code, records: &[Record]) -> Vec<u8> {
    let mut out = message[..question.end].to_vec();
    finish(&mut out, code, 1, records.len());
    for record in records {
        // The name is the question's.
        out.extend([0xc0, 0x0c]);
        let (kind, data) = match record {
            Record::A(address) => (1_u16, address.octets().to_vec()),
            Record::Ptr(name) => (12, encoded(name)),
        };
        out.extend(kind.to_be_bytes());
        out.extend(CLASS_INTERNET.to_be_bytes());
        out.extend(TTL_SECS.to_be_bytes());
        out.extend(u16::try_from(data.len()).unwrap_or(0).to_be_bytes());
        out.extend(data);
    }
    out
}

/// Returns the answer to a message that could not: its header and a code.
pub(crate) fn refusal(message: &[u8], code: Code) -> Vec<u8> {
    let mut out = message.get(..HEADER_LEN).unwrap_or(&[0; HEADER_LEN]).to_vec();
    finish(&mut out, code, 0, 0);
    out
}

fn finish(out: &mut [u8], code: Code, questions: u16, answers: usize) {
    out[2] = RESPONSE | (out[2] & (OPERATION | RECURSION_DESIRED));
    out[3] = RECURSION_AVAILABLE | code as u8;
    out[4..6].copy_from_slice(&questions.to_be_bytes());
    out[6..8].copy_from_slice(&u16::try_from(answers).unwrap_or(u16::MAX).to_be_bytes());
    out[8..HEADER_LEN].fill(0);
}

fn encoded(name: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len() + 2);
    for label in name.split('.').filter(|label| !label.is_empty()) {
        let bytes = &label.as_bytes()[..label.len().min(LABEL_MAX)];
        out.push(u8::try_from(bytes.len()).unwrap_or(0));
        out.extend(bytes);
    }
    out.push(0);
    out
}

/// Returns a question with another id, as it is passed on.
pub(crate) fn with_id(message: &[u8], id: [u8; 2]) -> Vec<u8> {
    let mut out = message.to_vec();
    if let Some(place) = out.get_mut(..2) {
        place.copy_from_slice(&id);
    }
    out
}

/// Says whether a message answers what was passed on: the id, and the question letter by letter.
pub(crate) fn answers(message: &[u8], asked: &[u8], question: &Question) -> bool {
    let Some(header) = message.get(..HEADER_LEN) else { return false };
    let same = |from: usize, to: usize| message.get(from..to) == asked.get(from..to);
    // An answer that only says how it failed may leave the question out.
    let bare = header[4..6] == [0, 0] && header[3] & 0x0f != 0;
    header[2] & RESPONSE != 0 && same(0, 2) && (bare || same(HEADER_LEN, question.end))
}

#[cfg(test)]
pub(crate) mod tests;
