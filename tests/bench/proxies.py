"""Four targets in network namespaces of their own, and the proxies before them, each on one processor."""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from .engines import run

PREFIX = "wbench"
LARGE = 100 * 1024
PROXY_CPU, OTHERS_CPU = "0", "1"

TARGET = """
daemon off; master_process off; worker_processes 1; pid {dir}/pid; error_log {dir}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 1000000; client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy;
  fastcgi_temp_path {dir}/fastcgi; uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
  server {{ listen {address}:80; location = /large {{ root {files}; }} location / {{ return 200 "hello\\n"; }} }}
}}
"""

NGINX = """
daemon off; master_process off; worker_processes 1; pid {dir}/pid; error_log {dir}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 1000000; client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy;
  fastcgi_temp_path {dir}/fastcgi; uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
  upstream targets {{ {servers} keepalive 64; keepalive_requests 1000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      # Without this, what does not fit the buffers goes through a file.
      proxy_max_temp_file_size 0; proxy_pass http://targets; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto http; proxy_set_header X-Forwarded-Port {port};
    }}
  }}
}}
"""

HAPROXY = """
global
  nbthread 1
  maxconn 8192
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  option forwardfor
  http-reuse always
frontend in
  bind 127.0.0.1:{port}
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Port {port}
  default_backend targets
backend targets
  balance roundrobin
{servers}
"""


def free_port() -> int:
    """Returns a port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Lab:
    """The targets, and whatever is started before them; leaves nothing."""

    def __init__(self, work: Path):
        self.work = work / "lab"
        self.addresses = [f"10.215.{number}.2" for number in range(1, 5)]
        self.processes: list[subprocess.Popen] = []

    def __enter__(self) -> "Lab":
        self.work.mkdir()
        # nginx's worker is not root, and has to read the file.
        for folder in (self.work, self.work.parent):
            folder.chmod(0o755)
        (self.work / "large").write_bytes(b"x" * LARGE)
        try:
            for number, address in enumerate(self.addresses, 1):
                self.target(number, address)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait(20)
        for number in range(1, len(self.addresses) + 1):
            # One end of the pair takes the other with it, and the namespace its processes' sockets.
            subprocess.run(["ip", "link", "del", f"{PREFIX}{number}"], capture_output=True)
            subprocess.run(["ip", "netns", "del", f"{PREFIX}{number}"], capture_output=True)

    def target(self, number: int, address: str) -> None:
        name, gateway = f"{PREFIX}{number}", f"10.215.{number}.1"
        run("ip", "netns", "add", name)
        run("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
        run("ip", "addr", "add", f"{gateway}/30", "dev", name)
        run("ip", "link", "set", name, "up")
        for line in (f"addr add {address}/30 dev eth0", "link set eth0 up", "link set lo up", f"route add default via {gateway}"):
            run("ip", "-n", name, *line.split())
        folder = self.folder(f"target{number}")
        config = TARGET.format(dir=folder, files=self.work, address=address)
        self.start(["ip", "netns", "exec", name], "nginx", folder, config, OTHERS_CPU, (address, 80))

    def nginx(self) -> tuple[int, list[int]]:
        """Starts nginx as a proxy and returns its port and process."""
        port, folder = free_port(), self.folder("nginx")
        servers = " ".join(f"server {address}:80;" for address in self.addresses)
        config = NGINX.format(dir=folder, port=port, servers=servers)
        return port, [self.start([], "nginx", folder, config, PROXY_CPU, ("127.0.0.1", port))]

    def haproxy(self) -> tuple[int, list[int]]:
        """Starts haproxy and returns its port and process."""
        port, folder = free_port(), self.folder("haproxy")
        servers = "\n".join(f"  server t{at} {address}:80 check" for at, address in enumerate(self.addresses))
        config = HAPROXY.format(port=port, servers=servers)
        return port, [self.start([], "haproxy", folder, config, PROXY_CPU, ("127.0.0.1", port))]

    def folder(self, name: str) -> Path:
        folder = self.work / name
        folder.mkdir()
        return folder

    def start(self, inside: list[str], program: str, folder: Path, config: str, cpu: str, answers: tuple) -> int:
        path = folder / "config"
        path.write_text(config)
        arguments = {"nginx": ["-e", f"{folder}/error.log", "-p", str(folder), "-c", str(path)], "haproxy": ["-db", "-f", str(path)]}
        command = [*inside, *pinned(cpu), shutil.which(program) or program, *arguments[program]]
        log = open(folder / "log", "wb")
        process = subprocess.Popen(command, stdout=log, stderr=log)
        self.processes.append(process)
        for _ in range(100):
            try:
                socket.create_connection(answers, 1).close()
                return process.pid
            except OSError:
                if process.poll() is not None:
                    break
                time.sleep(0.05)
        raise RuntimeError(f"{program} does not answer at {answers}: {(folder / 'log').read_text()}")


def pinned(cpu: str) -> list[str]:
    """Returns what to put before a command so that it keeps to one processor, if there is another."""
    return ["taskset", "-c", cpu] if len(os.sched_getaffinity(0)) > 1 else []
