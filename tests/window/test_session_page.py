"""The page of one session in a real browser: read where it lies, found in, saved."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from claude_sync.service.service import Service
from machines import SESSION, PlayedMachine, said
from services import prepare

OpenPage = Callable[..., Page]
HOSTILE = (
    "<img src=x onerror=alert(1)></script><script>alert(2)</script> ![p](https://evil.example/p)"
)


def answer(text: str, *calls: str) -> bytes:
    content: list[dict[str, object]] = [{"type": "text", "text": text}]
    for call in calls:
        content.append({"type": "tool_use", "id": call, "name": "Bash", "input": {"command": call}})
    return json.dumps({"type": "assistant", "message": {"content": content}}).encode() + b"\n"


def test_a_session_that_is_not_here_is_read_found_in_and_saved(
    open_page: OpenPage,
    laptop: PlayedMachine,
    desktop: PlayedMachine,
    service: Service,
    tmp_path: Path,
) -> None:
    for number in range(60):
        said_then = answer(f"Answer *{number}*", f"ls {number}")
        desktop.write(SESSION, said(f"Question {number}"), said_then)
    desktop.write(SESSION, said(HOSTILE), answer("The `end`.\n\n| a | b |\n| -: | - |\n| 1 | 2 |"))
    desktop.push()
    service.look_now().result()
    page = open_page(f"session/{SESSION}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Question 0")
    expect(page.get_by_text("read in the shared folder, pushed by desktop")).to_be_visible()
    turns = page.locator("article")
    expect(turns).to_have_count(50)
    expect(turns.last.locator("code")).to_have_text("end")
    expect(turns.nth(48)).to_contain_text("<script>alert(2)</script>")
    assert page.locator("main img, main script").count() == 0
    expect(turns.nth(47)).to_contain_text("Bash: ls 59")
    expect(turns.nth(47).locator("em")).to_have_text("59")
    assert Axe().run(page).response["violations"] == []
    # Earlier turns, and from there to the end again.
    page.get_by_role("link", name="Earlier turns").first.click()
    expect(page.locator("article")).to_have_count(50)
    page.get_by_role("link", name="Earlier turns").last.click()
    expect(page.locator("article").first).to_contain_text("Question 0")
    expect(page.get_by_role("link", name="Earlier turns")).to_have_count(0)
    page.get_by_role("link", name="Later turns").first.click()
    page.get_by_role("link", name="Its end").first.click()
    page.wait_for_url(lambda url: url.endswith("?"))  # with its scripts
    expect(page.locator("article").last).to_contain_text("The end.")
    # Something that was said long before.
    page.keyboard.press("/")
    page.keyboard.type("question  7")
    page.keyboard.press("Enter")
    finds = page.locator(".finds")
    expect(finds.locator("mark")).to_have_text(["Question 7"])
    finds.get_by_role("link").click()
    expect(page.locator("#hit")).to_contain_text("Question 7")
    assert Axe().run(page).response["violations"] == []
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as HTML").click()
    saved = tmp_path / "saved.html"
    download.value.save_as(saved)
    assert download.value.suggested_filename == "Question 0.html"
    assert "Question 59" in saved.read_text(encoding="utf-8")
    assert not laptop.has(SESSION)
    page.set_viewport_size({"width": 400, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_each_machines_copy_can_be_read(
    open_page: OpenPage, laptop: PlayedMachine, desktop: PlayedMachine, service: Service
) -> None:
    laptop.write(SESSION, said("first"))
    laptop.push()
    desktop.pull()
    desktop.write(SESSION, answer("only on the desktop"))
    desktop.push()
    service.look_now().result()
    page = open_page(f"session/{SESSION}")
    expect(page.locator("article")).to_have_count(1)
    copies = page.locator(".copies li")
    expect(copies.filter(has_text="desktop in the shared folder")).to_contain_text(
        "further than this"
    )
    page.get_by_role("link", name="Read what desktop has").click()
    expect(page.locator("article").last).to_contain_text("only on the desktop")


def test_what_cannot_be_read_yet_is_resumed_all_the_same_and_without_a_terminal_by_a_line(
    open_page: OpenPage, laptop: PlayedMachine, desktop: PlayedMachine, service: Service
) -> None:
    prepare(laptop, terminal=["/nowhere/terminal"])
    laptop.write(SESSION, said("begin"))
    laptop.push()
    desktop.pull()
    desktop.write(SESSION, said("there"))
    desktop.push()
    desktop.bundle().write_bytes(desktop.bundle().read_bytes()[:-50])
    service.look_now().result()
    page = open_page(f"session/{SESSION}")
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("button", name="Resume all the same").click()
    expect(page.get_by_text("No terminal could be opened")).to_contain_text(
        f"claude --resume {SESSION}"
    )


def test_a_session_that_was_pulled_from_its_page_is_read_here_from_then_on(
    open_page: OpenPage, laptop: PlayedMachine, desktop: PlayedMachine, service: Service
) -> None:
    prepare(laptop, terminal=["/nowhere/terminal"])
    desktop.write(SESSION, said("begin"))
    desktop.push()
    service.look_now().result()
    page = open_page(f"session/{SESSION}")
    expect(page.get_by_role("main")).to_contain_text("app")
    expect(page.get_by_text("git:example.org/you/app")).to_have_count(0)
    page.get_by_role("button", name="Pull and resume").click()
    expect(page.get_by_text("read here")).to_be_visible()
    expect(page.get_by_role("button", name="Resume", exact=True)).to_be_visible()
    expect(page.get_by_text("No terminal could be opened")).to_contain_text("Pulled “begin” from")


def subagent(text: str, turns: int = 1) -> bytes:
    """A subagent's transcript."""
    aside = {"isSidechain": True, "timestamp": "2026-01-31T18:00:00Z"}
    lines = [said(text, **aside)]
    for number in range(turns):
        done = json.loads(answer(f"Done *{number}*")) | aside
        lines += [said(f"Go on {number}", **aside), json.dumps(done).encode() + b"\n"]
    return b"".join(lines)


def write_subagents(machine: PlayedMachine) -> None:
    """Write a session with two subagents, of which a call tells where one was set to work."""
    task = {"type": "tool_use", "id": "t1", "name": "Task", "input": {"description": HOSTILE}}
    calling = json.dumps({"type": "assistant", "message": {"content": [task]}}).encode() + b"\n"
    machine.write(SESSION, said("Question"), calling, answer("The end."))
    note = {"description": HOSTILE, "agentType": "Explore", "toolUseId": "t1"}
    files = {
        "agent-a1.jsonl": subagent("Count the files", 60),
        "agent-a1.meta.json": json.dumps(note).encode(),
        "agent-b2.jsonl": subagent("Nobody knows who asked"),
    }
    for name, data in files.items():
        machine.write_sidecar(SESSION, f"subagents/{name}", data)


def test_a_subagent_is_read_from_the_call_that_set_it_to_work(
    open_page: OpenPage,
    laptop: PlayedMachine,
    desktop: PlayedMachine,
    service: Service,
    tmp_path: Path,
) -> None:
    write_subagents(desktop)
    desktop.push()
    service.look_now().result()
    page = open_page(f"session/{SESSION}")
    call = page.locator(".events.call")
    expect(call).to_contain_text("Task: <img src=x onerror=alert(1)></script>")
    expect(call.locator(".badge")).to_have_text("Subagent: Explore, 121 turns")
    assert Axe().run(page).response["violations"] == []
    call.get_by_role("link").click()
    page.wait_for_url(f"**/session/{SESSION}/agent/a1")
    expect(page.get_by_role("heading", level=1)).to_contain_text("<script>alert(2)</script>")
    expect(page.get_by_text("read in the shared folder, pushed by desktop")).to_be_visible()
    turns = page.locator("article")
    expect(turns).to_have_count(50)
    expect(turns.last).to_contain_text("Done 59")
    expect(turns.nth(48).locator(".who")).to_contain_text("Task")
    expect(turns.last.locator(".who")).to_contain_text("Subagent")
    assert page.locator("main img, main script").count() == 0
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("link", name="Earlier turns").first.click()
    page.get_by_role("link", name="Earlier turns").first.click()
    expect(page.locator("article").first).to_contain_text("Count the files")
    page.keyboard.press("/")
    page.keyboard.type("go on 7")
    page.keyboard.press("Enter")
    page.locator(".finds").get_by_role("link").click()
    expect(page.locator("#hit")).to_contain_text("Go on 7")
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as Markdown").click()
    download.value.save_as(tmp_path / "saved.md")
    assert "Done *59*" in (tmp_path / "saved.md").read_text(encoding="utf-8")
    page.get_by_role("link", name="The session", exact=True).click()
    expect(page.locator("article").last).to_contain_text("The end.")
    assert not laptop.has(SESSION)
    page.set_viewport_size({"width": 400, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_every_subagent_is_in_a_list_also_where_no_call_names_it(
    open_page: OpenPage, laptop: PlayedMachine, service: Service
) -> None:
    write_subagents(laptop)
    page = open_page(f"session/{SESSION}")
    page.get_by_text("2 subagents").click()
    listed = page.locator(".subagents li")
    expect(listed).to_have_count(2)
    assert Axe().run(page).response["violations"] == []
    listed.get_by_role("link", name="Subagent b2").click()
    expect(page.locator("article").first).to_contain_text("Nobody knows who asked")
    expect(page.get_by_text("read here")).to_be_visible()
    # As on a command line, the beginning of its id is enough.
    page.goto(page.url.replace("/agent/b2", "/agent/b"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Subagent b2")
