"""U6: what an administrator does. See `test_steps.py`."""

from playwright.sync_api import FilePayload, expect

from aquila.stores.sqlite.backup import read_manifest

from .scene import Scene

PLAN: FilePayload = {"name": "plan.txt", "mimeType": "text/plain", "buffer": b"to all"}


def care(scene: Scene) -> None:
    page, hand = scene.page, scene.hand
    scene.on_map()
    hand.keys("Shift+U")
    expect(page.locator(".checks li").filter(has_text="journal")).to_have_count(1)
    expect(page.locator(".checks li").filter(has_text="there is no backup yet")).to_have_count(1)
    scene.took("test the node")
    for action, button in (("make a backup", "Make a backup"), ("take a backup to another machine", "Download")):
        scene.on_map()
        hand.keys("Shift+U")
        if button == "Download":
            with page.expect_download() as saved:
                hand.click(page.get_by_role("link", name=button))
            assert read_manifest(saved.value.path()).arrival > 0
        else:
            hand.press(button)
            expect(page.locator(".backups .thing")).to_have_count(1)
            expect(page.locator(".backups .badge")).to_have_text("last good")
            # The self-test follows, without being asked.
            expect(page.locator(".checks li").filter(has_text="there is no backup yet")).to_have_count(0)
        scene.took(action)
    scene.on_map()
    hand.keys("Shift+U")
    hand.press("Add a user")
    hand.fill("Name", "rossi", page.get_by_role("form", name="Add a user"))
    hand.keys("Enter")
    link = page.locator(".users .copy-line code").last
    expect(link).to_contain_text("/login?key=")
    scene.took("invite a user")
    browser = page.context.browser
    assert browser is not None
    guest = browser.new_context()
    assert guest.request.get(str(link.text_content())).ok
    assert guest.request.get(f"{scene.node.url}api/v1/me").json()["principal"]["id"] == "person:rossi"
    scene.on_map()
    hand.keys("Shift+U")
    page.get_by_label("Role: rossi").select_option("viewer")
    hand.steps += 1
    expect(page.get_by_label("Role: rossi")).to_be_enabled()
    expect(page.get_by_label("Role: rossi")).to_have_value("viewer")
    scene.took("change a user's role")
    scene.on_map()
    hand.keys("Shift+U")
    hand.press("Withdraw: rossi", "Withdraw")
    expect(page.locator(".users").get_by_text("rossi may log in no more")).to_be_visible()
    scene.took("withdraw a user")
    assert guest.request.get(f"{scene.node.url}api/v1/me").status == 401
    guest.close()


def devices(scene: Scene) -> None:
    page, hand = scene.page, scene.hand
    hand.keys("e")
    hand.press("Add device")
    hand.fill("Name", "TABLET 9")
    hand.keys("Enter")
    dialog = page.get_by_role("dialog", name="Devices and data")
    expect(dialog.get_by_role("img")).to_be_visible()
    scene.took("invite a phone")
    with page.expect_download():
        hand.press("Download TABLET 9-atak.zip")
    scene.took("take a phone's package")
    page.keyboard.press("Escape")
    scene.node.enrolled("LOST 9")
    hand.keys("e")
    hand.press("Revoke: LOST 9", "Revoke")
    expect(dialog.get_by_text("LOST 9 is revoked")).to_be_visible()
    scene.took("revoke a device")
    page.keyboard.press("Escape")


def packages(scene: Scene) -> None:
    page, hand = scene.page, scene.hand
    dialog = page.get_by_role("dialog", name="Devices and data")
    hand.keys("e")
    hand.click(dialog.get_by_role("tab", name="Packages"))
    dialog.locator("input[type=file]").set_input_files(PLAN)
    hand.steps += 1
    expect(dialog.locator(".piece").filter(has_text="plan.txt")).to_have_count(1)
    scene.took("send a file to all")
    page.keyboard.press("Escape")
    hand.keys("e")
    hand.click(dialog.get_by_role("tab", name="Packages"))
    hand.press("Edit: plan.txt")
    dialog.locator("form.edit").get_by_label("Name").fill("plan-2.txt")
    hand.steps += 1
    hand.keys("Enter")
    expect(dialog.locator(".piece").filter(has_text="plan-2.txt")).to_have_count(1)
    scene.took("rename a package")
    page.keyboard.press("Escape")
    hand.keys("e")
    hand.click(dialog.get_by_role("tab", name="Mail"))
    expect(dialog.get_by_role("tabpanel", name="Mail")).to_be_visible()
    scene.took("see what waits for whom")
    page.keyboard.press("Escape")
