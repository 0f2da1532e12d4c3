//! Element changes straight to the kernel: one nfnetlink batch, which is one transaction, and no process.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use super::elements::Element;

const BATCH_BEGIN: u16 = 16;
const BATCH_END: u16 = 17;
const NFTABLES: u16 = 10;
const NEW_ELEMENT: u16 = NFTABLES << 8 | 12;
const DELETE_ELEMENT: u16 = NFTABLES << 8 | 14;
const FAMILY_INET: u8 = 1;
const NESTED: u16 = 1 << 15;

// Attributes of an element message and below.
const LIST_TABLE: u16 = 1;
const LIST_SET: u16 = 2;
const LIST_ELEMENTS: u16 = 3;
const LIST_ITEM: u16 = 1;
const ELEMENT_KEY: u16 = 1;
const ELEMENT_DATA: u16 = 2;
const DATA_VALUE: u16 = 1;

const HEADER_LEN: usize = 16;

/// What to do with elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Add,
    Remove,
}

/// A netfilter netlink socket; it belongs to the network namespace it was opened in.
#[derive(Debug)]
pub(super) struct Socket {
    descriptor: OwnedFd,
}

impl Socket {
    pub(super) fn open() -> io::Result<Socket> {
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
        let batch = batch(change, table, elements);
        // SAFETY: the bytes live across the call.
        let sent = unsafe { libc::send(self.descriptor.as_raw_fd(), batch.as_ptr().cast(), batch.len(), 0) };
        if sent < 0 {
            return Err(io::Error::last_os_error());
        }
        self.first_error()
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
fn errors(mut bytes: &[u8]) -> Vec<i32> {
    let mut found = Vec::new();
    while bytes.len() >= HEADER_LEN + 4 {
        let length = u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
        let kind = u16::from_ne_bytes([bytes[4], bytes[5]]);
        let code = i32::from_ne_bytes([bytes[16], bytes[17], bytes[18], bytes[19]]);
        if i32::from(kind) == libc::NLMSG_ERROR && code != 0 {
            found.push(-code);
        }
        let step = length.max(HEADER_LEN).next_multiple_of(4);
        bytes = bytes.get(step..).unwrap_or_default();
    }
    found
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
                            attribute(out, DATA_VALUE, |out| out.extend(data.octets()));
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
    let start = out.len();
    let create = if kind == NEW_ELEMENT { libc::NLM_F_CREATE } else { 0 };
    let flags = u16::try_from(libc::NLM_F_REQUEST | create).expect("netlink flags have 16 bits");
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

fn attribute(out: &mut Vec<u8>, kind: u16, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend([0; 2]);
    out.extend(kind.to_ne_bytes());
    body(out);
    let length = u16::try_from(out.len() - start).expect("an attribute is short");
    out[start..start + 2].copy_from_slice(&length.to_ne_bytes());
    out.resize(out.len().next_multiple_of(4), 0);
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend(text.as_bytes());
    out.push(0);
}
