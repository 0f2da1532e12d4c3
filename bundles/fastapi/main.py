"""The tutorial's application: FastAPI behind uvicorn, telling which task answers."""

import json
import os
import socket
import urllib.request
from functools import cache

from fastapi import FastAPI, Request

app = FastAPI(title="Who answers?")


@cache
def task() -> dict:
    """Returns what the task metadata endpoint says of this task; nothing outside ECS."""
    uri = os.environ.get("ECS_CONTAINER_METADATA_URI_V4")
    if uri is None:
        return {}
    with urllib.request.urlopen(f"{uri}/task", timeout=2) as answer:
        return json.load(answer)


def address() -> str | None:
    """Returns the address this machine sends from; connecting a datagram socket sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return probe.getsockname()[0]


@app.get("/")
def root() -> dict:
    return {"message": "Hello from FastAPI", "address": address()}


@app.get("/healthz")
def healthz() -> dict:
    return {"status": "ok"}


@app.get("/info")
@app.post("/info")
def info(request: Request) -> dict:
    known = task()
    return {
        "address": address(),
        "hostname": socket.gethostname(),
        "task_arn": known.get("TaskARN"),
        "family": known.get("Family"),
        "revision": known.get("Revision"),
        "client": request.client.host if request.client else None,
        "headers": dict(request.headers),
    }
