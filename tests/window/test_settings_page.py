"""Settings, the doctor and the first start, in a real browser against a real service."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from claude_sync.service.service import Service
from claude_sync.state import preferences
from claude_sync.sync.store_key import KeyChoice
from machines import KEY, PASSPHRASE, SESSION, PlayedMachine, World, said
from programs import require
from waiting import until

OpenPage = Callable[..., Page]


def test_a_preference_is_checked_as_it_is_typed_and_saved_when_it_is_done(
    open_page: OpenPage, laptop: PlayedMachine
) -> None:
    page = open_page("settings")
    field = page.get_by_label("Rest before a push")
    field.fill("soon")
    problem = page.locator(".setting", has=field).locator("[data-result]")
    expect(problem).to_contain_text("must be a number")
    assert field.get_attribute("aria-invalid") == "true"
    field.fill("7")
    field.press("Tab")
    expect(problem).to_have_text("Saved.")
    page.get_by_label("Titles in notifications").click()
    page.get_by_label("When a session arrives").select_option("pull")
    until(lambda: preferences.load(laptop.paths).on_arrival == "pull")
    stored = preferences.load(laptop.paths)
    assert (stored.quiet_seconds, stored.show_titles) == (7, False)


def test_a_project_that_is_switched_off_is_pushed_no_more(
    laptop: PlayedMachine, open_page: OpenPage, service: Service
) -> None:
    laptop.write(SESSION, said("hello"))
    service.push([SESSION]).result()
    page = open_page("settings")
    switch = page.get_by_role("switch", name="app", exact=True)
    switch.click()
    until(lambda: preferences.load(laptop.paths).ignore == (KEY,))
    expect(switch).not_to_be_checked()
    switch.click()
    until(lambda: preferences.load(laptop.paths).ignore == ())


def test_another_place_is_chosen_with_what_will_be_readable_there_and_its_key(
    laptop: PlayedMachine, open_page: OpenPage, tmp_path: Path
) -> None:
    laptop.write(SESSION, said("hello"))
    laptop.push()
    dropbox = tmp_path / "Dropbox"
    (dropbox / "holiday").mkdir(parents=True)
    page = open_page("settings/store")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert").first).to_have_text("Choose one first.")
    page.get_by_label("A folder").first.check()
    page.get_by_role("textbox", name="Shared folder").fill("Dropbox")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert").first).to_contain_text("A folder's whole path is needed")
    page.get_by_role("textbox", name="Shared folder").fill(str(dropbox))
    page.get_by_role("button", name="Continue").click()
    step = page.locator("[data-step=readers]")
    # A folder with something in it isn't filled with ours.
    expect(step).to_contain_text("Dropbox/claude-sync")
    expect(step).to_contain_text("your machines that have its key, and by nobody else")
    page.get_by_label("Not encrypted").check()
    expect(step).to_contain_text("whoever can read this folder")
    page.get_by_label("Encrypted", exact=False).first.check()
    page.get_by_role("button", name="Share there").click()
    key = page.locator("[data-key-text]")
    expect(key).to_be_visible()
    assert len(key.inner_text()) > 20
    chosen = preferences.load(laptop.paths)
    assert chosen.location == str(dropbox / "claude-sync")
    assert chosen.encrypted
    # What was pushed to the place before can be removed there.
    assert len(laptop.world.bundles()) == 1
    left = page.get_by_text(f"1 session of this machine is still in {laptop.world.store}.")
    expect(left).to_be_visible()
    page.get_by_role("button", name="Remove them there").click()
    expect(page.get_by_text("Removed 1 session from")).to_be_visible()
    expect(left).to_be_hidden()
    assert laptop.world.bundles() == []
    assert key.inner_text() not in laptop.paths.log_file.read_text()


def test_a_folder_that_another_machine_encrypted_asks_for_its_key_and_a_name_of_ones_own(
    laptop: PlayedMachine, open_page: OpenPage, tmp_path: Path
) -> None:
    there = World(tmp_path / "there", key=KeyChoice(True, PASSPHRASE))
    other = there.machine(laptop.name)
    other.write(SESSION, said("hello"))
    other.push()
    page = open_page("settings/store")
    page.get_by_label("A folder").first.check()
    page.get_by_role("textbox", name="Shared folder").fill(str(there.store))
    page.get_by_role("button", name="Continue").click()
    step = page.locator("[data-step=readers]")
    expect(step).to_contain_text("Sessions are shared there already, encrypted.")
    key = page.get_by_label("The key of that shared folder")
    key.fill(PASSPHRASE)
    assert key.get_attribute("type") == "password"
    page.get_by_label("Show what I type").check()
    expect(key).to_have_attribute("type", "text")
    page.get_by_role("button", name="Share there").click()
    problem = step.get_by_role("alert")
    expect(problem).to_have_text(f"Another machine is called {laptop.name} there.")
    page.get_by_label("What is this machine called?").fill("my tablet")
    page.get_by_role("button", name="Share there").click()
    expect(problem).to_contain_text("letters, digits")
    expect(problem).not_to_contain_text("--")
    page.get_by_label("What is this machine called?").fill("tablet")
    page.get_by_role("button", name="Share there").click()
    expect(page.locator("[data-step=done]")).to_contain_text("This machine is called tablet there.")
    assert preferences.load(laptop.paths).location == str(there.store)


def test_a_host_is_tried_before_anything_is_changed(
    open_page: OpenPage, laptop: PlayedMachine
) -> None:
    require("ssh")
    before = preferences.load(laptop.paths).location
    page = open_page("settings/store")
    page.get_by_label("A host over ssh").check()
    page.get_by_role("textbox", name="Host and folder there").fill("nowhere.invalid:sessions")
    page.get_by_role("button", name="Continue").click()
    problem = page.locator("[data-step=place]").get_by_role("alert")
    expect(problem).to_contain_text("nowhere.invalid")
    expect(page.get_by_role("button", name="Continue")).to_be_visible()
    page.get_by_role("textbox", name="Host and folder there").fill("ssh://me:secret@nas/x")
    page.get_by_role("button", name="Continue").click()
    expect(problem).to_contain_text("password")
    assert preferences.load(laptop.paths).location == before


def test_the_first_start_leads_through_three_steps(
    open_page: OpenPage, laptop: PlayedMachine, tmp_path: Path
) -> None:
    page = open_page("welcome")
    page.get_by_label("A folder").first.check()
    page.get_by_role("textbox", name="Shared folder").fill(str(tmp_path / "shared"))
    current = page.locator(".steps [aria-current]")
    expect(current).to_have_text("Shared folder")
    page.get_by_role("button", name="Continue").click()
    expect(current).to_have_text("What will be readable")
    page.get_by_label("Not encrypted").check()
    page.get_by_role("button", name="Share there").click()
    expect(current).to_have_text("Done")
    assert preferences.load(laptop.paths).location == str(tmp_path / "shared")
    page.get_by_role("link", name="Show my sessions").click()
    expect(page.get_by_role("heading", name="Sessions", exact=True)).to_be_visible()


def test_a_finding_is_shown_with_what_fixes_it_and_can_be_ignored(
    laptop: PlayedMachine, open_page: OpenPage, service: Service
) -> None:
    service.pause().result()
    page = open_page("doctor")
    page.get_by_role("button", name="Check everything again").click()
    expect(page.get_by_text("Checked everything again.")).to_be_visible()
    card = page.locator("[data-code=paused]")
    expect(card).to_be_visible()
    # What is fixed elsewhere doesn't stay unseen.
    changed = page.get_by_text("Something has changed since.")
    expect(changed).to_be_hidden()
    service.resume().result()
    service.run_doctor().result()
    expect(changed).to_be_visible()
    service.pause().result()
    service.run_doctor().result()
    page.get_by_role("button", name="Show it").click()
    expect(changed).to_be_hidden()
    card.get_by_role("button", name="Resume syncing").click()
    expect(page.get_by_text("Syncing again.")).to_be_visible()
    assert service.status.paused_until is None
    code = str(page.locator("[data-code]:not([data-code=paused])").first.get_attribute("data-code"))
    other = page.locator(f"[data-code={code}]")
    other.get_by_role("button", name="Don't warn of it").click()
    until(lambda: preferences.load(laptop.paths).ignored_findings == (code,))
    expect(page.get_by_text("1 finding you don't want to be warned of")).to_be_visible()
