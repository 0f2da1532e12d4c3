"""Requests that nobody would send, made from the clients' own models of every operation: each gets an answer of its
protocol that blames the caller, and Wharf works on.

`WHARF_FUZZ_SECONDS` says for how long (20), `WHARF_FUZZ_SEED` which requests; without it they differ from run to run.
"""

import http.client
import json
import os
import random
import subprocess
import tempfile
import time
import urllib.parse
import xml.etree.ElementTree

import botocore.session
import pytest
from botocore.serialize import create_serializer

from conftest import BINARY, free_port

SERVICES = ["ecs", "elbv2", "ec2", "ecr", "logs", "secretsmanager", "ssm", "efs", "sts"]
# The operations of these models that Wharf does not speak at all are a few thousand; a sample of them will do.
UNKNOWN_SHARE = 0.05
# Never a name that somebody could be asked for: a pull of it has to end on this machine.
IMAGE = "127.0.0.1:1/nothing"

# Beyond it a head or a body may be refused before all of it has come.
LARGE = 60_000

TEXTS = [
    "", " ", "x", "a" * 300, "b" * 70_000, "\0", "\n", "💥", "../../etc/passwd", "%00", "<&>'\"", "*", "-1", "1e999", "null",
    "arn:aws:ecs:us-east-1:123456789012:cluster/default", "arn:aws:ecs:::", "arn:", "default", "awsvpc", "FARGATE", "EC2",
    "256", "512", "10.99.0.0/16", "10.99.0.0/33", "127.0.0.1", "::1", "tcp", "HTTP", "forward", "ip", "true", "2020-01-01",
    "attribute:ecs.os-type == linux", "((((((((((", "subnet-0", "sg-", "vpc-0123456789abcdef0", "token", "@type", "app:1",
]  # fmt: skip
NUMBERS = [-1, 0, 1, 2, 80, 65_535, 65_536, 2**31 - 1, 2**31, 2**63 - 1, 2**63, 2**64, -(2**63), 0.5, 1e308]
JUNK = [None, True, [], {}, [[]], [None], {"": ""}, 1.5, "x", -1]


@pytest.fixture(scope="module")
def own():
    """A Wharf without keys, whose state is nobody's loss."""
    with tempfile.TemporaryDirectory(prefix="wharf-fuzz-") as folder:
        options = [
            f"--state-dir={folder}/state", f"--run-dir={folder}/run", f"--endpoint=127.0.0.1:{free_port()}",
            "--vpc-cidr=10.217.0.0/16", "--public-cidr=198.19.128.0/17", "--no-hosts-file", "--ephemeral", "--auth=off",
        ]  # fmt: skip
        try:
            subprocess.run([BINARY, "up", "--detach", *options], check=True, capture_output=True)
            yield folder, options
        finally:
            subprocess.run([BINARY, "down", "--all", *options], check=True, capture_output=True)


class Fuzz:
    """Makes requests, and remembers the names and ids that answers tell."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)
        self.known: dict[str, list] = {}
        session = botocore.session.get_session()
        self.models = {name: session.get_service_model(name) for name in SERVICES}

    def request(self) -> tuple[str, str, str, str, dict, bytes]:
        """Returns service, operation, method, path, headers and body of one request."""
        service = self.random.choice(SERVICES)
        model = self.models[service]
        operation = model.operation_model(self.random.choice(model.operation_names))
        shape = operation.input_shape
        protocol = model.metadata["protocol"]
        wild = self.random.random() < 0.5
        value = self.of(shape, "", 0, wild and protocol == "json") if shape is not None else {}
        if protocol == "json":
            target = f"{model.metadata['targetPrefix']}.{operation.name}"
            headers = {"x-amz-target": target, "content-type": f"application/x-amz-json-{model.metadata['jsonVersion']}"}
            ascii_only = self.random.random() < 0.5
            body = json.dumps(value, ensure_ascii=ascii_only, default=lambda _: "AAEC").encode()
            method, path = "POST", "/"
        else:
            made = create_serializer(protocol, include_validation=False).serialize_to_request(value, operation)
            headers = {key: str(text) for key, text in made["headers"].items() if "\n" not in str(text)}
            method, path, body = made["method"], made["url_path"], made["body"]
            if isinstance(body, dict):
                pairs = [(str(key), str(text)) for key, text in body.items()]
                body = urllib.parse.urlencode(self.shuffled(pairs), errors="replace").encode()
            elif isinstance(body, str):
                body = body.encode()
            query = made["query_string"]
            path = urllib.parse.quote(path, safe="/%:") + ("?" + urllib.parse.urlencode(query, doseq=True) if query else "")
        if self.random.random() < 0.15 and b"image" not in body:
            body = self.damaged(body)
        scope = {"elbv2": "elasticloadbalancing", "efs": "elasticfilesystem"}.get(service, service)
        credential = f"Credential=AKIA0/20260101/us-east-1/{scope}/aws4_request"
        headers["authorization"] = f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0"
        return service, operation.name, method, path, headers, body

    def of(self, shape, name: str, depth: int, wild: bool):
        """Returns a value for a shape of the model; a wild one need not be of its type."""
        if name.lower() == "image" and shape.type_name == "string":
            return IMAGE
        if wild and self.random.random() < 0.04:
            return self.random.choice(JUNK) if self.random.random() < 0.9 else nested(self.random.choice([3, 200, 5_000]))
        kind = shape.type_name
        if kind == "string" and name in self.known and self.random.random() < 0.5:
            return self.random.choice(self.known[name])
        if kind == "structure":
            required = set(shape.required_members)
            chance = 0.35 if depth < 4 else 0.1
            return {
                key: self.of(member, key, depth + 1, wild)
                for key, member in shape.members.items()
                if member.serialization.get("location") == "uri"
                or (key in required and self.random.random() < 0.97)
                or self.random.random() < chance
            }
        if kind == "list":
            count = self.random.choice([0, 1, 1, 1, 2, 3, 30] if depth < 4 else [0, 1])
            return [self.of(shape.member, name.removesuffix("s"), depth + 1, wild) for _ in range(count)]
        if kind == "map":
            return {self.text(shape.key): self.of(shape.value, "", depth + 1, wild) for _ in range(self.random.choice([0, 1, 3]))}
        if kind == "boolean":
            return self.random.random() < 0.5
        if kind in ("integer", "long", "float", "double"):
            number = self.random.choice(NUMBERS)
            return number if wild or kind in ("float", "double") else int(number) if abs(number) < 1e20 else 3
        if kind == "timestamp":
            return self.random.choice([0, 1.5, -1, 1_700_000_000, 2**53] if wild else [0, 1_700_000_000])
        if kind == "blob":
            return b"\0\1\2"
        return self.text(shape)

    def text(self, shape) -> str:
        choices = list(getattr(shape, "enum", []) or [])
        if choices and self.random.random() < 0.8:
            return self.random.choice(choices)
        return self.random.choice(TEXTS)

    def shuffled(self, pairs: list) -> list:
        """Now and then names a parameter twice, or one that is not there, or counts wrongly."""
        if pairs and self.random.random() < 0.2:
            pairs = [*pairs, self.random.choice(pairs)]
        if self.random.random() < 0.1:
            pairs = [*pairs, (self.random.choice(["Filter.0.Name", "A" * 5_000, "Tags.member.x.Key", "..", "Filter.-1"]), "x")]
        return [(key.replace(".1.", f".{self.random.choice([0, 2, 10**9])}.") if self.random.random() < 0.02 else key, text) for key, text in pairs]

    def damaged(self, body: bytes) -> bytes:
        """Returns bytes that are no longer what they were."""
        if not body:
            return b"\xff"
        at = self.random.randrange(len(body))
        return self.random.choice([
            lambda: body[:at],
            lambda: body[:at] + bytes([self.random.randrange(256)]) + body[at + 1 :],
            lambda: body[:at] + body[at:] * 2,
            lambda: b"\xff\xfe" + body,
            lambda: body[:at] + b'"' + body[at:],
        ])()  # fmt: skip

    def learn(self, value, name: str = "") -> None:
        """Remembers what an answer names, so that later requests are about things that are there."""
        if isinstance(value, dict):
            for key, member in value.items():
                self.learn(member, key)
        elif isinstance(value, list):
            for member in value[:20]:
                self.learn(member, name.removesuffix("s"))
        elif isinstance(value, str) and 0 < len(value) < 300 and name.lower() != "image":
            self.keep(name, value)
            if name.lower().endswith(("arn", "arns")):
                self.keep(name[: -len("Arn")], value)

    def keep(self, name: str, value: str) -> None:
        values = self.known.setdefault(name, [])
        if value not in values:
            values.append(value)
            del values[:-20]


def nested(depth: int):
    value = []
    for _ in range(min(depth, 900)):
        value = [value]
    return value


def parsed(body: bytes, is_json: bool):
    if not body:
        return {}
    return json.loads(body) if is_json else of_xml(xml.etree.ElementTree.fromstring(body))


def of_xml(element):
    children = list(element)
    if not children:
        return element.text or ""
    plain = [child.tag.rsplit("}", 1)[-1] for child in children]
    if set(plain) <= {"member", "item"}:
        return [of_xml(child) for child in children]
    return {tag: of_xml(child) for tag, child in zip(plain, children)}


def ask(connection, method, path, headers, body):
    connection.request(method, path, body=body, headers=headers)
    answer = connection.getresponse()
    return answer, answer.read()


def test_odd_requests_are_the_callers_fault_and_hurt_nobody(own):
    folder, options = own
    seed = int(os.environ.get("WHARF_FUZZ_SEED", random.randrange(2**32)))
    seconds = float(os.environ.get("WHARF_FUZZ_SECONDS", "20"))
    fuzz = Fuzz(seed)
    host, port = options[2].split("=")[1].split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=15)
    before = {name: open(f"{folder}/run/{name}.pid").read() for name in ("control", "agent", "balancer", "keeper")}
    end, asked, statuses, slow = time.monotonic() + seconds, 0, {}, []
    unknown, last = set(), None
    while time.monotonic() < end:
        service, operation, method, path, headers, body = fuzz.request()
        if (service, operation) in unknown and fuzz.random.random() > UNKNOWN_SHARE:
            continue
        story = f"seed {seed}, request {asked}: {service} {operation} {method} {path} {body[:2000]!r}"
        begun = time.monotonic()
        try:
            answer, said = ask(connection, method, path, headers, body)
        except (http.client.HTTPException, OSError) as error:
            connection.close()
            if max(len(path), len(body)) > LARGE:
                continue  # It was refused and hung up on while it was still being sent.
            pytest.fail(f"no answer, {error!r}: {story}\nbefore it: {last}")
        took = time.monotonic() - begun
        asked += 1
        last = (answer.status, dict(answer.getheaders()), story[:300], len(path), len(body))
        statuses[answer.status] = statuses.get(answer.status, 0) + 1
        assert answer.status < 500, f"{answer.status} {said[:500]!r}: {story}"
        try:
            content = parsed(said, "json" in (answer.getheader("content-type") or ""))
        except ValueError as error:
            pytest.fail(f"{error}: {said[:500]!r}: {story}")
        # What does not even have a head of acceptable size is refused before anybody looks at it.
        assert answer.getheader("x-amzn-requestid") or answer.status in (414, 431), story
        if b"UnknownOperation" in said or b"InvalidAction" in said:
            unknown.add((service, operation))
        if answer.status == 200:
            fuzz.learn(content)
        if took > 2:
            slow.append(f"{took:.1f} s: {story}")
    print(f"seed {seed}: {asked} requests, {asked / seconds:.0f} a second, {statuses}")
    assert not slow, slow
    assert statuses.get(200, 0) > asked / 50, f"too few requests were good enough to be answered: {statuses}"
    after = {name: open(f"{folder}/run/{name}.pid").read() for name in before}
    assert after == before, f"seed {seed}: a process died"
    done = subprocess.run([BINARY, "status", "--quiet", *options], capture_output=True, text=True)
    assert done.returncode == 0, f"seed {seed}: {done.stdout}{done.stderr}"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000, b'{"clusterName": 1e400}', b'{"clusterName": "\\ud800"}', b" " * 900_000,
    ],
    ids=lambda body: repr(body[:12]),
)  # fmt: skip
def test_a_body_that_is_no_request_is_refused(own, body):
    _, options = own
    host, port = options[2].split("=")[1].split(":")
    headers = {
        "x-amz-target": "AmazonEC2ContainerServiceV20141113.CreateCluster",
        "content-type": "application/x-amz-json-1.1",
    }
    answer, said = ask(http.client.HTTPConnection(host, int(port), timeout=15), "POST", "/", headers, body)
    # Nothing at all and blanks ask for the default cluster, as an empty object does.
    if body.strip():
        assert 400 <= answer.status < 500, (answer.status, said)
        assert "__type" in json.loads(said), said


def test_a_body_too_large_is_refused_before_it_is_read(own):
    _, options = own
    host, port = options[2].split("=")[1].split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=15)
    headers = {"x-amz-target": "AmazonEC2ContainerServiceV20141113.CreateCluster", "content-type": "application/x-amz-json-1.1"}
    try:
        answer, said = ask(connection, "POST", "/", headers, b"{" + b" " * 10_000_000 + b"}")
    except (BrokenPipeError, ConnectionResetError):
        return  # It hung up while this client was still sending, which is its right.
    assert answer.status in (400, 413), (answer.status, said[:300])
