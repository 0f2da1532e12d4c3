mod hostile;

use super::*;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use tar::{Builder, Header};

/// A tar under construction, a fresh directory to unpack it into, and a canary beside that directory.
struct Fixture {
    folder: tempfile::TempDir,
    tar: Builder<Vec<u8>>,
    limits: UnpackLimits,
}

fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("layer")).unwrap();
    fs::create_dir(folder.path().join("outside")).unwrap();
    fs::write(folder.path().join("outside/canary"), "alive").unwrap();
    Fixture { folder, tar: Builder::new(Vec::new()), limits: UnpackLimits::default() }
}

impl Fixture {
    /// Adds an entry with its name exactly as given, however improper.
    fn add(&mut self, kind: EntryType, name: &str, mode: u32, link: &str, content: &[u8]) -> &mut Fixture {
        let mut header = Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(7);
        header.set_gid(8);
        header.set_mtime(1_000_000_000);
        header.set_size(content.len() as u64);
        header.set_cksum();
        self.tar.append(&header, content).unwrap();
        self
    }

    fn file(&mut self, name: &str, content: &str) -> &mut Fixture {
        self.add(EntryType::Regular, name, 0o644, "", content.as_bytes())
    }

    fn directory(&mut self, name: &str) -> &mut Fixture {
        self.add(EntryType::Directory, name, 0o755, "", b"")
    }

    fn symlink(&mut self, name: &str, target: &str) -> &mut Fixture {
        self.add(EntryType::Symlink, name, 0o777, target, b"")
    }

    fn link(&mut self, name: &str, target: &str) -> &mut Fixture {
        self.add(EntryType::Link, name, 0o644, target, b"")
    }

    fn layer(&self) -> Utf8PathBuf {
        Utf8PathBuf::from_path_buf(self.folder.path().join("layer")).unwrap()
    }

    fn bytes(&mut self) -> Vec<u8> {
        std::mem::replace(&mut self.tar, Builder::new(Vec::new())).into_inner().unwrap()
    }

    fn unpack(&mut self) -> Result<Unpacked, UnpackError> {
        let bytes = self.bytes();
        self.unpack_bytes(&bytes)
    }

    /// Unpacks, and looks after the canary whatever comes of it.
    #[track_caller]
    fn unpack_bytes(&self, bytes: &[u8]) -> Result<Unpacked, UnpackError> {
        let outcome = unpack(bytes, Compression::of(bytes), bytes.len() as u64, &self.layer(), &self.limits);
        let outside = self.folder.path().join("outside");
        assert_eq!(fs::read_to_string(outside.join("canary")).unwrap(), "alive");
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 1, "something was made outside");
        assert_eq!(fs::metadata(outside.join("canary")).unwrap().nlink(), 1, "the canary was linked");
        assert_eq!(fs::read_dir(self.folder.path()).unwrap().count(), 2);
        outcome
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.layer().join(path)).unwrap()
    }

    fn opaque(&self, path: &str) -> bool {
        let mut value = [0_u8; 8];
        let path = self.layer().join(path);
        rustix::fs::lgetxattr(path.as_str(), "trusted.overlay.opaque", &mut value[..]) == Ok(1)
    }

    fn is_whiteout(&self, path: &str) -> bool {
        let about = fs::symlink_metadata(self.layer().join(path)).unwrap();
        about.file_type().is_char_device() && about.rdev() == 0
    }
}

#[test]
fn an_ordinary_layer_arrives_with_its_owners_modes_and_times() {
    let mut it = fixture();
    it.directory("bin/").add(EntryType::Regular, "bin/su", 0o4755, "", b"#!").symlink("sbin", "bin");
    it.link("bin/su2", "bin/su").file("./etc/hosts", "127.0.0.1").file("/absolute", "inside");
    it.add(EntryType::Fifo, "pipe", 0o600, "", b"");
    let unpacked = it.unpack().unwrap();
    assert_eq!((unpacked.entries, unpacked.bytes, unpacked.left_out), (7, 17, 0));
    let su = fs::metadata(it.layer().join("bin/su")).unwrap();
    assert_eq!((su.mode() & 0o7777, su.uid(), su.gid(), su.nlink()), (0o4755, 7, 8, 2));
    assert_eq!(su.mtime(), 1_000_000_000);
    assert_eq!(fs::metadata(it.layer().join("bin")).unwrap().mtime(), 1_000_000_000);
    assert_eq!(fs::metadata(it.layer().join("etc")).unwrap().permissions().mode() & 0o7777, 0o755);
    assert_eq!(fs::read_link(it.layer().join("sbin")).unwrap().to_str(), Some("bin"));
    assert_eq!(fs::symlink_metadata(it.layer().join("sbin")).unwrap().uid(), 7);
    assert_eq!((it.read("etc/hosts").as_str(), it.read("absolute").as_str()), ("127.0.0.1", "inside"));
    assert!(fs::symlink_metadata(it.layer().join("pipe")).unwrap().file_type().is_fifo());
}

#[test]
fn gzip_and_zstd_are_found_by_their_first_bytes_and_hash_the_same() {
    let mut it = fixture();
    it.file("a", "content");
    let plain = it.bytes();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&plain).unwrap();
    let zstd = zstd::encode_all(plain.as_slice(), 1).unwrap();
    for bytes in [plain.clone(), gzip.finish().unwrap(), zstd] {
        assert_eq!(it.unpack_bytes(&bytes).unwrap().diff_id, Digest::of(&plain));
        assert_eq!(it.read("a"), "content");
        fs::remove_file(it.layer().join("a")).unwrap();
    }
}

#[test]
fn whiteouts_and_opaque_markers_take_overlay_form() {
    let mut it = fixture();
    it.directory("etc").file("etc/.wh.passwd", "").file("var/.wh..wh..opq", "").file("var/log", "new");
    it.file(".wh.opt", "").file(".wh..wh.plnk", "");
    it.unpack().unwrap();
    assert!(it.is_whiteout("etc/passwd") && it.is_whiteout("opt"));
    assert!(it.opaque("var") && !it.opaque("etc"));
    assert_eq!(it.read("var/log"), "new");
    assert!(!it.layer().join(".wh..wh.plnk").exists());
}

#[test]
fn a_whiteout_hides_what_is_below_and_not_what_this_layer_has() {
    let mut it = fixture();
    it.file("a/kept", "1").file(".wh.a", "").file(".wh.b", "").file("b/kept", "2").file(".wh.c", "");
    it.directory("c").file("d", "3").file(".wh.d", "");
    it.unpack().unwrap();
    assert!(it.opaque("a") && it.opaque("b") && it.opaque("c"));
    assert_eq!((it.read("a/kept"), it.read("b/kept"), it.read("d")), ("1".into(), "2".into(), "3".into()));
}

#[test]
fn a_later_entry_replaces_an_earlier_one_of_any_kind() {
    let mut it = fixture();
    it.file("a/b/c", "deep").file("a", "flat").file("d", "old").file("d", "new").symlink("e", "d");
    it.file("e", "file").file("f", "file").directory("f").file("f/g", "in");
    it.unpack().unwrap();
    assert_eq!((it.read("a"), it.read("d")), ("flat".into(), "new".into()));
    assert_eq!((it.read("e"), it.read("f/g")), ("file".into(), "in".into()));
}

#[test]
fn paths_that_climb_are_refused() {
    for name in ["../outside/canary", "a/../../outside/canary", "..", "/../outside/x", "a/..", "./../x"] {
        let mut it = fixture();
        let outcome = it.file(name, "dead").unpack();
        assert!(matches!(outcome, Err(UnpackError::Path { .. })), "{name}: {outcome:?}");
        let outcome = it.directory(name).unpack();
        assert!(matches!(outcome, Err(UnpackError::Path { .. })), "{name}: {outcome:?}");
    }
    for target in ["../outside/canary", "/../outside/canary"] {
        let mut it = fixture();
        let outcome = it.link("mine", target).unpack();
        assert!(matches!(outcome, Err(UnpackError::Path { .. })), "{target}: {outcome:?}");
    }
    for name in [".wh...", ".wh..", ".wh.", "a/.wh..."] {
        let mut it = fixture();
        let outcome = it.file(name, "").unpack();
        assert!(matches!(outcome, Err(UnpackError::Path { .. })), "{name}: {outcome:?}");
    }
}

#[test]
fn symbolic_links_lead_nowhere_outside() {
    let outside = |it: &Fixture| format!("{}/outside", it.folder.path().display());
    for climb in [true, false] {
        let mut it = fixture();
        let target = if climb { "../outside".to_owned() } else { outside(&it) };
        it.symlink("way", &target).file("way/canary", "dead").file("way/new", "dead");
        // Either nothing there could be resolved, or it was made inside the layer.
        let _ = it.unpack();
        let mut it = fixture();
        let target = if climb { "../outside/canary".to_owned() } else { format!("{}/canary", outside(&it)) };
        it.symlink("way", &target).file("way", "dead");
        it.unpack().unwrap();
        assert_eq!(it.read("way"), "dead");
        let mut it = fixture();
        let target = if climb { "../outside".to_owned() } else { outside(&it) };
        it.symlink("way", &target).link("mine", "way/canary");
        assert!(matches!(it.unpack(), Err(UnpackError::Make { .. })));
        let mut it = fixture();
        let target = if climb { "../outside".to_owned() } else { outside(&it) };
        it.symlink("way", &target).file("way/.wh.canary", "").file("way/.wh..wh..opq", "");
        let _ = it.unpack();
        let mut it = fixture();
        let target = if climb { "../outside".to_owned() } else { outside(&it) };
        it.symlink("way", &target).directory("way");
        it.unpack().unwrap();
        assert!(fs::symlink_metadata(it.layer().join("way")).unwrap().is_dir());
    }
}

#[test]
fn a_link_that_is_inside_the_layer_is_followed() {
    let mut it = fixture();
    it.directory("usr/lib").symlink("lib", "usr/lib").file("lib/a", "1").symlink("abs", "/usr/lib");
    it.file("abs/b", "2");
    it.unpack().unwrap();
    assert_eq!((it.read("usr/lib/a"), it.read("usr/lib/b")), ("1".into(), "2".into()));
}

#[test]
fn a_layer_that_was_there_before_cannot_be_used_to_get_out() {
    let mut it = fixture();
    symlink(it.folder.path().join("outside"), it.layer().join("way")).unwrap();
    it.file("way/canary", "dead");
    let _ = it.unpack();
}

#[test]
fn hard_links_to_nothing_and_to_directories_are_refused() {
    for target in ["missing", "folder", "", "/"] {
        let mut it = fixture();
        let outcome = it.directory("folder").link("mine", target).unpack();
        assert!(outcome.is_err(), "{target}: {outcome:?}");
    }
    let mut it = fixture();
    it.file("a", "1").link("a", "a").unpack().unwrap();
    assert_eq!(it.read("a"), "1");
}

#[test]
fn device_nodes_are_left_out_and_cannot_pose_as_whiteouts() {
    let mut it = fixture();
    it.add(EntryType::Char, "null", 0o666, "", b"").add(EntryType::Block, "sda", 0o666, "", b"");
    assert_eq!(it.unpack().unwrap().left_out, 2);
    assert_eq!(fs::read_dir(it.layer()).unwrap().count(), 0);
}

#[test]
fn attributes_are_kept_unless_they_speak_to_the_machine() {
    let mut it = fixture();
    it.tar
        .append_pax_extensions([
            ("SCHILY.xattr.user.note", b"kept".as_slice()),
            ("SCHILY.xattr.trusted.overlay.redirect", b"/etc".as_slice()),
            ("SCHILY.xattr.user.overlay.opaque", b"y".as_slice()),
            ("SCHILY.xattr.security.selinux", b"system_u".as_slice()),
            ("mtime", b"1000000000.25".as_slice()),
        ])
        .unwrap();
    assert_eq!(it.file("a", "1").unpack().unwrap().left_out, 3);
    let path = it.layer().join("a");
    let mut names = [0_u8; 256];
    let length = rustix::fs::listxattr(path.as_str(), &mut names[..]).unwrap();
    assert_eq!(&names[..length], b"user.note\0");
    assert_eq!(fs::metadata(path).unwrap().mtime_nsec(), 250_000_000);
}

#[test]
fn capabilities_survive_the_change_of_owner() {
    let mut it = fixture();
    let mut capability = vec![1, 0, 0, 2];
    capability.extend_from_slice(&[0; 16]);
    capability[5] = 4;
    it.tar.append_pax_extensions([("SCHILY.xattr.security.capability", capability.as_slice())]).unwrap();
    it.add(EntryType::Regular, "ping", 0o755, "", b"#!").unpack().unwrap();
    let mut value = [0_u8; 64];
    let path = it.layer().join("ping");
    assert_eq!(rustix::fs::getxattr(path.as_str(), "security.capability", &mut value[..]), Ok(20));
}

#[track_caller]
fn check_limit(it: &mut Fixture, expected: &str) {
    match it.unpack() {
        Err(UnpackError::Limit { what, .. }) => assert_eq!(what, expected),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_archive_may_not_cost_more_than_the_limits() {
    let mut it = fixture();
    it.limits.entries_max = 3;
    check_limit(it.file("a", "").file("b", "").file("c", "").file("d", ""), "entries");

    let mut it = fixture();
    it.limits.bytes_max = 10_000;
    check_limit(it.file("a", &"x".repeat(20_000)), "bytes of files");

    let mut it = fixture();
    it.limits.depth_max = 8;
    assert!(it.file("1/2/3/4/5/6/7/8", "").unpack().is_ok());
    assert!(matches!(it.file("1/2/3/4/5/6/7/8/9", "").unpack(), Err(UnpackError::Path { .. })));

    let mut it = fixture();
    let long = "n".repeat(256);
    let mut header = Header::new_gnu();
    header.set_size(0);
    it.tar.append_data(&mut header, &long, b"".as_slice()).unwrap();
    assert!(matches!(it.unpack(), Err(UnpackError::Path { .. })));
}

#[test]
fn symbolic_links_do_not_help_to_go_deeper_than_the_limit() {
    let mut it = fixture();
    it.limits.depth_max = 8;
    it.directory("1/2/3/4/5/6").symlink("s", "1/2/3/4/5/6").directory("s/7/8/9/10/11");
    assert!(it.file("s/7/8/9/10/11/12", "").unpack().is_err());
}

#[test]
fn bombs_stop_early() {
    let mut it = fixture();
    it.limits.ratio_max = 100;
    it.limits.ratio_free_bytes = 1 << 20;
    it.file("zeros", &"\0".repeat(64 << 20));
    let plain = it.bytes();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&plain).unwrap();
    for bytes in [gzip.finish().unwrap(), zstd::encode_all(plain.as_slice(), 3).unwrap()] {
        assert!(bytes.len() < 100_000);
        assert!(matches!(it.unpack_bytes(&bytes), Err(UnpackError::Limit { .. })));
        let left = fs::metadata(it.layer().join("zeros")).map_or(0, |about| about.len());
        assert!(left < 16 << 20, "{left}");
    }
}

#[test]
fn a_header_of_gigabytes_is_not_read_into_memory() {
    let mut it = fixture();
    it.limits.header_bytes_max = 64 << 10;
    check_limit(it.add(EntryType::GNULongName, "x", 0o644, "", &vec![b'n'; 1 << 20]), "bytes in one header");
}

#[test]
fn a_sparse_file_counts_with_its_holes() {
    let mut it = fixture();
    it.limits.bytes_max = 1 << 30;
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::GNUSparse);
    header.set_mode(0o644);
    header.set_size(0);
    let gnu = header.as_gnu_mut().unwrap();
    gnu.name[..6].copy_from_slice(b"sparse");
    gnu.set_real_size(1 << 40);
    gnu.sparse[0].set_offset(1 << 40);
    gnu.sparse[0].set_length(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_cksum();
    it.tar.append(&header, b"".as_slice()).unwrap();
    check_limit(&mut it, "bytes of files");
}

#[test]
fn what_is_no_archive_is_refused() {
    let it = fixture();
    for bytes in [b"<html>404</html>".repeat(100), b"\x1f\x8b\x08 not gzip at all".to_vec(), vec![0x55; 4096]]
    {
        assert!(matches!(it.unpack_bytes(&bytes), Err(UnpackError::Archive(_))));
    }
    let mut it = fixture();
    let cut = it.file("a", &"x".repeat(10_000)).bytes();
    assert!(matches!(it.unpack_bytes(&cut[..4_000]), Err(UnpackError::Archive(_))));
    assert!(it.unpack_bytes(b"").is_ok(), "an empty layer is a layer");
}
