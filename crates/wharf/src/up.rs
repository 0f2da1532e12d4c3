//! `wharf up`: one Wharf on this machine, in the foreground or behind it.

use crate::{
    credentials::Credentials,
    down, hosts_file, node,
    options::Options,
    pid::Process,
    ready,
    supervise::{self, End, PROCESSES},
};
use anyhow::{Context, bail};
use camino::Utf8Path;
use nix::fcntl::{Flock, FlockArg};
use std::{
    collections::BTreeSet,
    fs::File,
    io::Write,
    net::TcpListener,
    os::unix::{fs::DirBuilderExt, process::CommandExt},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// How long everything may take to answer for the first time.
const START_LIMIT: Duration = Duration::from_secs(60);

/// Runs Wharf; with `detach`, returns as soon as it answers.
pub(crate) fn up(options: &Options, detach: bool) -> anyhow::Result<()> {
    options.check()?;
    if !options.is_simulated() {
        if !nix::unistd::geteuid().is_root() {
            bail!("wharf up needs root: it makes network namespaces, cgroups and mounts. Run it with sudo");
        }
        needs_program("nft", "nftables")?;
    }
    make_dir(&options.run_dir, 0o755)?;
    if detach {
        return start_behind(options);
    }
    let _lock = lock(options)?;
    let endpoint = TcpListener::bind(options.endpoint).with_context(|| {
        format!(
            "listen on {}; if another program has that port, choose one with --endpoint",
            options.endpoint
        )
    })?;
    crate::log_to_stderr("up");
    end_strays(options)?;
    if options.ephemeral {
        down::remove_everything(options).context("remove what an earlier ephemeral Wharf left")?;
        make_dir(&options.run_dir, 0o755)?;
    }
    if !options.is_simulated() {
        node::check_addresses(options)?;
    }
    make_dir(&options.state_dir, 0o700)?;
    options.keep()?;
    let (credentials, new) = Credentials::ensure(options)?;
    if new {
        announce(&format!(
            "A new access key was made. `wharf env` prints it again:\n\n{}\n",
            credentials.exports(options)
        ));
    }
    let deadline = Instant::now() + START_LIMIT;
    let end = supervise::supervise(options, &endpoint, || {
        if !ready::is_ready(options) {
            if Instant::now() > deadline {
                bail!("not everything answers after {START_LIMIT:?}; the lines above say why");
            }
            return Ok(false);
        }
        announce(&format!("Wharf is ready at http://{}\n", options.endpoint));
        ready::notify_service_manager();
        Ok(true)
    })?;
    if !options.no_hosts_file {
        hosts_file::set(Utf8Path::new(hosts_file::HOSTS), &options.run_dir, &BTreeSet::new())?;
    }
    if let End::DidNotStart { name, how } = end {
        bail!("{name} did not start ({how}); the lines above say why");
    }
    if options.ephemeral {
        down::remove_everything(options)?;
    }
    Ok(())
}

/// Starts the same command in a session of its own and waits until it answers or has ended.
fn start_behind(options: &Options) -> anyhow::Result<()> {
    if let Some(process) = Process::read(&options.pid_file("up")) {
        bail!("{}", already_running(options, process));
    }
    let log_path = options.run_dir.join("wharf.log");
    let log = File::create(&log_path).with_context(|| format!("write {log_path}"))?;
    let binary = std::env::current_exe().context("find the wharf binary")?;
    let mut command = Command::new(binary);
    command
        .arg("up")
        .args(options.to_args())
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(log.try_clone().context("share the log file")?)
        .stderr(log);
    let mut child = command.spawn().context("start wharf in the background")?;
    let deadline = Instant::now() + START_LIMIT + Duration::from_secs(5);
    while !ready::is_ready(options) {
        if let Some(status) = child.try_wait().context("wait for wharf")? {
            let said = std::fs::read_to_string(&log_path).unwrap_or_default();
            let last: Vec<&str> = said.lines().rev().take(5).collect();
            let last: Vec<&str> = last.into_iter().rev().collect();
            bail!("wharf did not start ({status}):\n{}", last.join("\n"));
        }
        if Instant::now() > deadline {
            bail!("wharf does not answer; see {log_path}");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    announce(&format!(
        "Wharf is ready at http://{}, process {}, log in {log_path}\n",
        options.endpoint,
        child.id()
    ));
    Ok(())
}

/// Holds the lock that one `wharf up` has in a run directory.
fn lock(options: &Options) -> anyhow::Result<Flock<File>> {
    let path = options.lock_file();
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| format!("write {path}"))?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => {
            let own = i32::try_from(std::process::id())
                .ok()
                .and_then(Process::find)
                .context("find this process")?;
            own.write(&options.pid_file("up"))?;
            Ok(lock)
        }
        Err(_) => match Process::read(&options.pid_file("up")) {
            Some(process) => bail!("{}", already_running(options, process)),
            None => bail!("{path} is locked by another process"),
        },
    }
}

fn already_running(options: &Options, process: Process) -> String {
    format!(
        "wharf is already running (process {}) with run directory {}; stop it with `wharf down`, or start another one \
         with its own --run-dir, --state-dir, --endpoint and --vpc-cidr",
        process.pid(),
        options.run_dir
    )
}

/// Ends processes that a killed `wharf up` left behind. Tasks are not theirs: they run on.
fn end_strays(options: &Options) -> anyhow::Result<()> {
    for name in PROCESSES.iter().rev() {
        if let Some(process) = Process::read(&options.pid_file(name)) {
            tracing::warn!(
                process = name,
                pid = process.pid(),
                "an earlier run left this process; it is ended"
            );
            process.end(Duration::from_secs(2))?;
        }
    }
    Ok(())
}

fn needs_program(program: &str, package: &str) -> anyhow::Result<()> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .any(|dir| dir.join(program).is_file());
    if !found {
        bail!("the program '{program}' is missing; install the package '{package}'");
    }
    Ok(())
}

fn make_dir(dir: &Utf8Path, mode: u32) -> anyhow::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(dir)
        .with_context(|| format!("make directory {dir}"))
}

#[expect(clippy::print_stdout, reason = "the command's output")]
fn announce(text: &str) {
    print!("{text}");
    let _ = std::io::stdout().flush();
}
