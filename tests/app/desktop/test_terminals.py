"""What is started to resume in a terminal of macOS and Windows: values, on every system."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath, PureWindowsPath

from claude_sync_app.desktop.terminals import macos, windows
from claude_sync_app.desktop.terminals.launch import Launch

NASTY = "a'b\"c;$(touch x)&<b>"
SESSION = "3f0c1a52-7a1e-4a77-9d5e-000000000001"


def test_on_macos_folder_and_session_are_arguments_of_the_script() -> None:
    for preference, environment, application in (
        ((), {}, "Terminal"),
        ((), {"TERM_PROGRAM": "iTerm.app"}, "iTerm"),
        (("iTerm",), {}, "iTerm"),
        (("Terminal",), {"TERM_PROGRAM": "iTerm.app"}, "Terminal"),
    ):
        launch = macos.launch(PurePosixPath("/p") / NASTY, SESSION, preference, environment)
        assert launch is not None
        assert launch.arguments[-3:] == ("claude-sync", f"/p/{NASTY}", SESSION)
        script = "\n".join(launch.arguments[:-3])
        assert f'tell application "{application}"' in script
        assert "touch" not in script
    assert macos.launch(PurePosixPath("/p/a\x1bb"), SESSION, (), {}) is None
    own = macos.launch(PurePosixPath("/p"), SESSION, ("/Applications/kitty.app/kitty",), {})
    assert own is not None
    assert own.arguments[:2] == ("/Applications/kitty.app/kitty", "/bin/sh")


def test_on_windows_a_semicolon_stays_in_the_folders_name() -> None:
    folder = PureWindowsPath(r"C:\p & q;new-tab calc")
    only_on_the_path = "set NoDefaultCurrentDirectoryInExePath=1&"
    command = (r"C:\W\cmd.exe", "/k", only_on_the_path, "claude", "--resume", SESSION)
    installed = {"cmd": r"C:\W\cmd.exe", "wt": r"C:\Apps\wt.exe"}
    launch = windows.launch(folder, SESSION, (), find=_among(installed))
    assert launch is not None
    assert launch.arguments == (
        *(r"C:\Apps\wt.exe", "new-tab", "-d", r"C:\p & q\;new-tab calc", "--"),
        *command,
    )
    for preference, found in (((), {"cmd": installed["cmd"]}), (("cmd.exe",), installed)):
        launch = windows.launch(folder, SESSION, preference, find=_among(found))
        assert launch is not None
        assert (launch.arguments, launch.directory, launch.new_console) == (command, folder, True)
    own = windows.launch(folder, SESSION, ("alacritty.exe", "-e"), find=_among(installed))
    assert own is not None
    assert (own.arguments, own.directory) == (("alacritty.exe", "-e", *command), folder)
    assert own.new_console, "a program of the console would be seen nowhere"
    assert windows.launch(folder, SESSION, (), find=_among({})) is None


def test_powershell_gets_its_own_words_and_works_where_cmd_can_not() -> None:
    resume = f"claude --resume {SESSION} --fork-session"
    stays = ("-NoExit", "-Command", resume)
    installed = {"cmd": r"C:\W\cmd.exe", "powershell": r"C:\W\powershell.exe", "wt": r"C:\A\wt.exe"}
    options = ("--fork-session",)
    home = PureWindowsPath(r"C:\p")
    launch = windows.launch(home, SESSION, ("pwsh", "-NoLogo"), options, find=_among(installed))
    assert launch == Launch(("pwsh", "-NoLogo", *stays), home, new_console=True)
    share = PureWindowsPath(r"\\nas\code\app")
    launch = windows.launch(share, SESSION, (), options, find=_among(installed))
    assert launch is not None
    assert launch.arguments == (
        *(r"C:\A\wt.exe", "new-tab", "-d", str(share), "--"),
        *(r"C:\W\powershell.exe", *stays),
    )


def _among(installed: Mapping[str, str]) -> Callable[[str], str | None]:
    return lambda program: installed.get(program)
