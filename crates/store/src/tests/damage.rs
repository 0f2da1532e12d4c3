//! Rows 14, 15 and 17 of the faults: files that are not what was written are refused by name and left as they were.

use super::{
    image::{Image, MemoryDisk},
    pots::{Pot, Random, pot, pots_of, read, schema},
};
use crate::{
    Schema, Store,
    damaged::Damaged,
    disk::Disk,
    medium::{Medium, StateFile, note_path},
};
use std::{collections::BTreeSet, path::Path, sync::Arc};

/// Fills a store with pots of several sizes.
fn filled(path: &Path) -> Store {
    let store = Store::open(path, schema()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for round in 0..8 {
        let fill = store.change(|draft| {
            for number in 0..20 {
                let label = "x".repeat(1 << (number % 14));
                draft.put(Pot { label, ..pot(&format!("{round} {number}"), number) });
            }
        });
        runtime.block_on(fill).unwrap();
    }
    store
}

#[test]
fn f14_a_changed_bit_is_found_or_harmless() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    let store = filled(&path);
    let (running, note) = (std::fs::read(&path).unwrap(), StateFile::new(&path).note());
    let revision = store.view().revision();
    let expected = pots_of(&store);
    drop(store);
    let closed = std::fs::read(&path).unwrap();
    assert_eq!(note.map(|note| note.acknowledged), Some(revision));

    let (mut found, mut harmless) = (0, 0);
    for seed in 0..1_500 {
        let mut random = Random(seed);
        // As a clean end left it, and as the death of the process would have.
        let mut bytes = if seed % 2 == 0 { closed.clone() } else { running.clone() };
        for _ in 0..=random.below(3) {
            let at = random.below(bytes.len());
            match random.below(4) {
                0 => bytes[at..(at + 512).min(closed.len())].fill(0),
                // Where most of what matters is: the headers.
                1 => bytes[at % 4096] ^= 1 << random.below(8),
                _ => bytes[at] ^= 1 << random.below(8),
            }
        }
        match read(Arc::new(MemoryDisk::new(Image::new(bytes), note))) {
            Ok((there, pots)) => {
                assert!(there == revision && pots == expected, "seed {seed}: wrong data is served");
                harmless += 1;
            }
            Err(error) => {
                assert!(error.to_string().contains("memory"), "seed {seed}: {error}");
                found += 1;
            }
        }
    }
    assert!(found > 100 && harmless > 100, "{found} found, {harmless} harmless");
}

/// Opens what is at `path`; returns what is said, and sees to it that nothing is changed.
fn refused(path: &Path) -> String {
    let before = std::fs::read(path).unwrap();
    let mut error: &dyn std::error::Error = &Store::open(path, schema()).err().expect("it is refused");
    let mut said = error.to_string();
    while let Some(cause) = error.source() {
        said = format!("{said}: {cause}");
        error = cause;
    }
    assert!(std::fs::read(path).unwrap() == before, "the file was changed: {said}");
    assert!(said.contains(path.to_str().unwrap()), "the file is not named: {said}");
    said
}

#[test]
fn f15_a_file_that_is_not_whole_or_not_ours_is_named_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    drop(filled(&path));
    let whole = std::fs::read(&path).unwrap();
    let length = whole.len();
    let other = {
        let path = dir.path().join("other");
        let database = redb::Database::create(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction.open_table(redb::TableDefinition::<&str, u64>::new("songs")).unwrap();
        transaction.commit().unwrap();
        drop(database);
        std::fs::read(path).unwrap()
    };
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = whole.clone();
        change(&mut bytes);
        bytes
    };
    let truncated = |to: usize| with(&move |bytes| bytes.truncate(to));
    let files: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("one byte", truncated(1)),
        ("the magic number alone", truncated(9)),
        ("less than a header", truncated(300)),
        ("a header alone", truncated(512)),
        ("one page", truncated(4096)),
        ("half", truncated(length / 2)),
        ("all but a page", truncated(length - 4096)),
        ("all but a byte", truncated(length - 1)),
        ("zeros", vec![0; length]),
        ("ones", vec![0xff; length]),
        ("text", b"something else".to_vec()),
        ("much text", b"something else\n".repeat(9_000)),
        ("SQLite", [b"SQLite format 3\0".as_slice(), &[0; 4080]].concat()),
        ("gzip", [[0x1f, 0x8b, 8, 0].as_slice(), &[7; 9_000]].concat()),
        ("JSON", br#"{"clusters":[]}"#.to_vec()),
        ("another program's database", other),
        ("without its first page", whole[4096..].to_vec()),
        ("a header full of zeros", with(&|bytes| bytes[9..512].fill(0))),
        ("zeros after the header", with(&|bytes| bytes[4096..].fill(0))),
        ("a second half of noise", {
            with(&|bytes| {
                let mut random = Random(1);
                bytes[length / 4..].iter_mut().for_each(|byte| *byte = random.next().to_le_bytes()[0]);
            })
        }),
    ];
    for (name, bytes) in files {
        std::fs::write(&path, bytes).unwrap();
        let said = refused(&path);
        assert!(said.contains("wharf restore --replace"), "{name}: {said}");
    }

    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    let said = Store::open(&path, schema()).err().unwrap();
    assert!(said.to_string().contains(path.to_str().unwrap()), "{said}");
}

#[test]
fn f15_an_older_copy_is_not_taken_for_the_truth() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    drop(Store::open(&path, schema()).unwrap());
    let older = std::fs::read(&path).unwrap();
    drop(filled(&path));
    std::fs::write(&path, &older).unwrap();
    let said = refused(&path);
    assert!(said.contains("holds revision 0, but revision 8 was acknowledged"), "{said}");
    // Its owner may insist.
    std::fs::remove_file(note_path(&path)).unwrap();
    assert!(pots_of(&Store::open(&path, schema()).unwrap()).is_empty());
}

#[test]
fn f15_a_file_that_is_in_use_is_left_to_its_user() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    let store = filled(&path);
    assert!(matches!(Store::open(&path, schema()), Err(Damaged::InUse { .. })));
    assert!(matches!(crate::examine(&path), Err(Damaged::InUse { .. })));
    drop(store);
    let before = std::fs::read(&path).unwrap();
    assert_eq!(crate::examine(&path).unwrap(), 8);
    assert!(std::fs::read(&path).unwrap() == before, "looking changed the file");
}

/// Changes what a file says of itself.
fn rewrite(path: &Path, layout: u64, versions: &[(&str, &str)]) {
    let database = redb::Database::open(path).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let facts = redb::TableDefinition::<&str, u64>::new("facts");
        transaction.open_table(facts).unwrap().insert("schema", layout).unwrap();
        let table = redb::TableDefinition::<&str, &str>::new("versions");
        let mut table = transaction.open_table(table).unwrap();
        for (name, version) in versions {
            table.insert(*name, *version).unwrap();
        }
    }
    transaction.commit().unwrap();
}

#[test]
fn f17_a_newer_layout_is_refused_with_the_version_that_knows_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    drop(filled(&path));
    rewrite(&path, 2, &[("needs", "0.7.0"), ("written_by", "0.9.1")]);
    let said = refused(&path);
    assert!(said.contains("needs wharf >= 0.7.0"), "{said}");
}

#[test]
fn f17_a_table_of_a_newer_version_is_refused_with_that_version() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    drop(filled(&path));
    rewrite(&path, 1, &[("written_by", "0.9.1")]);
    let error = Store::open(&path, Schema::default()).err().unwrap().to_string();
    assert!(error.contains("table 'pots'") && error.contains("needs wharf >= 0.9.1"), "{error}");
}

#[test]
fn f17_a_file_of_before_versions_were_written_down_is_served() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    drop(filled(&path));
    {
        let database = redb::Database::open(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction.delete_table(redb::TableDefinition::<&str, &str>::new("versions")).unwrap();
        transaction.commit().unwrap();
    }
    assert_eq!(pots_of(&Store::open(&path, schema()).unwrap()).len(), 160);
    let (disk, revision) = Disk::open(Arc::new(StateFile::new(&path)), &mut |_, _, _, _| Ok(())).unwrap();
    assert_eq!(revision, 8);
    let (_, about) = disk.begin_read().unwrap();
    assert_eq!(about.written_by.as_deref(), Some(crate::VERSION));
}

#[test]
fn a_record_that_does_not_fit_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    let row = crate::Row { table: "pots".into(), key: "tea".into(), bytes: b"{\"name\":7}".to_vec() };
    crate::make_state_file(&path, 1, std::iter::once(row)).unwrap();
    let said = refused(&path);
    assert!(said.contains("record 'tea' of table 'pots'"), "{said}");
}

#[test]
fn a_file_appears_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    // What a crash in the middle of the making left.
    std::fs::write(dir.path().join("state.new"), b"half").unwrap();
    drop(Store::open(&dir.path().join("state.redb"), schema()).unwrap());
    let names: BTreeSet<_> =
        std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["state.acknowledged", "state.redb"]);
}
