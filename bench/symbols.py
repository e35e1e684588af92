"""What many moving symbols cost the page: main-thread CPU for each update, memory of the renderer, bytes on the wire.

The built page over the stand-in node (`web/dev/stub.mjs`, real WebSocket, the node's own frames) in headless Chromium;
`--node` measures the smaller count over a started node with one TAK client that sends every track every second.
Beside it, in the same run, pages that are MapLibre and nothing else and move as many symbols through a GeoJSON source;
of what that costs their worker nothing is counted, which is in their favour. Every page first stands for half a minute:
what is measured is a shift, not the collector's tidying after the start.
`told_per_s` is how many tracks each page was told a second, so that a slow node does not make it look cheap.

Our page is a whole desk with lists, clocks and numbers that move each second; the peer is a map and nothing else. So
the gate against the peer is like for like, what the symbols add to the page that they are on: our page less the same
without them, the peer less the same peer that draws its map once a second without them; both on our own style, at the
same place, zoom and size. Ours is counted as NOISE_MS at least, since two runs of one page differ by so much. The 8 ms
are for the whole desk, whose labels say names; with full labels and the trails of all in view it is told beside them.
Also told, without a goal: the whole desk against the whole peer, on that map and on none.

CPU is `TaskDuration` of the main thread in thread time, never wall time; each figure is the median of some seconds.
"""

import argparse
import functools
import json
import math
import os
import socket
import statistics
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright
from screen import FLAGS, ROOT, cpu_ms, stand_in

from aquila.testing.served import ServedNode

CAMERA = {"center": [77.5, 42.5], "zoom": 5.4}
"""Where our page looks once it has fitted its map to the tracks of the stand-in."""
WIDE = {"center": [77.5, 42.5], "zoom": 6}
GOALS = {"cpu_ms_10k": 8.0, "less_than_geojson": 10.0, "cpu_ms_100k": 15.0, "renderer_mb": 120.0, "wire_bytes": 24.0}
SETTLE_S = 30
NOISE_MS = 1.0
"""Two runs of the same page differ by less."""
SIZE = {"width": 1600, "height": 900}
PEER_PAGE = """<!doctype html><meta charset=utf-8><link rel=stylesheet href=maplibre-gl.css>
<style>html,body{margin:0;background:#000}#m{width:WIDTHpx;height:HEIGHTpx}</style><div id=m></div>
<script src=pmtiles.js></script><script type=module src=peer.mjs></script>"""
PEER = """import * as maplibre from './maplibre-gl.mjs'
maplibre.setWorkerUrl('./maplibre-gl-worker.mjs')
maplibre.addProtocol('pmtiles', new pmtiles.Protocol().tile)
const { count: n, moving, repaint, camera } = SETTINGS
const style = await (await fetch('style.json')).json()
for (const source of Object.values(style.sources)) source.url &&= source.url.replace('ORIGIN', location.origin)
const map = new maplibre.Map({ container: 'm', style, ...camera, fadeDuration: 0 })
const at = Array.from({ length: n }, (_, i) => [73 + 9 * ((i * 0.6180339887) % 1), 40 + 5 * ((i * 0.4142135624) % 1)])
const all = () => ({ type: 'FeatureCollection', features: at.map((coordinates, i) => ({
  type: 'Feature', id: i, properties: { s: 's' + (i % 4) }, geometry: { type: 'Point', coordinates } })) })
map.on('load', () => {
  for (let s = 0; s < 4; s++) {
    const pen = Object.assign(document.createElement('canvas'), { width: 32, height: 32 }).getContext('2d')
    pen.fillStyle = ['#80e0ff', '#ff8080', '#aaffaa', '#ffff80'][s]
    pen.fillRect(2, 6, 28, 20)
    map.addImage('s' + s, pen.getImageData(0, 0, 32, 32))
  }
  if (n) {
    map.addSource('t', { type: 'geojson', data: all(), buffer: 32, tolerance: 0 })
    map.addLayer({ id: 't', type: 'symbol', source: 't',
      layout: { 'icon-image': ['get', 's'], 'icon-allow-overlap': true, 'icon-ignore-placement': true } })
  }
  document.documentElement.className = 'ready'
  if (moving) setInterval(() => {
    for (const place of at) { place[0] += 2e-4; place[1] += 1e-4 }
    map.getSource('t').setData(all())
  }, 1000)
  if (repaint) setInterval(() => map.triggerRepaint(), 1000)
})
"""
BLANK = {"version": 8, "sources": {}, "layers": []}
STYLE_OF_PAGE = (
    "const { runnerImport } = await import('vite');"
    "const { module } = await runnerImport('./web/src/map/style.ts', { logLevel: 'error' });"
    "console.log(JSON.stringify(module.mapStyle('day', 'en', 'ORIGIN')))"
)


class Wire:
    """Bytes of the position frames that a page was sent."""

    def __init__(self, page: Page) -> None:
        self.bytes = self.tracks = 0
        # Also of sockets that live in a worker of the page, as ours does.
        page.on("websocket", lambda socket: socket.on("framereceived", self._note))

    def _note(self, data: str | bytes) -> None:
        if isinstance(data, str):
            return
        kind, count = data[5], struct.unpack_from("<I", data, 12)[0]
        if kind == 1:
            self.bytes += len(data)
            self.tracks += count

    @property
    def bytes_a_track(self) -> float:
        """Headers included."""
        return self.bytes / max(1, self.tracks)


def renderer_mb(browser: Browser) -> float:
    """Resident memory of the largest renderer of this browser, after its garbage was collected."""
    found = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    sizes = [resident_mb(one["id"]) for one in found if one["type"] == "renderer"]
    return max(sizes)


def resident_mb(pid: int) -> float:
    """Of one process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6


def seconds_of(page: Page, session: CDPSession, seconds: int) -> list[float]:
    """CPU of the main thread in each of so many seconds."""
    costs = []
    for _ in range(seconds):
        before, began = cpu_ms(session), time.monotonic()
        page.wait_for_timeout(1000)
        # The wait is never exactly a second: what counts is the cost of one beat of the feed.
        costs.append((cpu_ms(session) - before) / (time.monotonic() - began))
    return costs


def watch(browser: Browser, url: str, ready: str, seconds: int, tracks: int, *, full: bool = False) -> dict[str, float]:
    """One page: CPU of an update, memory, bytes of a track. full: with full labels, and trails, which its node has."""
    context = browser.new_context(viewport=SIZE)
    page = context.new_page()
    session = context.new_cdp_session(page)
    wire = Wire(page)
    page.goto(url)
    page.locator(ready).first.wait_for(timeout=120_000)
    if full:
        page.keyboard.press("t")
        with page.expect_response("**/tracks?*"):
            page.keyboard.press("Shift+B")
    page.wait_for_timeout(SETTLE_S * 1000)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    told, began = wire.tracks, time.monotonic()
    costs = seconds_of(page, session, seconds)
    told_per_s = (wire.tracks - told) / (time.monotonic() - began)
    box = page.locator("canvas").first.bounding_box()
    assert box is not None
    session.send("HeapProfiler.collectGarbage")
    page.wait_for_timeout(500)
    row = {
        "tracks": tracks,
        "cpu_ms": round(statistics.median(costs), 2),
        "cpu_ms_most": round(max(costs), 2),
        "renderer_mb": round(renderer_mb(browser), 1),
        "wire_bytes": round(wire.bytes_a_track, 2),
        # What the page was really told: a node that cannot keep up would make the page look cheap.
        "told_per_s": round(told_per_s),
        "map_width_px": box["width"],
        "map_height_px": box["height"],
    }
    context.close()
    return row


SHOWS, READY = ".entity", "html.ready"
FULL = "page full"


@contextmanager
def peer(
    count: int, *, moving: bool = False, repaint: bool = False, size: tuple[float, float] | None = None
) -> Iterator[str]:
    """The address of a page that is MapLibre and nothing else.

    moving: its symbols move through the GeoJSON source once a second. repaint: the map is drawn once a second though
    nothing moves. size: CSS pixels of our page's map, and the peer draws the same map there; None = an empty style over
    the whole window.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        library = ROOT / "node_modules/maplibre-gl/dist"
        for file in library.glob("maplibre-gl*"):
            if "dev" not in file.name and file.suffix != ".map":
                (folder / file.name).symlink_to(file)
        (folder / "pmtiles.js").symlink_to(ROOT / "node_modules/pmtiles/dist/pmtiles.js")
        (folder / "maps").symlink_to(ROOT / "src/aquila/static/maps")
        width, height = size or (SIZE["width"], SIZE["height"])
        (folder / "index.html").write_text(
            PEER_PAGE.replace("WIDTH", str(width)).replace("HEIGHT", str(height)), "utf-8"
        )
        settings = {"count": count, "moving": moving, "repaint": repaint, "camera": CAMERA if size else WIDE}
        (folder / "peer.mjs").write_text(PEER.replace("SETTINGS", json.dumps(settings)), "utf-8")
        (folder / "style.json").write_text(style_of_page() if size else json.dumps(BLANK), "utf-8")
        with stand_in(0, folder) as url:
            yield url


@functools.cache
def style_of_page() -> str:
    """The style that our page draws its base map by, as JSON."""
    asked = [os.environ.get("NODE", "node"), "--input-type=module", "-e", STYLE_OF_PAGE]
    return subprocess.run(asked, cwd=ROOT, check=True, capture_output=True, text=True).stdout


@contextmanager
def started_node(tracks: int) -> Iterator[str]:
    """The login link of a started node that one client sends so many moving tracks every second."""
    with tempfile.TemporaryDirectory() as folder:
        node = ServedNode(Path(folder) / "node").start()
        over = threading.Event()
        sender = threading.Thread(target=send_tracks, args=(node.ports["tak"], tracks, over))
        sender.start()
        try:
            yield node.link()
        finally:
            over.set()
            sender.join()
            node.kill()


def send_tracks(port: int, tracks: int, over: threading.Event) -> None:
    """Every track once a second, each on a course of its own."""
    with socket.create_connection(("127.0.0.1", port)) as wire:
        turn = 0
        while not over.is_set():
            began = time.monotonic()
            for first in range(0, tracks, 500):
                wire.sendall(b"".join(event(n, turn) for n in range(first, min(first + 500, tracks))))
            turn += 1
            over.wait(max(0.0, 1 - (time.monotonic() - began)))


def event(n: int, turn: int) -> bytes:
    """CoT of track n at second `turn`."""
    now = time.time()
    said, stale = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)) for at in (now, now + 300))
    lat = 40 + 5 * (n * 0.414 % 1) + 1e-4 * turn * math.cos(n)
    lon = 73 + 9 * (n * 0.618 % 1) + 1e-4 * turn * math.sin(n)
    return (
        f'<event version="2.0" uid="T{n}" type="a-{"fhnu"[n % 4]}-G-U-C" how="m-g" time="{said}" start="{said}" '
        f'stale="{stale}"><point lat="{lat:.6f}" lon="{lon:.6f}" hae="900" ce="9" le="9"/><detail>'
        f'<contact callsign="TRK {n}"/><track course="{n % 360}" speed="12"/></detail></event>'
    ).encode()


def measure(counts: tuple[int, int], seconds: int, *, on_node: bool) -> dict[str, dict[str, float]]:
    """All rows, by what they are of; every page in a browser of its own, so that memory is its own too."""
    few, many = counts
    rows: dict[str, dict[str, float]] = {}

    def same_map() -> tuple[float, float]:
        return rows["empty"]["map_width_px"], rows["empty"]["map_height_px"]

    jobs: dict[str, tuple[Callable[[], AbstractContextManager[str]], str, int]] = {
        "empty": (lambda: stand_in(0), SHOWS, 0),
        "page few": (lambda: (started_node if on_node else stand_in)(few), SHOWS, few),
        FULL: (lambda: stand_in(few), SHOWS, few),
        "peer map": (lambda: peer(0, repaint=True, size=same_map()), READY, 0),
        "peer few": (lambda: peer(few, moving=True, size=same_map()), READY, few),
        "blank still": (lambda: peer(few), READY, few),
        "blank few": (lambda: peer(few, moving=True), READY, few),
        "page many": (lambda: stand_in(many), SHOWS, many),
    }
    with sync_playwright() as playwright:
        for name, (server, ready, tracks) in jobs.items():
            with ExitStack() as stack:
                url = stack.enter_context(server())
                browser = playwright.chromium.launch(executable_path=os.environ.get("AQUILA_BROWSER"), args=FLAGS)
                stack.callback(browser.close)
                rows[name] = watch(browser, url, ready, seconds, tracks, full=name == FULL)
                print(f"{name:14} {rows[name]}", flush=True)
    return rows


def verdicts(rows: dict[str, dict[str, float]]) -> list[tuple[str, float, float, bool]]:
    """(what, figure, goal, holds)."""
    few, many, empty = rows["page few"], rows["page many"], rows["empty"]
    ours, theirs = alone(rows)
    ratio = theirs / max(ours, NOISE_MS)
    above = many["renderer_mb"] - empty["renderer_mb"]
    wire = max(few["wire_bytes"], many["wire_bytes"])
    return [
        (f"{few['tracks']} tracks, CPU ms of an update", few["cpu_ms"], GOALS["cpu_ms_10k"], few["cpu_ms"] <= 8),
        ("symbols alone: times less than a GeoJSON source", round(ratio, 1), GOALS["less_than_geojson"], ratio >= 10),
        (f"{many['tracks']} tracks, CPU ms of an update", many["cpu_ms"], GOALS["cpu_ms_100k"], many["cpu_ms"] <= 15),
        ("the same, renderer MB above the empty map", round(above, 1), GOALS["renderer_mb"], above <= 120),
        ("bytes of a moved track on the wire", wire, GOALS["wire_bytes"], wire <= 24),
    ]


def alone(rows: dict[str, dict[str, float]]) -> tuple[float, float]:
    """What the symbols add to our page and to the peer on the same map, ms of an update."""
    ours, theirs = (rows[name]["cpu_ms"] for name in ("page few", "peer few"))
    return ours - rows["empty"]["cpu_ms"], theirs - rows["peer map"]["cpu_ms"]


def shortfalls(rows: dict[str, dict[str, float]]) -> list[str]:
    """A sentence for each page of ours that was told clearly less than moved: its CPU is not of so many."""
    return [
        f"{name}: told {row['told_per_s']:.0f} tracks a second of {row['tracks']:.0f}; its CPU is of those"
        for name in ("page few", "page many")
        if (row := rows[name])["told_per_s"] < 0.9 * row["tracks"]
    ]


def main() -> None:
    """Measure and print."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--few", type=int, default=10_000)
    words.add_argument("--many", type=int, default=100_000)
    words.add_argument("--seconds", type=int, default=15)
    words.add_argument("--node", action="store_true", help="the smaller count over a started node")
    words.add_argument("--json", type=Path, help="write the rows there, too")
    asked = words.parse_args()
    rows = measure((asked.few, asked.many), asked.seconds, on_node=asked.node)
    for what, figure, goal, holds in verdicts(rows):
        print(f"{what:50} {figure:>8}   goal {goal:>6}   {'holds' if holds else 'MISSED'}")
    # The goals are for the whole page; what the page costs when nothing moves on the map is said beside them.
    for name in ("page few", FULL, "page many"):
        above = rows[name]["cpu_ms"] - rows["empty"]["cpu_ms"]
        print(f"{name}: {above:.1f} ms of it above the same page without these tracks")
    ours, theirs = alone(rows)
    print(f"the symbols alone: {ours:.2f} ms here, {theirs:.2f} ms in the peer on the same map")
    for name, where in (("peer few", "on the same map"), ("blank few", "on no map at all")):
        whole = rows[name]["cpu_ms"] / rows["page few"]["cpu_ms"]
        print(f"the whole desk: {whole:.1f} times less than that peer {where} (no goal)")
    for sentence in shortfalls(rows):
        print(sentence)
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=1), "utf-8")


if __name__ == "__main__":
    main()
