//! A machine of its own for each test: a network namespace, keeper, the agent, a registry, and what is left of it all.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};
use tempfile::TempDir;
use wharf_agent::{AgentConfig, Steps};
use wharf_keeper::Client;
use wharf_keeper::protocol::Container;
use wharf_model::network::{IpProtocol, Peer, Permission, SubnetRoutes, Via};
use wharf_model::task::{DesiredStatus, StopCode};
use wharf_model::task_definition::{
    ContainerDefinition, LaunchType, LogConfiguration, LogDriver, NetworkMode, Revision,
};
use wharf_model::{CpuUnits, Mebibytes, Place, TaskId, Timestamp, VpcId};
use wharf_nodelink::agent::{Assignment, GroupRules, InterfaceAssignment, NodeSettings, ServedVpc};

use crate::{control::Control, registry};

pub(crate) const SLOTS: usize = 2;

pub(crate) struct Machine {
    _temp: TempDir,
    pub(crate) config: AgentConfig,
    pub(crate) control: Control,
    keeper: Pid,
    pub(crate) agent: Pid,
    registry: Pid,
}

impl Machine {
    pub(crate) fn new() -> Machine {
        let temp = tempfile::tempdir().unwrap();
        let dir = Utf8PathBuf::from_path_buf(temp.path().to_owned()).unwrap();
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        let up = Command::new("busybox").args(["ip", "link", "set", "lo", "up"]).status().unwrap();
        assert!(up.success());
        let config = AgentConfig {
            slots: SLOTS,
            cgroup_root: format!("/wharf-{}", dir.file_name().unwrap().trim_start_matches('.')),
            ..AgentConfig::new(dir.join("state"), dir.join("run"))
        };
        fs::create_dir_all(&config.run_dir).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let control =
            Control::listen(&config.control_socket, settings(listener.local_addr().unwrap().to_string()));
        let root = dir.join("registry");
        let registry = background("registry", || runtime().block_on(registry::serve(listener, &root)));
        let none = Pid::from_raw(0);
        let mut machine = Machine { _temp: temp, config, control, keeper: none, agent: none, registry };
        machine.start_keeper();
        machine.start_agent();
        machine
    }

    pub(crate) fn start_keeper(&mut self) {
        let (socket, state_dir) = (self.config.keeper_socket.clone(), self.config.state_dir.join("keeper"));
        fs::create_dir_all(&state_dir).unwrap();
        let config = wharf_keeper::Config { socket, state_dir, favor_moves: true };
        self.keeper = background("keeper", || wharf_keeper::run(&config).unwrap());
        within(Duration::from_secs(10), "keeper answers", || Client::connect(&config.socket).is_ok());
    }

    pub(crate) fn start_agent(&mut self) {
        let config = self.config.clone();
        self.agent = background("agent", || {
            if std::env::var_os("WHARF_TEST_LOG").is_some() {
                tracing_subscriber::fmt().with_writer(std::io::stderr).init();
            }
            let error = runtime().block_on(wharf_agent::run(config));
            panic!("the agent ended: {error:?}");
        });
    }

    /// Starts an agent that ends at its step of this number, counted from its start.
    pub(crate) fn start_agent_that_ends_at(&mut self, number: usize) {
        let count = std::sync::atomic::AtomicUsize::new(0);
        self.config.steps = Steps::tell(move |step| {
            if count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == number {
                eprintln!("ended at step {number}, {step}");
                // SAFETY: ends the process as a kill would.
                unsafe { libc::_exit(9) }
            }
        });
        self.start_agent();
        self.config.steps = Steps::default();
    }

    /// Waits for an agent that ended by itself.
    pub(crate) fn bury_agent(&mut self) {
        let agent = self.agent;
        let ended = || waitpid(agent, Some(WaitPidFlag::WNOHANG)).unwrap() != WaitStatus::StillAlive;
        within(Duration::from_secs(5), "the agent ends", ended);
        self.control.hang_up();
    }

    /// Has a stopped task forgotten; whether that was done before the agent ended.
    pub(crate) fn forget_or_end(&mut self, assignment: &Assignment) -> bool {
        let dir = self.config.state_dir.join("tasks").join(assignment.task.as_str());
        self.control.forget_or_end(assignment, || !dir.exists())
    }

    /// `kill -9`.
    pub(crate) fn kill_agent(&mut self) {
        end(self.agent);
        self.control.hang_up();
    }

    pub(crate) fn kill_keeper(&mut self) {
        end(self.keeper);
    }

    pub(crate) fn containers(&self) -> Vec<Container> {
        Client::connect(&self.config.keeper_socket).unwrap().list().unwrap()
    }

    /// Has a stopped task forgotten.
    pub(crate) fn forget(&mut self, assignment: &Assignment) {
        let dir = self.config.state_dir.join("tasks").join(assignment.task.as_str());
        self.control.forget(assignment, || !dir.exists());
    }

    /// Asserts that nothing of any task is left, only networks for the next ones.
    pub(crate) fn assert_clean(&self) {
        let mut left = Vec::new();
        let clean = || {
            left = self.left();
            left.is_empty()
        };
        let deadline = Instant::now() + Duration::from_secs(10);
        if !holds_until(deadline, clean) {
            panic!("tasks left {left:?}");
        }
    }

    /// What is there beside networks for the next tasks.
    fn left(&self) -> Vec<String> {
        let counts =
            [("veths", self.veths()), ("namespaces", names(&self.config.run_dir.join("netns")).len())];
        let wrong = counts.iter().filter(|(_, count)| *count != SLOTS);
        let mut left: Vec<String> = wrong.map(|(what, count)| format!("{count} {what}")).collect();
        left.extend(names(&self.config.state_dir.join("tasks")));
        left.extend(names(&cgroups().join(self.config.cgroup_root.trim_start_matches('/'))));
        left.extend(self.containers().iter().map(|container| format!("{container:?}")));
        left.extend(routes().lines().filter(|line| line.starts_with("172.31.0.")).map(str::to_owned));
        left
    }

    /// Ends the agent, removes what it made, and asserts that nothing is left.
    pub(crate) fn done(self) {
        end(self.agent);
        end(self.registry);
        runtime().block_on(wharf_agent::purge(self.config.clone())).unwrap();
        kill(self.keeper, Signal::SIGTERM).unwrap();
        waitpid(self.keeper, None).unwrap();
        within(Duration::from_secs(10), "veths go", || self.veths() == 0);
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        assert!(!mounts.contains(self.config.run_dir.as_str()), "{mounts}");
        assert!(!cgroups().join(self.config.cgroup_root.trim_start_matches('/')).exists());
        assert!(!routes().contains("172.31."), "{}", routes());
        let tables = Command::new("nft").args(["list", "tables"]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&tables.stdout), "");
    }

    fn veths(&self) -> usize {
        let links = Command::new("busybox").args(["ip", "-o", "link"]).output().unwrap();
        let links = String::from_utf8(links.stdout).unwrap();
        let names = links.lines().filter_map(|line| line.split(": ").nth(1));
        names.filter(|name| name.starts_with("wh") && !name.starts_with("wharf")).count()
    }
}

/// Waits for something that takes an unknown, short time.
pub(crate) fn within(limit: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    assert!(holds_until(Instant::now() + limit, &mut holds), "not within {limit:?}: {what}");
}

fn holds_until(deadline: Instant, mut holds: impl FnMut() -> bool) -> bool {
    while !holds() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}

/// A task that runs a shell script in `box:1` and logs to a group.
pub(crate) fn script(number: u8, script: &str) -> Assignment {
    let task: TaskId = format!("{number:032x}").parse().unwrap();
    let place = Place { region: "us-east-1".to_owned(), account: "123456789012".to_owned() };
    let options = [
        ("awslogs-group", "/box"),
        ("awslogs-region", "us-east-1"),
        ("awslogs-stream-prefix", "test"),
        ("awslogs-create-group", "true"),
    ];
    let options = options.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let container = ContainerDefinition {
        command: Some(vec![script.to_owned()]),
        log_configuration: Some(LogConfiguration {
            driver: LogDriver::Awslogs,
            options: BTreeMap::from(options),
            secret_options: Vec::new(),
        }),
        stop_timeout_secs: Some(2),
        ..ContainerDefinition::new("main", "123456789012.dkr.ecr.us-east-1.amazonaws.com/box:1")
    };
    Assignment {
        generation: 1,
        arn: place.arn("ecs", format!("task/default/{task}")),
        cluster: "default".parse().unwrap(),
        cluster_arn: place.arn("ecs", "cluster/default"),
        definition: Revision { family: "box".parse().unwrap(), revision: 1 },
        launch_type: LaunchType::Fargate,
        service: None,
        group: "family:box".to_owned(),
        zone: "us-east-1a".to_owned(),
        desired_status: DesiredStatus::Running,
        stop: None,
        cpu: CpuUnits(256),
        memory: Mebibytes(512),
        cpu_limit: Some(CpuUnits(256)),
        memory_limit: Some(Mebibytes(512)),
        pid_mode: None,
        ipc_mode: None,
        containers: vec![(container, place.arn("ecs", format!("container/default/{task}/1")))],
        volumes: Vec::new(),
        ephemeral_storage_gib: None,
        network_mode: NetworkMode::Awsvpc,
        interface: Some(InterfaceAssignment {
            id: format!("eni-{number:017x}").parse().unwrap(),
            private_ip: [172, 31, 0, number].into(),
            subnet_cidr: "172.31.0.0/20".parse().unwrap(),
            vpc_cidr: "172.31.0.0/16".parse().unwrap(),
            vpc_id: "vpc-00000001".to_owned(),
            mac: format!("0a:00:00:00:00:{number:02x}").parse().unwrap(),
            public_ip: None,
            groups: vec!["sg-00000001".parse().unwrap()],
            private_dns_name: format!("ip-172-31-0-{number}.us-east-1.compute.internal"),
        }),
        pinned_images: BTreeMap::new(),
        task_role_arn: None,
        tags: BTreeMap::new(),
        created_at: Timestamp(0),
        task,
    }
}

/// The same task, to be stopped by its user.
pub(crate) fn stopped(assignment: &Assignment) -> Assignment {
    Assignment {
        generation: assignment.generation + 1,
        desired_status: DesiredStatus::Stopped,
        stop: Some((StopCode::UserInitiated, "enough".to_owned())),
        ..assignment.clone()
    }
}

fn settings(registry: String) -> NodeSettings {
    let anything = |peer| Permission { protocol: IpProtocol::All, ports: None, peer };
    let group = GroupRules {
        id: "sg-00000001".parse().unwrap(),
        ingress: vec![anything(Peer::Group("sg-00000001".parse().unwrap()))],
        egress: vec![anything(Peer::Cidr("0.0.0.0/0".parse().unwrap()))],
    };
    let vpc: VpcId = "vpc-00000001".parse().unwrap();
    let everywhere = vec![("0.0.0.0/0".parse().unwrap(), Via::Internet)];
    let subnet = SubnetRoutes {
        subnet: "subnet-00000001".parse().unwrap(),
        vpc: vpc.clone(),
        cidr: "172.31.0.0/20".parse().unwrap(),
        routes: everywhere,
    };
    NodeSettings {
        region: "us-east-1".to_owned(),
        account: "123456789012".to_owned(),
        registry,
        registry_password: "secret".to_owned(),
        host_address: Some("172.31.0.1".parse().unwrap()),
        vpcs: vec![ServedVpc { id: vpc, cidr: "172.31.0.0/16".parse().unwrap(), dns_support: true }],
        subnets: vec![subnet],
        public_cidr: "198.18.0.0/16".parse().unwrap(),
        security_groups: vec![group],
        balancers: Vec::new(),
        flow_logs: Vec::new(),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Runs something in a process of its own.
fn background(name: &str, work: impl FnOnce()) -> Pid {
    // SAFETY: the child only does its work and ends without returning here.
    match unsafe { fork() }.unwrap() {
        ForkResult::Parent { child } => child,
        ForkResult::Child => {
            // A test that fails does not end what it started.
            let _unsupported = nix::sys::prctl::set_pdeathsig(Signal::SIGKILL);
            let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            eprintln!("{name} ended: {ended:?}");
            // SAFETY: ends the child at once.
            unsafe { libc::_exit(1) }
        }
    }
}

fn end(process: Pid) {
    kill(process, Signal::SIGKILL).unwrap();
    waitpid(process, None).unwrap();
}

/// The names in a directory; of a cgroup, those of the groups in it.
fn names(dir: &Utf8Path) -> Vec<String> {
    let Ok(entries) = dir.read_dir_utf8() else { return Vec::new() };
    let controls = dir.join("cgroup.procs").exists();
    let all = entries.flatten().filter(|entry| !controls || entry.path().is_dir());
    all.map(|entry| entry.file_name().to_owned()).collect()
}

/// Where a hierarchy that tasks are in is mounted.
fn cgroups() -> Utf8PathBuf {
    let v1 = Utf8PathBuf::from("/sys/fs/cgroup/pids");
    if v1.exists() { v1 } else { "/sys/fs/cgroup".into() }
}

fn routes() -> String {
    let all = Command::new("busybox").args(["ip", "route"]).output().unwrap();
    let text = String::from_utf8(all.stdout).unwrap();
    text.lines().filter(|line| line.contains("wh") && !line.contains("wharf")).collect::<Vec<_>>().join("\n")
}
