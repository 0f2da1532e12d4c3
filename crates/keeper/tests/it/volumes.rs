//! What a container sees of the host, and what the host keeps for itself.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::process::Command;

use camino::Utf8PathBuf;
use wharf_model::secret::Plain;
use wharf_sandbox::spec::{BindMount, ContainerSpec};
use wharf_sandbox::storage;

use crate::machine::Machine;

fn run(machine: &Machine, id: &str, script: &str, change: impl FnOnce(&mut ContainerSpec)) -> String {
    let mut spec = machine.spec(id, &["sh", "-c", script]);
    change(&mut spec);
    let (exit, stdout, stderr) = machine.finish(id, &spec);
    assert_eq!(exit.code, Some(0), "{script}: {stdout}{stderr}");
    stdout
}

fn dir(machine: &Machine, name: &str) -> Utf8PathBuf {
    let path = machine.dir.join(name);
    fs::create_dir_all(&path).unwrap();
    path
}

fn mount(source: &Utf8PathBuf, destination: &str) -> BindMount {
    BindMount { source: source.clone(), destination: destination.to_owned(), ..BindMount::default() }
}

#[test]
fn f33_a_symlink_of_the_image_never_leads_a_volume_to_the_host() {
    let machine = Machine::new();
    let (layer, canary, volume) =
        (machine.dir.join("layer"), dir(&machine, "canary"), dir(&machine, "volume"));
    fs::write(volume.join("in"), "volume").unwrap();
    symlink(&canary, layer.join("data")).unwrap();
    // What the symlink means inside the image.
    fs::create_dir_all(layer.join(canary.as_str().trim_start_matches('/'))).unwrap();
    symlink("../../../../../../..", layer.join("up")).unwrap();
    let said = run(&machine, "links", "cat /data/deep/in /up/other/in /data/file", |spec| {
        let file = machine.dir.join("file");
        fs::write(&file, "file").unwrap();
        spec.mounts =
            vec![mount(&volume, "/data/deep"), mount(&volume, "/up/other"), mount(&file, "/data/file")];
    });
    assert_eq!(said, "volumevolumefile");
    assert_eq!(fs::read_dir(&canary).unwrap().count(), 0, "the host's directory is as it was");
    machine.done();
}

#[test]
fn a_new_volume_gets_what_the_image_has_there_once() {
    let machine = Machine::new();
    let (layer, volume) = (machine.dir.join("layer"), dir(&machine, "volume"));
    let image = layer.join("srv/app");
    fs::create_dir_all(image.join("deep")).unwrap();
    fs::write(image.join("deep/file"), "text").unwrap();
    fs::hard_link(image.join("deep/file"), image.join("again")).unwrap();
    symlink("/etc/passwd", image.join("link")).unwrap();
    fs::set_permissions(image.join("deep/file"), fs::Permissions::from_mode(0o4755)).unwrap();
    chown(image.join("deep"), Some(1000), Some(1001)).unwrap();
    fs::set_permissions(&image, fs::Permissions::from_mode(0o1777)).unwrap();
    let filled = || BindMount { fill: true, ..mount(&volume, "/srv/app") };
    let said = run(&machine, "first", "cat /srv/app/deep/file; echo new > /srv/app/own", |spec| {
        spec.mounts = vec![filled()];
    });
    assert_eq!(said, "text");
    let of = |name: &str| fs::symlink_metadata(volume.join(name)).unwrap();
    assert_eq!((of("deep").uid(), of("deep").gid()), (1000, 1001));
    assert_eq!(of("deep/file").mode() & 0o7777, 0o4755);
    assert_eq!(of("deep/file").ino(), of("again").ino());
    assert_eq!(fs::read_link(volume.join("link")).unwrap(), std::path::Path::new("/etc/passwd"));
    assert_eq!(of(".").mode() & 0o7777, 0o1777);
    assert!(!image.join("own").exists());
    fs::remove_file(volume.join("deep/file")).unwrap();
    let said = run(&machine, "second", "ls /srv/app/deep; cat /srv/app/own", |spec| {
        spec.mounts = vec![filled()];
    });
    assert_eq!(said, "new\n", "what is not empty stays as it is");
    // A launcher was killed on its way.
    rustix::fs::setxattr(volume.as_str(), "trusted.wharf.filling", b"1", rustix::fs::XattrFlags::empty())
        .unwrap();
    run(&machine, "third", "cat /srv/app/deep/file; [ ! -e /srv/app/own ]", |spec| {
        spec.mounts = vec![filled()]
    });
    machine.done();
}

#[test]
fn a_volume_that_is_read_only_is_so_with_all_that_is_mounted_in_it() {
    let machine = Machine::new();
    let volume = dir(&machine, "volume");
    let inner = dir(&machine, "volume/inner");
    nix::mount::mount(
        Some("tmpfs"),
        inner.as_std_path(),
        Some("tmpfs"),
        nix::mount::MsFlags::empty(),
        Some("size=1m"),
    )
    .unwrap();
    // Keeper was there before this was mounted: it is seen all the same.
    fs::write(inner.join("seen"), "seen").unwrap();
    let script = "cat /v/inner/seen; echo x > /v/a || echo no; echo x > /v/inner/a || echo no; echo x > /w/a";
    let said = run(&machine, "reader", script, |spec| {
        let reads = BindMount { read_only: true, ..mount(&volume, "/v") };
        spec.mounts = vec![reads, mount(&volume, "/w")];
    });
    nix::mount::umount(inner.as_std_path()).unwrap();
    assert_eq!(said, "seenno\nno\n");
    assert!(volume.join("a").exists());
    machine.done();
}

#[test]
fn volumes_may_be_in_each_other_and_below_dev() {
    let machine = Machine::new();
    let (outer, inner, shared) = (dir(&machine, "outer"), dir(&machine, "inner"), dir(&machine, "shared"));
    run(&machine, "nested", "echo x > /data/a; echo x > /data/in/b; echo x > /dev/shm/c", |spec| {
        spec.mounts = vec![mount(&inner, "/data/in"), mount(&outer, "/data"), mount(&shared, "/dev/shm")];
    });
    assert!(outer.join("a").exists() && inner.join("b").exists() && shared.join("c").exists());
    assert!(!outer.join("in/b").exists());
    machine.done();
}

#[test]
fn files_are_made_as_somebody_else_where_that_is_asked_for() {
    let machine = Machine::new();
    let volume = dir(&machine, "volume");
    chown(&volume, Some(4242), Some(4343)).unwrap();
    for (user, shown) in [("app", "1000:1001"), ("", "0:0")] {
        let script = "/bin/busybox stat -c %u:%g /v; echo x > /v/$(id -u)";
        let said = run(&machine, &format!("as{user}"), script, |spec| {
            spec.user = user.to_owned();
            spec.mounts = vec![BindMount { owner: Some((4242, 4343)), ..mount(&volume, "/v") }];
        });
        assert_eq!(said.trim(), shown);
    }
    for name in ["0", "1000"] {
        let made = fs::metadata(volume.join(name)).unwrap();
        assert_eq!((made.uid(), made.gid()), (4242, 4343), "{name}");
    }
    machine.done();
}

#[test]
fn f46_who_fills_a_disk_of_its_own_fills_nothing_else() {
    let machine = Machine::new();
    let (image, at) = (machine.dir.join("disk"), machine.dir.join("mounted"));
    storage::make(&image, 1).unwrap();
    storage::mount_image(&image, &at).unwrap();
    let own = dir(&machine, "mounted/own");
    let script = "/bin/busybox fallocate -l 2000000000 /big && echo fits; echo after > /small; cat /small";
    let spec = {
        let mut spec = machine.spec("filler", &["sh", "-c", script]);
        spec.storage = Some(own.clone());
        spec
    };
    let (_, stdout, stderr) = machine.finish("filler", &spec);
    let said = run(&machine, "other", "echo fine > /file; cat /file", |_| {});
    assert_eq!(said, "fine\n");
    assert!(!stdout.contains("fits") && stderr.contains("No space left"), "{stdout}{stderr}");
    assert!(own.join("upper/small").exists(), "the writable layer is on that disk");
    assert!(!machine.dir.join("containers/filler/upper").exists());
    storage::unmount(&at).unwrap();
    machine.done();
}

#[test]
fn a_secret_is_in_the_environment_and_in_no_file() {
    let machine = Machine::new();
    let mut spec = machine.spec("secret", &["sh", "-c", "echo $TOKEN $PATH; sleep 1000"]);
    spec.secret_env = vec![("TOKEN".to_owned(), Plain::new("hunter2-in-no-file"))];
    machine.run_spec("secret", &spec).unwrap();
    while machine.output("secret").0.is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    let said = machine.output("secret").0;
    assert!(said.starts_with("hunter2-in-no-file /usr/local/sbin:"), "{said}");
    let searched =
        Command::new("grep").args(["-rl", "hunter2-in-no-file", machine.dir.as_str()]).output().unwrap();
    let found = String::from_utf8(searched.stdout).unwrap();
    assert_eq!(found.lines().filter(|path| !path.ends_with("output.log")).count(), 0, "{found}");
    machine.client().delete("secret").unwrap();
    machine.client().forget("secret").unwrap();
    machine.done();
}
