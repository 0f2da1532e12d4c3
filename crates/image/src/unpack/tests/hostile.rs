//! Archives that mean harm: each is refused, or does its worst inside the layer. A canary beside the layer must live.

use super::*;
use EntryType as T;

/// What must come of an archive.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Comes {
    /// It is refused for its paths.
    Refused,
    /// It is refused for what it costs.
    TooMuch,
    /// It is refused as damaged, or because what it asks for cannot be made.
    Broken,
    /// It is not unpacked, for one of these reasons.
    Stopped,
    /// It is unpacked, and nothing of it is outside.
    Inside,
}

type Build = fn(&mut Fixture, &str);

fn done(_: &mut Fixture) {}

/// Each gets a fixture and the path of the folder that it should not reach.
const ARCHIVES: &[(&str, Build, Comes)] = &[
    ("parent", |it, _| done(it.file("../outside/canary", "dead")), Comes::Refused),
    ("parent far", |it, _| done(it.file("../../../../../../etc/wharf-canary", "dead")), Comes::Refused),
    ("parent after folder", |it, _| done(it.file("a/../../outside/canary", "dead")), Comes::Refused),
    ("parent behind dots", |it, _| done(it.file("./././../outside/canary", "dead")), Comes::Refused),
    ("parent behind slash", |it, _| done(it.file("/../outside/canary", "dead")), Comes::Refused),
    ("parent as folder", |it, _| done(it.directory("../outside/new")), Comes::Refused),
    ("parent alone", |it, _| done(it.directory("..")), Comes::Refused),
    ("parent as symlink", |it, _| done(it.symlink("../outside/link", "/etc")), Comes::Refused),
    ("parent as fifo", |it, _| done(it.add(T::Fifo, "../outside/pipe", 0o600, "", b"")), Comes::Refused),
    ("parent as hard link's name", |it, _| done(it.file("a", "1").link("../outside/x", "a")), Comes::Refused),
    ("parent as hard link's target", |it, _| done(it.link("a", "../outside/canary")), Comes::Refused),
    ("whiteout of parent", |it, _| done(it.file(".wh...", "")), Comes::Refused),
    ("whiteout of itself", |it, _| done(it.file(".wh..", "")), Comes::Refused),
    ("whiteout of nothing", |it, _| done(it.file(".wh.", "")), Comes::Refused),
    ("whiteout behind parent", |it, _| done(it.file("../outside/.wh.canary", "")), Comes::Refused),
    ("opaque parent", |it, _| done(it.file("../outside/.wh..wh..opq", "")), Comes::Refused),
    ("absolute file", |it, out| done(it.file(&format!("{out}/canary"), "dead")), Comes::Inside),
    ("absolute folder", |it, out| done(it.directory(&format!("{out}/new"))), Comes::Inside),
    (
        "write through absolute symlink",
        |it, out| done(it.symlink("way", out).file("way/canary", "dead")),
        Comes::Broken,
    ),
    (
        "write through climbing symlink",
        |it, _| done(it.symlink("way", "../outside").file("way/canary", "dead")),
        Comes::Broken,
    ),
    (
        "write through two symlinks",
        |it, out| done(it.symlink("b", out).symlink("a", "b").file("a/canary", "dead")),
        Comes::Broken,
    ),
    (
        "write through symlink in folder",
        |it, _| done(it.directory("d").symlink("d/way", "../../outside").file("d/way/canary", "dead")),
        Comes::Broken,
    ),
    (
        "folder over symlink keeps the link's target alone",
        |it, out| done(it.symlink("way", out).directory("way").file("way/canary", "mine")),
        Comes::Inside,
    ),
    (
        "file over symlink",
        |it, out| done(it.symlink("way", &format!("{out}/canary")).file("way", "mine")),
        Comes::Inside,
    ),
    (
        "hard link through symlink",
        |it, out| done(it.symlink("way", out).link("mine", "way/canary")),
        Comes::Broken,
    ),
    (
        "hard link to symlink, then write",
        |it, out| {
            it.symlink("way", &format!("{out}/canary")).link("mine", "way").file("mine", "dead");
        },
        Comes::Inside,
    ),
    (
        "whiteout through symlink",
        |it, out| done(it.symlink("way", out).file("way/.wh.canary", "")),
        Comes::Broken,
    ),
    (
        "opaque through symlink",
        |it, out| done(it.symlink("way", out).file("way/.wh..wh..opq", "")),
        Comes::Broken,
    ),
    (
        "removal of a folder through symlink",
        |it, out| done(it.symlink("way", out).directory("x").file("x", "1").file("way", "1")),
        Comes::Inside,
    ),
    (
        "symlink swapped under a known folder",
        |it, out| done(it.file("d/a", "1").file("d", "2").symlink("d", out).file("d/canary", "dead")),
        Comes::Broken,
    ),
    ("symlink to itself", |it, _| done(it.symlink("a", "a").file("a/b", "1")), Comes::Broken),
    (
        "symlinks in a ring",
        |it, _| done(it.symlink("a", "b").symlink("b", "a").file("a/c", "")),
        Comes::Broken,
    ),
    (
        "symlink into proc",
        |it, _| done(it.symlink("a", "/proc/self/root").file("a/tmp/x", "")),
        Comes::Broken,
    ),
    ("symlink without target", |it, _| done(it.symlink("a", "")), Comes::Refused),
    ("root as symlink", |it, out| done(it.symlink("./", out)), Comes::Refused),
    ("root as file", |it, _| done(it.file(".", "x")), Comes::Refused),
    ("hard link to nothing", |it, _| done(it.link("a", "missing")), Comes::Broken),
    ("hard link to folder", |it, _| done(it.directory("d").link("a", "d")), Comes::Broken),
    ("block device", |it, _| done(it.add(T::Block, "sda", 0o666, "", b"")), Comes::Inside),
    ("character device", |it, _| done(it.add(T::Char, "mem", 0o666, "", b"")), Comes::Inside),
    ("set user id", |it, _| done(it.add(T::Regular, "su", 0o4755, "", b"#!")), Comes::Inside),
    ("unknown type", |it, _| done(it.add(T::new(b'Z'), "odd", 0o644, "", b"")), Comes::Refused),
    ("path of many parts", |it, _| done(it.file(&"a/".repeat(40), "")), Comes::Refused),
    (
        "deeper by symlink",
        |it, _| {
            it.directory("1/2/3/4/5/6/7")
                .symlink("s", "1/2/3/4/5/6/7")
                .file("s/8/9/10/11/12/13/14/15/16/17/18", "");
        },
        Comes::Broken,
    ),
    ("long name", |it, _| long_name(it, 300), Comes::Refused),
    ("very long path", |it, _| long_name(it, 5_000), Comes::Refused),
    (
        "header of a megabyte",
        |it, _| done(it.add(T::GNULongName, "x", 0o644, "", &vec![b'n'; 1 << 20])),
        Comes::TooMuch,
    ),
    ("size that ends elsewhere", |it, _| pax(it, &[("size", b"1")]), Comes::Inside),
    ("size beyond all", |it, _| pax(it, &[("size", b"18446744073709551615")]), Comes::Stopped),
    ("path by extension", |it, _| pax(it, &[("path", b"../outside/canary")]), Comes::Refused),
    ("path with a zero byte", |it, _| pax(it, &[("path", b"a\0/../../outside/canary")]), Comes::Stopped),
    (
        "overlay attribute",
        |it, _| pax(it, &[("SCHILY.xattr.trusted.overlay.redirect", b"/etc")]),
        Comes::Inside,
    ),
    ("label of the machine", |it, _| pax(it, &[("SCHILY.xattr.security.selinux", b"root")]), Comes::Inside),
    ("sparse terabytes", |it, _| sparse(it, 1 << 40), Comes::TooMuch),
    ("sparse exabytes", |it, _| sparse(it, 1 << 62), Comes::Stopped),
    ("more bytes than allowed", |it, _| done(it.file("a", &"x".repeat(3 << 20))), Comes::TooMuch),
    (
        "more entries than allowed",
        |it, _| (0..200).for_each(|n| done(it.file(&format!("f{n}"), ""))),
        Comes::TooMuch,
    ),
    ("the same file for ever", |it, _| (0..200).for_each(|_| done(it.file("same", "x"))), Comes::TooMuch),
    ("owner beyond 32 bits", |it, _| pax(it, &[("uid", b"99999999999")]), Comes::Refused),
    ("time before all times", |it, _| pax(it, &[("mtime", b"-9223372036854775808")]), Comes::Inside),
];

fn long_name(it: &mut Fixture, length: usize) {
    let mut header = Header::new_gnu();
    header.set_size(0);
    header.set_mode(0o644);
    it.tar.append_data(&mut header, "n".repeat(length), b"".as_slice()).unwrap();
}

fn pax(it: &mut Fixture, extensions: &[(&str, &[u8])]) {
    it.tar.append_pax_extensions(extensions.iter().copied()).unwrap();
    it.file("canary", "some content that is longer than one byte");
}

fn sparse(it: &mut Fixture, size: u64) {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::GNUSparse);
    header.set_mode(0o644);
    header.set_size(0);
    let gnu = header.as_gnu_mut().unwrap();
    gnu.name[..6].copy_from_slice(b"sparse");
    gnu.set_real_size(size);
    gnu.sparse[0].set_offset(size);
    gnu.sparse[0].set_length(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_cksum();
    it.tar.append(&header, b"".as_slice()).unwrap();
}

fn limited() -> Fixture {
    let mut it = fixture();
    it.limits.entries_max = 100;
    it.limits.bytes_max = 2 << 20;
    it.limits.depth_max = 16;
    it.limits.header_bytes_max = 64 << 10;
    it
}

#[test]
fn no_archive_reaches_what_is_outside_its_layer() {
    assert!(ARCHIVES.len() >= 40);
    for (name, build, comes) in ARCHIVES {
        let mut it = limited();
        let outside = it.folder.path().join("outside");
        build(&mut it, outside.to_str().unwrap());
        let outcome = it.unpack();
        let came = match &outcome {
            Ok(_) => Comes::Inside,
            Err(UnpackError::Path { .. }) => Comes::Refused,
            Err(UnpackError::Limit { .. }) => Comes::TooMuch,
            Err(_) => Comes::Broken,
        };
        let as_expected = came == *comes || (*comes == Comes::Stopped && outcome.is_err());
        assert!(as_expected, "{name}: {came:?} and not {comes:?}: {outcome:?}");
        let devices = walk(it.layer().as_std_path()).into_iter().filter(|about| {
            let kind = about.file_type();
            kind.is_block_device() || (kind.is_char_device() && about.rdev() != 0)
        });
        assert_eq!(devices.count(), 0, "{name}");
    }
}

fn walk(folder: &std::path::Path) -> Vec<fs::Metadata> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let about = entry.metadata().unwrap();
        if about.is_dir() {
            found.extend(walk(&entry.path()));
        }
        found.push(about);
    }
    found
}

/// The bombs of old: what they would become is never written.
#[test]
fn a_bomb_of_any_compression_stops_at_a_limit() {
    let zeros = vec![0_u8; 1 << 20];
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let mut tar = Header::new_gnu();
    tar.set_size(600 << 20);
    tar.set_mode(0o644);
    tar.set_uid(0);
    tar.set_gid(0);
    tar.as_mut_bytes()[..4].copy_from_slice(b"zero");
    tar.set_cksum();
    gzip.write_all(tar.as_bytes()).unwrap();
    (0..600).for_each(|_| gzip.write_all(&zeros).unwrap());
    let gzip = gzip.finish().unwrap();
    let it = fixture();
    match it.unpack_bytes(&gzip) {
        Err(UnpackError::Limit { what, .. }) => assert!(what.contains("for each compressed one"), "{what}"),
        other => panic!("{other:?}"),
    }

    // A frame that asks for a window of 2 GiB is refused before the window is made.
    let mut window = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8];
    window.extend_from_slice(&[0x01, 0, 0]);
    assert!(matches!(it.unpack_bytes(&window), Err(UnpackError::Archive(_))));
}

/// Damages honest and hostile archives at random for a while. Whatever comes of it, the canary lives.
#[test]
fn archives_damaged_at_random_do_no_harm() {
    let seconds = std::env::var("WHARF_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(2);
    let end = std::time::Instant::now() + std::time::Duration::from_secs(seconds);
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    let pick = |random: u64, length: usize| usize::try_from(random % length.max(1) as u64).unwrap();
    let mut tried = 0_u32;
    while std::time::Instant::now() < end || tried < 50 {
        let mut it = limited();
        let outside = it.folder.path().join("outside");
        let (first, second) = (pick(next(), ARCHIVES.len()), pick(next(), ARCHIVES.len()));
        for build in [ARCHIVES[first].1, ARCHIVES[second].1] {
            build(&mut it, outside.to_str().unwrap());
        }
        let mut bytes = it.bytes();
        for _ in 0..=pick(next(), 24) {
            let at = pick(next(), bytes.len());
            match next() % 4 {
                0 => bytes[at] = next().to_le_bytes()[0],
                1 => bytes.truncate(at),
                2 => {
                    let block = at / 512 * 512;
                    let copy = bytes[block..(block + 512).min(bytes.len())].to_vec();
                    bytes.splice(block..block, copy);
                }
                // A header whose sum is right again is read further.
                _ => sum(&mut bytes, at / 512 * 512),
            }
            if bytes.is_empty() {
                break;
            }
        }
        if next() % 3 == 0 {
            bytes = zstd::encode_all(bytes.as_slice(), 1).unwrap();
            let at = pick(next(), bytes.len());
            bytes[at] ^= 1;
        }
        let _ = it.unpack_bytes(&bytes);
        tried += 1;
    }
    println!("{tried} archives");
}

fn sum(bytes: &mut [u8], at: usize) {
    let Some(block) = bytes.get_mut(at..at + 512) else { return };
    block[148..156].copy_from_slice(b"        ");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}
