"""The page in a real Chromium, over a real node, with TAK clients beside it."""

import base64
import socket
from collections.abc import Callable, Iterator
from time import time
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

from aquila.simulator.cot import Client
from aquila.testing.served import ServedNode, wait_until
from aquila.testing.tak_client import PATIENCE_S

HERE = {"127.0.0.1", "localhost"}
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    # Without a GPU the page is put together by the processor: half of what the software GL takes for it.
    "--disable-gpu-compositing",
]
# Most tests want a desk, and none of its pixels: a software GL draws each of them.
DESKTOP: ViewportSize = {"width": 1280, "height": 720}
# Phones of these tests say a thing and are silent while somebody types, longer than a node bears on a slow machine.
PATIENT = {"AQUILA_LINK_IDLE_S": "900"}
COARSE = 0.5
"""Pixels of the screen for one of the page where no screen is asked for: a quarter of all pixels, a fifth less work.
Who looks at pixels, or says how wide the screen is, gets one for each."""
NO_WEBGL = """{
  const real = HTMLCanvasElement.prototype.getContext
  HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
    return kind === 'webgl2' ? null : real.call(this, kind, ...more)
  }
}"""
"""A machine that cannot draw the map. The desk says so and does the rest, for half of what it costs with one."""
COLOURS = """async (png) => {
  const bytes = Uint8Array.from(atob(png), (c) => c.charCodeAt(0))
  const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }))
  const brush = new OffscreenCanvas(image.width, image.height).getContext('2d')
  brush.drawImage(image, 0, 0)
  const pixels = new Uint32Array(brush.getImageData(0, 0, image.width, image.height).data.buffer)
  const count = new Map()
  for (const pixel of pixels) count.set(pixel, (count.get(pixel) ?? 0) + 1)
  // 128, 224, 255: the fill of a friendly frame, in the byte order of a Uint32Array.
  return [count.size, Math.max(...count.values()) / pixels.length, count.get(0xffffe080) ?? 0]
}"""
ONLY_MAP = (
    "* { visibility: hidden !important }"
    " canvas.maplibregl-canvas, canvas.map-sprites { visibility: visible !important }"
)


class TakClient:
    """A TAK client on plain TCP that keeps every XML document it hears."""

    def __init__(self, port: int, uid: str, callsign: str) -> None:
        self.who = Client(uid, callsign, "a-f-G-U-C", "Cyan", "Team Member", "phone")
        self.heard = ""
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self._socket.settimeout(0.05)

    def send(self, document: bytes) -> None:
        self._socket.sendall(document)

    def hears(self, *words: str) -> None:
        """Wait for one document that holds all the words."""

        def found() -> bool:
            try:
                self.heard += self._socket.recv(1 << 16).decode(errors="replace")
            except TimeoutError:
                pass
            return any(all(word in document for word in words) for document in self.heard.split("</event>")[:-1])

        wait_until(found, f"{self.who.callsign} hears {words}")

    def end(self) -> None:
        """Say that nothing more comes, as a client does that is put away; a close over unread lines is a broken one."""
        self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._socket.close()


class Watched:
    """A browser context that keeps whatever a page must not do.

    Attributes:
        expected: parts of console errors that the test itself causes.
    """

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context = context
        self.url = url
        self.expected: list[str] = []
        self.faults: list[str] = []
        context.set_default_timeout(PATIENCE_S * 1000)
        context.on("request", lambda request: self._note_address(request.url))
        context.on("weberror", lambda wrong: self.faults.append(f"page error: {wrong.error}"))
        context.on("console", lambda line: self._note_console(line.type, f"{line.text} {line.location['url']}"))

    def _note_address(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"data", "blob", "about"} and parts.hostname not in HERE:
            self.faults.append(f"left this machine: {url}")

    def _note_console(self, kind: str, text: str) -> None:
        if kind == "error" and not any(part in text for part in self.expected):
            self.faults.append(f"console: {text}")

    def open(self) -> Page:
        """The desk, live."""
        page = self.context.new_page()
        page.on("websocket", lambda stream: self._note_address(stream.url))
        return self._at_desk(page)

    def open_anew(self) -> Page:
        """The desk as on a first visit, in the page of the context that is there: half the work of another page."""
        return self._at_desk(self.context.pages[0]) if self.context.pages else self.open()

    def leave(self) -> None:
        """Away from the desk, which then draws nothing, and forget what it kept."""
        page, *others = self.context.pages
        for other in others:
            other.close()
        page.unroute_all()
        # Of the same origin; what is wiped before the desk is left could be written again.
        page.goto(f"{self.url}healthz")
        page.evaluate("localStorage.clear(); sessionStorage.clear()")
        page.set_viewport_size(DESKTOP)
        # What a page says whose requests are cut off is nobody's.
        self.faults.clear()

    def _at_desk(self, page: Page) -> Page:
        page.goto(self.url)
        expect(page.locator(".chip.connection.live")).to_be_visible(timeout=PATIENCE_S * 1000)
        return page


Browse = Callable[..., Watched]
Join = Callable[[str, str], TakClient]
Clock = Callable[[], int]


@pytest.fixture(scope="module")
def chromium(browser_path: str) -> Iterator[Browser]:
    # Of the module and no wider: as long as it runs, nobody else can run an event loop in this thread.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, headless=True, args=CHROMIUM_FLAGS)
        expect.set_options(timeout=PATIENCE_S * 1000)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedNode]:
    node = ServedNode(tmp_path_factory.mktemp("page") / "node", "--demo", "snow-leopard", environ=PATIENT)
    try:
        node.start()
        yield node
    finally:
        node.kill()


@pytest.fixture(scope="module")
def quiet_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedNode]:
    """For modules that need nothing of the exercise, whose drawing costs time: they take it as their `demo`."""
    node = ServedNode(tmp_path_factory.mktemp("quiet") / "node", environ=PATIENT)
    try:
        yield node.start()
    finally:
        node.kill()


@pytest.fixture(scope="module")
def session(chromium: Browser, demo: ServedNode) -> object:
    """The cookie of one login: keys are for once, sessions for a shift."""
    return log_in(chromium, demo)


def log_in(chromium: Browser, node: ServedNode) -> object:
    context = chromium.new_context()
    # Without a page: a desk that nobody looks at costs two seconds.
    answer = context.request.get(node.link())
    assert answer.ok, answer.text()
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def browse(
    chromium: Browser, demo: ServedNode, session: object, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Watched]]:
    """Make contexts; at the end, none of them did what a page must not do."""
    made: list[Watched] = []

    def make(url: str = "", **options: object) -> Watched:
        settings = {"viewport": DESKTOP, "locale": "en-GB", "storage_state": session, **options}
        settings.setdefault("device_scale_factor", 1 if "viewport" in options else COARSE)
        made.append(Watched(chromium.new_context(**settings), url or demo.url))
        if request.node.get_closest_marker("mapless"):
            made[-1].context.add_init_script(NO_WEBGL)
        return made[-1]

    yield make
    for one in made:
        one.context.close()
    assert not [fault for one in made for fault in one.faults]


@pytest.fixture(scope="module")
def first_desk(chromium: Browser, demo: ServedNode, session: Any) -> Iterator[Watched]:
    """Where the tests of a module look that want nothing else."""
    yield from desk_of(chromium, demo, session)


@pytest.fixture(scope="module")
def mapless_desk(chromium: Browser, demo: ServedNode, session: Any) -> Iterator[Watched]:
    """Where those look that are marked as mapless."""
    for watched in desk_of(chromium, demo, session):
        watched.context.add_init_script(NO_WEBGL)
        yield watched


def desk_of(chromium: Browser, node: ServedNode, session: Any) -> Iterator[Watched]:
    """A context for one test after the other."""
    context = chromium.new_context(viewport=DESKTOP, device_scale_factor=COARSE, locale="en-GB", storage_state=session)
    watched = Watched(context, node.url)
    # Asked for by the browser where the desk was left: there is no page with an icon of its own.
    watched.expected.append("favicon.ico")
    yield watched
    context.close()


@pytest.fixture
def page(request: pytest.FixtureRequest) -> Iterator[Page]:
    """The demo on a desktop screen, as somebody finds it who comes for the first time."""
    mapless = request.node.get_closest_marker("mapless")
    desk: Watched = request.getfixturevalue("mapless_desk" if mapless else "first_desk")
    yield desk.open_anew()
    faults = list(desk.faults)
    desk.leave()
    assert not faults


@pytest.fixture
def tak(demo: ServedNode) -> Iterator[Callable[[str, str], TakClient]]:
    made: list[TakClient] = []

    def join(uid: str, callsign: str) -> TakClient:
        made.append(TakClient(demo.ports["tak"], uid, callsign))
        return made[-1]

    yield join
    for client in made:
        client.close()


@pytest.fixture(scope="module")
def map_is_drawn(chromium: Browser) -> Iterator[Callable[[Page], None]]:
    """Wait until the map itself, without what lies over it, has many colours, none that fills it, and friends."""
    context = chromium.new_context()
    eye = context.new_page()

    def look(page: Page) -> None:
        seen: list[float] = []

        def drawn() -> bool:
            png = page.screenshot(style=ONLY_MAP, clip=page.locator("#map").bounding_box())
            seen[:] = eye.evaluate(COLOURS, base64.b64encode(png).decode())
            colours, largest, friends = seen
            return colours > 100 and largest < 0.9 and friends > 200

        try:
            wait_until(drawn, "the map is drawn")
        except AssertionError:
            pytest.fail(f"no map: {seen} = colours, share of the most frequent one, pixels of friends")

    yield look
    context.close()


@pytest.fixture(scope="session")
def now_ms() -> Callable[[], int]:
    return lambda: int(time() * 1000)
