//! What a container cannot do with the defaults, named after the rows of the table of faults and attacks.

use crate::allowed::{expect, said, says, start};
use crate::hello::{container, describe, text, until};
use serde_json::json;
use std::time::{Duration, Instant};
use wharf_e2e::{Wharf, within};

#[test]
fn f38_f39_f40_f41_f48_the_defaults_confine_an_ordinary_container() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let aws = wharf.aws();
    let image = wharf.push("fastapi");
    let program = "import ctypes; libc=ctypes.CDLL(None,use_errno=True)\n\
        def call(*a): r=libc.syscall(*a); return 'fine' if r>=0 else os.strerror(ctypes.get_errno())\n\
        say('release', os.access('/sys/fs/cgroup/memory/release_agent', os.W_OK))\n\
        groups=[os.path.join(d,f) for d,_,fs in os.walk('/sys/fs/cgroup') for f in fs if f in ('release_agent','devices.allow','cgroup.procs','memory.max','memory.limit_in_bytes')]\n\
        def writable(path):\n\
        \x20 try: open(path,'w').write('0'); return True\n\
        \x20 except OSError: return False\n\
        say('cgroup', [g for g in groups if writable(g)]); say('groups', len(groups) > 0)\n\
        say('mount', subprocess.run(['mount','-t','tmpfs','x','/mnt'],capture_output=True).returncode != 0)\n\
        say('userns', call(272, 0x10000000)); say('bpf', call(321,0,0,0)); say('uring', call(425,1,0))\n\
        say('perf', call(298,0,0,0,0,0)); say('userfault', call(323,0)); say('keyctl', call(250,0,0))\n\
        say('modules', call(175,0,0,0)); say('swapoff', call(168,0)); say('clock', call(227,0,0))\n\
        for name,family in (('vsock',40),('alg',38)):\n\
        \x20 attempt(name, lambda: socket.socket(family, socket.SOCK_SEQPACKET if family==38 else socket.SOCK_STREAM))\n\
        attempt('mknod', lambda: os.mknod('/tmp/disk', stat.S_IFBLK|0o600, os.makedev(7,0)))\n\
        say('blocks', [n for n in os.listdir('/dev') if stat.S_ISBLK(os.stat('/dev/'+n).st_mode)])\n\
        say('masked', [p for p in ('/proc/kcore','/proc/keys','/proc/timer_list','/proc/latency_stats') if os.path.exists(p) and open(p,'rb').read(16)])\n\
        say('kernel', [p for p in ('/proc/sys/kernel/panic','/proc/sysrq-trigger','/proc/irq/default_smp_affinity') if writable(p)])\n\
        say('firmware', os.path.exists('/sys/firmware') and os.listdir('/sys/firmware') or [])\n\
        say('held', sorted(n for n in range(41) if has(n)))\n\
        say('none new', status('NoNewPrivs')); say('filter', status('Seccomp'))\n\
        import shutil; shutil.copy('/usr/bin/id','/tmp/id'); os.chmod('/tmp/id',0o4755)\n\
        swap='/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes'\n\
        say('swap', int(read(swap))>>20 if os.path.exists(swap) else 64 + (int(read('/sys/fs/cgroup/memory.swap.max'))>>20))\n\
        os.setuid(65534); say('setuid', subprocess.run(['/tmp/id','-u'],capture_output=True,text=True).stdout.strip())\n";
    let stays = container("stays", &image, json!({"memory": 64, "command": ["sleep", "300"]}));
    let arn = start(
        &aws,
        "confined",
        json!({"containerDefinitions": [stays, says("plain", &image, program, json!({}))]}),
    );
    let log = said(&aws, &arn, &["plain"]);
    let denied = "Operation not permitted";
    expect(
        &log,
        &[
            "plain release = False",
            "plain cgroup = []",
            "plain groups = True",
            "plain mount = True",
            &format!("plain userns = {denied}"),
            &format!("plain bpf = {denied}"),
            &format!("plain uring = {denied}"),
            &format!("plain perf = {denied}"),
            &format!("plain userfault = {denied}"),
            &format!("plain keyctl = {denied}"),
            &format!("plain modules = {denied}"),
            &format!("plain swapoff = {denied}"),
            &format!("plain clock = {denied}"),
            &format!("plain vsock = {denied}"),
            &format!("plain alg = {denied}"),
            &format!("plain mknod = {denied}"),
            "plain blocks = []",
            "plain masked = []",
            "plain kernel = []",
            "plain firmware = []",
            "plain held = [0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 29, 31]",
            "plain none new = 1",
            "plain filter = 2",
            "plain swap = 64",
            "plain setuid = 65534",
        ],
    );
    wharf.down();
}

#[test]
fn f43_a_fork_bomb_hurts_only_its_own_task() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let aws = wharf.aws();
    let (image, hello) = (wharf.push("fastapi"), wharf.push("hello"));
    let victim = start(
        &aws,
        "victim",
        json!({"containerDefinitions": [container("victim", &hello, json!({"memory": 64}))]}),
    );
    let address = crate::hello::private_address(&until(&aws, &victim, "RUNNING"));
    within(Duration::from_secs(5), "the victim answers", || {
        wharf_e2e::get(&format!("http://{address}/")).ok()
    });
    let program = "import threading; threading.stack_size(65536); n=0\n\
        try:\n\
        \x20 while n<10000: threading.Thread(target=time.sleep,args=(8,),daemon=True).start(); n+=1\n\
        except RuntimeError: pass\n\
        attempt('refused', lambda: os.fork()); say('children', 1000 < n < 4096)\n\
        time.sleep(3)\n";
    let bomb = start(
        &aws,
        "bomb",
        json!({"containerDefinitions": [
            says("bomb", &image, program, json!({"memory": 1024, "essential": true}))
        ]}),
    );
    let began = Instant::now();
    within(Duration::from_secs(30), "the bomb is refused", || {
        crate::hello::log(&aws).contains("bomb refused").then_some(())
    });
    let asked = Instant::now();
    let answer = wharf_e2e::get(&format!("http://{address}/")).expect("the neighbour answers");
    assert_eq!(answer.status, 200);
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}, begun {:?}", asked.elapsed(), began.elapsed());
    let log = said(&aws, &bomb, &["bomb"]);
    expect(&log, &["bomb refused = Resource temporarily unavailable", "bomb children = True"]);
    until(&aws, &bomb, "STOPPED");
    assert_eq!(describe(&aws, &victim)["lastStatus"], "RUNNING");
    wharf.down();
}

#[test]
fn f44_memory_that_runs_out_ends_the_whole_container_and_says_so() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let aws = wharf.aws();
    let image = wharf.push("fastapi");
    // The child is what the kernel kills; the shell that began it would go on.
    let hog = "python3 -c 'b=bytearray(300<<20)'; echo survived; sleep 600";
    let arn = start(
        &aws,
        "hog",
        json!({"containerDefinitions": [
            container("neighbour", &image, json!({"memory": 64, "command": ["sleep", "600"]})),
            container("hog", &image, json!({"memory": 64, "essential": false, "command": ["sh", "-c", hog]}))
        ]}),
    );
    let find = |task: &serde_json::Value| {
        let containers = task["containers"].as_array().expect("a list").clone();
        containers.into_iter().find(|found| found["name"] == "hog").expect("it is described")
    };
    let task = within(Duration::from_secs(20), "the hog is killed", || {
        Some(describe(&aws, &arn)).filter(|task| find(task)["lastStatus"] == "STOPPED")
    });
    let hog = find(&task);
    assert_eq!(hog["exitCode"], 137, "{hog:#}");
    assert_eq!(text(&hog["reason"]), "OutOfMemoryError: Container killed due to memory usage");
    assert_eq!(task["lastStatus"], "RUNNING", "its neighbour goes on");
    wharf.down();
}

#[test]
fn f45_processors_are_shared_as_was_asked_for() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let aws = wharf.aws();
    let image = wharf.push("fastapi");
    // Both on one processor, so that they are in each other's way on any machine.
    let program = "os.sched_setaffinity(0,{min(os.sched_getaffinity(0))})\n\
        while time.time() % 8 > 1: time.sleep(0.01)\n\
        while time.time() % 8 < 2: pass\n\
        began=time.process_time()\n\
        while time.time() % 8 < 7: pass\n\
        say('used', int((time.process_time()-began)*1000))\n";
    let busy = |name: &str, cpu: u32| says(name, &image, program, json!({"cpu": cpu, "essential": true}));
    let arn =
        start(&aws, "busy", json!({"containerDefinitions": [busy("double", 512), busy("single", 256)]}));
    until(&aws, &arn, "RUNNING");
    let used = |log: &str, name: &str| {
        let found = log.lines().find_map(|line| line.split_once(&format!("{name} used = ")));
        found.and_then(|(_, number)| number.trim().parse::<f64>().ok())
    };
    let (double, single) = within(Duration::from_secs(40), "both have said what they used", || {
        let log = crate::hello::log(&aws);
        used(&log, "double").zip(used(&log, "single"))
    });
    let share = double / (double + single);
    assert!((0.60..0.74).contains(&share), "{double} and {single} ms: {share}");
    wharf.down();
}
