//! Row 18 of the faults: what is taken while writes go on is one revision.

use super::pots::{Pot, pot, pots_of, read, schema};
use crate::{ReadError, Row, RowError, SnapshotError, Store, make_state_file, medium::StateFile};
use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

fn rows_of(store: &Store) -> (u64, Vec<Row>) {
    let snapshot = store.snapshot().unwrap();
    let mut rows = Vec::new();
    let read = snapshot.each(|table, key, bytes| {
        // Slowly, so that much is written meanwhile.
        std::thread::sleep(Duration::from_millis(1));
        rows.push(Row { table: table.to_owned(), key: key.to_owned(), bytes: bytes.to_vec() });
        Ok::<(), Infallible>(())
    });
    read.unwrap();
    (snapshot.revision(), rows)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f18_a_snapshot_under_writes_is_one_revision_and_makes_a_whole_file() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("state"), schema()).unwrap();
    // Every change leaves all pots with the same content, and with the number of changes so far.
    let fill = |store: Store, litres: u32| async move {
        let fill = store.change(|draft| {
            (0..100).for_each(|number| draft.put(pot(&format!("pot {number:03}"), litres)));
        });
        fill.await.unwrap();
    };
    fill(store.clone(), 1).await;
    let ended = Arc::new(AtomicBool::new(false));
    let writing = tokio::spawn({
        let (store, ended) = (store.clone(), Arc::clone(&ended));
        async move {
            let mut litres = 1;
            while !ended.load(Ordering::SeqCst) {
                litres += 1;
                fill(store.clone(), litres).await;
            }
            litres
        }
    });
    for number in 0..5 {
        let (revision, rows) = tokio::task::spawn_blocking({
            let store = store.clone();
            move || rows_of(&store)
        })
        .await
        .unwrap();
        assert_eq!(rows.len(), 100);
        assert!(rows.iter().all(|row| schema().check(row).is_ok()));
        let path = dir.path().join(format!("copy{number}"));
        make_state_file(&path, revision, rows.into_iter()).unwrap();
        let (there, pots) = read(Arc::new(StateFile::new(&path))).unwrap();
        assert_eq!(there, revision);
        assert_eq!(pots.len(), 100);
        // Revisions count from 1, and so do the changes.
        assert!(pots.values().all(|pot| u64::from(pot.litres) == revision), "{revision}: {pots:?}");
    }
    ended.store(true, Ordering::SeqCst);
    let written = writing.await.unwrap();
    assert!(written > 5, "writes went on: {written}");
    assert_eq!(pots_of(&store).values().next().unwrap().litres, written);
}

#[tokio::test]
async fn a_restored_file_replaces_another_and_what_was_acknowledged_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    let store = Store::open(&path, schema()).unwrap();
    store.change(|draft| draft.put(pot("tea", 1))).await.unwrap();
    let (revision, rows) = rows_of(&store);
    store.change(|draft| draft.put(pot("soup", 1))).await.unwrap();
    drop(store);
    make_state_file(&path, revision, rows.into_iter()).unwrap();
    let store = Store::open(&path, schema()).unwrap();
    assert_eq!(pots_of(&store).into_keys().collect::<Vec<_>>(), ["tea"]);
}

#[test]
fn a_row_of_another_version_is_named() {
    let row =
        |table: &str, bytes: &[u8]| Row { table: table.into(), key: "tea".into(), bytes: bytes.to_vec() };
    assert!(schema().check(&row("pots", br#"{"name":"tea","litres":1}"#)).is_ok());
    assert!(
        matches!(schema().check(&row("cups", b"{}")), Err(RowError::UnknownTable(table)) if table == "cups")
    );
    let error = schema().check(&row("pots", b"{}")).unwrap_err();
    assert_eq!(error.to_string(), "read record 'tea' of table 'pots'");
}

#[tokio::test]
async fn a_snapshots_reader_may_have_enough() {
    assert!(matches!(Store::in_memory().snapshot(), Err(SnapshotError::InMemory)));
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("state"), schema()).unwrap();
    store.change(|draft| ["a", "b"].map(|name| draft.put::<Pot>(pot(name, 1)))).await.unwrap();
    let mut seen = 0;
    let read = store.snapshot().unwrap().each(|_, _, _| {
        seen += 1;
        Err("enough")
    });
    assert!(matches!(read, Err(ReadError::Refused("enough"))));
    assert_eq!(seen, 1);
}
