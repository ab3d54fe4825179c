"""What the client shows at a start of what went on elsewhere."""

from __future__ import annotations

from claude_sync.service.messages import Answer, News
from claude_sync_app.inside_client.news_line import news_line
from machines import SESSION

NOW_NS = 1_700_000_000 * 10**9
SHORT = SESSION[:8]


def line(title: str = "Fix the login bug", machine: str = "laptop", **more: object) -> str:
    total = int(str(more.pop("total", 1)))
    diverged = bool(more.pop("diverged", False))
    news = News(SESSION, title, machine, NOW_NS - 600 * 10**9, diverged)
    return news_line(Answer((news,), total), NOW_NS)


def test_it_says_who_went_on_with_what_and_what_to_type() -> None:
    assert line() == (
        f"laptop went on with “Fix the login bug”, 10 minutes ago: `claude-sync resume {SHORT}`"
    )


def test_others_are_counted() -> None:
    assert "10 minutes ago, and 2 more: `" in line(total=3)


def test_a_conflict_is_called_one() -> None:
    assert line(diverged=True) == (
        f"“Fix the login bug” has diverged, here and on laptop: `claude-sync resume {SHORT}`"
    )


def test_strangers_text_is_one_short_line_in_which_nothing_acts() -> None:
    hostile = "a\n\x1b[31mred\x07 \u202eevil\u2028" + "x" * 1000
    shown = line(hostile, hostile)
    assert shown.isprintable()
    assert len(shown) < 300
    assert "\u202e" not in shown


def test_a_session_without_a_title_is_named_by_its_id() -> None:
    assert f"went on with “{SHORT}”" in line("\u202e\n", "")
    assert line(machine="\x07").startswith("another machine went on")
