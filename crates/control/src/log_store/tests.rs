use super::*;
use std::os::unix::fs::FileExt;

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn events(given: &[(i64, &str)]) -> Vec<LogEvent> {
    let event =
        |(time, text): &(i64, &str)| LogEvent { timestamp: Timestamp(*time), message: (*text).to_owned() };
    given.iter().map(event).collect()
}

fn batch(stream: &str, number: Option<u64>, given: &[(i64, &str)]) -> Batch {
    Batch {
        group: "web".to_owned(),
        stream: stream.to_owned(),
        number,
        events: events(given),
        now: Timestamp(99),
    }
}

fn open(dir: &tempfile::TempDir) -> LogStore {
    let path = Utf8Path::from_path(dir.path()).unwrap();
    LogStore::open(path, &names(&["web"])).unwrap()
}

async fn texts(store: &LogStore, stream: &str, from: Direction, limit: usize) -> (Vec<String>, u64, u64) {
    let page = store.events("web", stream, Range::default(), from, limit).await.unwrap();
    (page.events.into_iter().map(|event| event.message).collect(), page.start, page.end)
}

async fn filtered(store: &LogStore, filter: Filter) -> (String, Option<(Timestamp, u64)>) {
    let page = store.filter("web", filter).await.unwrap();
    let texts: Vec<String> = page.events.into_iter().map(|event| event.message).collect();
    (texts.join(" "), page.next)
}

#[tokio::test]
async fn a_stream_is_read_forwards_and_backwards_page_by_page() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    store.append(batch("s", None, &[(1, "a"), (2, "b")])).await.unwrap();
    store.append(batch("s", None, &[(3, "c"), (4, "d"), (5, "e")])).await.unwrap();
    let (found, _, end) = texts(&store, "s", Direction::Forward(0), 3).await;
    assert_eq!((found.join(""), end), ("abc".to_owned(), 3));
    let (found, _, end) = texts(&store, "s", Direction::Forward(end), 3).await;
    assert_eq!((found.join(""), end), ("de".to_owned(), 5));
    let (found, _, end) = texts(&store, "s", Direction::Forward(end), 3).await;
    assert_eq!((found.join(""), end), (String::new(), 5), "the token stays, and that ends the reading");
    let (found, start, _) = texts(&store, "s", Direction::Backward(u64::MAX), 2).await;
    assert_eq!((found.join(""), start), ("de".to_owned(), 3));
    let (found, start, _) = texts(&store, "s", Direction::Backward(start), 9).await;
    assert_eq!((found.join(""), start), ("abc".to_owned(), 0));
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    store.append(batch("s", Some(1), &[(1, "a")])).await.unwrap();
    let before = store.streams("web", "").unwrap();
    drop(store);
    let store = open(&dir);
    assert_eq!(store.streams("web", "").unwrap(), before);
    assert_eq!(texts(&store, "s", Direction::Forward(0), 9).await.0, ["a"]);
}

#[tokio::test]
async fn a_line_torn_by_a_crash_is_cut_off_and_written_over() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    store.append(batch("s", None, &[(1, "kept")])).await.unwrap();
    store.append(batch("s", None, &[(2, "torn")])).await.unwrap();
    let segment = {
        let groups = store.shared.groups.read().unwrap();
        segment::path(&groups["web"].dir, 0)
    };
    drop(store);
    let length = std::fs::metadata(&segment).unwrap().len();
    std::fs::File::options().write(true).open(&segment).unwrap().set_len(length - 5).unwrap();
    let store = open(&dir);
    assert_eq!(texts(&store, "s", Direction::Forward(0), 9).await.0, ["kept"]);
    store.append(batch("s", None, &[(3, "next")])).await.unwrap();
    drop(store);
    let store = open(&dir);
    assert_eq!(texts(&store, "s", Direction::Forward(0), 9).await.0, ["kept", "next"]);
}

#[tokio::test]
async fn a_line_whose_bytes_changed_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    store.append(batch("s", None, &[(1, "first")])).await.unwrap();
    store.append(batch("s", None, &[(2, "second")])).await.unwrap();
    let segment = {
        let groups = store.shared.groups.read().unwrap();
        segment::path(&groups["web"].dir, 0)
    };
    drop(store);
    let file = std::fs::File::options().read(true).write(true).open(&segment).unwrap();
    file.write_all_at(b"X", 12).unwrap();
    let store = open(&dir);
    assert_eq!(texts(&store, "s", Direction::Forward(0), 9).await.0, ["second"]);
}

#[tokio::test]
async fn a_batch_that_is_sent_again_is_stored_once_even_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    store.append(batch("s", Some(7), &[(1, "a")])).await.unwrap();
    store.append(batch("s", Some(7), &[(1, "a")])).await.unwrap();
    drop(store);
    let store = open(&dir);
    store.append(batch("s", Some(7), &[(1, "a")])).await.unwrap();
    store.append(batch("s", Some(8), &[(1, "a")])).await.unwrap();
    assert_eq!(texts(&store, "s", Direction::Forward(0), 9).await.0, ["a", "a"]);
}

#[tokio::test]
async fn streams_are_merged_by_time_and_read_page_by_page() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    store.append(batch("x", None, &[(1, "a"), (4, "d"), (6, "f")])).await.unwrap();
    store.append(batch("y", None, &[(2, "b"), (3, "c"), (6, "g")])).await.unwrap();
    store.append(batch("x", None, &[(5, "e")])).await.unwrap();
    let (found, next) = filtered(&store, Filter { limit: 4, ..Filter::default() }).await;
    assert_eq!(found, "a b c d");
    let (found, next) = filtered(&store, Filter { limit: 4, after: next, ..Filter::default() }).await;
    assert_eq!((found.as_str(), next), ("e f g", None));
    let only = Filter { streams: vec!["y".to_owned()], limit: 9, ..Filter::default() };
    assert_eq!(filtered(&store, only).await.0, "b c g");
    let range = Range { from: Some(Timestamp(3)), to: Some(Timestamp(6)) };
    assert_eq!(filtered(&store, Filter { range, limit: 9, ..Filter::default() }).await.0, "c d e");
    let pattern = Pattern::parse("?b ?e").unwrap();
    assert_eq!(filtered(&store, Filter { pattern, limit: 9, ..Filter::default() }).await.0, "b e");
}

#[tokio::test]
async fn a_deleted_group_leaves_nothing_to_one_of_the_same_name() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    store.append(batch("s", None, &[(1, "old")])).await.unwrap();
    store.delete_group("web").await.unwrap();
    let refused = store.append(batch("s", None, &[(2, "lost")])).await;
    assert!(matches!(refused, Err(Error::GroupNotFound(_))));
    store.create_group("web").await.unwrap();
    assert!(store.streams("web", "").unwrap().is_empty());
    drop(store);
    assert!(open(&dir).streams("web", "").unwrap().is_empty());
}

#[tokio::test]
async fn groups_that_the_state_file_does_not_know_are_removed_at_start() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(&dir));
    let path = Utf8Path::from_path(dir.path()).unwrap();
    let store = LogStore::open(path, &names(&["other"])).unwrap();
    assert!(matches!(store.streams("web", ""), Err(Error::GroupNotFound(_))));
    assert!(store.streams("other", "").unwrap().is_empty());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_deleted_stream_is_gone_and_one_of_its_name_begins_anew() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let long = "x".repeat(20_000);
    store.append(batch("s", Some(1), &[(1, &long)])).await.unwrap();
    store.append(batch("t", None, &[(2, "other")])).await.unwrap();
    store.delete_stream("web", "s", Timestamp(3)).await.unwrap();
    assert!(matches!(store.delete_stream("web", "s", Timestamp(3)).await, Err(Error::StreamNotFound(_))));
    let segment = {
        let groups = store.shared.groups.read().unwrap();
        segment::path(&groups["web"].dir, 0)
    };
    let held = std::os::unix::fs::MetadataExt::blocks(&std::fs::metadata(segment).unwrap()) * 512;
    assert!(held < 20_000, "{held} bytes are still held");
    store.append(batch("s", None, &[(4, "new")])).await.unwrap();
    for _ in 0..2 {
        let store = open(&dir);
        assert_eq!(texts(&store, "s", Direction::Forward(0), 9).await.0, ["new"]);
        assert_eq!(texts(&store, "t", Direction::Forward(0), 9).await.0, ["other"]);
        assert_eq!(store.streams("web", "s").unwrap()[0].stored_bytes, 3 + 26);
    }
}

#[tokio::test]
async fn what_is_too_old_is_given_back_and_the_counting_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    // Three segments, of which the first two are full.
    let long = "x".repeat(17 << 20);
    for at in 1..=5 {
        store.append(batch("s", None, &[(at, &long)])).await.unwrap();
    }
    store.append(batch("old", None, &[(1, "a")])).await.unwrap();
    let files = || std::fs::read_dir(&store.shared.groups.read().unwrap()["web"].dir).unwrap().count();
    let before = files();
    store.trim("web", Timestamp(1)).await.unwrap();
    assert_eq!(files(), before);
    store.trim("web", Timestamp(4)).await.unwrap();
    assert_eq!(files(), before, "one segment went, and the note of what it held came");
    let check = async |store: &LogStore| {
        let page = store.events("web", "s", Range::default(), Direction::Forward(0), 9).await.unwrap();
        let times: Vec<i64> = page.events.iter().map(|event| event.timestamp.0).collect();
        assert_eq!((times, page.end), (vec![3], 3));
        let info = &store.streams("web", "s").unwrap()[0];
        assert_eq!((info.first_event, info.stored_bytes), (Some(Timestamp(3)), 3 * ((17 << 20) + 26)));
    };
    check(&store).await;
    drop(store);
    let store = open(&dir);
    check(&store).await;
    // All of it: streams are still there, as on AWS, and numbers are never given twice.
    store.trim("web", Timestamp(99)).await.unwrap();
    drop(store);
    let store = open(&dir);
    assert_eq!(store.stored_bytes("web"), 0);
    assert_eq!(store.streams("web", "").unwrap().len(), 2);
    store.append(batch("s", None, &[(100, "new")])).await.unwrap();
    let (found, start, end) = texts(&store, "s", Direction::Forward(0), 9).await;
    assert_eq!((found.join(""), start, end), ("new".to_owned(), 5, 6));
}
