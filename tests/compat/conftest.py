"""A Wharf for the whole session, and the official clients pointed at it.

It has its own directories, port and addresses, and everything it made is removed at the end. The access
key is in the environment, as `wharf env` prints it, so that boto3 and the AWS CLI find it by themselves.
"""

import json
import os
import shlex
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import boto3
import pytest

CACHE = Path(os.environ.get("WHARF_CACHE", Path.home() / ".cache" / "wharf"))
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", CACHE / "target"))
BINARY = os.environ.get("WHARF_BINARY", str(TARGET / "release" / "wharf"))


@pytest.fixture(scope="session", autouse=True)
def wharf():
    """Starts Wharf, and yields what runs its subcommands."""
    with tempfile.TemporaryDirectory(prefix="wharf-compat-") as folder:
        options = [
            f"--state-dir={folder}/state", f"--run-dir={folder}/run", f"--endpoint=127.0.0.1:{free_port()}",
            "--vpc-cidr=10.216.0.0/16", "--public-cidr=198.19.0.0/17", "--no-hosts-file", "--healthy-after=1",
        ]  # fmt: skip

        def command(name: str, *more: str) -> str:
            done = subprocess.run([BINARY, name, *options, *more], capture_output=True, text=True)
            assert done.returncode == 0, f"wharf {name}: {done.returncode}\n{done.stdout}{done.stderr}"
            return done.stdout

        try:
            command("up", "--detach")
            with pytest.MonkeyPatch.context() as environment:
                for word in shlex.split(command("env"), comments=True):
                    name, is_setting, value = word.partition("=")
                    if is_setting:
                        environment.setenv(name, value)
                environment.setenv("AWS_CONFIG_FILE", f"{folder}/none")
                environment.setenv("AWS_SHARED_CREDENTIALS_FILE", f"{folder}/none")
                environment.setenv("AWS_PAGER", "")
                command.state = f"{folder}/state"
                yield command
        finally:
            command("down", "--all")


@pytest.fixture(scope="session")
def wharf_state(wharf) -> str:
    """Returns the state directory."""
    return wharf.state


@pytest.fixture(scope="session")
def endpoint(wharf) -> str:
    """Returns the address of the API."""
    return os.environ["AWS_ENDPOINT_URL"]


@pytest.fixture(scope="session")
def client(endpoint):
    """Returns what makes a boto3 client of a service."""
    return boto3.client


@pytest.fixture(scope="session")
def aws(endpoint):
    """Returns what runs one line of the AWS CLI and returns its JSON."""

    def run(line: str):
        cli = Path(sys.executable).parent / "aws"
        done = subprocess.run([cli, *shlex.split(line), "--output=json"], capture_output=True, text=True)
        assert done.returncode == 0, f"aws {line}: {done.returncode}\n{done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip() else None

    return run


def free_port() -> int:
    """Returns a port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
