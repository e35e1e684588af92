"""A failing machine: a damaged database is refused and left alone, a full disk loses nothing acknowledged."""

import hashlib
import json
import os
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from aquila.client import NodeError
from aquila.testing.served import FREE_PORTS, Serve, ServedNode, run_aquila, wait_until
from aquila.testing.tak_client import PATIENCE_S, chat, fresh, text_of

DISK_MIB = 96
LEFT_KIB = 64


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def written_node(serve: Serve) -> Path:
    """The database of a node that ran and was stopped."""
    node = serve("broken")
    for number in range(40):
        node.api.write_note(text=f"note {number} " + "x" * 2_000)
    node.stop()
    return node.data / "journal.db"


def refusal(data: Path) -> str:
    """The one sentence with which a node does not start."""
    answer = run_aquila("serve", "--data", str(data), "--demo", "none", *FREE_PORTS)
    assert answer.returncode == 1, answer.stdout + answer.stderr
    lines = answer.stderr.strip().splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("aquila: ")
    return lines[0]


@pytest.mark.parametrize("place", ["header", "middle"])
def test_a_damaged_database_is_refused_and_left_as_it_is(serve: Serve, place: str) -> None:
    database = written_node(serve)
    size = database.stat().st_size
    page = int.from_bytes(database.read_bytes()[16:18], "big")
    with database.open("r+b") as file:
        if place == "header":
            file.write(b"not a database, ")
        else:
            # Every other page from a third of the file on: one of them is in use, wherever the free ones are.
            for at in range(size // 3 // page * page, size, 2 * page):
                file.seek(at)
                file.write(b"\xa5" * page)
    before = digest(database)
    sentence = refusal(database.parent)
    assert str(database) in sentence
    assert "damaged" in sentence
    assert "aquila restore" in sentence
    assert digest(database) == before


@pytest.fixture
def small_disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A file system of its own, which root only can make. Its parameter: MiB that it holds."""
    size_mib = getattr(request, "param", DISK_MIB)
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("a small disk can be mounted by root only")
    command = [mount, "-t", "tmpfs", "-o", f"size={size_mib}m", "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine lets nobody mount a small disk")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(disk: Path, left_kib: int = LEFT_KIB) -> Path:
    """A file that leaves next to nothing."""
    ballast = disk / "ballast"
    free = shutil.disk_usage(disk).free
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free - (left_kib << 10))
    return ballast


def health(node: ServedNode) -> tuple[int, list[str]]:
    """Status of /healthz, and its reasons."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{node.ports['http']}/healthz", timeout=PATIENCE_S) as answer:
            return answer.status, json.loads(answer.read())["reasons"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())["reasons"]


def note_until_refused(node: ServedNode) -> tuple[list[str], NodeError]:
    """Notes that were acknowledged before one was not, and the refusal."""
    written = []
    for _ in range(500):
        text = fresh("note ") + " " + "x" * 7_000
        try:
            node.api.write_note(text=text)
        except NodeError as error:
            return written, error
        written.append(text)
    pytest.fail("the disk did not fill")


def test_a_full_disk_stops_statements_only_and_loses_none(small_disk: Path) -> None:
    node = ServedNode(small_disk / "data").start()
    try:
        acknowledged = [fresh("early note ") for _ in range(20)]
        for text in acknowledged:
            node.api.write_note(text=text)
        with node.client(fresh("MOVES")) as first, node.client(fresh("SEES")) as second:
            first.report(lat=1.0)
            second.hear(lambda each: each.get("uid") == first.uid)
            ballast = fill(small_disk)
            more, refused = note_until_refused(node)
            acknowledged += more
            assert refused.status == 507
            assert "full" in str(refused)
            status, reasons = health(node)
            assert status == 503
            assert reasons
            lost, line = fresh("unwritten "), fresh("line while full ")
            captured = chat(first.uid, first.callsign, line)
            first.say(captured, chat(first.uid, first.callsign, lost))
            # Positions need no disk.
            first.report(lat=2.0)
            second.hear(lambda each: each.get("uid") == first.uid and is_at(each.find("point"), 2.0))
            ballast.unlink()
            wait_until(lambda: health(node)[0] == 200, "the node is ready again")
            assert not {line, lost} & {text_of(each) for each in second.heard}
            assert node.counted()["aquila_node_refused_storage_full"] >= 2
            first.say(captured)
            second.hear_text(line)
            late = fresh("late note ")
            node.api.write_note(text=late)
            acknowledged.append(late)
        node.kill()
        node.start()
        texts = [row["body"].get("text") for row in node.api.entries(kind="note", limit=500)]
        assert sorted(texts) == sorted([*acknowledged, line])
    finally:
        node.stop()


def is_at(point: object, lat: float) -> bool:
    return point is not None and abs(float(point.get("lat", "0")) - lat) < 1e-6
