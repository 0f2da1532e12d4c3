//! What callers see of a store that is well.

use super::pots::{Pot, pot, schema};
use crate::{Store, UpdateError};

#[tokio::test]
async fn what_was_acknowledged_is_there_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    {
        let store = Store::open(&path, schema()).unwrap();
        store.change(|draft| draft.put(pot("tea", 1))).await.unwrap();
        store.change(|draft| draft.put_volatile(pot("tea", 2))).await.unwrap();
        store.change(|draft| draft.put(pot("soup", 5))).await.unwrap();
        store.change(|draft| draft.delete::<Pot>("soup")).await.unwrap();
        assert_eq!(store.view().get::<Pot>("tea").unwrap().litres, 2);
    }
    let store = Store::open(&path, schema()).unwrap();
    assert_eq!(store.view().get::<Pot>("tea").unwrap().litres, 1, "the volatile write is gone");
    assert!(store.view().get::<Pot>("soup").is_none());
}

#[tokio::test]
async fn a_refused_update_leaves_no_trace() {
    let store = Store::in_memory();
    let refused = store
        .update(|draft| {
            draft.put(pot("tea", 1));
            Err::<(), &str>("no")
        })
        .await;
    assert!(matches!(refused, Err(UpdateError::Refused("no"))));
    assert!(store.view().get::<Pot>("tea").is_none());
    assert_eq!(store.view().revision(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn updates_that_arrive_together_each_see_those_before() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("state"), schema()).unwrap();
    store.change(|draft| draft.put(pot("tea", 0))).await.unwrap();
    let add = |store: Store| async move {
        store
            .change(|draft| {
                let litres = draft.get::<Pot>("tea").unwrap().litres;
                draft.put(pot("tea", litres + 1));
            })
            .await
            .unwrap();
    };
    let adders: Vec<_> = (0..200).map(|_| tokio::spawn(add(store.clone()))).collect();
    for adder in adders {
        adder.await.unwrap();
    }
    assert_eq!(store.view().get::<Pot>("tea").unwrap().litres, 200);
}

#[tokio::test]
async fn a_list_shows_an_updates_own_writes_in_key_order() {
    let store = Store::in_memory();
    store.change(|draft| ["b", "a", "c"].map(|name| draft.put(pot(name, 1)))).await.unwrap();
    let names = store
        .change(|draft| {
            draft.delete::<Pot>("b");
            draft.put(pot("ab", 1));
            draft.list::<Pot>("a").iter().map(|pot| pot.name.clone()).collect::<Vec<_>>()
        })
        .await
        .unwrap();
    assert_eq!(names, ["a", "ab"]);
    assert_eq!(store.view().list::<Pot>("").len(), 3);
}

#[tokio::test]
async fn the_bell_rings_once_a_change_is_visible() {
    let store = Store::in_memory();
    let mut bell = store.watch();
    store.change(|draft| draft.put(pot("tea", 1))).await.unwrap();
    bell.changed().await.unwrap();
    assert_eq!(*bell.borrow(), 1);
}
