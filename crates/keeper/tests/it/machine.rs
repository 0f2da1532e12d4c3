//! A keeper under test with everything it needs, and what is left behind when it goes.

use std::collections::BTreeSet;
use std::fs;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{ForkResult, Pid, fork};
use tempfile::TempDir;
use wharf_keeper::output::{Follower, Stream};
use wharf_keeper::protocol::{Created, Exit};
use wharf_keeper::{Client, ClientError, Config, Exits};
use wharf_sandbox::cgroup::{Cgroup, Hierarchy, TaskLimits};
use wharf_sandbox::spec::ContainerSpec;

pub(crate) struct Machine {
    _temp: TempDir,
    pub(crate) dir: Utf8PathBuf,
    layer: Utf8PathBuf,
    netns: OwnedFd,
    task: Cgroup,
    pub(crate) keeper: Pid,
    before: BTreeSet<String>,
}

impl Machine {
    pub(crate) fn new() -> Machine {
        let temp = tempfile::tempdir().unwrap();
        let dir = Utf8PathBuf::from_path_buf(temp.path().to_owned()).unwrap();
        let layer = dir.join("layer");
        make_layer(&layer);
        let before = census();
        let task =
            Cgroup::new(&Hierarchy::detect().unwrap(), &format!("/wharf-test-{}", dir.file_name().unwrap()));
        task.create(&TaskLimits { memory_bytes: Some(256 << 20), pids: 4096, ..TaskLimits::default() })
            .unwrap();
        let netns = std::thread::spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).unwrap();
            fs::File::open("/proc/thread-self/ns/net").unwrap().into()
        });
        let netns = netns.join().unwrap();
        let mut machine = Machine { _temp: temp, keeper: Pid::from_raw(0), dir, layer, netns, task, before };
        machine.start_keeper();
        machine
    }

    pub(crate) fn start_keeper(&mut self) {
        let config = Config {
            socket: self.dir.join("keeper.sock"),
            state_dir: self.dir.join("state"),
            favor_moves: true,
        };
        // SAFETY: the child only runs keeper and ends without returning here.
        match unsafe { fork() }.unwrap() {
            ForkResult::Parent { child } => self.keeper = child,
            ForkResult::Child => {
                let ended = std::panic::catch_unwind(|| wharf_keeper::run(&config));
                let failed = !matches!(ended, Ok(Ok(())));
                if failed {
                    eprintln!("keeper: {ended:?}");
                }
                // SAFETY: ends the child at once.
                unsafe { libc::_exit(i32::from(failed)) }
            }
        }
        let deadline = Instant::now() + Duration::from_secs(10);
        while Client::connect(&config.socket).and_then(|mut client| client.list()).is_err() {
            assert!(Instant::now() < deadline, "keeper does not answer");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    pub(crate) fn kill_keeper(&mut self) {
        kill(self.keeper, Signal::SIGKILL).unwrap();
        nix::sys::wait::waitpid(self.keeper, None).unwrap();
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(&self.dir.join("keeper.sock")).unwrap()
    }

    pub(crate) fn netns(&self) -> BorrowedFd<'_> {
        self.netns.as_fd()
    }

    pub(crate) fn exits(&self) -> Exits {
        self.client().watch().unwrap()
    }

    pub(crate) fn spec(&self, id: &str, command: &[&str]) -> ContainerSpec {
        ContainerSpec {
            dir: self.dir.join("containers").join(id),
            layers: vec![self.layer.clone()],
            args: command.iter().map(|word| (*word).to_owned()).collect(),
            hostname: "box".to_owned(),
            hosts: "127.0.0.1 localhost\n".to_owned(),
            resolv_conf: "nameserver 169.254.170.2\n".to_owned(),
            cgroup_parent: self.task.path().to_owned(),
            ..ContainerSpec::default()
        }
    }

    pub(crate) fn run(&self, id: &str, command: &[&str]) -> Created {
        self.run_spec(id, &self.spec(id, command)).unwrap()
    }

    pub(crate) fn run_spec(&self, id: &str, spec: &ContainerSpec) -> Result<Created, ClientError> {
        self.client().run(id, spec, self.netns.as_fd())
    }

    pub(crate) fn create(&self, id: &str, spec: &ContainerSpec) -> Result<Created, ClientError> {
        self.client().create(id, spec, self.netns.as_fd())
    }

    /// Runs a shell script to its end and returns its exit and what it wrote to both streams.
    pub(crate) fn script(&self, id: &str, script: &str) -> (Exit, String, String) {
        self.finish(id, &self.spec(id, &["sh", "-c", script]))
    }

    pub(crate) fn finish(&self, id: &str, spec: &ContainerSpec) -> (Exit, String, String) {
        let exits = self.exits();
        self.run_spec(id, spec).unwrap();
        let exit = wait_for(exits, id);
        let (stdout, stderr) = self.output(id);
        self.client().delete(id).unwrap();
        self.client().forget(id).unwrap();
        (exit, stdout, stderr)
    }

    pub(crate) fn output(&self, id: &str) -> (String, String) {
        let mut follower = Follower::open(&self.dir.join("containers").join(id), 0).unwrap();
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        while let Some(chunk) = follower.read().unwrap() {
            match chunk.stream {
                Stream::Stdout => stdout.extend(chunk.bytes),
                Stream::Stderr => stderr.extend(chunk.bytes),
            }
        }
        (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
    }

    /// Ends keeper and asserts that nothing of the machine is left.
    pub(crate) fn done(self) {
        assert_eq!(self.client().list().unwrap(), [], "containers left");
        kill(self.keeper, Signal::SIGTERM).unwrap();
        let status = nix::sys::wait::waitpid(self.keeper, None).unwrap();
        assert!(matches!(status, nix::sys::wait::WaitStatus::Exited(_, 0)), "{status:?}");
        self.task.remove().unwrap();
        let after = census();
        let left: Vec<_> =
            after.difference(&self.before).filter(|entry| entry.contains(self.dir.as_str())).collect();
        assert!(left.is_empty(), "left behind: {left:?}");
        assert!(!self.task.exists());
    }
}

pub(crate) fn wait_for(exits: Exits, id: &str) -> Exit {
    exits.map(Result::unwrap).find(|exit| exit.id == id).unwrap()
}

/// Everything of ours that the kernel might keep: mounts, and processes by their command line.
fn census() -> BTreeSet<String> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let mut all: BTreeSet<String> = mounts.lines().map(str::to_owned).collect();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        if let Ok(line) = fs::read(entry.path().join("cmdline")) {
            all.insert(format!("{:?} {}", entry.file_name(), String::from_utf8_lossy(&line)));
        }
    }
    all
}

fn make_layer(layer: &Utf8Path) {
    for dir in ["bin", "dev", "proc", "sys", "etc", "tmp"] {
        fs::create_dir_all(layer.join(dir)).unwrap();
    }
    let busybox = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|path| Utf8Path::new(path).exists());
    fs::copy(busybox.expect("busybox-static is installed"), layer.join("bin/busybox")).unwrap();
    for name in [
        "sh", "true", "sleep", "echo", "cat", "id", "hostname", "dd", "tail", "mount", "unshare", "ls",
        "kill", "grep", "seq", "tty", "stty", "cut", "sort", "wc", "cp", "readlink",
    ] {
        symlink("busybox", layer.join("bin").join(name)).unwrap();
    }
    fs::write(
        layer.join("etc/passwd"),
        "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n",
    )
    .unwrap();
    fs::write(layer.join("etc/group"), "root:x:0:\napp:x:1001:\nextra:x:1002:app\n").unwrap();
}
