"""What an answer of the page costs with many entities in the picture: main-thread CPU, not wall time.

The built page over the stand-in node (`web/dev/stub.mjs`) in headless Chromium. Each row is the CPU time that the
main thread spent from the deed until 1.5 s later, less what the page spends in the same time when nobody touches it
(all movers move once a second); of each the lowest of some rounds, because what else runs only adds.
The first row is another thing: the tasks of the main thread above 50 ms until the picture stands, in wall time, since
nobody's key is answered for so long.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import CDPSession, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
FLAGS = ["--no-sandbox", "--disable-quic", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
WINDOW_MS = 1500
LONG_TASKS = """
  window.longTasks = []
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) window.longTasks.push(Math.round(duration))
  }).observe({ type: 'longtask', buffered: true })
"""
GOAL_MS = 100


@contextmanager
def stand_in(tracks: int, page: Path | None = None) -> Iterator[str]:
    """The address of a stand-in node with so many tracks; page: the folder that it serves, None = the built page."""
    settings = {**os.environ, "PORT": "0", "TRACKS": str(tracks), "CALM": "1"}
    if page:
        settings["PAGE"] = str(page)
    process = subprocess.Popen(
        ["node", str(ROOT / "web/dev/stub.mjs")],
        env=settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if found := re.search(r"http://127\.0\.0\.1:\d+/", line):
                yield found.group()
                return
        sys.exit("The stand-in node did not start.")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def cpu_ms(session: CDPSession) -> float:
    """CPU time of the page's main thread so far."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(one["value"] for one in metrics if one["name"] == "TaskDuration") * 1000


def cost_ms(page: Page, session: CDPSession, deed: Callable[[], object]) -> float:
    """CPU of the main thread in the window that a deed opens."""
    before = cpu_ms(session)
    deed()
    page.wait_for_timeout(WINDOW_MS)
    return cpu_ms(session) - before


def deeds(page: Page) -> dict[str, tuple[Callable[[], object], Callable[[], object]]]:
    """What is measured: the deed, and what puts things back (not measured)."""
    keys = page.keyboard
    words = page.locator(".filter-bar input")

    def press(place: str) -> Callable[[], object]:
        # Without the pointer's way to it, over other things that light up.
        return lambda: page.evaluate("(place) => document.querySelector(place).click()", place)

    return {
        "find: type one letter": (lambda: keys.press("7"), lambda: keys.press("Backspace")),
        "open the track table": (lambda: keys.press("6"), lambda: keys.press("0")),
        "sort the table by name": (press(".table-head .name button"), lambda: None),
        "sort the table by speed": (press(".table-head .speed button"), lambda: None),
        "narrow the list by a word": (lambda: words.first.fill("trk 77"), lambda: words.first.fill("")),
        "select a row": (press(".entity:nth-child(4)"), lambda: keys.press("Escape")),
        "open the order of battle": (lambda: keys.press("1"), lambda: keys.press("2")),
    }


def around(page: Page, name: str) -> tuple[Callable[[], object], Callable[[], object]]:
    """What must be open before a deed, and is closed after its rounds."""
    keys = page.keyboard
    if name.startswith("find"):

        def ask() -> None:
            keys.press("/")
            page.locator(".ask input").fill("trk 9")

        return ask, lambda: keys.press("Escape")
    if name.startswith("sort"):
        return lambda: keys.press("6"), lambda: keys.press("0")
    return lambda: None, lambda: page.evaluate("document.activeElement?.blur()")


def measure(tracks: int, rounds: int) -> list[dict[str, object]]:
    """One row for each deed."""
    rows: list[dict[str, object]] = []
    with stand_in(tracks) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("AQUILA_BROWSER"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1600, "height": 900})
        page.add_init_script(LONG_TASKS)
        page.goto(url)
        page.locator(".entity").first.wait_for(timeout=60_000)
        page.wait_for_timeout(5000)
        tasks = sorted(page.evaluate("longTasks"), reverse=True)
        rows.append(
            {"what": "tasks above 50 ms until it stands", "cpu_ms": sum(tasks), "tracks": tracks, "each": tasks}
        )
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        idle = min(cost_ms(page, session, lambda: None) for _ in range(rounds + 2))
        rows.append({"what": "nobody touches it", "cpu_ms": round(idle, 1), "tracks": tracks})
        for name, (deed, back) in deeds(page).items():
            enter, leave = around(page, name)
            enter()
            page.wait_for_timeout(WINDOW_MS)
            costs = []
            for _ in range(rounds):
                costs.append(cost_ms(page, session, deed))
                back()
                page.wait_for_timeout(WINDOW_MS)
            leave()
            rows.append({"what": name, "cpu_ms": round(min(costs) - idle, 1), "tracks": tracks})
        browser.close()
    return rows


def main() -> None:
    """Measure and print."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--tracks", type=int, default=100_000)
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--json", type=Path, help="write the rows there, too")
    asked = words.parse_args()
    rows = measure(asked.tracks, asked.rounds)
    for row in rows:
        print(f"{row['what']:34} {row['cpu_ms']:>8} ms {row.get('each', '')}")
    print(f"goal: at most {GOAL_MS} ms for each answer")
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=1), "utf-8")


if __name__ == "__main__":
    main()
