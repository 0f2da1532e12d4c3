//! Buffers for what targets and clients say: they belong to the thread, so that connections which wait hold none.

use std::{
    cell::RefCell,
    ops::{Deref, DerefMut},
};

/// As much as is read at once.
const BUFFER: usize = 64 << 10;
/// Buffers that a thread keeps.
const SPARE: usize = 16;

/// A buffer of the thread's, given back when it is dropped.
pub(crate) struct Buffer(Vec<u8>);

thread_local! {
    static BUFFERS: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

impl Buffer {
    /// Takes one, empty.
    pub(crate) fn take() -> Buffer {
        let spare = BUFFERS.with_borrow_mut(Vec::pop);
        Buffer(spare.unwrap_or_else(|| Vec::with_capacity(BUFFER)))
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.0);
        bytes.clear();
        // A thread that ends needs none.
        let _ = BUFFERS.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() < SPARE && bytes.capacity() <= 2 * BUFFER {
                spare.push(bytes);
            }
        });
    }
}

impl Deref for Buffer {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}
