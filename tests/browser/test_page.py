"""The watch floor as people see it: lists, map, journal, chat, and what happens when the node dies."""

import json
import re
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from aquila.simulator import cot
from aquila.simulator.cot import EVERYONE, Look, Spot
from aquila.simulator.scenario import MedevacAsked
from aquila.testing.served import ServedNode

from .conftest import Browse, Clock, Join, log_in

pytestmark = pytest.mark.browser


SCREENS = [[(1600, 900), (1280, 720)], [(390, 844)]]
PATROL = "CAMOSCIO 11"
ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
ITALIAN = ROOT / "web" / "src" / "i18n" / "it.json"
SPOT = Spot(43.05, 77.05, 1500.0)
LOST = ["WebSocket", "ERR_CONNECTION", "Failed to load resource"]

WORDS = """() => [document.body.innerText, ...[...document.querySelectorAll('*')].flatMap((one) =>
  ['aria-label', 'title', 'placeholder'].map((name) => one.getAttribute(name) ?? ''))].join('\\n')"""
VIOLATIONS = """async (asked) => {
  // Asked: the themes, or the part of the page that a test is about. What a theme changes is colours: all rules in the
  // theme that is on, the contrast in the other two.
  const themes = Array.isArray(asked) ? asked : ['dark', 'day', 'night']
  const part = typeof asked === 'string' ? document.querySelector(asked) : document
  const root = document.documentElement
  const on = root.dataset.theme
  const still = document.createElement('style')
  still.textContent = '* { transition: none !important }'
  document.head.append(still)
  const found = []
  for (const theme of [on, ...themes.filter((each) => each !== on)]) {
    root.dataset.theme = theme
    const rules = theme === on ? {} : { runOnly: ['color-contrast'] }
    // Of what passes, one example is enough: naming every element takes a third of the time.
    for (const { id, nodes } of (await axe.run(part, { ...rules, resultTypes: ['violations'] })).violations)
      found.push(`${theme} ${id}: ${nodes.slice(0, 3).map((node) => node.target.join(' ')).join(' | ')}`)
  }
  root.dataset.theme = on
  still.remove()
  return found
}"""


def rows_of(page: Page, name: str) -> Locator:
    """The rows of the list with exactly this name."""
    page.get_by_role("searchbox").fill(name)
    return page.locator(".entity").filter(has=page.locator(".name").get_by_text(name, exact=True))


def middle_cursor(page: Page) -> str:
    """What the cursor says of the middle of the map: it is asked by a move."""
    canvas = page.locator("canvas.maplibregl-canvas")
    box = canvas.bounding_box()
    assert box is not None
    for aside in (1, 0):
        page.mouse.move(box["x"] + box["width"] / 2 + aside, box["y"] + box["height"] / 2)
    return str(canvas.evaluate("it => getComputedStyle(it).cursor"))


def select(page: Page, name: str) -> Locator:
    """Its details, opened from the list."""
    rows_of(page, name).click()
    details = page.locator(".details")
    expect(details.get_by_role("heading", name=name, exact=True)).to_be_visible()
    return details


def journal_lines(page: Page, text: str) -> Locator:
    return page.locator(".journal .entry").filter(has_text=text)


def write_note(page: Page, text: str) -> None:
    page.locator(".journal form input").fill(text)
    page.locator(".journal form").get_by_role("button").click()


@pytest.mark.parametrize("sizes", SCREENS)
def test_the_map_is_drawn(browse: Browse, map_is_drawn: Callable[[Page], None], sizes: list[tuple[int, int]]) -> None:
    first, *others = ({"width": width, "height": height} for width, height in sizes)
    page = browse(viewport=first).open()
    map_is_drawn(page)
    for size in others:
        page.set_viewport_size(size)
        map_is_drawn(page)


def test_a_login_link_works_once(browse: Browse, demo: ServedNode) -> None:
    link = demo.link()
    first = browse(storage_state=None).context.new_page()
    first.goto(link)
    expect(first.locator(".desk")).to_be_visible()
    watched = browse(storage_state=None)
    # The form has no icon of its own, so a browser asks for the one that every site had once.
    watched.expected.append("401")
    second = watched.context.new_page()
    answer = second.goto(link)
    assert answer is not None
    assert answer.status == 401
    expect(second.get_by_text("This link was used already or is older than ten minutes.")).to_be_visible()
    expect(second.locator(".desk")).to_have_count(0)


@pytest.mark.mapless
def test_the_demo_is_listed_under_an_exercise_banner(page: Page) -> None:
    expect(page.locator(".banner.top")).to_have_text(re.compile(r"UNCLASSIFIED.*EXERCISE$"))
    expect(page.locator(".banner")).to_have_count(1)
    for name in ("LEOPARD HQ", PATROL, "GYPAÈTE 24"):
        expect(rows_of(page, name)).to_have_count(1)
    # An incident is no unit.
    expect(rows_of(page, "Avalanche, debris").locator(".line")).to_contain_text("Marker")
    # The drawer's rules once reached the desk: all details stood in capitals.
    expect(page.locator("p.empty", has_text="Select a symbol")).to_have_css("text-transform", "none")


@pytest.mark.mapless
def test_a_patrol_moves_in_the_details(page: Page) -> None:
    details = select(page, PATROL)
    grid, age = details.locator("dd.grid"), details.locator(".age-mark")
    first_grid, first_age = grid.inner_text(), age.inner_text()
    expect(age).not_to_have_text(first_age)
    expect(grid).not_to_have_text(first_grid, timeout=60_000)
    assert re.fullmatch(r"\d{1,2}[A-Z] [A-Z]{2} \d{5} \d{5}", grid.inner_text())


@pytest.mark.mapless
def test_what_a_tak_client_says_appears_once(page: Page, tak: Join, now_ms: Clock) -> None:
    client = tak("ANDROID-page-1", "PAGE ONE")
    client.send(cot.position(client.who, SPOT, now_ms(), 5.0, 80))
    client.send(cot.chat(client.who, SPOT, now_ms(), "page-chat-1", "chat from the phone", EVERYONE))
    look = Look(colour="red", remarks="seen from the ridge")
    client.send(cot.marker("page-marker-1", "PAGE MARKER", "a-h-G", client.who, SPOT, now_ms(), look))
    expect(rows_of(page, "PAGE MARKER")).to_have_count(1)
    expect(journal_lines(page, "chat from the phone")).to_have_count(1)
    expect(page.locator(".chat .entry").filter(has_text="chat from the phone")).to_have_count(1)
    details = select(page, "PAGE ONE")
    expect(rows_of(page, "PAGE ONE")).to_have_count(1)
    grid = details.locator("dd.grid")
    before = grid.inner_text()
    client.send(cot.position(client.who, Spot(43.06, 77.06, 1500.0), now_ms(), 5.0, 80))
    expect(grid).not_to_have_text(before)
    expect(rows_of(page, "PAGE ONE")).to_have_count(1)
    page.locator(".links-open").click()
    link = page.locator(".link").filter(has_text="PAGE ONE")
    expect(link).to_have_count(1)
    expect(link).to_have_class(re.compile(r"\bup\b"))
    client.end()
    expect(link).to_have_class(re.compile(r"\bdown\b"))
    expect(link.locator(".why")).to_have_text("closed by the peer")
    expect(journal_lines(page, "disconnected: closed by the peer")).not_to_have_count(0)


def test_what_the_page_writes_reaches_phones_and_other_desks(browse: Browse, tak: Join, now_ms: Clock) -> None:
    client = tak("ANDROID-page-2", "PAGE TWO")
    client.send(cot.position(client.who, SPOT, now_ms(), 5.0, 80))
    here, there = browse().open(), browse(viewport={"width": 1280, "height": 720}).open()
    expect(rows_of(here, "PAGE TWO")).to_have_count(1)

    # TAK has no document for a staff log line: phones get it as a chat line that says what it is.
    write_note(here, "note from the desk")
    client.hears("b-t-f", "LOG: note from the desk")
    for page in (here, there):
        expect(journal_lines(page, "note from the desk")).to_have_count(1)

    here.get_by_role("tab", name="Chat").click()
    here.locator(".chat form input").fill("chat from the desk")
    here.locator(".chat form").get_by_role("button").click()
    client.hears("b-t-f", "chat from the desk")
    for page in (here, there):
        expect(page.locator(".chat .entry").filter(has_text="chat from the desk")).to_have_count(1)

    here.get_by_role("button", name="Place a marker").click()
    here.get_by_role("button", name="Use map centre").click()
    here.get_by_label("Name", exact=True).fill("LZ DESK")
    here.get_by_role("button", name="Place marker", exact=True).click()
    client.hears("LZ DESK")
    for page in (here, there):
        expect(rows_of(page, "LZ DESK")).to_have_count(1)


def test_an_emergency_is_shown_until_it_is_cancelled(page: Page, tak: Join, now_ms: Clock) -> None:
    client = tak("ANDROID-page-3", "PAGE SOS")
    client.send(cot.position(client.who, SPOT, now_ms(), 5.0, 80))
    client.send(cot.alert(client.who, SPOT, now_ms()))
    cards = page.locator(".attention .card").filter(has_text="PAGE SOS")
    expect(cards).to_have_count(1)
    expect(cards.locator("b")).to_have_text("PAGE SOS")
    expect(cards).to_contain_text("911 alert")
    expect(cards.locator(".age")).to_have_text(re.compile(r"\d+ (s|min) ago"))
    # The alert is an entity of its own, and yet no second emergency.
    expect(rows_of(page, "PAGE SOS-Alert")).to_have_count(1)
    expect(cards).to_have_count(1)
    expect(journal_lines(page, "EMERGENCY PAGE SOS: 911 alert")).to_have_count(1)
    cards.get_by_text("Show on map").click()
    expect(page.locator(".details").get_by_role("heading", name="PAGE SOS", exact=True)).to_be_visible()
    expect(page.locator(".details .emergency")).to_contain_text("911 alert")
    client.send(cot.alert_over(client.who, SPOT, now_ms()))
    expect(cards).to_have_count(0)


@pytest.mark.mapless
def test_a_medevac_request_says_what_is_asked(page: Page, tak: Join, now_ms: Clock) -> None:
    client = tak("ANDROID-page-5", "PAGE MED")
    client.send(cot.position(client.who, SPOT, now_ms(), 5.0, 80))
    lines = MedevacAsked(
        at_s=0,
        by="PAGE MED",
        key="med",
        title="MED.PAGE.1",
        frequency="38.90",
        urgent=1,
        litter=2,
        landing_zone="LZ PAGE",
    )
    client.send(cot.medevac(cot.Patient("page-medevac-1", "MED.PAGE.1", lines), client.who, SPOT, now_ms()))
    card = page.locator(".attention .card").filter(has_text="MED.PAGE.1")
    expect(card).to_contain_text("MEDEVAC request: 1 urgent, 2 litter")
    expect(card).to_contain_text("LZ PAGE")
    card.click()
    expect(page.locator(".details .nine-lines")).to_contain_text("38.90")
    # Open details ask again every few seconds; an answer 404 would be an error in the console.
    page.locator(".details").get_by_role("button", name="Close details").click()
    client.send(cot.removal("page-medevac-gone", "page-medevac-1", "b-r-f-h-c", now_ms()))
    expect(card).to_have_count(0)


@pytest.mark.mapless
def test_a_removal_names_what_is_gone(page: Page, tak: Join, now_ms: Clock) -> None:
    client = tak("ANDROID-page-6", "PAGE SIX")
    client.send(cot.position(client.who, SPOT, now_ms(), 5.0, 80))
    look = Look(colour="red", remarks="")
    client.send(cot.marker("page-marker-6", "MARKER SIX", "b-m-p-s-m", client.who, SPOT, now_ms(), look))
    expect(rows_of(page, "MARKER SIX")).to_have_count(1)
    client.send(cot.removal("page-removal-6", "page-marker-6", "b-m-p-s-m", now_ms()))
    expect(rows_of(page, "MARKER SIX")).to_have_count(0)
    expect(journal_lines(page, "MARKER SIX was removed")).to_have_count(1)
    expect(journal_lines(page, "page-marker-6")).to_have_count(0)


def test_hostile_words_stay_words(page: Page, tak: Join, now_ms: Clock) -> None:
    name = "<img src=x onerror=window.hacked=1>"
    words = "</b><script>window.hacked=1</script>{{7*7}}"
    client = tak("ANDROID-page-4", name)
    client.send(cot.position(client.who, SPOT, now_ms(), 5.0, 80))
    client.send(cot.chat(client.who, SPOT, now_ms(), "page-chat-4", words, EVERYONE))
    look = Look(colour="red", remarks=words)
    client.send(cot.marker("page-marker-4", f"M {name}", "a-h-G", client.who, SPOT, now_ms(), look))
    expect(page.locator(".journal .entry.chat").filter(has_text=words)).to_have_count(1)
    expect(rows_of(page, name)).to_have_count(1)
    details = select(page, f"M {name}")
    expect(details.locator(".remarks")).to_have_text(words)
    assert page.evaluate("window.hacked") is None
    assert page.locator("img[src=x]").count() == 0


def knock(node: ServedNode) -> None:
    """Come to the door without a certificate."""
    tls = ssl.create_default_context(cafile=str(node.data / "secrets" / "ca.pem"))
    with suppress(OSError), socket.create_connection(("127.0.0.1", node.ports["tak_tls"]), timeout=10) as plain:
        with tls.wrap_socket(plain, server_hostname="localhost") as shaken:
            shaken.recv(1)


def test_italian_is_whole_and_stays(page: Page, demo: ServedNode) -> None:
    knock(demo)
    catalogue = json.loads(ITALIAN.read_text("utf-8"))
    raw_key = re.compile(rf"\b(?:{'|'.join(catalogue)})\.[a-z]\w+")
    expect(page.get_by_role("heading", name="Journal")).to_be_visible()
    page.get_by_label("Language").select_option("it")
    for _ in range(2):
        expect(page.get_by_role("heading", name="Diario")).to_be_visible()
        expect(page.get_by_role("tab", name="Tracce")).to_be_visible()
        expect(page.locator(".chip.connection.live")).to_have_text("Dal vivo")
        expect(page.locator(".banner.top")).to_contain_text("ESERCITAZIONE")
        assert raw_key.findall(page.evaluate(WORDS)) == []
        assert page.evaluate("document.documentElement.lang") == "it"
        page.reload()
    select(page, PATROL)
    expect(page.locator(".details")).to_contain_text("Ultimo rapporto")
    page.get_by_role("button", name="Inserisci indicatore").click()
    assert raw_key.findall(page.evaluate(WORDS)) == []
    page.get_by_role("button", name="Usa il centro").click()
    page.keyboard.press("Escape")
    page.locator(".links-open").click()
    expect(page.locator(".link", has_text="attivo").first).to_be_visible()
    refused = page.locator(".link.refused", has_text="127.0.0.1")
    expect(refused.locator(".state")).to_have_text("rifiutato")
    expect(refused.locator(".why")).to_contain_text("il client non ha mostrato nessun certificato")
    assert raw_key.findall(page.evaluate(WORDS)) == []


@pytest.mark.mapless
def test_keys_reach_search_and_close_details(page: Page) -> None:
    select(page, PATROL)
    page.locator(".details h2").click()
    page.keyboard.press("/")
    find = page.get_by_role("combobox", name="Find")
    expect(find).to_be_focused()
    page.keyboard.press("Escape")
    expect(find).to_have_count(0)
    expect(page.locator(".details h2")).to_have_text(PATROL)
    page.keyboard.press("Escape")
    expect(page.locator(".details h2")).to_have_text("Details")


def test_a_dead_node_is_said_and_a_live_one_is_found_again(browse: Browse, chromium: Browser, tmp_path: Path) -> None:
    node = ServedNode(tmp_path / "node")
    try:
        node.start()
        watched = browse(node.url, storage_state=log_in(chromium, node))
        watched.expected.extend(LOST)
        page = watched.open()
        write_note(page, "line before the cut")
        expect(journal_lines(page, "line before the cut")).to_have_count(1)
        page.evaluate("window.not_reloaded = true")
        node.kill()
        expect(page.locator(".chip.connection.lost")).to_be_visible()
        expect(page.locator(".banner.top .not-live")).to_be_visible()
        node.start("--http-port", str(node.ports["http"]))
        expect(page.locator(".chip.connection.live")).to_be_visible()
        expect(page.locator(".banner.top .not-live")).to_have_count(0)
        write_note(page, "line after the cut")
        expect(journal_lines(page, "line after the cut")).to_have_count(1)
        expect(journal_lines(page, "line before the cut")).to_have_count(1)
        assert page.evaluate("window.not_reloaded") is True
    finally:
        node.kill()
