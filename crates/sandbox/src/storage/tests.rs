use std::io::Write;

use super::*;
use crate::testbed::in_own_host;

fn path(dir: std::path::PathBuf) -> Utf8PathBuf {
    Utf8PathBuf::from_path_buf(dir).unwrap()
}

#[test]
fn a_full_file_system_of_a_task_leaves_the_host_its_room() {
    in_own_host(async |dir| {
        let dir = path(dir);
        let (image, at) = (dir.join("disk"), dir.join("mounted/here"));
        make(&image, 1).unwrap();
        mount_image(&image, &at).unwrap();
        mount_image(&image, &at).unwrap();
        assert_eq!(mounted_below(&dir).unwrap(), std::slice::from_ref(&at));
        let file = File::create(at.join("big")).unwrap();
        let full = nix::fcntl::fallocate(&file, nix::fcntl::FallocateFlags::empty(), 0, 2 << 30);
        assert_eq!(full, Err(Errno::ENOSPC));
        file.set_len(0).unwrap();
        (&file).write_all(&[7; 1 << 20]).unwrap();
        let usage = usage(&at).unwrap();
        assert!(usage.used >= 1 << 20 && usage.total > 900 << 20 && usage.total <= 1 << 30, "{usage:?}");
        drop(file);
        unmount(&at).unwrap();
        unmount(&at).unwrap();
        assert_eq!(mounted_below(&dir).unwrap(), [] as [Utf8PathBuf; 0]);
        assert!(!at.exists());
        let devices = fs::read_dir("/sys/block").unwrap().flatten();
        let files = devices.filter_map(|it| fs::read_to_string(it.path().join("loop/backing_file")).ok());
        assert!(files.into_iter().all(|file| file.trim() != image.as_str()), "the loop device is given back");
    });
}

#[test]
fn a_memory_file_system_has_its_size() {
    in_own_host(async |dir| {
        let at = path(dir).join("memory");
        mount_tmpfs(&at, &MountOptions::parse("size=1m,mode=700,noexec").unwrap()).unwrap();
        assert_eq!(usage(&at).unwrap().total, 1 << 20);
        unmount(&at).unwrap();
    });
}

#[test]
fn unknown_options_are_named() {
    let options = MountOptions::parse("rw,bind,ro").unwrap();
    assert!(options.bind && options.read_only);
    assert_eq!(MountOptions::parse("addr=10.0.0.1"), Err(UnknownOption("addr=10.0.0.1".to_owned())));
    assert_eq!(MountOptions::parse("size"), Err(UnknownOption("size".to_owned())));
}
