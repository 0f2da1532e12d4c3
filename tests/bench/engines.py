"""The container engines Wharf is compared with, each with daemons and data of its own in one folder.

An engine is started once, given the image, and asked for one container at a time. What it starts is
ended by process id, and its mounts live in a mount namespace that ends with it.
"""

import contextlib
import ctypes
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

CLONE_NEWNS = 0x20000
libc = ctypes.CDLL(None, use_errno=True)


def run(*command: str, **more) -> str:
    """Runs a program that must succeed, and returns what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.returncode}\n{done.stderr[-2000:]}")
    return done.stdout


class Engine:
    """A way to run one container: `command` is timed from its start to the application's first write."""

    name = ""
    network = "none"
    command: list[str] = []
    environment: dict[str, str] = {}

    def __init__(self, work: Path, image: Path):
        """Makes a folder for it under `work`; `image` is an OCI layout."""
        self.work = work / self.name.replace(" ", "-")
        self.work.mkdir()
        self.image = image
        self.daemons: list[subprocess.Popen] = []
        self.holder: subprocess.Popen | None = None

    def start(self) -> None:
        """Starts what it needs, with the image in it."""

    def stop(self) -> None:
        """Ends what it started, the last first."""
        for process in [*reversed(self.daemons), *([self.holder] if self.holder else [])]:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def own_mounts(self, first: str = "true", flags: str = "-m") -> None:
        """Makes namespaces that hold the engine's mounts, after running `first` in them."""
        script = f"{first} && touch {self.work}/held && exec sleep infinity"
        self.holder = subprocess.Popen(["unshare", *flags.split(), "sh", "-c", script])
        wait_for(lambda: (self.work / "held").exists(), self.holder)
        self.namespace = os.open(f"/proc/{self.holder.pid}/ns/mnt", os.O_RDONLY)

    def enter(self) -> None:
        """Puts the calling, freshly forked process into those mounts."""
        if self.holder and libc.setns(self.namespace, CLONE_NEWNS) != 0:
            os._exit(127)

    def daemon(self, *command: str) -> None:
        """Starts a daemon in those mounts and, when there is one, that network namespace."""
        log = open(self.work / "daemon.log", "ab")
        inside = ["nsenter", "-t", str(self.holder.pid), "-m", "-n", "--"] if self.holder else []
        self.daemons.append(subprocess.Popen([*inside, *command], stdout=log, stderr=log))

    def archive(self) -> Path:
        """Returns the image as an archive that the engines load."""
        archive = self.work / "image.tar"
        run("skopeo", "copy", "-q", f"oci:{self.image}:latest", f"docker-archive:{archive}:localhost/hello:latest")
        return archive

    def once(self) -> float:
        """Runs one container and returns the milliseconds from the command's start to its first write."""
        began = time.time_ns()
        done = subprocess.run(
            self.command, capture_output=True, text=True, preexec_fn=self.enter, env={**os.environ, **self.environment}
        )
        said = done.stdout.split()
        if done.returncode != 0 or len(said) != 1:
            raise RuntimeError(f"{self.name}: {done.returncode} {done.stdout!r}\n{done.stderr[-2000:]}")
        return (int(said[0]) - began) / 1e6


def wait_for(ready, process: subprocess.Popen, seconds: float = 30) -> None:
    """Waits until `ready()`, and fails when the process ends first."""
    end = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"{process.args} is not ready (exit code {process.poll()})")
        time.sleep(0.05)


class Docker(Engine):
    """dockerd in mount and network namespaces of its own, its bridge there too."""

    name = "docker"
    network = "bridge"

    def start(self) -> None:
        self.own_mounts("ip link set lo up", "-m -n")
        socket, data = self.work / "docker.sock", self.work
        # Without iptables rules, which a user's dockerd has: to its advantage.
        self.daemon(
            "dockerd", f"--host=unix://{socket}", f"--data-root={data}/data", f"--exec-root={data}/exec",
            f"--pidfile={data}/pid", "--iptables=false", "--ip6tables=false", "--ip-masq=false",
            "--storage-driver=overlay2",
        )
        # The client of the same package; a newer one may lie before it on the path.
        client = "/usr/bin/docker" if Path("/usr/bin/docker").exists() else "docker"
        self.environment = {"DOCKER_HOST": f"unix://{socket}"}
        environment = {**os.environ, **self.environment}
        answers = lambda: subprocess.run([client, "version"], capture_output=True, env=environment).returncode == 0
        wait_for(answers, self.daemons[-1])
        run(client, "load", "-q", "-i", str(self.archive()), env=environment)
        self.command = [client, "run", "--rm", f"--network={self.network}", "localhost/hello:latest", "clock"]


class Containerd(Engine):
    """containerd driven by `ctr`, which gives a container no network."""

    name = "ctr"

    def start(self) -> None:
        self.own_mounts(flags="-m -n")
        config = self.work / "config.toml"
        socket = self.work / "containerd.sock"
        config.write_text(
            f'version = 2\nroot = "{self.work}/root"\nstate = "{self.work}/state"\n'
            f'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\n  address = "{socket}"\n'
        )
        self.daemon("containerd", "-c", str(config))
        answers = lambda: subprocess.run(["ctr", "-a", socket, "version"], capture_output=True).returncode == 0
        wait_for(answers, self.daemons[-1])
        run("ctr", "-a", str(socket), "images", "import", str(self.archive()))
        self.base = ["ctr", "-a", str(socket), "run", "--rm", "localhost/hello:latest"]
        self.count = 0

    def once(self) -> float:
        self.count += 1
        self.command = [*self.base, f"bench{self.count}", "/hello", "clock"]
        return super().once()


class Podman(Engine):
    """podman without a network, because its bridge would need rules in this machine's namespace."""

    name = "podman"

    def start(self) -> None:
        self.own_mounts()
        base = [
            "podman", "--root", f"{self.work}/root", "--runroot", f"{self.work}/runroot", "--tmpdir", f"{self.work}/tmp",
            "--storage-driver", "overlay", "--cgroup-manager", "cgroupfs", "--runtime", "runc", "--events-backend", "none",
        ]
        run(*base, "load", "-q", "-i", str(self.archive()), preexec_fn=self.enter)
        limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
        self.command = [*base, "run", "--rm", "--network", "none", *limits, "localhost/hello:latest", "clock"]


class Crun(Engine):
    """Bare crun on a root file system unpacked beforehand: no image, overlay or network to prepare."""

    name = "crun"

    def start(self) -> None:
        # crun of Debian 12 refuses cgroup v1 with an empty v2 tree beside it.
        hide = "{ ! mountpoint -q /sys/fs/cgroup/unified || umount /sys/fs/cgroup/unified; }"
        self.own_mounts(hide)
        bundle = self.work / "bundle"
        run("umoci", "unpack", "--image", f"{self.image}:latest", str(bundle))
        config = json.loads((bundle / "config.json").read_text())
        config["process"] |= {"terminal": False, "args": ["/hello", "clock"]}
        config["process"].pop("rlimits", None)
        config["process"].pop("apparmorProfile", None)
        (bundle / "config.json").write_text(json.dumps(config))
        self.base = ["crun", "--root", f"{self.work}/state", "--cgroup-manager", "cgroupfs", "run", "--bundle", str(bundle)]
        self.count = 0

    def once(self) -> float:
        self.count += 1
        self.command = [*self.base, f"wharf-bench-{os.getpid()}-{self.count}"]
        return super().once()


@contextlib.contextmanager
def started(work: Path, image: Path, notes: list[str]):
    """Starts every engine that this machine has; one that cannot is left out, with the reason in `notes`."""
    engines: list[Engine] = []
    try:
        for kind, program in ((Docker, "dockerd"), (Containerd, "containerd"), (Podman, "podman"), (Crun, "crun")):
            if shutil.which(program) is None:
                notes.append(f"{kind.name} is not installed and was left out")
                continue
            engine = kind(work, image)
            engines.append(engine)
            try:
                engine.start()
                engine.once()
            except (RuntimeError, OSError) as reason:
                notes.append(f"{engine.name} could not be used here and was left out: {reason}")
                engine.stop()
                engines.remove(engine)
        yield engines
    finally:
        for engine in reversed(engines):
            engine.stop()
