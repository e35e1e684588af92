"""What a mission of 10,000 contents costs: its change feed since a number, and the whole of it.

    python3 dev.py bench missions [--json FILE] [--contents 10000] [--rounds 9]

A started node, filled and asked by a device over HTTPS on 8443 as phones do it. Wall time is of one question on a line
that is open already, so it holds what HTTP and TLS cost; CPU is the node's, from /proc, over all questions of a row.
The time to the first byte beside the time to the last shows that the whole is streamed.
"""

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from aquila.testing.served import ServedNode
from aquila.testing.tak_client import device_context

GOAL_MS = 20.0
AT_ONCE = 500
NAME = "BENCH"
MISSION = f"/Marti/api/missions/{NAME}"
Row = dict[str, Any]


def cpu_s(node: ServedNode) -> float:
    """What the node has used, all threads."""
    fields = Path(f"/proc/{node.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def fill(phone: httpx.Client, contents: int) -> int:
    """Make the mission and put so many uids in; the number of the last change."""
    phone.put(MISSION, params={"creatorUid": NAME}).raise_for_status()
    for first in range(0, contents, AT_ONCE):
        uids = [f"UNIT-{number}" for number in range(first, min(first + AT_ONCE, contents))]
        phone.put(f"{MISSION}/contents", params={"creatorUid": NAME}, json={"uids": uids}).raise_for_status()
    return contents


def asked(phone: httpx.Client, path: str, **words: object) -> tuple[float, float, bytes]:
    """One question: ms to the first byte of the body, ms to its last, the body."""
    began = time.perf_counter()
    with phone.stream("GET", path, params={key: str(value) for key, value in words.items()}) as answer:
        pieces = answer.iter_bytes()
        first = next(pieces, b"")
        first_ms = (time.perf_counter() - began) * 1000
        body = first + b"".join(pieces)
    answer.raise_for_status()
    return first_ms, (time.perf_counter() - began) * 1000, body


def measured(node: ServedNode, phone: httpx.Client, rounds: int, path: str, **words: object) -> Row:
    """The same question again and again."""
    before = cpu_s(node)
    turns = [asked(phone, path, **words) for _ in range(rounds)]
    used_ms = (cpu_s(node) - before) * 1000 / rounds
    return {
        "first_ms": round(median(turn[0] for turn in turns), 1),
        "wall_ms": round(median(turn[1] for turn in turns), 1),
        "cpu_ms": round(used_ms, 1),
        "bytes": len(turns[-1][2]),
        "found": json.loads(turns[-1][2])["data"],
    }


def last_seq(phone: httpx.Client) -> int:
    """The number behind the newest change, as the answer's header says it."""
    answer = phone.get(f"{MISSION}/changes", params={"since": "0"})
    answer.raise_for_status()
    (seq,) = [int(value) for key, value in answer.headers.items() if key.lower().endswith("-seq")]
    return seq


def rows(contents: int, rounds: int) -> Iterator[Row]:
    """Each question with what it cost."""
    with tempfile.TemporaryDirectory() as work:
        node = ServedNode(Path(work) / "data").start()
        try:
            tls = device_context(node.enrolled(NAME), NAME)
            with httpx.Client(base_url=f"https://localhost:{node.ports['api_tls']}", verify=tls, timeout=120) as phone:
                began, cpu = time.perf_counter(), cpu_s(node)
                fill(phone, contents)
                spent = {"wall_ms": round((time.perf_counter() - began) * 1000), "cpu_ms": (cpu_s(node) - cpu) * 1000}
                yield {"what": f"fill with {contents} contents, {AT_ONCE} a request", **spent}
                newest = last_seq(phone)
                for requests in (0, 1, 2):
                    # A request is one statement of the journal and has one number, however many contents it brought.
                    row = measured(node, phone, rounds, f"{MISSION}/changes", since=newest - requests)
                    found = len(row.pop("found"))
                    if found != requests * AT_ONCE:
                        raise SystemExit(f"asked for the changes of the last {requests} requests and got {found}")
                    what = f"changes since N, {found} rows"
                    yield {"what": what, **row, "goal_ms": GOAL_MS, "holds": row["wall_ms"] < GOAL_MS}
                row = measured(node, phone, max(rounds // 3, 1), MISSION)
                found = len(row.pop("found")[0]["uids"])
                if found != contents:
                    raise SystemExit(f"the whole mission has {found} contents, not {contents}")
                yield {"what": f"the whole mission, {contents} contents", **row}
        finally:
            node.stop()


def show(row: Row) -> None:
    """One line of the table."""
    verdict = {True: f"below {GOAL_MS:.0f} ms: holds", False: f"below {GOAL_MS:.0f} ms: MISSED"}.get(
        row.get("holds"), ""
    )
    first = f"first byte {row['first_ms']:6.1f} ms  " if "first_ms" in row else ""
    size = f"{row['bytes']:9d} bytes  " if "bytes" in row else ""
    print(
        f"{row['what']:44} {first}wall {row['wall_ms']:8.1f} ms  CPU {row['cpu_ms']:7.1f} ms  {size}{verdict}",
        flush=True,
    )


def main() -> int:
    """Run it; exit status 1 when the figure is missed."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--json", type=Path, help="write the rows here")
    words.add_argument("--contents", type=int, default=10_000)
    words.add_argument("--rounds", type=int, default=9)
    told = words.parse_args()
    found = []
    for row in rows(told.contents, told.rounds):
        show(row)
        found.append(row)
    if told.json:
        conditions = {"machine": platform.platform(), "load": os.getloadavg()}
        told.json.write_text(json.dumps({"conditions": conditions, "rows": found}, indent=1))
    return 0 if all(row.get("holds", True) for row in found) else 1


if __name__ == "__main__":
    raise SystemExit(main())
