use super::*;
use std::io::Cursor;

fn head() -> Head {
    Head {
        format: FORMAT,
        layout: 1,
        needs: "0.1.0".into(),
        written_by: "0.1.0".into(),
        revision: 812,
        taken_at: 1_800_000_000,
        region: "us-east-1".into(),
        account: "123456789012".into(),
        with_registry: true,
        with_logs: false,
    }
}

/// A backup of two records and a file of two pieces, as it is on disk and as its lines.
fn sample() -> (Vec<u8>, Vec<u8>) {
    let mut archive = Archive::begin(Vec::new(), &head()).unwrap();
    archive.record("tasks", "a \",\"value\": b", br#"{"z":1.10,"a":[{}]}"#).unwrap();
    archive.record("services", "web", b"{}").unwrap();
    archive.file("registry/blobs/x".into(), 0o640, Cursor::new(vec![7; PIECE + 1])).unwrap();
    assert_eq!(archive.records(), 2);
    let packed = archive.end().unwrap();
    let plain = zstd::decode_all(packed.as_slice()).unwrap();
    (packed, plain)
}

fn read(bytes: Vec<u8>) -> anyhow::Result<Vec<Item>> {
    let (mut reading, _) = Reading::begin(Cursor::new(bytes))?;
    let mut items = Vec::new();
    while let Some(item) = reading.next()? {
        items.push(item);
    }
    Ok(items)
}

#[test]
fn a_backup_reads_back_the_same_packed_or_plain() {
    let (packed, plain) = sample();
    assert_eq!(Reading::begin(Cursor::new(packed.clone())).unwrap().1, head());
    let row = |table: &str, key: &str, value: &[u8]| {
        Item::Record(Row { table: table.into(), key: key.into(), bytes: value.to_vec() })
    };
    let expected = vec![
        row("tasks", "a \",\"value\": b", br#"{"z":1.10,"a":[{}]}"#),
        row("services", "web", b"{}"),
        Item::File { path: "registry/blobs/x".into(), mode: 0o640 },
        Item::Data(vec![7; PIECE]),
        Item::Data(vec![7]),
    ];
    assert_eq!(read(packed).unwrap(), expected);
    assert_eq!(read(plain).unwrap(), expected);
}

#[test]
fn a_backup_that_is_cut_off_or_changed_anywhere_is_refused() {
    let (packed, plain) = sample();
    for length in (0..packed.len()).step_by(7) {
        assert!(read(packed[..length].to_vec()).is_err(), "{length} bytes of {}", packed.len());
    }
    // The lines of a file's content are long and alike: a few places in them are enough.
    let places = (0..plain.len()).filter(|at| *at < 700 || at % 50_021 == 0 || *at + 200 > plain.len());
    for at in places {
        let mut changed = plain.clone();
        changed[at] ^= 1;
        assert!(read(changed).is_err(), "byte {at}");
    }
    assert!(read([plain.as_slice(), plain.as_slice()].concat()).is_err());
    for foreign in [b"".as_slice(), b"something else", b"{}\n", &[0x28, 0xb5, 0x2f, 0xfd, 1, 2, 3]] {
        assert!(read(foreign.to_vec()).is_err());
    }
}

#[test]
fn a_later_format_is_refused_with_the_version_that_wrote_it() {
    let line = Line::Backup(Head { format: 2, written_by: "0.9.1".into(), ..head() });
    let bytes = format!("{}\n", serde_json::to_string(&line).unwrap()).into_bytes();
    let said = read(bytes).unwrap_err().to_string();
    assert!(said.contains("format 2") && said.contains("wharf >= 0.9.1"), "{said}");
}

#[test]
fn files_go_only_where_backups_have_them() {
    for path in ["credentials.json", "secrets.key", "registry/blobs/sha256/ab", "logs/web/1"] {
        assert!(is_ours(path.into()), "{path}");
    }
    for path in ["/etc/passwd", "registry/../../etc/passwd", "state.redb", "node-id", "", "logs/./x/../y"] {
        assert!(!is_ours(path.into()), "{path}");
    }
}
