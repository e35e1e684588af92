"""A typed line to everyone who must be told, on screen; and the vignette's 95 minutes. `python bench/vignette.py`.

One node, 100 stream clients that say where they are once a second, two headless Chromium processes with the page open:
the watch officer's, who types, and the duty officer's, who must be told. All times are of one machine's clock, taken in
the pages: from the key that sends (or the click that logs) to the frame after the text stands in the other page.
`AQUILA_BROWSER` names the Chromium. Prints rows; goals: 1 s for each line, 10 s for the vignette.
"""

import argparse
import asyncio
import json
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from time import time
from typing import Any

from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from aquila.simulator.staff import filled, read_staff
from aquila.testing.served import ServedNode
from aquila.testing.tak_client import position

FLAGS = ["--no-sandbox", "--disable-quic", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
VIGNETTE = read_staff(Path(__file__).with_name("vignette.toml").read_bytes())
VIGNETTE_MIN = 95
GOAL_MS, GOAL_VIGNETTE_MS = 1000, 10_000
WAIT_MS = 30_000
SEEN = """([words, place]) => { window.seen = new Promise((done) => {
  const look = () => [...document.querySelectorAll(place)].some((one) => one.textContent.includes(words))
  const tell = () => {
    const there = Date.now()
    requestAnimationFrame(() => requestAnimationFrame(() => done([there, Date.now()])))
  }
  if (look()) return tell()
  const watcher = new MutationObserver(() => { if (look()) { watcher.disconnect(); tell() } })
  watcher.observe(document.body, { childList: true, subtree: true, characterData: true })
}) }"""


class Phones(threading.Thread):
    """Stream clients, each with a connection of its own, and when each heard a word."""

    def __init__(self, port: int, count: int) -> None:
        super().__init__(daemon=True)
        self._port, self.count = port, count
        self._word = b""
        self._loop = asyncio.new_event_loop()
        self.heard_ms: list[float] = []
        self.bytes = 0
        self.ready = threading.Event()
        self._ended = asyncio.Event()

    def run(self) -> None:
        self._loop.run_until_complete(self._live())

    def listen_for(self, word: str) -> None:
        self.heard_ms, self._word = [], word.encode()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self.join(10)

    async def _live(self) -> None:
        pairs = [await asyncio.open_connection("127.0.0.1", self._port) for _ in range(self.count)]
        tasks = [asyncio.create_task(self._hear(reader)) for reader, _ in pairs]
        tasks += [asyncio.create_task(self._talk(number, writer)) for number, (_, writer) in enumerate(pairs)]
        self.ready.set()
        await self._ended.wait()
        for task in tasks:
            task.cancel()

    async def _talk(self, number: int, writer: asyncio.StreamWriter) -> None:
        while True:
            lat, lon = 42.5 + number / 100, 77.0 + (time() % 60) / 600
            writer.write(position(f"PHONE-{number}", f"PHONE {number}", lat=lat, lon=lon))
            await asyncio.sleep(1)

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        tail, told = b"", b""
        while chunk := await reader.read(65_536):
            self.bytes += len(chunk)
            if self._word and told != self._word and self._word in tail + chunk:
                told = self._word
                self.heard_ms.append(time() * 1000)
            tail = chunk[-200:]


@contextmanager
def desk(playwright: Playwright, node: ServedNode) -> Iterator[Page]:
    """A browser process of its own with the page open and live."""
    browser: Browser = playwright.chromium.launch(executable_path=os.environ.get("AQUILA_BROWSER"), args=FLAGS)
    page = browser.new_page(viewport={"width": 1600, "height": 900}, locale="en-GB")
    page.goto(node.link())
    page.locator(".chip.connection.live").wait_for(timeout=60_000)
    page.locator(".entity").first.wait_for(timeout=60_000)
    try:
        yield page
    finally:
        browser.close()


def when_seen(page: Page) -> tuple[float, float]:
    """UTC ms when the page had what it waits for, and when the frame with it was painted."""
    there_ms, painted_ms = page.evaluate(
        f"Promise.race([window.seen, new Promise((_, no) => setTimeout(no, {WAIT_MS}))])"
    )
    return float(there_ms), float(painted_ms)


def typed(watch: Page, duty: Page, phones: Phones, number: int) -> tuple[float, float, float]:
    """One line typed into the box: ms until the other page has it, until it is painted, until the last phone has it."""
    text = f"PHONE {number} reports ford passable, turn {number} of {os.getpid()}"
    duty.evaluate(SEEN, [text, ".journal"])
    phones.listen_for(text)
    watch.locator(".journal form input").fill(text)
    watch.evaluate(
        "() => addEventListener('keydown', () => { window.sent = Date.now() }, { once: true, capture: true })"
    )
    watch.keyboard.press("Enter")
    there_ms, seen_ms = when_seen(duty)
    sent_ms = float(watch.evaluate("window.sent"))
    for _ in range(200):
        if len(phones.heard_ms) == phones.count:
            break
        watch.wait_for_timeout(20)
    return there_ms - sent_ms, seen_ms - sent_ms, max(phones.heard_ms, default=float("inf")) - sent_ms


def vignette(watch: Page, duty: Page, serial: int) -> tuple[float, float, float]:
    """The report of 0727: ms until it needs the duty officer on his screen, until he has acknowledged, until the watch
    sees that he knows."""
    log, _ = VIGNETTE.acts
    body = filled(log.body, {"serial": f"{serial} of {os.getpid()}"}, 0)
    text = body["line"]["text"]
    duty.evaluate(SEEN, [text, ".need"])
    sent_ms = float(
        watch.evaluate(
            """async ([path, body]) => { const at = Date.now()
              const answer = await fetch(path, { method: 'POST', body: JSON.stringify(body),
                headers: { 'Content-Type': 'application/json', 'X-Aquila': 'bench' } })
              if (!answer.ok) throw new Error(await answer.text())
              return at }""",
            [f"/api/v1{log.path}", body],
        )
    )
    _, needed_ms = when_seen(duty)
    need = duty.locator(".need").filter(has_text=text).filter(has=duty.get_by_role("button", name="Acknowledge"))
    need.first.get_by_role("button", name="Acknowledge").click()
    duty.locator(".need").filter(has_text=text).filter(has=duty.get_by_role("button", name="Acknowledge")).wait_for(
        state="detached"
    )
    known_ms = float(duty.evaluate("Date.now()"))
    watch.locator(".need").filter(has_text=text).filter(has=watch.get_by_role("button", name="Acknowledge")).wait_for(
        state="detached"
    )
    return needed_ms - sent_ms, known_ms - sent_ms, float(watch.evaluate("Date.now()")) - sent_ms


def row(what: str, values: list[float], goal_ms: float) -> dict[str, Any]:
    """Middle, 95th per cent and worst of a measurement."""
    values = sorted(values)
    p95 = values[min(len(values) - 1, round(0.95 * len(values)))]
    return {
        "what": what,
        "n": len(values),
        "p50_ms": round(median(values)),
        "p95_ms": round(p95),
        "max_ms": round(values[-1]),
        "goal_ms": goal_ms,
    }


def measure(phones_count: int, rounds: int) -> list[dict[str, Any]]:
    """All rows."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        node = ServedNode(folder / "node", "--context", "EXERCISE:BENCH")
        stack.callback(node.stop)
        node.start()
        phones = Phones(node.ports["tak"], phones_count)
        phones.start()
        stack.callback(phones.stop)
        phones.ready.wait(30)
        playwright = stack.enter_context(sync_playwright())
        watch = stack.enter_context(desk(playwright, node))
        duty = stack.enter_context(desk(playwright, node))
        watch.wait_for_timeout(3000)
        lines = [typed(watch, duty, phones, number) for number in range(1, rounds + 1)]
        told = [vignette(watch, duty, number) for number in range(1, max(rounds // 4, 2) + 1)]
        return [
            row("typed line -> in the other page", [each[0] for each in lines], GOAL_MS),
            row("typed line -> painted on the other screen", [each[1] for each in lines], GOAL_MS),
            row(f"typed line -> the last of {phones_count} phones", [each[2] for each in lines], GOAL_MS),
            row("key line -> needs the duty officer, on screen", [each[0] for each in told], GOAL_MS),
            row(
                f"{VIGNETTE_MIN} min become: the duty officer acknowledged",
                [each[1] for each in told],
                GOAL_VIGNETTE_MS,
            ),
            row(f"{VIGNETTE_MIN} min become: and the watch sees it", [each[2] for each in told], GOAL_VIGNETTE_MS),
        ]


def main() -> None:
    """Measure and print."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--phones", type=int, default=100)
    words.add_argument("--rounds", type=int, default=20)
    words.add_argument("--json", type=Path, help="write the rows there, too")
    asked = words.parse_args()
    rows = measure(asked.phones, asked.rounds)
    for each in rows:
        times = f"p50 {each['p50_ms']:>5}  p95 {each['p95_ms']:>5}  max {each['max_ms']:>5} ms"
        print(f"{each['what']:50} {times}   goal {each['goal_ms']} ms")
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=1), "utf-8")


if __name__ == "__main__":
    main()
