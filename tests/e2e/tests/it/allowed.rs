//! What a container is told and allowed: each parameter by what the container itself sees.

use crate::hello::{container, describe, log, network, text, until};
use nix::sys::stat::{Mode, SFlag, makedev, mknod};
use serde_json::{Value, json};
use std::time::Duration;
use wharf_e2e::{Aws, Wharf, within};

/// What every program here begins with: it says `<name> <what> = <value>` of what it sees.
const SAY: &str = "import os,sys,socket,resource,select,stat,subprocess,time\n\
    me=os.environ['ME']\n\
    def say(what, value): print(me, what, '=', value, flush=True)\n\
    def attempt(what, work):\n\
    \x20 try: say(what, work())\n\
    \x20 except OSError as e: say(what, os.strerror(e.errno))\n\
    def status(key): return [l.split()[1] for l in open('/proc/self/status') if l.startswith(key+':')][0]\n\
    def has(bit): return bool(int(status('CapEff'),16)>>bit&1)\n\
    def size(path): s=os.statvfs(path); return s.f_blocks*s.f_frsize>>20\n\
    def mounted(path): return [l.split()[3] for l in open('/proc/mounts') if l.split()[1]==path][-1]\n\
    def read(path): return ' '.join(open(path).read().split())\n\
    def opened(path, flags): os.close(os.open(path, flags)); return 'fine'\n";

/// Returns a container that runs a program in Python and does not end the task.
pub(crate) fn says(name: &str, image: &str, program: &str, more: Value) -> Value {
    let mut members = json!({
        "essential": false,
        "memory": 64,
        "environment": [{"name": "ME", "value": name}],
        "command": ["python3", "-c", format!("{SAY}{program}say('end', 'reached')\n")],
    });
    if let (Value::Object(members), Value::Object(more)) = (&mut members, more) {
        members.extend(more);
    }
    container(name, image, members)
}

/// Registers a definition for container instances and starts a task of it, with an interface of its own unless the
/// definition names another network mode.
pub(crate) fn start(aws: &Aws, family: &str, definition: Value) -> String {
    let mut whole = json!({
        "family": family,
        "networkMode": "awsvpc",
        "executionRoleArn": "arn:aws:iam::123456789012:role/ecsTaskExecutionRole",
    });
    if let (Value::Object(whole), Value::Object(definition)) = (&mut whole, definition) {
        whole.extend(definition);
    }
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let file = dir.path().join("definition.json");
    std::fs::write(&file, whole.to_string()).expect("a temporary file can be written");
    aws.json(&format!("ecs register-task-definition --cli-input-json file://{}", file.display()));
    let network = match whole["networkMode"] == "awsvpc" {
        true => format!("--network-configuration {}", network(aws).replace(",assignPublicIp=ENABLED", "")),
        false => String::new(),
    };
    let run = aws.json(&format!("ecs run-task --task-definition {family} --launch-type EC2 {network}"));
    assert_eq!(run["failures"], json!([]));
    text(&run["tasks"][0]["taskArn"])
}

/// Waits until every one of these has said its last word, and returns all that was said.
pub(crate) fn said(aws: &Aws, arn: &str, names: &[&str]) -> String {
    let all = || {
        let log = log(aws);
        names.iter().all(|name| log.contains(&format!("{name} end = reached"))).then_some(log)
    };
    let deadline = std::time::Instant::now() + Duration::from_secs(40);
    loop {
        if let Some(log) = all() {
            return log;
        }
        assert!(std::time::Instant::now() < deadline, "{:#}\n{}", describe(aws, arn), log(aws));
        std::thread::sleep(Duration::from_millis(200));
    }
}

pub(crate) fn expect(log: &str, lines: &[&str]) {
    let missing: Vec<_> = lines.iter().filter(|line| !log.contains(&format!("{line}\n"))).collect();
    assert!(missing.is_empty(), "not said: {missing:#?}\nsaid:\n{log}");
}

#[test]
fn a_container_gets_what_its_definition_asks_for() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let aws = wharf.aws();
    let image = wharf.push("fastapi");
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let device = dir.path().join("driverless");
    // A number that is kept for experiments.
    mknod(&device, SFlag::S_IFCHR, Mode::S_IRUSR | Mode::S_IWUSR, makedev(240, 7))
        .expect("root makes devices");
    let linux = says(
        "linux",
        &image,
        "say('first', read('/proc/1/comm')); say('number', os.getpid() > 1)\n\
         say('net admin', has(12)); say('chown', has(0)); say('kill', has(5))\n\
         attempt('device read', lambda: opened('/dev/driverless', os.O_RDONLY))\n\
         attempt('device written', lambda: opened('/dev/driverless', os.O_WRONLY))\n\
         attempt('always full', lambda: open('/opt/always','wb',0).write(b'x'))\n\
         say('scratch', size('/scratch')); say('shm', size('/dev/shm'))\n\
         say('scratch exec', 'noexec' not in mounted('/scratch')); say('scratch nosuid', 'nosuid' in mounted('/scratch'))\n\
         say('scratch mode', oct(os.stat('/scratch').st_mode & 0o777))\n\
         attempt('root', lambda: open('/x','w').write('x'))\n\
         attempt('scratch write', lambda: open('/scratch/x','w').write('x'))\n\
         say('files', resource.getrlimit(resource.RLIMIT_NOFILE)); say('core', resource.getrlimit(resource.RLIMIT_CORE))\n\
         say('stack', resource.getrlimit(resource.RLIMIT_STACK)[0])\n\
         say('somaxconn', read('/proc/sys/net/core/somaxconn')); say('msgmax', read('/proc/sys/kernel/msgmax'))\n\
         v1='/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes'; v2='/sys/fs/cgroup/memory.swap.max'\n\
         say('swap', int(read(v1))-(64<<20)>>20 if os.path.exists(v1) else int(read(v2))>>20)\n\
         orphan=subprocess.Popen(['sh','-c','sleep 0.2 & echo $!'],stdout=subprocess.PIPE); pid=int(orphan.communicate()[0])\n\
         time.sleep(1); say('orphan', os.path.exists('/proc/%d'%pid))\n",
        json!({
            "readonlyRootFilesystem": true,
            "ulimits": [
                {"name": "nofile", "softLimit": 512, "hardLimit": 1024},
                {"name": "core", "softLimit": 0, "hardLimit": 0},
                {"name": "stack", "softLimit": 1_048_576, "hardLimit": 2_097_152}
            ],
            "systemControls": [
                {"namespace": "net.core.somaxconn", "value": "99"},
                {"namespace": "kernel.msgmax", "value": "16384"}
            ],
            "linuxParameters": {
                "initProcessEnabled": true,
                "capabilities": {"add": ["NET_ADMIN"], "drop": ["CHOWN"]},
                "devices": [
                    {"hostPath": device, "containerPath": "/dev/driverless", "permissions": ["read"]},
                    {"hostPath": "/dev/full", "containerPath": "/opt/always"}
                ],
                "sharedMemorySize": 32,
                "tmpfs": [{"containerPath": "/scratch", "size": 8, "mountOptions": ["exec", "mode=700"]}],
                "maxSwap": 16
            }
        }),
    );
    let user = says(
        "user",
        &image,
        "say('ids', (os.getuid(), os.getgid())); say('where', os.getcwd())\n\
         attempt('held', lambda: int(status('CapEff'),16)); say('home', os.environ['HOME'])\n",
        json!({"user": "www-data", "workingDirectory": "/not/there/yet"}),
    );
    let group =
        says("group", &image, "say('ids', (os.getuid(), os.getgid()))\n", json!({"user": "1234:games"}));
    let terminal = says(
        "terminal",
        &image,
        "say('is', [os.isatty(n) for n in range(3)]); say('kind', os.environ['TERM'])\n\
         open('/dev/stdout','w').write('terminal anew = fine\\n'); say('console', os.path.exists('/dev/console'))\n\
         say('leads', os.getpgrp() == os.tcgetpgrp(0))\n",
        json!({"pseudoTerminal": true, "user": "www-data"}),
    );
    let open =
        says("open", &image, "say('input', select.select([0],[],[],0.3)[0])\n", json!({"interactive": true}));
    let closed = says("closed", &image, "say('input', repr(sys.stdin.read()))\n", json!({}));
    let gains = says(
        "gains",
        &image,
        "say('none new', status('NoNewPrivs')); say('filter', status('Seccomp')); say('admin', has(21))\n\
         import shutil; shutil.copy('/usr/bin/id','/tmp/id'); os.chmod('/tmp/id',0o4755)\n\
         os.setuid(65534); say('setuid', subprocess.run(['/tmp/id','-u'],capture_output=True,text=True).stdout.strip())\n",
        json!({"dockerSecurityOptions": ["no-new-privileges:false"]}),
    );
    let privileged = says(
        "privileged",
        &image,
        "say('admin', has(21)); say('filter', status('Seccomp')); say('none new', status('NoNewPrivs'))\n\
         say('mounts', subprocess.run(['mount','-t','tmpfs','x','/mnt']).returncode)\n\
         os.mknod('/tmp/driverless', stat.S_IFCHR|0o600, os.makedev(240,7))\n\
         attempt('device', lambda: opened('/tmp/driverless', os.O_RDONLY))\n\
         say('sys', mounted('/sys').split(',')[0])\n",
        json!({"privileged": true}),
    );
    let stays =
        container("stays", &image, json!({"memory": 64, "stopTimeout": 2, "command": ["sleep", "300"]}));
    let arn = start(
        &aws,
        "asks",
        json!({"containerDefinitions": [stays, linux, user, group, terminal, open, closed, gains, privileged]}),
    );
    let log =
        said(&aws, &arn, &["linux", "user", "group", "terminal", "open", "closed", "gains", "privileged"]);
    let log = log.replace('\r', "");
    expect(
        &log,
        &[
            "linux first = init",
            "linux number = True",
            "linux net admin = True",
            "linux chown = False",
            "linux kill = True",
            // What may be opened gets as far as the driver, of which there is none.
            "linux device read = No such device or address",
            "linux device written = Operation not permitted",
            "linux always full = No space left on device",
            "linux scratch = 8",
            "linux shm = 32",
            "linux scratch exec = True",
            "linux scratch nosuid = True",
            "linux scratch mode = 0o700",
            "linux root = Read-only file system",
            "linux scratch write = 1",
            "linux files = (512, 1024)",
            "linux core = (0, 0)",
            "linux stack = 1048576",
            "linux somaxconn = 99",
            "linux msgmax = 16384",
            "linux swap = 16",
            "linux orphan = False",
            "user ids = (33, 33)",
            "user where = /not/there/yet",
            "user held = 0",
            "user home = /var/www",
            "group ids = (1234, 60)",
            "terminal is = [True, True, True]",
            "terminal kind = xterm",
            "terminal anew = fine",
            "terminal console = True",
            "terminal leads = True",
            "open input = []",
            "closed input = ''",
            "gains none new = 0",
            "gains filter = 2",
            "gains admin = False",
            "gains setuid = 0",
            "privileged admin = True",
            "privileged filter = 0",
            "privileged none new = 0",
            "privileged mounts = 0",
            "privileged device = No such device or address",
            "privileged sys = rw",
        ],
    );
    aws.json(&format!("ecs stop-task --task {arn}"));
    let task = until(&aws, &arn, "STOPPED");
    let codes: Vec<_> = task["containers"].as_array().expect("a list").iter().collect();
    assert!(codes.iter().all(|found| found["exitCode"] == 0 || found["name"] == "stays"), "{task:#}");
    wharf.down();
}

#[test]
fn containers_share_processes_and_memory_as_their_task_says() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let aws = wharf.aws();
    let image = wharf.push("fastapi");
    let keeper = wharf.process("keeper").pid;
    let shows = |name: &str| {
        let program = format!(
            "open('/dev/shm/'+me,'w').close(); time.sleep(2)\n\
             say('names', sorted(os.listdir('/dev/shm')))\n\
             lines=[read('/proc/%s/cmdline'%p).replace('\\0',' ') for p in os.listdir('/proc') if p.isdigit()]\n\
             say('sees', len([line for line in lines if line.startswith('python3 -c')]))\n\
             say('first', read('/proc/1/comm')); say('keeper', os.path.exists('/proc/{keeper}/comm')); time.sleep(2)\n"
        );
        says(name, &image, &program, json!({}))
    };
    let stays =
        container("stays", &image, json!({"memory": 64, "stopTimeout": 2, "command": ["sleep", "300"]}));
    let task = |more: Value| {
        let mut definition = json!({"containerDefinitions": [stays.clone(), shows("one"), shows("two")]});
        if let (Value::Object(definition), Value::Object(more)) = (&mut definition, more) {
            definition.extend(more);
        }
        definition
    };
    let shared = start(&aws, "shared", task(json!({"pidMode": "task", "ipcMode": "task"})));
    let log = said(&aws, &shared, &["one", "two"]);
    for name in ["one", "two"] {
        expect(
            &log,
            &[
                &format!("{name} names = ['one', 'two']"),
                &format!("{name} sees = 2"),
                &format!("{name} first = init"),
                &format!("{name} keeper = False"),
            ],
        );
    }
    aws.json(&format!("ecs stop-task --task {shared}"));
    until(&aws, &shared, "STOPPED");
    aws.json("logs delete-log-group --log-group-name /ecs/tests");

    let hosts = start(&aws, "hosts", task(json!({"pidMode": "host"})));
    let log = said(&aws, &hosts, &["one", "two"]);
    expect(&log, &["one names = ['one']", "two names = ['two']", "one keeper = True", "two keeper = True"]);
    aws.json(&format!("ecs stop-task --task {hosts}"));
    until(&aws, &hosts, "STOPPED");
    wharf.down();
}

#[test]
fn a_container_is_called_and_asks_for_others_as_its_definition_says() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let aws = wharf.aws();
    let image = wharf.push("fastapi");
    let program = "say('name', socket.gethostname()); say('variable', os.environ['HOSTNAME'])\n\
        say('file', read('/etc/hostname')); say('db', socket.gethostbyname('db'))\n\
        say('asks', read('/etc/resolv.conf')); say('itself', 'box' in read('/etc/hosts').split())\n";
    let named = json!({
        "hostname": "box",
        "dnsServers": ["192.0.2.53", "192.0.2.54"],
        "dnsSearchDomains": ["a.example", "b.example"],
        "extraHosts": [{"hostname": "db", "ipAddress": "192.0.2.9"}],
    });
    let stays =
        container("stays", &image, json!({"memory": 64, "stopTimeout": 2, "command": ["sleep", "300"]}));
    let arn = start(
        &aws,
        "named",
        json!({
            "networkMode": "bridge",
            "containerDefinitions": [stays, says("named", &image, program, named)]
        }),
    );
    let log = said(&aws, &arn, &["named"]);
    expect(
        &log,
        &[
            "named name = box",
            "named variable = box",
            "named file = box",
            "named db = 192.0.2.9",
            "named asks = search a.example b.example nameserver 192.0.2.53 nameserver 192.0.2.54",
            "named itself = True",
        ],
    );
    wharf.down();
}

#[test]
fn a_container_with_an_init_or_a_terminal_is_asked_to_stop_and_logs_to_its_end() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let aws = wharf.aws();
    let image = wharf.push("fastapi");
    let program = "import signal\n\
         def end(*_): say('heard', 'fine'); sys.exit(7)\n\
         signal.signal(signal.SIGTERM, end); say('ready', 'fine')\n\
         while True: time.sleep(1)\n";
    let both = |name: &str, more: Value| says(name, &image, program, more);
    let arn = start(
        &aws,
        "polite",
        json!({"containerDefinitions": [
            both("init", json!({"essential": true, "linuxParameters": {"initProcessEnabled": true}})),
            both("terminal", json!({"pseudoTerminal": true}))
        ]}),
    );
    within(Duration::from_secs(20), "both are ready", || {
        let log = log(&aws);
        (log.contains("init ready") && log.contains("terminal ready")).then_some(())
    });
    // A terminal's output goes on while keeper is away, and after.
    wharf.kill("keeper");
    wharf.process("keeper");
    aws.json(&format!("ecs stop-task --task {arn}"));
    let task = until(&aws, &arn, "STOPPED");
    let log = log(&aws).replace('\r', "");
    expect(&log, &["init heard = fine", "terminal heard = fine"]);
    assert!(
        task["containers"].as_array().expect("a list").iter().all(|found| found["exitCode"] != 137),
        "{task:#}"
    );
    wharf.down();
}
