//! A Wharf of a test's own, with its own directories, port and addresses, removed with everything it made.

use crate::{
    aws::Aws,
    census::Census,
    disk::Disk,
    places::{binary, run},
    wait::within,
};
use camino::{Utf8Path, Utf8PathBuf};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    net::{Ipv4Addr, TcpListener},
    process::{Command, Output},
    time::Duration,
};

/// A running Wharf.
pub struct Wharf {
    before: Census,
    // Before the directory it is mounted in, so that it is unmounted first.
    disk: Option<Disk>,
    dir: tempfile::TempDir,
    port: u16,
    extra: Vec<String>,
    down: bool,
}

/// A process of Wharf and when it started, so that another with the same number is not taken for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lived {
    /// The process id.
    pub pid: i32,
    /// The start time in clock ticks since boot.
    pub started: u64,
}

impl Wharf {
    /// Starts one and waits until it is ready.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(extra: &[&str]) -> Wharf {
        Wharf::start_with(extra, None)
    }

    /// Starts one whose state is on a small disk of its own.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_on_disk(mebibytes: u64, extra: &[&str]) -> Wharf {
        Wharf::start_with(extra, Some(mebibytes))
    }

    fn start_with(extra: &[&str], disk: Option<u64>) -> Wharf {
        let before = Census::take();
        let dir = tempfile::Builder::new()
            .prefix("wharf-e2e-")
            .tempdir()
            .expect("a temporary directory can be made");
        let port = free_port();
        let extra = extra.iter().map(|word| (*word).to_owned()).collect();
        let disk = disk.map(|mebibytes| Disk::mount(dir.path(), mebibytes));
        let wharf = Wharf { before, dir, disk, port, extra, down: false };
        wharf.up();
        wharf
    }

    /// Returns the disk that the state is on.
    ///
    /// # Panics
    /// When it has none of its own.
    pub fn disk(&self) -> &Disk {
        self.disk.as_ref().expect("this Wharf was started with a disk of its own")
    }

    /// Runs `wharf up --detach` again.
    ///
    /// # Panics
    /// When it does not start.
    pub fn up(&self) {
        run(self.command("up").arg("--detach"));
    }

    /// Returns a command of this Wharf, not yet run.
    pub fn command(&self, name: &str) -> Command {
        let mut command = Command::new(binary());
        command.arg(name).args(self.options());
        command
    }

    /// Runs a command of this Wharf.
    ///
    /// # Panics
    /// When it cannot be run at all.
    pub fn output(&self, name: &str, args: &[&str]) -> Output {
        self.command(name).args(args).output().expect("the wharf binary is built")
    }

    /// Runs a command with these options in the place of this Wharf's own.
    ///
    /// # Panics
    /// When it cannot be run at all.
    pub fn output_with(&self, name: &str, own: &[&str]) -> Output {
        let option = |option: &str| option.split('=').next().map(str::to_owned);
        let mut options = self.options();
        options.retain(|known| own.iter().all(|own| option(own) != option(known)));
        let mut command = Command::new(binary());
        command.arg(name).args(options).args(own).output().expect("the wharf binary is built")
    }

    fn options(&self) -> Vec<String> {
        let mut options = vec![
            format!("--state-dir={}", self.state_dir()),
            format!("--run-dir={}", self.run_dir()),
            format!("--endpoint=127.0.0.1:{}", self.port),
            format!("--vpc-cidr={}/16", vpc_address(0, 0)),
            format!("--public-cidr=10.{}.0.0/16", network() + 1),
        ];
        // A test's own choice goes before these.
        let name = |option: &str| option.split('=').next().map(str::to_owned);
        options.retain(|option| self.extra.iter().all(|own| name(own) != name(option)));
        options.extend(self.extra.iter().cloned());
        options
    }

    /// Returns where the API answers, `host:port`.
    pub fn endpoint(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Returns the state directory.
    pub fn state_dir(&self) -> Utf8PathBuf {
        match &self.disk {
            Some(disk) => disk.path().join("state"),
            None => self.path().join("state"),
        }
    }

    /// Returns the run directory.
    pub fn run_dir(&self) -> Utf8PathBuf {
        self.path().join("run")
    }

    fn path(&self) -> &Utf8Path {
        Utf8Path::from_path(self.dir.path()).expect("temporary directories have plain names")
    }

    /// Returns the AWS CLI with this Wharf's access key.
    ///
    /// # Panics
    /// When `wharf env` fails.
    pub fn aws(&self) -> Aws {
        Aws::new(&run(&mut self.command("env")))
    }

    /// Puts a bundle's image into a new repository, and returns the image's name.
    ///
    /// # Panics
    /// When that fails.
    pub fn push(&self, bundle: &str) -> String {
        let made = self.aws().json(&format!("ecr create-repository --repository-name {bundle}"));
        let uri = made["repository"]["repositoryUri"].as_str().expect("a repository has a URI").to_owned();
        run(&mut self.pushing(bundle));
        format!("{uri}:latest")
    }

    /// Returns the command that puts a bundle's image into its repository, not yet run.
    ///
    /// # Panics
    /// When there is no password for the registry.
    pub fn pushing(&self, bundle: &str) -> Command {
        let password = self.aws().text("ecr get-login-password");
        let mut command = Command::new("skopeo");
        command.args([
            "copy",
            "--quiet",
            "--dest-tls-verify=false",
            &format!("--dest-creds=AWS:{}", password.trim()),
            &crate::bundle(bundle),
            &format!("docker://{}/{bundle}", self.endpoint()),
        ]);
        command
    }

    /// Returns one of Wharf's four processes.
    ///
    /// # Panics
    /// When it does not come up within a few seconds.
    pub fn process(&self, name: &str) -> Lived {
        let file = self.run_dir().join(format!("{name}.pid"));
        within(Duration::from_secs(10), format!("process {name}"), || {
            let text = std::fs::read_to_string(&file).ok()?;
            let (pid, started) = text.trim().split_once(' ')?;
            let lived = Lived { pid: pid.parse().ok()?, started: started.parse().ok()? };
            std::path::Path::new(&format!("/proc/{pid}")).exists().then_some(lived)
        })
    }

    /// Kills one of the four processes with SIGKILL and returns the killed one.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill(&self, name: &str) -> Lived {
        let lived = self.process(name);
        kill(Pid::from_raw(lived.pid), Signal::SIGKILL).expect("a process of this test can be killed");
        lived
    }

    /// Stops everything, removes it, and checks that nothing is left.
    ///
    /// # Panics
    /// When something is left.
    pub fn down(mut self) {
        self.down = true;
        run(self.command("down").arg("--all"));
        let left: Vec<_> =
            [self.state_dir(), self.run_dir()].into_iter().filter(|dir| dir.exists()).collect();
        assert!(left.is_empty(), "left behind: {left:?}");
        self.disk = None;
        Census::take().assert_same(&self.before);
    }
}

impl Drop for Wharf {
    fn drop(&mut self) {
        if self.down {
            return;
        }
        // A failed test: keep what explains it, then clean up all the same.
        if let Ok(log) = std::fs::read_to_string(self.run_dir().join("wharf.log")) {
            let lines: Vec<&str> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(120)..];

            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "the last lines of the log:\n{}", last.join("\n"));
        }
        let _ = self.command("down").arg("--all").output();
    }
}

/// Returns an address in the block that the tests' networks are made from.
pub fn vpc_address(third: u8, fourth: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, network(), third, fourth)
}

/// Two runs on one machine need different ones: `WHARF_E2E_NETWORK` is the second number of the tests' addresses, and
/// the number after it is that of their public ones.
fn network() -> u8 {
    let given = std::env::var("WHARF_E2E_NETWORK").ok();
    given.map_or(213, |given| given.parse().expect("WHARF_E2E_NETWORK is a number up to 254"))
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("a bound socket has an address").port()
}
