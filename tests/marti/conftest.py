"""A node and its API as TAK clients use it: with a device certificate on 8443, with passwords and tokens on 8446."""

import json
import os
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from aquila.testing.served import ServedNode
from aquila.testing.tak_client import device_context, fresh

Enrolled = Callable[..., httpx.Client]
Shown = dict[str, dict[str, str]]
SHOWN = pytest.StashKey[Shown]()
"""Row of the contract -> client -> passed or FAILED, for tools/conformance.py."""


def pytest_configure(config: pytest.Config) -> None:
    """Results are gathered on every run, and written down when somebody says where."""
    config.stash[SHOWN] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A row is shown to a client only by tests that all passed."""
    report = yield
    if report.when == "call" or report.failed:
        for mark in item.iter_markers("row"):
            (row,), client = mark.args, mark.kwargs["client"]
            results = item.config.stash[SHOWN].setdefault(row, {})
            if report.failed or client not in results:
                results[client] = "FAILED" if report.failed else "passed" if report.passed else report.outcome
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """For tools/conformance.py."""
    told = os.environ.get("CONFORMANCE_RESULTS")
    if told:
        Path(told).write_text(json.dumps(session.config.stash[SHOWN], indent=1, sort_keys=True), encoding="utf-8")


def door(node: ServedNode, name: str, tls: ssl.SSLContext, **more: Any) -> httpx.Client:
    """A client of one of the node's HTTPS doors: api_tls or enrol."""
    return httpx.Client(base_url=f"https://localhost:{node.ports[name]}", verify=tls, timeout=60, **more)


@pytest.fixture
def device(node: ServedNode) -> Iterator[Enrolled]:
    """Adds devices, with fields of the API's add_device; gives the HTTP client of each, with its certificate."""
    opened: list[httpx.Client] = []

    def add(name: str = "", **fields: object) -> httpx.Client:
        name = name or fresh("PHONE")
        files = node.enrolled(name, **fields)
        opened.append(door(node, "api_tls", device_context(files, name)))
        return opened[-1]

    yield add
    for client in opened:
        client.close()
