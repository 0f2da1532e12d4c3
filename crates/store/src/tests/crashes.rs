//! Row 11 of the faults: a crash at every write and sync, with every kind of half-written disk.
//!
//! A run writes down what it asked of its disk. A crash after any of these operations leaves what was synced, and of
//! the rest all, nothing, or some, of single writes some sectors. Each such disk must open by itself, with every
//! acknowledged change and none of it half.

use super::{
    image::{Image, MemoryDisk, Operation},
    pots::{Pot, Pots, Random, fresh_file, pot, pots_of, read, schema},
};
use crate::{Store, medium::Note};
use std::{
    collections::BTreeMap,
    io::Write,
    sync::{Arc, Mutex},
};

/// How many disks are tried.
const STATES: usize = 10_000;

/// A run: what it asked of its disk, and what the store held at each durable revision.
struct Run {
    base: Image,
    operations: Vec<Operation>,
    states: BTreeMap<u64, Pots>,
}

/// Makes changes of several records each, one after the other.
fn run(seed: u64, base: Image, changes: usize) -> (Run, MemoryDisk) {
    let mut random = Random(seed);
    let disk = MemoryDisk::new(base.clone(), None);
    let store = Store::open_on(Arc::new(disk.clone()), &schema()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let revision = store.view().revision();
    let mut states = BTreeMap::from([(revision, pots_of(&store))]);
    for number in 0..changes {
        let litres = u32::try_from(number).unwrap();
        runtime.block_on(async {
            store
                .change(|draft| {
                    for _ in 0..=random.below(4) {
                        let name = format!("pot {}", random.below(24));
                        if random.below(4) == 0 {
                            draft.delete::<Pot>(&name);
                        } else {
                            let label = "x".repeat([3, 300, 3_000, 30_000][random.below(4)]);
                            draft.put(Pot { label, ..pot(&name, litres) });
                        }
                    }
                })
                .await
                .unwrap();
        });
        let revision = store.view().revision();
        states.insert(revision, pots_of(&store));
        disk.acknowledge(revision);
    }
    drop(store);
    (Run { base, operations: disk.operations(), states }, disk)
}

impl Run {
    /// Returns a disk as a crash after the first `count` operations may leave it, and what was acknowledged then.
    fn crash(&self, durable: &Image, synced: usize, count: usize, random: &mut Random, kind: usize) -> Image {
        let mut image = durable.clone();
        let rest = &self.operations[synced..count];
        let torn = random.below(rest.len().max(1));
        for (at, operation) in rest.iter().enumerate() {
            let lands = match kind {
                0 => true,
                1 => false,
                _ => random.below(2) == 0,
            };
            match operation {
                Operation::Write(offset, bytes) if kind > 2 && at == torn => {
                    image.write_torn(*offset, bytes, || random.below(2) == 0);
                }
                Operation::Write(offset, bytes) if lands => image.write(*offset, bytes),
                Operation::SetLen(length) if lands => image.set_len(*length),
                Operation::Write(..)
                | Operation::SetLen(_)
                | Operation::Sync
                | Operation::Acknowledged(_) => {}
            }
        }
        image
    }

    /// Opens what a crash left, and compares it with what it must hold.
    fn check(&self, image: Image, acknowledged: u64, story: &str) {
        let disk = MemoryDisk::new(image, Some(Note { acknowledged, suspect: false }));
        let (revision, pots) =
            read(Arc::new(disk)).unwrap_or_else(|error| panic!("{story}: {error}\n{error:?}"));
        assert!(revision >= acknowledged, "{story}: {revision} is there, {acknowledged} was acknowledged");
        match self.states.get(&revision) {
            Some(expected) => assert!(*expected == pots, "{story}: revision {revision} is not whole"),
            None => panic!("{story}: there never was a revision {revision}"),
        }
    }

    /// Tries every point of the run, each in every kind, with `more` random kinds; returns how many disks that were.
    fn try_all(&self, random: &mut Random, more: usize, seed: u64) -> usize {
        let (mut durable, mut synced, mut acknowledged) = (self.base.clone(), 0, 0);
        let mut tried = 0;
        for count in 0..=self.operations.len() {
            if count > 0 {
                match &self.operations[count - 1] {
                    Operation::Sync => {
                        for operation in &self.operations[synced..count] {
                            match operation {
                                Operation::Write(offset, bytes) => durable.write(*offset, bytes),
                                Operation::SetLen(length) => durable.set_len(*length),
                                Operation::Sync | Operation::Acknowledged(_) => {}
                            }
                        }
                        synced = count;
                    }
                    Operation::Acknowledged(revision) => acknowledged = *revision,
                    Operation::Write(..) | Operation::SetLen(_) => {}
                }
            }
            for kind in 0..3 + more {
                let image = self.crash(&durable, synced, count, random, kind);
                self.check(image, acknowledged, &format!("seed {seed}, operation {count}, kind {kind}"));
                tried += 1;
            }
        }
        tried
    }
}

#[test]
fn f11_a_crash_at_any_write_loses_nothing_acknowledged_and_leaves_nothing_half() {
    let base = Image::new(fresh_file());
    let tried = Mutex::new(0);
    let seeds = Mutex::new(1_u64..);
    let work = || {
        loop {
            let seed = seeds.lock().unwrap().next().unwrap();
            let (run, _) = run(seed, base.clone(), 12);
            let more = run.try_all(&mut Random(seed), 3, seed);
            let mut tried = tried.lock().unwrap();
            *tried += more;
            if *tried >= STATES {
                break;
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, Into::into) {
            scope.spawn(work);
        }
    });
    let (tried, seeds) = (tried.into_inner().unwrap(), seeds.into_inner().unwrap().start);
    writeln!(std::io::stderr(), "{tried} disks, seeds 1 to {}", seeds - 1).unwrap();
    assert!(tried >= STATES);
}

#[test]
fn a_disk_that_forgets_what_it_has_synced_is_found_out() {
    let (mut forgetful, _) = run(1, Image::new(fresh_file()), 4);
    forgetful.operations.retain(|operation| !matches!(operation, Operation::Sync));
    let tried = std::panic::catch_unwind(|| forgetful.try_all(&mut Random(1), 0, 1));
    let said = tried.expect_err("an acknowledged change is lost");
    let said = said.downcast_ref::<String>().expect("a message");
    assert!(said.contains("was acknowledged"), "{said}");
}

#[test]
fn f11_a_crash_while_a_crash_is_repaired_loses_nothing_either() {
    for seed in 0..12 {
        let mut random = Random(seed);
        let (first, _) = run(seed, Image::new(fresh_file()), 6);
        // Somewhere in the middle everything is on the disk but the sync that says so.
        let acknowledgements: Vec<usize> = (0..first.operations.len())
            .filter(|at| matches!(first.operations[*at], Operation::Acknowledged(_)))
            .collect();
        let count = acknowledgements[1 + random.below(acknowledgements.len() - 1)];
        let Operation::Acknowledged(acknowledged) = first.operations[count] else { unreachable!() };
        let mut image = first.base.clone();
        for operation in &first.operations[..count] {
            match operation {
                Operation::Write(offset, bytes) => image.write(*offset, bytes),
                Operation::SetLen(length) => image.set_len(*length),
                Operation::Sync | Operation::Acknowledged(_) => {}
            }
        }
        // The next run opens what that left, repairs it, and goes on; it may crash anywhere in that.
        let (mut second, _) = run(seed + 1_000, image, 2);
        second.operations.insert(0, Operation::Acknowledged(acknowledged));
        second.try_all(&mut random, 2, seed);
    }
}
