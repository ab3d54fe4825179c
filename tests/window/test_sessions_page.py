"""The page of sessions in a real browser, against a real service and a real shared folder."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from claude_sync.search.searching import update_index
from claude_sync.service import search_filling
from claude_sync.service.service import Service
from claude_sync_app.window.opening import Window
from claude_sync_app.window.services import ServiceOfWindow
from machines import OTHER, SESSION, PlayedMachine, said
from waiting import until

OpenPage = Callable[..., Page]
_COLOUR = "dot => getComputedStyle(dot).backgroundColor"
_BELOW_THE_HEAD = """() =>
  document.querySelector("[data-id]:focus").getBoundingClientRect().top -
  document.querySelector(".table-head").getBoundingClientRect().bottom"""
HOSTILE = "<img src=x onerror=alert(1)> \u202eevil</script><script>alert(2)</script> & \"q\" 'a'"


def title(text: str) -> bytes:
    return said(text, message={"role": "user", "content": text})


def row(page: Page, text: str) -> Locator:
    return page.locator("[data-id]", has_text=text)


def test_a_session_of_another_machine_appears_as_it_is_pushed_and_is_pulled_with_a_click(
    open_page: OpenPage, laptop: PlayedMachine, desktop: PlayedMachine, service: Service
) -> None:
    page = open_page()
    expect(page.get_by_text("No sessions yet")).to_be_visible()
    desktop.write(SESSION, title("Fix the login"))
    desktop.push()
    service.look_now()  # what the watch of a folder does, sooner or later
    there = row(page, "Fix the login")
    expect(there).to_contain_text("Only on desktop")
    there.get_by_role("button", name="More for").click()
    page.get_by_role("menuitem", name="Pull", exact=True).click()
    expect(row(page, "Fix the login")).to_contain_text("“Fix the login” is pulled from desktop.")
    expect(row(page, "Fix the login")).to_contain_text("In sync")
    assert laptop.read(SESSION) == desktop.read(SESSION)
    # And what is written here is shown as changed, and pushed with the button.
    service.pause().result()
    laptop.write(SESSION, said("more"))
    service.look_now()
    push = row(page, "Fix the login").get_by_role("button", name="Push:")
    push.click()
    expect(row(page, "Fix the login")).to_contain_text("“Fix the login” is pushed.")
    assert len(laptop.world.bundles()) == 2
    expect(there).to_contain_text("In sync")
    there.get_by_role("button", name="More for").click()
    expect(page.get_by_role("menuitem").last).to_have_text("Remove from shared folder…")


def test_filters_words_and_keys_lead_to_a_session(
    open_page: OpenPage, laptop: PlayedMachine, desktop: PlayedMachine, service: Service
) -> None:
    for number in range(1, 6):
        desktop.write(SESSION.replace("0f4c", f"0f4{number}"), title(f"Session number {number}"))
    laptop.write(OTHER, title("Written here"))
    laptop.push()
    desktop.push()
    service.look_now()
    page = open_page("sessions?state=waiting")
    rows = page.locator("[data-id]:not([hidden])")
    expect(rows).to_have_count(5)
    page.get_by_role("button", name="Clear").first.click()
    expect(rows).to_have_count(6)
    page.get_by_label("Machine").select_option("laptop")
    expect(rows).to_have_count(1)
    page.get_by_label("Machine").select_option("")
    page.keyboard.press("/")
    page.keyboard.type("number 3")
    expect(rows).to_have_count(1)
    expect(page.get_by_text("1 of 6 sessions")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("End")
    focused = page.evaluate("document.activeElement.dataset.id")
    assert focused == page.evaluate("[...document.querySelectorAll('[data-id]')].at(-1).dataset.id")
    page.keyboard.press(" ")
    expect(page.get_by_text("1 chosen")).to_be_visible()
    page.get_by_label("Find a session").fill("nothing of that name")
    expect(page.get_by_text("No session fits")).to_be_visible()


def test_of_many_rows_only_those_that_fit_are_there_as_soon_as_a_letter_is_typed(
    open_page: OpenPage, laptop: PlayedMachine, service: Service
) -> None:
    for number in range(101, 201):
        laptop.write(SESSION.replace("0f4c1", f"0f{number}"), title(f"Session {number}"))
    service.look_now()
    page = open_page()
    rows = page.locator("[data-id]")
    expect(rows).to_have_count(100)
    at_once = page.evaluate("""() => {
      const find = document.querySelector("#find");
      find.value = "150";
      find.dispatchEvent(new Event("input", { bubbles: true }));
      const rows = [...document.querySelectorAll("[data-id]")];
      return rows.filter((one) => one.checkVisibility()).map((one) => one.textContent);
    }""")
    assert [text for text in at_once if "Session 150" not in text] == []
    assert len(at_once) == 1
    expect(rows).to_have_count(1)
    expect(page.locator(".rows")).to_have_count(1)
    page.get_by_label("Find a session").fill("")
    expect(rows).to_have_count(100)
    titles = page.locator("[data-id] .title").all_text_contents()
    assert sorted(titles) == [f"Session {number}" for number in range(101, 201)]
    assert page.evaluate(
        "[...document.querySelectorAll('.rows')].every((one) => one.children.length)"
    )
    time = rows.first.locator("time")
    time.hover()
    expect(time).to_have_attribute("title", re.compile(r"\d"))


def test_the_columns_are_named_wherever_one_is_in_the_table(
    open_page: OpenPage, laptop: PlayedMachine, service: Service
) -> None:
    for number in range(101, 141):
        laptop.write(SESSION.replace("0f4c1", f"0f{number}"), title(f"Session {number}"))
    service.look_now()
    page = open_page()
    expect(page.locator("[data-id]")).to_have_count(40)
    page.locator("[data-id]").first.focus()
    page.keyboard.press("End")
    head = page.locator(".table-head")
    expect(head).to_be_in_viewport(ratio=1)
    for _ in range(30):
        page.keyboard.press("ArrowUp")
        assert page.evaluate(_BELOW_THE_HEAD) >= 0


def test_what_was_said_is_found_with_the_words_marked(
    open_page: OpenPage, laptop: PlayedMachine, desktop: PlayedMachine, service: Service
) -> None:
    desktop.write(SESSION, title("Fix the login"), said("the <i>needle</i> is in the haystack"))
    desktop.push()
    laptop.write(OTHER, title("Something else"))
    service.look_now().result()
    with laptop.at_work() as context:
        until(lambda: update_index(context).complete)
    page = open_page()
    page.get_by_label("Find a session").fill("needle haystack")
    rows = page.locator("[data-id]")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Fix the login")
    expect(rows.locator("mark")).to_have_text(["needle", "haystack"])
    expect(rows.locator(".hit")).to_have_text("the <i>needle</i> is in the haystack")
    page.keyboard.press("Escape")
    expect(rows).to_have_count(2)
    expect(rows.locator(".hit")).to_have_count(0)
    page.get_by_label("Find a session").fill("needle haystack")
    expect(rows.locator(".hit")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/session/{SESSION}?at=*")
    expect(page.get_by_role("main")).to_contain_text("the <i>needle</i> is in the haystack")
    # Where nothing can be found, that is said.
    page = open_page()
    service.change(search=False).result()
    page.get_by_label("Find a session").fill("needle")
    expect(page.get_by_text("can't be searched, for that is turned off")).to_be_visible()


@pytest.fixture
def indexed_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service doesn't wait with the index of what was said; ask for this before it."""
    monkeypatch.setattr(search_filling, "FIRST_SECONDS", 0.1)
    monkeypatch.setattr(search_filling, "SOON_SECONDS", 0.1)


@pytest.mark.usefixtures("indexed_soon")
def test_how_many_turns_a_session_has_stands_in_its_row_once_that_is_known(
    open_page: OpenPage, laptop: PlayedMachine, service: Service
) -> None:
    page = open_page()
    until(lambda: service.indexed > 0)
    before = service.indexed
    laptop.write(SESSION, title("Fix the login"), said("and the tests"))
    service.look_now().result()
    there = row(page, "Fix the login")
    expect(there.locator(".turns")).to_have_count(1)
    until(lambda: service.indexed > before)
    service.pause().result()  # a page asks at the next news, or within some seconds
    expect(there.locator(".turns")).to_have_text("2")
    expect(there.locator(".turns")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Turns")).to_be_visible()
    expect(there.locator(".turns-inline")).to_be_hidden()
    page.set_viewport_size({"width": 400, "height": 800})
    expect(there.locator(".under")).to_contain_text("2 turns")
    expect(there.locator(".turns-inline")).to_be_visible()
    expect(there.locator(".turns")).to_be_hidden()


@pytest.fixture
def without_time_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps of filling the index end before anything is read."""
    monkeypatch.setattr(search_filling, "_STEP_SECONDS", 0.0)


@pytest.mark.usefixtures("indexed_soon", "without_time_to_read")
def test_a_search_says_how_far_the_index_is_and_finds_more_once_it_is_filled(
    open_page: OpenPage,
    laptop: PlayedMachine,
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    laptop.write(SESSION, title("Fix the login"), said("the needle is in the haystack"))
    laptop.write(OTHER, title("Something else"))
    service.look_now().result()
    until(lambda: service.search_progress is not None and service.search_progress.total == 2)
    page = open_page()
    page.get_by_label("Find a session").fill("needle haystack")
    note = page.get_by_text("0 of 2 sessions are read so far; older ones aren't found yet.")
    expect(note).to_be_visible()
    assert Axe().run(page).response["violations"] == []
    before = service.indexed
    monkeypatch.setattr(search_filling, "_STEP_SECONDS", 0.05)
    until(lambda: service.indexed > before)
    service.pause().result()  # a page asks at the next news, or within some seconds
    expect(page.locator("[data-id] .hit")).to_have_text("the needle is in the haystack")
    expect(note).to_have_count(0)


@pytest.mark.usefixtures("indexed_soon")
def test_what_the_index_has_learnt_is_asked_for_though_no_session_changed(
    laptop: PlayedMachine, service: Service
) -> None:
    services = ServiceOfWindow(service, lambda: False)
    until(lambda: service.indexed > 0)
    status, before = service.status, service.indexed
    revision = services.revision(status)
    assert services.revision(status) == revision
    laptop.write(SESSION, title("Fix the login"))
    service.look_now().result()
    until(lambda: service.indexed > before)
    assert services.revision(status) > revision


def test_several_are_pulled_pushed_and_removed_at_once(
    open_page: OpenPage, laptop: PlayedMachine, desktop: PlayedMachine, service: Service
) -> None:
    desktop.write(SESSION, title("One"))
    desktop.write(OTHER, title("Two"))
    desktop.push()
    service.look_now()
    page = open_page()
    page.get_by_label("Choose all that are shown").check()
    bar = page.get_by_role("region", name="Chosen sessions")
    bar.get_by_role("button", name="Pull").click()
    expect(page.get_by_text("2 sessions: 2 pulled.")).to_be_visible()
    assert laptop.sessions() == sorted([SESSION, OTHER])
    service.pause().result()
    for session in (SESSION, OTHER):
        laptop.write(session, said("more"))
    service.look_now()
    until(lambda: len(service.status.to_push) == 2)
    page.get_by_label("Choose all that are shown").check()
    bar.get_by_role("button", name="Push").click()
    expect(page.get_by_text("2 sessions: 2 pushed.")).to_be_visible()
    page.get_by_label("Choose all that are shown").check()
    bar.get_by_role("button", name="Remove from shared folder…").click()
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_text("Removed 2 sessions from the shared folder.")).to_be_visible()
    assert [path.stem.rpartition("-")[2] for path in laptop.world.bundles()] == ["desktop"] * 2


def test_what_others_wrote_is_shown_as_text_and_nothing_else(
    open_page: OpenPage, laptop: PlayedMachine, service: Service
) -> None:
    laptop.write(SESSION, title(HOSTILE))
    service.look_now()
    page = open_page()
    shown = page.locator("[data-id] .title")
    text = HOSTILE.replace("\u202e", "")[:30]
    expect(shown).to_contain_text(text)
    assert page.locator("[data-id] img, [data-id] script").count() == 0
    page.locator("[data-more]").click()
    assert page.locator("[role=menu] img, main img").count() == 0


def test_no_text_becomes_markup_or_program_even_where_an_escape_was_forgotten(
    browser: Browser, window: Window
) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(window.address())
    page.wait_for_url("**/sessions")
    for attempt in (
        "document.body.innerHTML = '<b>x</b>'",
        "document.body.setAttribute('onclick', 'document.title = 1')",
        "document.body.append(Object.assign(document.createElement('script'), {text: '1'}))",
    ):
        done = page.evaluate(
            f"() => {{ try {{ {attempt}; return '' }} catch (e) {{ return e.name }} }}"
        )
        assert done == "TypeError", attempt
    context.close()


def test_the_pages_can_be_used_by_everyone_in_light_and_dark_wide_and_narrow(
    browser: Browser,
    window: Window,
    laptop: PlayedMachine,
    desktop: PlayedMachine,
    service: Service,
) -> None:
    desktop.write(SESSION, title("Fix the login"))
    desktop.push()
    laptop.write(OTHER, title("Written here"))
    service.look_now().result()
    with laptop.at_work() as own:
        until(lambda: update_index(own).complete)  # so that rows have their turns
    service.run_doctor().result()
    axe = Axe()
    found = []
    dots = set()
    for scheme, width in (("light", 1280), ("dark", 400)):
        context = browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme=scheme,  # type: ignore[arg-type]
            bypass_csp=True,  # axe-core is put into the page
        )
        page = context.new_page()
        page.goto(window.address())
        page.wait_for_url("**/sessions")
        root = page.url.rpartition("/")[0]
        for path in ("sessions", "doctor", "settings/store", "welcome", "nothing-there"):
            page.goto(f"{root}/{path}")
            page.get_by_role("heading").first.wait_for()
            dots.add((scheme, page.locator(".status .dot").evaluate(_COLOUR)))
            told = axe.run(page).response
            assert len(told["passes"]) > 10
            found += [(path, scheme, one["id"], one["nodes"]) for one in told["violations"]]
            # Nothing is cut off at the right.
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        context.close()
    assert found == []
    assert len(dots) == 2, "one state has one colour on all pages"
