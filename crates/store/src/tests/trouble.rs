//! Rows 12, 13 and 19 of the faults: disks that fail, that are full, that are slow.

use super::{
    image::{Image, MemoryDisk, Operation},
    pots::{Pot, fresh_file, pot, pots_of, schema},
};
use crate::{Store, StoreError};
use std::{
    io::{Error, ErrorKind},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// What the kernel says when a device fails.
const EIO: i32 = 5;

fn opened() -> (MemoryDisk, Store) {
    let disk = MemoryDisk::new(Image::new(fresh_file()), None);
    let store = Store::open_on(Arc::new(disk.clone()), &schema()).unwrap();
    (disk, store)
}

fn syncs(disk: &MemoryDisk) -> usize {
    disk.operations().iter().filter(|operation| matches!(operation, Operation::Sync)).count()
}

#[tokio::test]
async fn f12_a_failed_sync_ends_writing_for_good_and_reading_goes_on() {
    let (disk, store) = opened();
    store.change(|draft| draft.put(pot("tea", 1))).await.unwrap();
    assert!(store.trouble().is_none());
    let failures = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&failures);
    // It fails once. The kernel would now say that all is well, although it has dropped what it could not write.
    disk.set_fault(Some(Box::new(move |operation| match operation {
        Operation::Sync if counted.fetch_add(1, Ordering::SeqCst) == 0 => Err(Error::from_raw_os_error(EIO)),
        Operation::Sync | Operation::Write(..) | Operation::SetLen(_) | Operation::Acknowledged(_) => Ok(()),
    })));
    let refused = store.change(|draft| draft.put(pot("tea", 2))).await;
    assert!(matches!(refused, Err(StoreError::ReadOnly(_))), "{refused:?}");
    // The failed handle is let go after the answer.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let (done, opened) = (syncs(&disk), disk.opened());

    for _ in 0..20 {
        let refused = store.change(|draft| draft.put(pot("soup", 3))).await;
        assert!(matches!(refused, Err(StoreError::ReadOnly(_))), "{refused:?}");
    }
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert!(matches!(store.trouble(), Some(StoreError::ReadOnly(_))));
    assert_eq!((syncs(&disk), disk.opened()), (done, opened), "nothing was tried again");
    assert_eq!(store.view().get::<Pot>("tea").unwrap().litres, 1);
    assert!(store.view().get::<Pot>("soup").is_none());
    assert!(store.snapshot().is_err(), "a file that failed is no backup's source");
    drop(store);

    // A restart reads what the disk has: what was acknowledged, and of the rest all or nothing.
    disk.set_fault(None);
    let store = Store::open_on(Arc::new(disk.clone()), &schema()).unwrap();
    let litres = store.view().get::<Pot>("tea").unwrap().litres;
    assert!([1, 2].contains(&litres), "{litres}");
    store.change(|draft| draft.put(pot("tea", 9))).await.unwrap();
}

#[tokio::test]
async fn f13_a_full_disk_refuses_by_name_and_is_used_again_once_there_is_room() {
    let (disk, store) = opened();
    store.change(|draft| draft.put(pot("tea", 1))).await.unwrap();
    let full = Arc::new(AtomicBool::new(true));
    let asked = Arc::clone(&full);
    disk.set_fault(Some(Box::new(move |_| {
        if asked.load(Ordering::SeqCst) { Err(ErrorKind::StorageFull.into()) } else { Ok(()) }
    })));
    let refused = store.change(|draft| draft.put(pot("tea", 2))).await;
    assert!(matches!(&refused, Err(StoreError::Full(file)) if file == "memory"), "{refused:?}");
    assert!(matches!(store.trouble(), Some(StoreError::Full(_))));
    assert_eq!(store.view().get::<Pot>("tea").unwrap().litres, 1, "what is there can be read");
    let refused = store.change(|draft| draft.put(pot("soup", 1))).await;
    assert!(matches!(refused, Err(StoreError::Full(_))), "{refused:?}");

    // Room comes and goes: it is looked again, and what was refused stays refused.
    tokio::time::sleep(Duration::from_millis(1_300)).await;
    assert!(store.trouble().is_some());
    full.store(false, Ordering::SeqCst);
    let began = Instant::now();
    while store.trouble().is_some() {
        assert!(began.elapsed() < Duration::from_secs(5), "there is room, and nobody looks");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(store.view().get::<Pot>("soup").is_none());
    let before = pots_of(&store);
    store.change(|draft| draft.put(pot("more", 3))).await.unwrap();
    drop(store);
    let store = Store::open_on(Arc::new(disk), &schema()).unwrap();
    let mut after = pots_of(&store);
    assert_eq!(after.remove("more"), Some(pot("more", 3)));
    assert_eq!(after, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f19_a_slow_disk_costs_each_change_a_few_syncs_and_not_one_for_each_other_change() {
    let (disk, store) = opened();
    disk.set_fault(Some(Box::new(|operation| {
        if matches!(operation, Operation::Sync) {
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    })));
    let began = Instant::now();
    let change = |number: u32| {
        let store = store.clone();
        async move {
            // As they come: some 300 a second.
            tokio::time::sleep(Duration::from_millis(u64::from(number) * 3)).await;
            let began = Instant::now();
            store.change(|draft| draft.put(pot(&format!("pot {number}"), number))).await.unwrap();
            began.elapsed()
        }
    };
    let changes: Vec<_> = (0..1_000).map(|number| tokio::spawn(change(number))).collect();
    let mut longest = Duration::ZERO;
    for change in changes {
        longest = longest.max(change.await.unwrap());
    }
    assert!(longest < Duration::from_secs(2), "one change took {longest:?}");
    assert!(began.elapsed() < Duration::from_secs(6), "all took {:?}", began.elapsed());
    // Reading waits for no disk, while a change does.
    let writing = tokio::spawn(change(0));
    tokio::time::sleep(Duration::from_millis(50)).await;
    let began = Instant::now();
    assert_eq!(store.view().list::<Pot>("").len(), 1_000);
    assert!(began.elapsed() < Duration::from_millis(100), "reading took {:?}", began.elapsed());
    writing.await.unwrap();
}
