use camino::Utf8Path;

use super::{Chunk, Entry, Follower, LOG_FILE, Line, Lines, Sink, Stream};

fn dir(temp: &tempfile::TempDir) -> &Utf8Path {
    Utf8Path::from_path(temp.path()).unwrap()
}

fn chunk(stream: Stream, at_nanos: i64, text: &str, next: u64) -> Chunk {
    Chunk { stream, at_nanos, bytes: text.as_bytes().to_vec(), next }
}

fn line(stream: Stream, at_nanos: i64, text: &str) -> Line {
    Line { stream, at_nanos, bytes: text.as_bytes().to_vec() }
}

#[test]
fn entries_survive_encoding() {
    let entry = Entry { offset: u64::MAX - 1, at_nanos: -7, length: 65_536, stream: Stream::Stderr };
    assert_eq!(Entry::decode(&entry.encode()), entry);
}

#[test]
fn follower_sees_what_was_appended_and_may_resume_anywhere() {
    let temp = tempfile::tempdir().unwrap();
    let mut sink = Sink::open(dir(&temp)).unwrap();
    let mut follower = Follower::open(dir(&temp), 0).unwrap();
    assert_eq!(follower.read().unwrap(), None);
    sink.append(Stream::Stdout, 1, b"one");
    sink.append(Stream::Stderr, 2, b"two");
    assert_eq!(follower.read().unwrap(), Some(chunk(Stream::Stdout, 1, "one", 1)));
    assert_eq!(follower.read().unwrap(), Some(chunk(Stream::Stderr, 2, "two", 2)));
    assert_eq!(follower.read().unwrap(), None);
    let mut resumed = Follower::open(dir(&temp), 1).unwrap();
    assert_eq!(resumed.read().unwrap(), Some(chunk(Stream::Stderr, 2, "two", 2)));
}

#[test]
fn bytes_without_an_entry_get_one_when_the_files_are_opened_again() {
    let temp = tempfile::tempdir().unwrap();
    Sink::open(dir(&temp)).unwrap().append(Stream::Stderr, 1, b"whole");
    let path = dir(&temp).join(LOG_FILE);
    std::fs::write(&path, b"wholetorn").unwrap();
    let mut sink = Sink::open(dir(&temp)).unwrap();
    sink.append(Stream::Stderr, 3, b"next");
    let mut follower = Follower::open(dir(&temp), 1).unwrap();
    assert_eq!(follower.read().unwrap().unwrap().bytes, b"torn");
    assert_eq!(follower.read().unwrap().unwrap().bytes, b"next");
}

#[test]
fn reclaimed_output_is_off_the_disk_and_the_rest_is_still_there() {
    use std::os::unix::fs::MetadataExt;
    let temp = tempfile::tempdir().unwrap();
    let mut sink = Sink::open(dir(&temp)).unwrap();
    for at_nanos in 0..100 {
        sink.append(Stream::Stdout, at_nanos, &[b'x'; 65_536]);
    }
    let mut follower = Follower::open(dir(&temp), 0).unwrap();
    let mut next = 0;
    for _ in 0..90 {
        next = follower.read().unwrap().unwrap().next;
    }
    follower.reclaim(next).unwrap();
    follower.reclaim(next).unwrap();
    let blocks = dir(&temp).join(LOG_FILE).metadata().unwrap().blocks();
    assert!(blocks * 512 < 12 * 65_536, "{blocks} blocks");
    assert_eq!(follower.read().unwrap().unwrap().at_nanos, 90);
    let mut oldest = Follower::open_oldest(dir(&temp)).unwrap();
    assert_eq!(oldest.read().unwrap().unwrap().at_nanos, 90);
}

#[test]
fn follower_may_skip_to_the_newest_so_many_bytes() {
    let temp = tempfile::tempdir().unwrap();
    let mut sink = Sink::open(dir(&temp)).unwrap();
    let mut follower = Follower::open(dir(&temp), 0).unwrap();
    assert_eq!(follower.skip_to_last(0).unwrap(), 0);
    for at_nanos in 0..10 {
        sink.append(Stream::Stdout, at_nanos, &[b'x'; 10]);
    }
    assert_eq!(follower.skip_to_last(100).unwrap(), 0);
    assert_eq!(follower.skip_to_last(35).unwrap(), 70);
    assert_eq!((follower.position(), follower.read().unwrap().unwrap().at_nanos), (7, 7));
    assert_eq!(follower.skip_to_last(0).unwrap(), 20);
    assert_eq!(follower.read().unwrap(), None);
    let mut oldest = Follower::open_oldest(dir(&temp)).unwrap();
    assert_eq!(oldest.read().unwrap().unwrap().at_nanos, 0);
}

#[test]
fn lines_are_put_together_per_stream_across_chunks() {
    let mut lines = Lines::new(10);
    lines.push(&chunk(Stream::Stdout, 1, "a\nb", 1));
    lines.push(&chunk(Stream::Stderr, 2, "err\r\n", 2));
    assert_eq!(lines.settled(2), 0, "the chunk with the open line must be read again");
    lines.push(&chunk(Stream::Stdout, 3, "c\n\n", 3));
    let got: Vec<_> = lines.by_ref().collect();
    let (out, err) = (Stream::Stdout, Stream::Stderr);
    assert_eq!(got, [line(out, 1, "a"), line(err, 2, "err"), line(out, 1, "bc"), line(out, 3, "")]);
    assert_eq!(lines.settled(3), 3);
}

#[test]
fn line_without_end_is_cut_at_the_limit_and_flushed_at_the_end() {
    let mut lines = Lines::new(4);
    lines.push(&chunk(Stream::Stdout, 1, "abcdefgh\nij", 1));
    let got: Vec<_> = lines.by_ref().map(|line| String::from_utf8(line.bytes).unwrap()).collect();
    assert_eq!(got, ["abcd", "efgh"]);
    lines.flush();
    assert_eq!(lines.next().unwrap().bytes, b"ij");
    assert_eq!(lines.next(), None);
}
