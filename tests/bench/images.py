"""images: pushing and pulling 300 MB in 8 layers, beside Debian's registry and podman.

Everybody gets content that it has not seen: the layers of each round begin with other bytes.
"""

import gzip
import hashlib
import io
import json
import os
import shutil
import socket
import subprocess
import tarfile
import time
from pathlib import Path

from .results import Results, times
from .wharf import Wharf

LAYERS = 8
LAYER_BYTES = 300_000_000 // LAYERS
FILES = 40  # in each layer


def measure(results: Results, work: Path, wharf: Wharf | None, rounds: int) -> None:
    """Pushes and pulls, everybody in turn, and compares."""
    samples: dict[tuple[str, str], list[float]] = {}
    with Registry(work) as registry:
        for number in range(rounds):
            layout = work / f"layout-{number}"
            make(layout, number)
            places = [("docker-registry", registry.address)] if registry.address else []
            if wharf:
                wharf.client("ecr").create_repository(repositoryName=f"bench/{number}")
                places.append(("wharf", f"127.0.0.1:{wharf.port}"))
            for who, address in places:
                image = f"docker://{address}/bench/{number}:latest"
                push = ["skopeo", "copy", "-q", "--dest-tls-verify=false", f"oci:{layout}:latest", image]
                samples.setdefault((who, "push"), []).append(timed(push))
            # Pulled from one registry, so that only the pulling differs.
            source = f"{places[-1][1]}/bench/{number}:latest"
            samples.setdefault(("podman", "pull"), []).append(podman_pull(work, source))
            if wharf:
                name = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/bench/{number}:latest"
                pull = [wharf.binary, "image", *wharf.options, "pull", name]
                samples.setdefault(("wharf", "pull"), []).append(timed(pull))
            shutil.rmtree(layout)
    for (who, what), taken in sorted(samples.items()):
        results.rows.append(times(who, what, taken))
    find = results.find
    results.ratio("pull: podman / wharf", find("podman", "pull", "p50_ms"), find("wharf", "pull", "p50_ms"))
    results.ratio(
        "push: docker-registry / wharf", find("docker-registry", "push", "p50_ms"), find("wharf", "push", "p50_ms")
    )
    results.notes.append(f"{LAYERS} layers of gzip, {LAYERS * LAYER_BYTES // 1_000_000} MB of files; pulled means unpacked")
    if not registry.address:
        results.notes.append("docker-registry is not installed: push was measured without a peer")


def timed(command: list[str]) -> float:
    """Runs a command that must succeed, and returns its milliseconds."""
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.returncode}\n{done.stderr}")
    return (time.perf_counter() - began) * 1000


def podman_pull(work: Path, image: str) -> float:
    """Pulls into a storage of its own, on the same file system, and removes that."""
    root = work / "podman"
    where = ["--root", str(root), "--runroot", str(work / "podman-run"), "--storage-driver", "overlay"]
    try:
        return timed(["podman", *where, "pull", "-q", "--tls-verify=false", image])
    finally:
        subprocess.run(["podman", *where, "rmi", "-af"], capture_output=True)
        subprocess.run(["umount", "-l", root / "overlay"], capture_output=True)
        shutil.rmtree(root, ignore_errors=True)


def make(layout: Path, number: int) -> None:
    """Makes an OCI layout whose files are as compressible as programs are."""
    blobs = layout / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def store(content: bytes, kind: str) -> dict:
        digest = hashlib.sha256(content).hexdigest()
        (blobs / digest).write_bytes(content)
        return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(content)}

    layers, diff_ids = [], []
    for layer in range(LAYERS):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as tar:
            for file in range(FILES):
                noise = os.urandom(LAYER_BYTES // FILES // 2)
                content = noise + f"{number} {layer} {file} ".encode() * (len(noise) // 10)
                content = content[: LAYER_BYTES // FILES]
                about = tarfile.TarInfo(f"usr/share/{layer}/{file}")
                about.size = len(content)
                tar.addfile(about, io.BytesIO(content))
        plain = out.getvalue()
        diff_ids.append("sha256:" + hashlib.sha256(plain).hexdigest())
        layers.append(store(gzip.compress(plain, 1), "application/vnd.oci.image.layer.v1.tar+gzip"))
    config = {"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": diff_ids}}
    described = store(json.dumps(config).encode(), "application/vnd.oci.image.config.v1+json")
    kind = "application/vnd.oci.image.manifest.v1+json"
    manifest = {"schemaVersion": 2, "mediaType": kind, "config": described, "layers": layers}
    entry = store(json.dumps(manifest).encode(), kind)
    entry["annotations"] = {"org.opencontainers.image.ref.name": "latest"}
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')


class Registry:
    """Debian's docker-registry, where it is installed."""

    def __init__(self, work: Path):
        self.work = work
        self.address = None
        self.process = None

    def __enter__(self) -> "Registry":
        if not shutil.which("docker-registry"):
            return self
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        config = self.work / "registry.yml"
        config.write_text(
            f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {self.work}/registry}}}}\n"
            f"http: {{addr: '127.0.0.1:{port}'}}\n"
        )
        self.process = subprocess.Popen(["docker-registry", "serve", str(config)], stderr=subprocess.DEVNULL)
        self.address = f"127.0.0.1:{port}"
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return self
            time.sleep(0.05)
        raise RuntimeError("docker-registry did not start")

    def __exit__(self, *_) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait()
