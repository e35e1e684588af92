"""Devices and data in the page: a phone is invited, enrols, is seen online and is thrown out."""

import base64
import hashlib
import io
import json
import re
import ssl
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID
from playwright.sync_api import Browser, Download, Locator, Page, expect

from aquila.testing.served import ServedNode, wait_until
from aquila.testing.tak_client import TakClient, device_context, fresh, position

from .conftest import DESKTOP, Browse
from .test_page import AXE, ITALIAN, VIOLATIONS, WORDS

pytestmark = [pytest.mark.browser, pytest.mark.mapless]

PHONE = {"width": 390, "height": 844}
PASSWORD = "long enough for all"
DROP = """(place, name) => {
  const held = new DataTransfer()
  held.items.add(new File([name], name, { type: 'text/plain' }))
  for (const kind of ['dragover', 'drop'])
    place.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: held }))
}"""


@pytest.fixture(scope="module")
def node(quiet_node: ServedNode) -> ServedNode:
    return quiet_node


@pytest.fixture(scope="module")
def demo(quiet_node: ServedNode) -> ServedNode:
    return quiet_node


@pytest.fixture
def desk(page: Page) -> Page:
    """Of an administrator."""
    return page


def opened(page: Page) -> Locator:
    """The dialog, opened by its button."""
    if page.locator(".desk.phone").count():
        page.locator(".nav").get_by_role("button", name="More").click()
    page.get_by_role("button", name="Devices and data").click()
    dialog = page.get_by_role("dialog", name="Devices and data")
    expect(dialog).to_be_visible()
    return dialog


def line_of(dialog: Locator, name: str) -> Locator:
    """A device in the list."""
    return dialog.locator(".piece.device").filter(has=dialog.page.locator(".what b").get_by_text(name, exact=True))


def invited(page: Page, name: str) -> tuple[Locator, dict[str, Any]]:
    """Invite a device by the form; gives the dialog and what the node answered."""
    dialog = opened(page)
    dialog.get_by_role("button", name="Add device").click()
    dialog.get_by_label("Name", exact=True).fill(name)
    dialog.get_by_label("Callsign").fill(f"{name} SIX")
    dialog.get_by_label("COMMON: writes").check()
    dialog.get_by_label("COMMON: reads").check()
    with page.expect_response("**/api/v1/devices/invitations") as answer:
        dialog.get_by_role("button", name="Make the invitation").click()
    expect(dialog.get_by_role("heading", name=f"Invitation for {name}")).to_be_focused()
    return dialog, cast("dict[str, Any]", answer.value.json())


def content(download: Download) -> bytes:
    return Path(download.path()).read_bytes()


def trust_of(package: bytes, password: str) -> ssl.SSLContext:
    """TLS that trusts what a package brings, and shows no certificate."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        (name,) = [each for each in archive.namelist() if each.endswith("truststore.p12")]
        store = pkcs12.load_pkcs12(archive.read(name), password.encode())
    pems = [each.certificate.public_bytes(serialization.Encoding.PEM).decode() for each in store.additional_certs]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata="".join(pems))
    return context


def enrolled(node: ServedNode, link: str, trust: ssl.SSLContext, folder: Path) -> ssl.SSLContext:
    """Do what a phone does with a scanned link: key, request, certificate; gives its TLS."""
    asked = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, asked["username"])])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    with httpx.Client(base_url=f"https://localhost:{node.ports['enrol']}", verify=trust, timeout=60) as door:
        answer = door.post(
            "/Marti/api/tls/signClient/v2?clientUid=ANDROID-admin&version=5.5",
            content=base64.encodebytes(request.public_bytes(serialization.Encoding.DER)),
            headers={"Accept": "application/xml", "Content-Type": "application/octet-stream"},
            auth=(asked["username"], asked["token"]),
        )
    assert answer.status_code == 200, answer.text
    banner = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"
    got = [(child.tag, banner.format(child.text)) for child in ET.fromstring(answer.content)]
    name = asked["username"]
    (folder / "ca.pem").write_text("".join(pem for tag, pem in got if tag != "signedCert"))
    (folder / f"{name}.pem").write_text("".join(pem for tag, pem in got if tag == "signedCert"))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return device_context(folder, name)


def test_a_phone_is_invited_comes_online_and_is_revoked(desk: Page, node: ServedNode, tmp_path: Path) -> None:
    name = fresh("INVITED")
    dialog, made = invited(desk, name)
    state = dialog.locator(".invited-state")
    expect(state).to_have_text("Waiting for the phone")
    code = dialog.get_by_role("img")
    for button, client in (("iTAK", "iTAK"), ("Others", "registration"), ("ATAK", "ATAK")):
        dialog.get_by_role("button", name=button, exact=True).click()
        expect(code).to_have_attribute("data-text", made["qr"][client])
        assert dialog.locator(".qr path").get_attribute("d"), "the code is drawn"
    expect(dialog.locator("code").filter(has_text=made["token"])).to_be_visible()
    expect(dialog.locator(".countdown")).to_contain_text(re.compile(r"Good for another 5\d min"))
    with desk.expect_download() as got:
        dialog.get_by_role("button", name=f"Download {name}-atak.zip").click()
    assert content(got.value) == base64.b64decode(made["package_atak"])
    trust = trust_of(content(got.value), made["password"])

    tls = enrolled(node, code.get_attribute("data-text") or "", trust, tmp_path)
    expect(state).to_have_text(f"{name} has its certificate")
    expect(dialog.locator(".countdown")).to_have_text("The token is used: nobody else enrols with it.")
    with TakClient(node.ports["tak_tls"], name, tls=tls) as phone:
        phone.say(position(phone.uid, f"{name} SIX"))
        expect(state).to_have_text(f"{name} is online")
        dialog.get_by_role("button", name="Done").click()
        line = line_of(dialog, name)
        expect(line.locator(".state")).to_contain_text("online")
        expect(line).to_contain_text("COMMON")

        line.get_by_role("button", name=f"Revoke: {name}").click()
        expect(line.get_by_role("button", name="Keep")).to_be_focused()
        desk.keyboard.press("Escape")
        expect(dialog).to_be_visible()
        expect(line.locator(".state")).to_contain_text("online")
        line.get_by_role("button", name=f"Revoke: {name}").click()
        line.get_by_role("button", name="Revoke", exact=True).click()
        expect(line).to_have_count(0)
        phone.wait_closed(20.0)
    expect(dialog.get_by_text(f"{name} is revoked")).to_be_visible()


def test_an_invitation_that_waits_is_listed_and_can_be_cancelled(desk: Page, node: ServedNode) -> None:
    name = fresh("WAITING")
    dialog, _ = invited(desk, name)
    dialog.get_by_role("button", name="Done").click()
    waiting = dialog.get_by_role("list", name="Invited, not here yet").get_by_role("listitem").filter(has_text=name)
    expect(waiting).to_contain_text(re.compile(r"Good for another 5\d min"))
    waiting.get_by_role("button", name=f"Cancel: {name}").click()
    waiting.get_by_role("button", name="Cancel", exact=True).click()
    expect(waiting).to_have_count(0)
    expect(dialog.get_by_text(f"The invitation of {name} is cancelled")).to_be_visible()
    assert name not in [row["name"] for row in node.api.invitations()]


def test_a_device_that_leaves_is_offline(desk: Page, node: ServedNode) -> None:
    name = fresh("LEAVER")
    files = node.enrolled(name)
    dialog = opened(desk)
    state = line_of(dialog, name).locator(".state")
    expect(state).to_contain_text("not connected yet")
    with node.device_client(name, files) as phone:
        phone.say(position(phone.uid, name))
        expect(state).to_contain_text("online")
    expect(state).to_contain_text("offline")
    expect(state).to_contain_text("heard")


def test_certificate_files_are_made_at_once(desk: Page, node: ServedNode) -> None:
    name = fresh("FILES")
    dialog = opened(desk)
    dialog.get_by_role("button", name="Add device").click()
    dialog.get_by_role("radio", name="Files.").check()
    dialog.get_by_role("button", name="Make the device").click()
    expect(dialog.get_by_text("Give the device a name.")).to_be_visible()
    expect(dialog.get_by_label("Name")).to_be_focused()
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_role("button", name="Make the device").click()
    with desk.expect_download() as got:
        dialog.get_by_role("button", name=f"Download {name}.zip").click()
    with zipfile.ZipFile(io.BytesIO(content(got.value))) as package:
        assert {f"{name}.p12", f"{name}-atak.zip", f"{name}-itak.zip"} <= set(package.namelist())
    dialog.get_by_role("button", name="Done").click()
    expect(line_of(dialog, name)).to_have_count(1)
    dialog.get_by_role("button", name="Add device").click()
    dialog.get_by_label("Name").fill(name.lower())
    dialog.get_by_role("button", name="Make the invitation").click()
    expect(dialog.get_by_role("alert")).to_contain_text("There is a device")


def zipped(name: str) -> bytes:
    """A data package with one file in it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        manifest = f"""<MissionPackageManifest version="2"><Configuration><Parameter name="uid" value="{name}"/>
            <Parameter name="name" value="{name}"/></Configuration>
            <Contents><Content ignore="false" zipEntry="note.txt"/></Contents></MissionPackageManifest>"""
        archive.writestr("MANIFEST/manifest.xml", manifest)
        archive.writestr("note.txt", name)
    return packed.getvalue()


def phone_of(node: ServedNode, name: str) -> httpx.Client:
    """A device's client of the TAK contract."""
    tls = device_context(node.enrolled(name), name)
    return httpx.Client(base_url=f"https://localhost:{node.ports['api_tls']}", verify=tls, timeout=60)


def at_tab(page: Page, name: str) -> Locator:
    dialog = opened(page)
    dialog.get_by_role("tab", name=name).click()
    return dialog


def piece(dialog: Locator, name: str) -> Locator:
    """The line of a list with this name."""
    return dialog.locator(".piece").filter(has=dialog.page.locator(".what b").get_by_text(name, exact=True))


def test_a_package_of_a_phone_is_found_fetched_renamed_and_withdrawn(desk: Page, node: ServedNode) -> None:
    sender, name = fresh("SENDER"), f"{fresh('route')}.zip"
    data = zipped(name)
    with phone_of(node, sender) as phone:
        asked = {"filename": name, "hash": hashlib.sha256(data).hexdigest(), "creatorUid": sender}
        form = {"assetfile": (name, data, "application/x-zip-compressed")}
        assert phone.post("/Marti/sync/missionupload", params=asked, files=form).status_code == 200
        dialog = at_tab(desk, "Packages")
        row = piece(dialog, name)
        expect(row).to_contain_text(sender)
        expect(row).to_contain_text("UNCLASSIFIED · COMMON")
        dialog.get_by_role("searchbox").fill("no such thing")
        expect(dialog.get_by_text('Nothing matches "no such thing".')).to_be_visible()
        dialog.get_by_role("searchbox").fill(name[:5].upper())
        with desk.expect_download() as got:
            row.get_by_role("link", name=f"Download {name}").click()
        assert (content(got.value), got.value.suggested_filename) == (data, name)

        row.get_by_role("button", name=f"Edit: {name}").click()
        edit = dialog.locator("form.edit")
        expect(edit.get_by_label("Name")).to_be_focused()
        other = f"{name[:-4]} day 2.zip"
        edit.get_by_label("Name").fill(other)
        edit.get_by_label("Keywords").fill("missionpackage, recce")
        edit.get_by_role("button", name="Save").click()
        row = piece(dialog, other)
        expect(row).to_contain_text("recce")

        row.get_by_role("button", name=f"Withdraw: {other}").click()
        row.get_by_role("button", name="Withdraw", exact=True).click()
        expect(row).to_have_count(0)
        assert phone.get("/Marti/sync/content", params={"hash": asked["hash"]}).status_code == 404


def test_files_are_sent_by_the_page(desk: Page, node: ServedNode) -> None:
    word = fresh("plan")
    dialog = at_tab(desk, "Packages")
    files = [(f"{word}.txt", "text/plain", word.encode()), (f"{word}.zip", "application/zip", zipped(word))]
    dialog.locator("input[type=file]").set_input_files(
        [{"name": name, "mimeType": kind, "buffer": data} for name, kind, data in files]
    )
    for name, _, _ in files:
        expect(piece(dialog, name)).to_contain_text("COMMON")
    dialog.locator(".exchange-tab").evaluate(DROP, f"{word} dropped.txt")
    expect(piece(dialog, f"{word} dropped.txt")).to_contain_text("COMMON")
    with phone_of(node, fresh("READER")) as phone:
        found = phone.get("/Marti/sync/search", params={"keywords": "missionpackage", "name": word}).json()["results"]
        assert [row["Name"] for row in found] == [f"{word}.zip"]


def test_a_mission_is_made_filled_and_shared_with_a_phone(desk: Page, node: ServedNode) -> None:
    name, file = fresh("RELIEF "), f"{fresh('overlay')}.zip"
    node_file = zipped(file)
    with phone_of(node, fresh("MEMBER")) as phone:
        assert phone.post("/Marti/sync/upload", params={"name": file}, content=node_file).status_code == 200
        dialog = at_tab(desk, "Missions")
        dialog.get_by_role("button", name="New mission").click()
        dialog.get_by_role("button", name="Make the mission").click()
        expect(dialog.get_by_text("Give the mission a name.")).to_be_visible()
        dialog.get_by_label("Name").fill(name)
        dialog.get_by_label("Description").fill("Flood in the valley")
        dialog.get_by_label("COMMON").check()
        dialog.get_by_role("button", name="Make the mission").click()
        expect(dialog.get_by_role("heading", name=name)).to_be_focused()

        dialog.get_by_label("Choose a package").select_option(label=file)
        dialog.get_by_role("button", name="Add", exact=True).click()
        files = dialog.get_by_role("region", name="Files")
        expect(files.locator(".part")).to_contain_text(file)
        dialog.get_by_label("Write into the log").fill("Bridge is closed")
        dialog.get_by_role("button", name="Write", exact=True).click()
        expect(dialog.get_by_role("region", name="Log")).to_contain_text("Bridge is closed")

        (told,) = phone.get(f"/Marti/api/missions/{name}").json()["data"]
        assert [each["data"]["name"] for each in told["contents"]] == [file]
        added = phone.put(f"/Marti/api/missions/{name}/contents", json={"uids": ["page-mission-uid"]})
        assert added.status_code == 200, added.text
        changes = dialog.get_by_role("region", name="Changes")
        expect(dialog.get_by_role("region", name="On the map")).to_contain_text("page-mission-uid")
        expect(changes.locator("li").first).to_contain_text("page-mission-uid was added")
        expect(changes.locator("li")).to_have_count(3)

        files.get_by_role("button", name=f"Take out: {file}").click()
        expect(files.locator(".part")).to_have_count(0)
        expect(changes.locator("li").first).to_contain_text(f"{file} was taken out")
        dialog.get_by_role("button", name=f"Delete: {name}").click()
        dialog.get_by_role("button", name="Delete", exact=True).click()
        expect(dialog.get_by_role("searchbox")).to_be_focused()
        expect(piece(dialog, name)).to_have_count(0)
        assert phone.get(f"/Marti/api/missions/{name}").status_code == 410


def test_a_package_is_offered_to_a_contact(desk: Page, node: ServedNode) -> None:
    name, file = fresh("CONTACT"), f"{fresh('sketch')}.txt"
    files = node.enrolled(name)
    dialog = at_tab(desk, "Packages")
    dialog.locator("input[type=file]").set_input_files({"name": file, "mimeType": "text/plain", "buffer": b"sketch"})
    row = piece(dialog, file)
    with node.device_client(name, files) as phone:
        phone.say(position(phone.uid, name))
        row.get_by_role("button", name=f"Send to: {file}").click()
        form = dialog.locator("form.edit")
        expect(form.get_by_role("searchbox")).to_be_focused()
        form.get_by_role("searchbox").fill(name.lower())
        form.get_by_label(name).check()
        form.get_by_role("button", name="Send", exact=True).click()
        share = phone.hear(lambda each: each.get("type") == "b-f-t-r").find("detail/fileshare")
        assert share is not None
        assert share.get("name") == file
    expect(dialog.get_by_text(f"{file} is offered")).to_be_visible()
    expect(row).to_be_visible()


def test_a_member_of_a_mission_is_invited_and_gets_another_role(desk: Page, node: ServedNode) -> None:
    name, mission = fresh("MEMBER"), fresh("RELIEF ")
    guid = node.api.create_mission(name=mission)["guid"]
    with phone_of(node, name) as http, node.device_client(name, node.data.parent / f"{name}-files") as phone:
        phone.say(position(phone.uid, name))
        dialog = at_tab(desk, "Missions")
        dialog.get_by_role("button", name=f"Open: {mission}").click()
        members = dialog.get_by_role("region", name="Members")
        expect(members.locator(".part")).to_have_count(1)
        members.get_by_label("Choose whom to invite").select_option(label=name)
        members.get_by_label("As what").select_option(label="reads")
        members.get_by_role("button", name="Invite", exact=True).click()
        expect(members.locator(".part").filter(has_text=name)).to_contain_text("invited: reads")
        told = http.put(f"/Marti/api/missions/{mission}/subscription", params={"uid": phone.uid})
        assert told.status_code == 201, told.text
        role = members.get_by_label(f"Role of {name}")
        expect(role).to_have_value("MISSION_READONLY_SUBSCRIBER")
        # Who follows is a member, and no longer somebody invited.
        expect(members.get_by_text("invited: reads")).to_have_count(0)
        role.select_option(label="reads and writes")
        wait_until(lambda: role_of(node, guid, phone.uid) == "MISSION_SUBSCRIBER", "the node has the role")
        expect(role).to_have_value("MISSION_SUBSCRIBER")


def role_of(node: ServedNode, guid: str, uid: str) -> str | None:
    return next((row["role"] for row in node.api.mission_members(guid) if row["uid"] == uid), None)


def test_keys_stay_in_the_dialog_and_escape_closes_it(desk: Page) -> None:
    button = desk.get_by_role("button", name="Devices and data")
    button.focus()
    desk.keyboard.press("Enter")
    dialog = desk.get_by_role("dialog")
    expect(dialog.get_by_role("tab", name="Devices")).to_be_focused()
    for _ in range(12):
        desk.keyboard.press("Tab")
        assert dialog.evaluate("dialog => dialog.contains(document.activeElement)")
    expect(desk.locator(".banner.top")).to_be_visible()
    dialog.get_by_role("tab", name="Devices").focus()
    desk.keyboard.press("ArrowRight")
    expect(dialog.get_by_role("tab", name="Packages")).to_be_focused()
    desk.keyboard.press("End")
    expect(dialog.get_by_role("tab", name="Mail")).to_be_focused()
    expect(dialog.get_by_text("Nothing waits.")).to_be_visible()
    desk.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(button).to_be_focused()


def test_italian_is_whole(browse: Browse, node: ServedNode) -> None:
    raw_key = re.compile(rf"\b(?:{'|'.join(json.loads(ITALIAN.read_text('utf-8')))})\.[a-zA-Z]\w*")
    node.enrolled(fresh("ITALIA"))
    page = browse(locale="it-IT").open()
    page.get_by_label("Lingua").select_option("it")
    page.get_by_role("button", name="Dispositivi e dati").click()
    dialog = page.get_by_role("dialog", name="Dispositivi e dati")
    expect(dialog.locator(".piece").filter(has_text="ITALIA").first).to_contain_text("mai collegato")
    assert raw_key.findall(page.evaluate(WORDS)) == []
    dialog.get_by_role("button", name="Aggiungi dispositivo").click()
    dialog.get_by_label("Nome", exact=True).fill(fresh("ITALIA"))
    assert raw_key.findall(page.evaluate(WORDS)) == []
    dialog.get_by_role("button", name=re.compile("Crea l.invito")).click()
    for client in ("ATAK", "iTAK", "Altri"):
        dialog.get_by_role("button", name=client, exact=True).click()
        assert raw_key.findall(page.evaluate(WORDS)) == [], client
    node.api.create_mission(name=fresh("SOCCORSO "))
    for tab, words in (("Pacchetti", "Invia file"), ("Missioni", "proprietario"), ("Posta", "Nulla in attesa.")):
        dialog.get_by_role("tab", name=tab).click()
        expect(dialog.get_by_text(words).first).to_be_visible()
        assert raw_key.findall(page.evaluate(WORDS)) == [], tab


def test_a_viewer_sees_no_controls(browse: Browse, chromium: Browser, node: ServedNode) -> None:
    name = fresh("viewer")
    node.api.make_user(name=name, password=PASSWORD, role="viewer")
    dialog = opened(browse(storage_state=log_in_as(chromium, node, name)).open())
    expect(dialog.get_by_role("tab", name="Devices")).to_have_count(0)
    for tab, button in (("Packages", "Send files"), ("Missions", "New mission")):
        dialog.get_by_role("tab", name=tab).click()
        expect(dialog.get_by_role("searchbox")).to_be_visible()
        expect(dialog.get_by_role("button", name=button)).to_have_count(0)
        expect(dialog.locator(".danger")).to_have_count(0)
    operator = fresh("operator")
    node.api.make_user(name=operator, password=PASSWORD, role="operator")
    node.enrolled(fresh("SEEN"))
    dialog = opened(browse(storage_state=log_in_as(chromium, node, operator)).open())
    expect(dialog.locator(".piece.device").first).to_be_visible()
    expect(dialog.get_by_role("button", name="Add device")).to_have_count(0)
    expect(dialog.get_by_role("button", name="Revoke")).to_have_count(0)


def log_in_as(chromium: Browser, node: ServedNode, name: str) -> object:
    """The session of a person with a password."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{node.url}login")
    page.locator("input[name=user]").fill(name)
    page.locator("input[type=password]").fill(PASSWORD)
    page.locator("button").first.click()
    expect(page.locator(".desk")).to_be_visible()
    state = context.storage_state()
    context.close()
    return state


@pytest.mark.parametrize("screen", [DESKTOP, PHONE])
def test_axe_finds_nothing_to_say(browse: Browse, node: ServedNode, screen: dict[str, int]) -> None:
    node.enrolled(fresh("AXE"))
    page = browse(viewport=screen).open()
    dialog = opened(page)
    expect(dialog.locator(".piece").first).to_be_visible()
    page.evaluate(AXE.read_text("utf-8"))
    assert page.evaluate(VIOLATIONS) == [], "the whole page"
    dialog.locator(".piece .danger").first.click()
    assert page.evaluate(VIOLATIONS, ".exchange") == [], "the question"
    dialog.get_by_role("button", name="Keep").click()
    dialog.get_by_role("button", name="Add device").click()
    assert page.evaluate(VIOLATIONS, ".exchange") == [], "the form"
    dialog.get_by_label("Name").fill(fresh("AXE"))
    dialog.get_by_role("button", name="Make the invitation").click()
    expect(dialog.get_by_role("img")).to_be_visible()
    assert page.evaluate(VIOLATIONS, ".exchange") == [], "the invitation"
    for tab in ("Packages", "Missions", "Mail"):
        dialog.get_by_role("tab", name=tab).click()
        expect(dialog.get_by_role("tabpanel", name=tab)).to_be_visible()
        assert page.evaluate(VIOLATIONS, ".exchange") == [], tab
    dialog.get_by_role("tab", name="Packages").click()
    word = f"{fresh('axe')}.txt"
    dialog.locator("input[type=file]").set_input_files(
        {"name": word, "mimeType": "text/plain", "buffer": word.encode()}
    )
    piece(dialog, word).get_by_role("button", name=f"Edit: {word}").click()
    assert page.evaluate(VIOLATIONS, ".exchange") == [], "a package that is edited"
    dialog.get_by_role("tab", name="Missions").click()
    dialog.get_by_role("button", name="New mission").click()
    assert page.evaluate(VIOLATIONS, ".exchange") == [], "a new mission"
    dialog.get_by_label("Name").fill(fresh("AXE "))
    dialog.get_by_role("button", name="Make the mission").click()
    expect(dialog.get_by_role("region", name="Changes").locator("li")).to_have_count(1)
    assert page.evaluate(VIOLATIONS, ".exchange") == [], "a mission"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
