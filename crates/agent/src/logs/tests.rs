use super::*;
use crate::examples;
use std::{io::Write as _, os::unix::fs::FileExt as _, time::Instant};
use wharf_keeper::output::{INDEX_FILE, LOG_FILE, Line, Stream};
use wharf_model::task_definition::{LogConfiguration, LogDriver};
use wharf_nodelink::agent::FromAgent;

fn target_of(driver: LogDriver, options: &[(&str, &str)]) -> Target {
    let mut assignment = examples::assignment();
    let definition = &mut assignment.containers[0].0;
    let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    definition.log_configuration =
        Some(LogConfiguration { driver, options: options.collect(), secret_options: Vec::new() });
    let options = definition.log_configuration.as_ref().unwrap().options.clone();
    let mut record = Record::new(assignment, "boot");
    record.notes[0].id = "t-1".to_owned();
    target(&record, 0, &options, Utf8Path::new("/tasks/t"))
}

fn group_of(options: &[(&str, &str)]) -> LogTarget {
    let basic = [("awslogs-group", "/web"), ("awslogs-region", "us-east-1")];
    match target_of(LogDriver::Awslogs, &[&basic, options].concat()) {
        Target::Delivered(destination) => destination.log_target().unwrap().clone(),
        Target::Kept { .. } => panic!("kept"),
    }
}

#[test]
fn stream_is_prefix_container_and_task_or_the_containers_id() {
    let prefixed = group_of(&[("awslogs-stream-prefix", "ecs")]);
    assert_eq!(prefixed.stream, "ecs/web/0123456789abcdef0123456789abcdef");
    assert!(!prefixed.create_group);
    let plain = group_of(&[("awslogs-create-group", "true")]);
    assert_eq!((plain.stream.as_str(), plain.create_group), ("t-1", true));
}

#[test]
fn output_without_a_log_group_stays_on_the_node_or_goes_at_once() {
    let kept = |driver, options: &[(&str, &str)]| match target_of(driver, options) {
        Target::Kept { bytes_max } => bytes_max,
        Target::Delivered(_) => panic!("delivered"),
    };
    assert_eq!(kept(LogDriver::JsonFile, &[("max-size", "1m"), ("max-file", "2")]), 2 << 20);
    assert_eq!(kept(LogDriver::None, &[]), 0);
}

fn line(text: &str) -> Line {
    Line { stream: Stream::Stdout, at_nanos: 7_000_000, bytes: text.as_bytes().to_vec() }
}

#[test]
fn lines_join_the_event_before_them_unless_they_begin_one() {
    let mut events = events::Events::new(Some(regex::Regex::new("^ERROR").unwrap()));
    let now = Instant::now();
    let lines = ["  lost", "ERROR a", "  at b", "", "ERROR c"].map(line);
    events.push(lines.into(), now);
    let texts = |events: Vec<wharf_model::logs::LogEvent>| {
        events.into_iter().map(|event| event.message).collect::<Vec<_>>()
    };
    assert_eq!(texts(events.take(false, now)), ["  lost", "ERROR a\n  at b\n"]);
    assert!(events.is_holding());
    assert!(events.take(false, now + Duration::from_secs(4)).is_empty());
    events.push(vec![line("  at d")], now + Duration::from_secs(4));
    assert_eq!(texts(events.take(false, now + Duration::from_secs(5))), ["ERROR c\n  at d"]);
    assert!(!events.is_holding());
    events.push(vec![line("ERROR e")], now);
    assert_eq!(texts(events.take(true, now)), ["ERROR e"]);
}

/// A container's output as keeper writes it.
struct Output {
    dir: tempfile::TempDir,
    log: std::fs::File,
    index: std::fs::File,
    offset: u64,
    chunks: u64,
}

impl Output {
    fn new() -> Output {
        let dir = tempfile::tempdir().unwrap();
        let open = |name: &str| std::fs::File::create(dir.path().join(name)).unwrap();
        let (log, index) = (open(LOG_FILE), open(INDEX_FILE));
        Output { dir, log, index, offset: 0, chunks: 0 }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.log.write_all(bytes).unwrap();
        let mut entry = [0_u8; 24];
        entry[..8].copy_from_slice(&self.offset.to_le_bytes());
        entry[8..16].copy_from_slice(&1_000_000_i64.to_le_bytes());
        entry[16..20].copy_from_slice(&u32::try_from(bytes.len()).unwrap().to_le_bytes());
        entry[20] = 1;
        self.index.write_all_at(&entry, self.chunks * 24).unwrap();
        self.offset += bytes.len() as u64;
        self.chunks += 1;
    }

    fn dir(&self) -> Utf8PathBuf {
        Utf8PathBuf::from_path_buf(self.dir.path().to_owned()).unwrap()
    }
}

/// Takes batches as control does, and returns all lines until one is `end`.
async fn receive(outbox: &Outbox) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        if let FromAgent::Logs { batch, events, .. } = outbox.next().await {
            lines.extend(events.into_iter().map(|event| event.message));
            outbox.logs_stored(batch);
            if lines.last().is_some_and(|line| line == "end") {
                return lines;
            }
        }
    }
}

#[tokio::test]
async fn nothing_is_lost_while_nobody_receives_and_all_of_it_comes_in_order() {
    let mut output = Output::new();
    let outbox = Arc::new(Outbox::new());
    let Target::Delivered(destination) =
        target_of(LogDriver::Awslogs, &[("awslogs-group", "/web"), ("awslogs-region", "us-east-1")])
    else {
        panic!("kept")
    };
    let following = follow(output.dir(), Target::Delivered(destination), outbox.clone(), || {});
    let count = 200_000;
    for first in (0..count).step_by(500) {
        let text: String = (first..first + 500).map(|n| format!("line {n}\n")).collect();
        output.write(text.as_bytes());
    }
    output.write(b"end\n");
    let began = Instant::now();
    outbox.connect();
    let lines = receive(&outbox).await;
    println!("{} lines in {:?}", lines.len(), began.elapsed());
    assert_eq!(lines.len(), count + 1);
    assert!(lines[..count].iter().enumerate().all(|(n, line)| *line == format!("line {n}")));
    following.advance(Phase::Gone);
    following.finished().await;
}

#[tokio::test]
async fn mode_non_blocking_drops_the_oldest_and_keeps_what_it_may() {
    let mut output = Output::new();
    let outbox = Arc::new(Outbox::new());
    for n in 0..1_000 {
        output.write(format!("{n:>1023}\n").as_bytes());
    }
    output.write(b"end\n");
    let options = [
        ("awslogs-group", "/web"),
        ("awslogs-region", "us-east-1"),
        ("mode", "non-blocking"),
        ("max-buffer-size", "100k"),
    ];
    let following = follow(output.dir(), target_of(LogDriver::Awslogs, &options), outbox.clone(), || {});
    outbox.connect();
    let lines = receive(&outbox).await;
    assert_eq!((lines.len(), lines[0].trim()), (100, "901"));
    following.advance(Phase::Gone);
    following.finished().await;
}

#[tokio::test]
async fn syslog_gets_every_line_even_one_that_comes_late() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let mut output = Output::new();
    output.write(b"one\ntwo\n");
    let address = format!("unix://{}", path.display());
    let options = [("syslog-address", address.as_str()), ("tag", "{{.Name}}"), ("syslog-facility", "local0")];
    let outbox = Arc::new(Outbox::new());
    let following = follow(output.dir(), target_of(LogDriver::Syslog, &options), outbox, || {});
    tokio::time::sleep(Duration::from_millis(300)).await;
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let (mut stream, _) = listener.accept().await.unwrap();
    following.advance(Phase::Gone);
    following.finished().await;
    let mut text = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut text).await.unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(
        lines[0].starts_with("<134>") && lines[0].contains(" web[") && lines[0].ends_with("]: one"),
        "{text}"
    );
}

#[tokio::test]
async fn a_driver_that_keeps_nothing_gives_the_disk_back() {
    use std::os::unix::fs::MetadataExt;
    let mut output = Output::new();
    for _ in 0..600 {
        output.write(&[b'x'; 4096]);
    }
    let outbox = Arc::new(Outbox::new());
    let following = follow(output.dir(), target_of(LogDriver::None, &[]), outbox, || {});
    let held = || std::fs::metadata(output.dir().join(LOG_FILE)).unwrap().blocks() * 512;
    for _ in 0..100 {
        if held() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(held(), 0);
    following.advance(Phase::Gone);
    following.finished().await;
}
