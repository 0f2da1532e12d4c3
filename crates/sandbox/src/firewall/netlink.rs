//! Straight to the kernel, without a process: element changes as one nfnetlink batch, which is one transaction, and
//! single requests.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use super::elements::Element;

const BATCH_BEGIN: u16 = 16;
const BATCH_END: u16 = 17;
pub(crate) const NFTABLES: u16 = 10;
const NEW_ELEMENT: u16 = NFTABLES << 8 | 12;
const DELETE_ELEMENT: u16 = NFTABLES << 8 | 14;
const FAMILY_INET: u8 = 1;
pub(crate) const NESTED: u16 = 1 << 15;
const NETWORK_ORDER: u16 = 1 << 14;
const GET_TABLE: u16 = NFTABLES << 8 | 1;
const TABLE_NAME: u16 = 1;

// Attributes of an element message and below.
const LIST_TABLE: u16 = 1;
const LIST_SET: u16 = 2;
const LIST_ELEMENTS: u16 = 3;
const LIST_ITEM: u16 = 1;
const ELEMENT_KEY: u16 = 1;
const ELEMENT_DATA: u16 = 2;
const DATA_VALUE: u16 = 1;

const HEADER_LEN: usize = 16;
const ATTRIBUTE_LEN: usize = 4;
/// More than the kernel puts into one answer.
const DUMP_LEN: usize = 1 << 16;

/// What to do with elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Add,
    Remove,
}

/// A netfilter netlink socket; it belongs to the network namespace it was opened in.
#[derive(Debug)]
pub(crate) struct Socket {
    descriptor: OwnedFd,
}

impl Socket {
    pub(crate) fn open() -> io::Result<Socket> {
        // SAFETY: makes a new descriptor, which is checked before it is owned.
        let raw = unsafe {
            libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, libc::NETLINK_NETFILTER)
        };
        if raw < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new and ours.
        Ok(Socket { descriptor: unsafe { OwnedFd::from_raw_fd(raw) } })
    }

    /// Changes elements in one transaction: all of them, or none and the first error.
    pub(super) fn change(&self, change: Change, table: &str, elements: &[Element]) -> io::Result<()> {
        self.send(&batch(change, table, elements))
    }

    /// Says whether a table is there.
    pub(crate) fn has_table(&self, table: &str) -> io::Result<bool> {
        let mut name = Vec::new();
        attribute(&mut name, TABLE_NAME, |out| text(out, table));
        match self.send(&request(GET_TABLE, libc::NLM_F_REQUEST, FAMILY_INET, &name)) {
            Ok(()) => Ok(true),
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Sends messages and returns the first error among the answers.
    pub(crate) fn send(&self, messages: &[u8]) -> io::Result<()> {
        self.write(messages)?;
        self.first_error()
    }

    /// Sends a request for a list and hands over the body of each answer, which begins after the netfilter header.
    pub(crate) fn dump(&self, message: &[u8], mut each: impl FnMut(&[u8])) -> io::Result<()> {
        self.write(message)?;
        let mut buffer = vec![0_u8; DUMP_LEN];
        loop {
            // SAFETY: the kernel writes at most the buffer's length into it.
            let read = unsafe {
                libc::recv(self.descriptor.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), 0)
            };
            let read = usize::try_from(read).map_err(|_| io::Error::last_os_error())?;
            for (kind, body) in messages(&buffer[..read]) {
                match i32::from(kind) {
                    libc::NLMSG_DONE => return Ok(()),
                    libc::NLMSG_ERROR => {
                        let code =
                            body.get(..4).and_then(|code| code.try_into().ok()).map_or(0, i32::from_ne_bytes);
                        return Err(io::Error::from_raw_os_error(-code));
                    }
                    _ => each(body.get(4..).unwrap_or_default()),
                }
            }
        }
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        // SAFETY: the bytes live across the call.
        let sent = unsafe { libc::send(self.descriptor.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), 0) };
        if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// The kernel has answered by the time `send` returns; only errors were asked for.
    fn first_error(&self) -> io::Result<()> {
        let mut first = Ok(());
        let mut buffer = [0_u8; 8192];
        loop {
            // SAFETY: the kernel writes at most the buffer's length into it.
            let read = unsafe {
                libc::recv(
                    self.descriptor.as_raw_fd(),
                    buffer.as_mut_ptr().cast(),
                    buffer.len(),
                    libc::MSG_DONTWAIT,
                )
            };
            let Ok(read) = usize::try_from(read) else {
                let error = io::Error::last_os_error();
                return if error.kind() == io::ErrorKind::WouldBlock { first } else { Err(error) };
            };
            for errno in errors(&buffer[..read]) {
                if first.is_ok() {
                    first = Err(io::Error::from_raw_os_error(errno));
                }
            }
        }
    }
}

/// Returns the error numbers in what the kernel answered.
fn errors(bytes: &[u8]) -> Vec<i32> {
    let errors = messages(bytes).into_iter().filter(|(kind, _)| i32::from(*kind) == libc::NLMSG_ERROR);
    let codes = errors.filter_map(|(_, body)| Some(i32::from_ne_bytes(body.get(..4)?.try_into().ok()?)));
    codes.filter(|code| *code != 0).map(|code| -code).collect()
}

/// Takes what the kernel sent apart: kinds and bodies.
fn messages(mut bytes: &[u8]) -> Vec<(u16, &[u8])> {
    let mut found = Vec::new();
    while bytes.len() >= HEADER_LEN {
        let length = u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
        let length = length.clamp(HEADER_LEN, bytes.len());
        found.push((u16::from_ne_bytes([bytes[4], bytes[5]]), &bytes[HEADER_LEN..length]));
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    found
}

/// Takes attributes apart: kind, value, and the whole attribute.
pub(crate) fn attributes(mut bytes: &[u8]) -> Vec<(u16, &[u8], &[u8])> {
    let mut found = Vec::new();
    while bytes.len() >= ATTRIBUTE_LEN {
        let length = usize::from(u16::from_ne_bytes([bytes[0], bytes[1]])).clamp(ATTRIBUTE_LEN, bytes.len());
        let kind = u16::from_ne_bytes([bytes[2], bytes[3]]) & !(NESTED | NETWORK_ORDER);
        found.push((kind, &bytes[ATTRIBUTE_LEN..length], &bytes[..length]));
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    found
}

/// Returns one message.
pub(crate) fn request(kind: u16, flags: i32, family: u8, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER_LEN + 4 + body.len());
    message_with(&mut out, kind, flags, family, 0, |out| out.extend_from_slice(body));
    out
}

/// Writes a batch, which is a transaction, around the messages that `body` writes.
pub(crate) fn batch_of(out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    message(out, BATCH_BEGIN, 0, NFTABLES, |_| {});
    body(out);
    message(out, BATCH_END, 0, NFTABLES, |_| {});
}

/// Writes a message that makes something.
pub(crate) fn new(out: &mut Vec<u8>, kind: u16, family: u8, body: impl FnOnce(&mut Vec<u8>)) {
    let flags = libc::NLM_F_REQUEST | libc::NLM_F_CREATE | libc::NLM_F_APPEND;
    message_with(out, kind, flags, family, 0, body);
}

fn batch(change: Change, table: &str, elements: &[Element]) -> Vec<u8> {
    let mut out = Vec::with_capacity(256 * (elements.len() + 2));
    let kind = match change {
        Change::Add => NEW_ELEMENT,
        Change::Remove => DELETE_ELEMENT,
    };
    message(&mut out, BATCH_BEGIN, 0, NFTABLES, |_| {});
    for element in elements {
        message(&mut out, kind, FAMILY_INET, 0, |out| {
            attribute(out, LIST_TABLE, |out| text(out, table));
            attribute(out, LIST_SET, |out| text(out, &element.set));
            attribute(out, LIST_ELEMENTS | NESTED, |out| {
                attribute(out, LIST_ITEM | NESTED, |out| {
                    attribute(out, ELEMENT_KEY | NESTED, |out| {
                        attribute(out, DATA_VALUE, |out| out.extend(element.key.bytes()));
                    });
                    if let Some(data) = element.data.filter(|_| change == Change::Add) {
                        attribute(out, ELEMENT_DATA | NESTED, |out| {
                            attribute(out, DATA_VALUE, |out| out.extend(data.bytes()));
                        });
                    }
                });
            });
        });
    }
    message(&mut out, BATCH_END, 0, NFTABLES, |_| {});
    out
}

fn message(out: &mut Vec<u8>, kind: u16, family: u8, resource: u16, body: impl FnOnce(&mut Vec<u8>)) {
    let create = if kind == NEW_ELEMENT { libc::NLM_F_CREATE } else { 0 };
    message_with(out, kind, libc::NLM_F_REQUEST | create, family, resource, body);
}

fn message_with(
    out: &mut Vec<u8>,
    kind: u16,
    flags: i32,
    family: u8,
    resource: u16,
    body: impl FnOnce(&mut Vec<u8>),
) {
    let start = out.len();
    let flags = u16::try_from(flags).expect("netlink flags have 16 bits");
    out.extend([0; 4]);
    out.extend(kind.to_ne_bytes());
    out.extend(flags.to_ne_bytes());
    out.extend([0; 8]);
    out.extend([family, 0]);
    out.extend(resource.to_be_bytes());
    body(out);
    let length = u32::try_from(out.len() - start).expect("a message is short");
    out[start..start + 4].copy_from_slice(&length.to_ne_bytes());
}

/// Writes an attribute around what `body` writes.
pub(crate) fn attribute(out: &mut Vec<u8>, kind: u16, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend([0; 2]);
    out.extend(kind.to_ne_bytes());
    body(out);
    let length = u16::try_from(out.len() - start).expect("an attribute is short");
    out[start..start + 2].copy_from_slice(&length.to_ne_bytes());
    out.resize(out.len().next_multiple_of(4), 0);
}

/// Writes a text and its end.
pub(crate) fn text(out: &mut Vec<u8>, text: &str) {
    out.extend(text.as_bytes());
    out.push(0);
}
