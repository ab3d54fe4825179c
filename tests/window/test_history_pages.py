"""What was, what is kept, and what has to be decided, as a person clicks through it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from claude_sync.model import State
from claude_sync.state.activity import Activity, ActivityLog
from core.sync.test_many_machines import put_fleet
from machines import OTHER, SESSION, PlayedMachine, said

THIRD = "2b3c4d5e-1111-4222-8333-444455556666"
FOURTH = "3b3c4d5e-1111-4222-8333-444455556666"
MARKUP = "Fix <img src=x onerror=alert(1)> & “quotes”"

Opened = Callable[[str], Page]


@pytest.fixture
def opened(browser: Browser, laptop: PlayedMachine, request: pytest.FixtureRequest) -> Opened:
    """Opens a page of the laptop's window, whose service starts only now.

    Args:
        browser: so that it runs before a test looks which threads there are.
    """

    def opened(path: str) -> Page:
        open_page = request.getfixturevalue("open_page")
        page: Page = open_page(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        return page

    return opened


def diverged(laptop: PlayedMachine, desktop: PlayedMachine, session: str = SESSION) -> None:
    """A session that went on on both machines."""
    laptop.write(session, said(MARKUP))
    laptop.push()
    desktop.pull()
    laptop.write(session, said("on the laptop <script>alert(2)</script>"))
    desktop.write(session, said("on the desktop"), said("and on"))
    desktop.push()
    laptop.grow_old(session)


def replacing(laptop: PlayedMachine, desktop: PlayedMachine) -> None:
    """A session whose version here was given up on the desktop."""
    diverged(laptop, desktop)
    laptop.push()
    desktop.grow_old()
    desktop.resolve(keep="mine")


def shortened(laptop: PlayedMachine, desktop: PlayedMachine) -> None:
    """A session that lost its last turn, and went on after that."""
    whole = laptop.write(SESSION, said(MARKUP), said("what gets lost"))
    laptop.push()
    desktop.pull()
    laptop.rewrite(SESSION, whole.splitlines(keepends=True)[0] + said("said after the damage"))
    laptop.grow_old()


# --- choosing ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("button", "answer"),
    [
        ("Keep this machine's", "Kept what is on this machine."),
        ("Keep desktop's", "Took over desktop's version."),
        ("Keep both", "Kept all sides"),
    ],
)
def test_a_conflict_is_read_and_decided(
    laptop: PlayedMachine, desktop: PlayedMachine, opened: Opened, button: str, answer: str
) -> None:
    diverged(laptop, desktop)
    mine, theirs = laptop.read(), desktop.read()
    page = opened(f"conflict/{SESSION}")
    expect(page.get_by_role("heading", level=1)).to_have_text(MARKUP)
    sides = page.locator("section.side")
    expect(sides.nth(0)).to_contain_text("on the laptop <script>alert(2)</script>")
    expect(sides.nth(0)).to_contain_text("1 turn (1 line) since then")
    expect(sides.nth(1)).to_contain_text("2 turns (2 lines) since then")
    page.get_by_text("Before they diverged").click()
    expect(page.get_by_text(MARKUP).nth(1)).to_be_visible()
    page.get_by_role("button", name=button).click()
    expect(page.locator(".toast")).to_contain_text(answer)
    expect(page.get_by_text("There is nothing to decide.")).to_be_visible()
    expect(page.locator(".entry").filter(has_text="Decided")).to_have_count(1)
    desktop.pull()
    texts = [laptop.read(one) for one in laptop.sessions()]
    if button == "Keep both":
        assert sorted(texts) == sorted([mine, theirs])
    else:
        assert texts == [theirs if button == "Keep desktop's" else mine]
        assert desktop.read() == laptop.read()


def test_what_has_changed_meanwhile_is_not_decided_unseen(
    laptop: PlayedMachine, desktop: PlayedMachine, opened: Opened
) -> None:
    diverged(laptop, desktop)
    page = opened(f"conflict/{SESSION}")
    before = laptop.write(SESSION, said("one more"))
    laptop.grow_old()
    page.get_by_role("button", name="Keep desktop's").click()
    expect(page.locator("[data-result].error")).to_contain_text("has changed since it was shown")
    assert laptop.read() == before


@pytest.mark.parametrize("button", ["Keep this machine's", "Keep desktop's"])
def test_what_would_be_replaced_is_taken_or_kept(
    laptop: PlayedMachine, desktop: PlayedMachine, opened: Opened, button: str
) -> None:
    replacing(laptop, desktop)
    mine, theirs = laptop.read(), desktop.read()
    page = opened(f"session/{SESSION}")
    page.get_by_role("link", name="Compare").click()
    expect(page.locator(".lead")).to_contain_text("On desktop another version was chosen")
    page.get_by_role("button", name=button).click()
    expect(page.get_by_text("There is nothing to decide.")).to_be_visible()
    assert laptop.read() == (theirs if "desktop" in button else mine)
    assert not laptop.states()[SESSION].replaces


@pytest.mark.parametrize("button", ["Put this back", "Keep it as it is"])
def test_what_lost_something_is_put_back_or_kept(
    laptop: PlayedMachine, desktop: PlayedMachine, opened: Opened, button: str
) -> None:
    shortened(laptop, desktop)
    mine = laptop.read()
    page = opened(f"conflict/{SESSION}")
    expect(page.locator(".lead")).to_contain_text("no longer in its file")
    expect(page.locator("section.side").nth(1)).to_contain_text("what gets lost")
    page.get_by_role("button", name=button).click()
    expect(page.get_by_text("There is nothing to decide.")).to_be_visible()
    assert laptop.read() == (desktop.read() if button == "Put this back" else mine)
    assert not laptop.states()[SESSION].shortened


def test_of_more_versions_than_can_be_chosen_from_each_can_be_read(
    laptop: PlayedMachine, opened: Opened
) -> None:
    put_fleet(laptop.world, [said(f"number {number}") for number in range(70)])
    page = opened(f"conflict/{SESSION}")
    expect(page.locator(".lead")).to_have_text(
        "70 versions of this session lie in the shared folder, too many to choose from, from m0, "
        "m1 and 68 more: remove those of machines that aren't yours with "
        "claude-sync forget --machine NAME."
    )
    expect(page.locator(".copies").get_by_role("link", name="Read what")).to_have_count(70)
    expect(page.get_by_text("this is what you read")).to_have_count(0)
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("link", name="Read what m69 has in the shared folder").click()
    expect(page.locator("article")).to_have_text(re.compile("number 69"))


# --- versions ----------------------------------------------------------------------------------


def test_an_earlier_version_is_looked_at_and_brought_back(
    laptop: PlayedMachine, desktop: PlayedMachine, opened: Opened, tmp_path: Path
) -> None:
    diverged(laptop, desktop)
    mine = laptop.read()
    laptop.resolve(keep="theirs")
    laptop.grow_old()
    page = opened(f"versions/{SESSION}")
    vault = page.locator(".entry").filter(has_text="Kept on this machine")
    expect(vault).to_contain_text("2 turns")
    expect(vault).to_contain_text("Given up by a choice")
    vault.get_by_role("link", name="Look at it").click()
    expect(page.get_by_role("region", name="Only in this version")).to_contain_text(
        "on the laptop <script>"
    )
    expect(page.get_by_role("region", name="Only in what is here now")).to_contain_text("and on")
    page.get_by_role("link", name="Read all of it").click()
    expect(page.locator(".reading .message")).to_have_count(2)
    expect(page.locator(".reading")).to_contain_text(MARKUP)
    page.keyboard.press("/")
    page.keyboard.type("on the laptop")
    page.keyboard.press("Enter")
    page.locator(".finds").get_by_role("link").click()
    expect(page.locator("#hit")).to_contain_text("on the laptop")
    assert Axe().run(page).response["violations"] == []
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as HTML").click()
    download.value.save_as(tmp_path / "saved.html")
    saved = (tmp_path / "saved.html").read_text(encoding="utf-8")
    assert "on the laptop" in saved
    assert "on the desktop" not in saved
    page.get_by_role("link", name="What differs").click()
    page.get_by_role("button", name="Bring it back").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert laptop.read() != mine
    page.get_by_role("button", name="Bring it back").click()
    page.get_by_role("dialog").get_by_role("button", name="Bring it back").click()
    expect(page.locator(".toast")).to_contain_text("That version is back.")
    assert laptop.read() == mine
    desktop.pull()
    assert desktop.read() == mine


# --- kept --------------------------------------------------------------------------------------


def test_what_was_deleted_is_restored_and_what_will_be_is_pushed(
    laptop: PlayedMachine, opened: Opened
) -> None:
    whole = laptop.write(SESSION, said(MARKUP))
    laptop.push()
    laptop.path().unlink()
    laptop.write(OTHER, said("about to go"))
    for session in (THIRD, FOURTH):
        laptop.write(session, said(f"old {session[0]}"))
        laptop.grow_old(session, 29 * 86_400)
    laptop.grow_old(OTHER, 26 * 86_400)
    (laptop.claude / "settings.json").write_text(json.dumps({"cleanupPeriodDays": 30}))
    page = opened("kept")
    expect(page.locator(".lead")).to_have_text(
        "1 session is kept that is no longer in Claude Code's folder here. 3 sessions will be "
        "deleted this week, of which 3 aren't kept anywhere else yet."
    )
    soon = page.get_by_role("region", name="Claude Code deletes these this week")
    soon.get_by_role("button", name="Push about to go").click()
    expect(soon.get_by_text("Kept", exact=True)).to_have_count(1)
    assert laptop.bundle(OTHER).exists()
    soon.get_by_role("button", name=re.compile("Push the 2 sessions kept nowhere else")).click()
    expect(soon.get_by_text("Kept", exact=True)).to_have_count(3)
    page.get_by_role("button", name=f"Restore {MARKUP}").click()
    expect(page.get_by_role("heading", name="Nothing has gone")).to_be_visible()
    assert laptop.read() == whole


def test_what_only_the_vault_has_is_restored_too(laptop: PlayedMachine, opened: Opened) -> None:
    here = str(laptop.project)
    laptop.write(SESSION, said("the first", cwd=here))
    laptop.push()
    laptop.begin_anew(SESSION, said("the second", cwd=here))
    laptop.path().unlink()
    laptop.forget()
    page = opened("kept")
    page.get_by_role("button", name=re.compile("^Restore")).click()
    expect(page.get_by_role("heading", name="Nothing has gone")).to_be_visible()
    assert laptop.has()


def test_several_that_were_deleted_are_found_chosen_and_restored_at_once(
    laptop: PlayedMachine, opened: Opened
) -> None:
    titles = {SESSION: MARKUP, OTHER: "Rain gauge", THIRD: "Rain again", FOURTH: "Something else"}
    for session, text in titles.items():
        laptop.write(session, said(text))
    laptop.push()
    for session in titles:
        laptop.path(session).unlink()
    page = opened("kept")
    gone = page.get_by_role("region", name="No longer here, but kept")
    expect(gone.locator(".entry")).to_have_count(4)
    page.keyboard.press("/")
    page.keyboard.type("RAIN app")
    page.keyboard.press("Enter")
    expect(gone.locator(".entry")).to_have_count(2)
    bar = page.get_by_role("region", name="Chosen sessions")
    expect(bar).to_be_hidden()
    page.get_by_label("Choose Rain again").check()
    expect(bar).to_contain_text("1 chosen")
    page.get_by_label("Choose all that are shown").check()
    expect(bar).to_contain_text("2 chosen")
    assert Axe().run(page).response["violations"] == []
    page.set_viewport_size({"width": 400, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    bar.get_by_role("button", name="Restore").click()
    expect(page.locator(".toast")).to_contain_text("2 sessions are in Claude Code's list again.")
    assert laptop.sessions() == sorted([OTHER, THIRD])
    expect(gone).to_contain_text("None of them fits “RAIN app”.")
    gone.get_by_role("link", name="Show all").click()
    expect(gone.locator(".entry")).to_have_count(2)
    # One that can't be had any more doesn't keep the others.
    for bundle in laptop.world.store.rglob(f"{SESSION}-*"):
        bundle.unlink()
    page.get_by_label("Choose all that are shown").check()
    bar.get_by_role("button", name="Restore").click()
    expect(page.locator(".toast")).to_contain_text("1 session is in Claude Code's list again. 1")
    assert laptop.has(FOURTH)
    assert not laptop.has(SESSION)


def test_one_that_has_no_folder_here_is_not_said_to_be_back(
    laptop: PlayedMachine, opened: Opened
) -> None:
    laptop.write(SESSION, said(MARKUP))
    laptop.push()
    laptop.path().unlink()
    laptop.project.rename(laptop.home / "elsewhere")
    page = opened("kept")
    page.get_by_role("button", name=f"Restore {MARKUP}").click()
    expect(page.locator("[data-result].error")).to_contain_text("1 session couldn't be restored: ")
    assert not laptop.has()


# --- activity ----------------------------------------------------------------------------------


def test_what_was_replaced_is_undone_from_the_activity(
    laptop: PlayedMachine, desktop: PlayedMachine, opened: Opened
) -> None:
    diverged(laptop, desktop)
    mine = laptop.read()
    laptop.resolve(keep="theirs")
    laptop.grow_old()
    page = opened("activity")
    decided = page.locator(".entry").filter(has_text="Decided")
    expect(decided).to_contain_text("Took over desktop's version")
    expect(decided).to_contain_text(MARKUP)
    decided.get_by_role("button", name="Undo").click()
    expect(page.locator(".toast")).to_contain_text("Brought back what was replaced.")
    expect(page.locator(".entry").filter(has_text="Undone")).to_have_count(1)
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    assert laptop.read() == mine


def test_what_happens_meanwhile_is_shown_on_request(
    laptop: PlayedMachine, desktop: PlayedMachine, opened: Opened
) -> None:
    page = opened("activity")
    desktop.write(SESSION, said(MARKUP))
    desktop.push()
    page.get_by_role("button", name="Show it").click()
    arrived = page.locator(".entry").filter(has_text="Arrived")
    expect(arrived).to_contain_text("desktop went on with it")
    page.wait_for_load_state()  # the page is a new one, whose scripts run a moment later
    arrived.get_by_role("button", name="Pull").press("Enter")
    expect(page.locator(".entry").first).to_contain_text("New from desktop")
    assert laptop.has()


def test_it_goes_back_page_by_page_and_shows_problems_alone(
    laptop: PlayedMachine, opened: Opened
) -> None:
    now = time.time_ns()
    ActivityLog(laptop.paths.activity_file).write(
        Activity(now, "pull", "updated", f"{number:08x}{SESSION[8:]}", machine="desktop")
        for number in range(130)
    )
    failed = Activity(now, "push", "failed", OTHER, code="StoreFull", message="<b>no space</b>")
    arrived = Activity(now, "arrive", "waiting", THIRD, machine="<i>evil</i>\u202e")
    ActivityLog(laptop.paths.activity_file).write([failed, arrived])
    page = opened("activity")
    expect(page.locator(".entry")).to_have_count(100)
    expect(page.locator(".entry").first).to_contain_text("<i>evil</i> went on with it")
    page.get_by_role("link", name="Older").click()
    expect(page.locator(".entry")).to_have_count(32)
    page.get_by_role("link", name="Problems").click()
    expect(page.locator(".entry")).to_have_count(1)
    expect(page.locator(".entry")).to_contain_text("Push failed")
    expect(page.locator(".entry")).to_contain_text("<b>no space</b>.")
    expect(page.locator(".entry")).to_contain_text("StoreFull")


# --- all of them -------------------------------------------------------------------------------


def test_this_machine_gets_another_name(
    laptop: PlayedMachine, desktop: PlayedMachine, opened: Opened
) -> None:
    laptop.write(SESSION, said(MARKUP))
    laptop.push()
    desktop.write(OTHER, said("there"))
    desktop.push()
    page = opened("machines")
    name = page.get_by_label("This machine's name")
    expect(name).to_have_value("laptop")
    form = page.locator("form.rename")
    for wrong, why in (
        ("Desktop", "Another machine has that name"),
        ("both", "means something else"),
        ("two words", "A machine's name is letters"),
    ):
        name.fill(wrong)
        page.get_by_role("button", name="Rename").click()
        expect(form.locator("[data-result]")).to_contain_text(why)
    assert Axe().run(page).response["violations"] == []
    name.fill("travel")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("This machine is called travel now.")
    expect(name).to_have_value("travel")
    expect(page.locator(".card", has_text="This machine").last).to_contain_text("travel")
    laptop.write(SESSION, said("more"))
    laptop.grow_old()
    laptop.push()
    assert desktop.pull()[SESSION].machine == "travel"


def test_empty_pages_say_what_to_do_next(laptop: PlayedMachine, opened: Opened) -> None:
    page = opened("activity")
    root = page.url.removesuffix("/activity")
    for path, heading in (
        ("activity", "Nothing yet"),
        ("activity?show=problems", "No problems"),
        ("kept", "Nothing has gone"),
        ("machines", "No other machine yet"),
    ):
        page.goto(f"{root}/{path}")
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
    expect(page.locator("main")).to_contain_text("claude-sync init")


def test_every_page_can_be_used_by_everyone_on_any_width(
    laptop: PlayedMachine, desktop: PlayedMachine, opened: Opened
) -> None:
    diverged(laptop, desktop)
    desktop.write(OTHER, said("first"))
    desktop.push()
    laptop.pull(OTHER)
    desktop.begin_anew(OTHER, said("second"))
    laptop.pull(OTHER)
    laptop.grow_old(OTHER)
    laptop.write(THIRD, said(MARKUP))
    laptop.push(THIRD)
    laptop.path(THIRD).unlink()
    laptop.write(FOURTH, said("old"))
    laptop.grow_old(FOURTH, 40 * 86_400)
    page = opened("machines")
    root = page.url.removesuffix("/machines")
    expect(page.locator(".cards .card")).to_have_count(2)
    expect(page.locator(".cards .card").nth(0)).to_contain_text("laptop This machine")
    expect(page.locator(".cards .card").nth(1)).to_contain_text("2 sessions of 1 project")
    axe = Axe()
    for path in (
        "activity",
        "kept",
        "machines",
        f"conflict/{SESSION}",
        f"conflict/{OTHER}",
        f"versions/{OTHER}",
    ):
        page.goto(f"{root}/{path}")
        for width, scheme in ((1280, "light"), (400, "dark")):
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            found = axe.run(page)
            assert found.violations_count == 0, found.generate_report()
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(f"{root}/activity?show=problems")
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_role("button", name="Keep both")).to_be_visible()
    page.goto(f"{root}/machines")
    page.locator(".cards .card").nth(1).get_by_role("link", name="Show its sessions").click()
    expect(page.get_by_label("Machine")).to_have_value("desktop")
    assert laptop.states()[SESSION].state is State.CONFLICT


def test_nothing_is_decided_by_what_makes_no_sense(
    laptop: PlayedMachine, desktop: PlayedMachine, opened: Opened
) -> None:
    diverged(laptop, desktop)
    before = laptop.read()
    page = opened(f"conflict/{SESSION}")
    for path, body in (
        (f"/conflict/{SESSION}", {"keep": "both"}),
        (f"/conflict/{SESSION}", {"keep": {"a": 1}, "shown": []}),
        (f"/conflict/{SESSION}", {"keep": [1, "x" * 64], "shown": [["1", 2]]}),
        ("/conflict/nobody", {"keep": "both", "shown": []}),
        (f"/versions/{SESSION}", {"version": "../../x"}),
        (f"/versions/{SESSION}", {"version": f"1-{'0' * 64}"}),
        ("/kept", {"sessions": ["../../x"]}),
        ("/kept", {"sessions": []}),
    ):
        answer = page.evaluate("([path, body]) => post(path, body)", [path, body])
        assert answer["is_error"], path
    assert laptop.read() == before
