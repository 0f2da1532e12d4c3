//! A disk in memory: it writes down every operation, and becomes what a crash at any of them would have left.

use crate::medium::{Medium, Note};
use redb::StorageBackend;
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex},
};

const PAGE: usize = 4096;
const SECTOR: usize = 512;

/// What a disk holds: one base that many images share, and the pages that differ from it.
#[derive(Debug, Clone)]
pub(super) struct Image {
    base: Arc<Vec<u8>>,
    pages: BTreeMap<usize, Box<[u8; PAGE]>>,
    length: usize,
}

impl Image {
    pub(super) fn new(bytes: Vec<u8>) -> Image {
        Image { length: bytes.len(), base: Arc::new(bytes), pages: BTreeMap::new() }
    }

    fn page(&self, number: usize) -> Box<[u8; PAGE]> {
        let mut page = Box::new([0; PAGE]);
        let from = (number * PAGE).min(self.base.len());
        let to = (from + PAGE).min(self.base.len());
        page[..to - from].copy_from_slice(&self.base[from..to]);
        page
    }

    pub(super) fn read(&self, offset: usize, out: &mut [u8]) -> io::Result<()> {
        if offset + out.len() > self.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut done = 0;
        while done < out.len() {
            let (number, within) = ((offset + done) / PAGE, (offset + done) % PAGE);
            let count = (PAGE - within).min(out.len() - done);
            let target = &mut out[done..done + count];
            match self.pages.get(&number) {
                Some(page) => target.copy_from_slice(&page[within..within + count]),
                None => {
                    target.fill(0);
                    let from = (number * PAGE + within).min(self.base.len());
                    let to = (from + count).min(self.base.len());
                    target[..to - from].copy_from_slice(&self.base[from..to]);
                }
            }
            done += count;
        }
        Ok(())
    }

    pub(super) fn write(&mut self, offset: usize, bytes: &[u8]) {
        let mut done = 0;
        while done < bytes.len() {
            let (number, within) = ((offset + done) / PAGE, (offset + done) % PAGE);
            let count = (PAGE - within).min(bytes.len() - done);
            if !self.pages.contains_key(&number) {
                let page = self.page(number);
                self.pages.insert(number, page);
            }
            let page = self.pages.get_mut(&number).unwrap();
            page[within..within + count].copy_from_slice(&bytes[done..done + count]);
            done += count;
        }
        self.length = self.length.max(offset + bytes.len());
    }

    /// Like [`Image::write`], but only the sectors that `lands` says.
    pub(super) fn write_torn(&mut self, offset: usize, bytes: &[u8], mut lands: impl FnMut() -> bool) {
        let mut done = 0;
        while done < bytes.len() {
            let count = (SECTOR - (offset + done) % SECTOR).min(bytes.len() - done);
            if lands() {
                self.write(offset + done, &bytes[done..done + count]);
            }
            done += count;
        }
    }

    pub(super) fn set_len(&mut self, length: usize) {
        if length < self.length {
            // What is cut off is zeros when the file grows again.
            let zeros = vec![0; self.length - length];
            self.write(length, &zeros);
        }
        self.length = length;
    }
}

/// What was asked of a disk.
#[derive(Debug, Clone)]
pub(super) enum Operation {
    Write(usize, Vec<u8>),
    SetLen(usize),
    Sync,
    /// From here on, this revision was acknowledged.
    Acknowledged(u64),
}

/// What a disk may refuse.
pub(super) type Fault = Box<dyn FnMut(&Operation) -> io::Result<()> + Send>;

#[derive(Default)]
struct Inner {
    operations: Vec<Operation>,
    note: Option<Note>,
    fault: Option<Fault>,
    opened: usize,
}

/// A medium in memory. Clones are the same disk.
#[derive(Clone)]
pub(super) struct MemoryDisk {
    image: Arc<Mutex<Image>>,
    inner: Arc<Mutex<Inner>>,
}

impl std::fmt::Debug for MemoryDisk {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("MemoryDisk")
    }
}

impl MemoryDisk {
    pub(super) fn new(image: Image, note: Option<Note>) -> MemoryDisk {
        let inner = Inner { note, ..Inner::default() };
        MemoryDisk { image: Arc::new(Mutex::new(image)), inner: Arc::new(Mutex::new(inner)) }
    }

    /// Asks `fault` about every change from now on.
    pub(super) fn set_fault(&self, fault: Option<Fault>) {
        self.inner.lock().unwrap().fault = fault;
    }

    pub(super) fn acknowledge(&self, revision: u64) {
        self.inner.lock().unwrap().operations.push(Operation::Acknowledged(revision));
    }

    pub(super) fn operations(&self) -> Vec<Operation> {
        self.inner.lock().unwrap().operations.clone()
    }

    /// Returns how often it was opened.
    pub(super) fn opened(&self) -> usize {
        self.inner.lock().unwrap().opened
    }

    fn change(&self, operation: Operation, make: impl FnOnce(&mut Image)) -> io::Result<()> {
        let mut fault = self.inner.lock().unwrap().fault.take();
        // Outside the lock: a slow disk is slow only for those who wait for it.
        let asked = fault.as_mut().map_or(Ok(()), |fault| fault(&operation));
        let mut inner = self.inner.lock().unwrap();
        if inner.fault.is_none() {
            inner.fault = fault;
        }
        asked?;
        make(&mut self.image.lock().unwrap());
        inner.operations.push(operation);
        Ok(())
    }
}

impl StorageBackend for MemoryDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.image.lock().unwrap().length as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.image.lock().unwrap().read(usize::try_from(offset).map_err(io::Error::other)?, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let length = usize::try_from(length).map_err(io::Error::other)?;
        self.change(Operation::SetLen(length), |image| image.set_len(length))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.change(Operation::Sync, |_| {})
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        self.change(Operation::Write(offset, data.to_vec()), |image| image.write(offset, data))
    }
}

impl Medium for MemoryDisk {
    fn name(&self) -> String {
        "memory".to_owned()
    }

    fn length(&self) -> io::Result<Option<u64>> {
        Ok(Some(self.image.lock().unwrap().length as u64))
    }

    fn open(&self, _: bool) -> io::Result<Box<dyn StorageBackend>> {
        self.inner.lock().unwrap().opened += 1;
        Ok(Box::new(self.clone()))
    }

    fn note(&self) -> Option<Note> {
        self.inner.lock().unwrap().note
    }

    fn keep(&self, note: Note) -> io::Result<()> {
        self.inner.lock().unwrap().note = Some(note);
        Ok(())
    }
}
