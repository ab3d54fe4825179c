"""What a person may type as the location of the store, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from claude_sync.errors import UsageError
from claude_sync.transports import open_transport
from claude_sync.transports.location import (
    CloudLocation,
    FolderLocation,
    HostLocation,
    Location,
    OtherLocation,
    parse_location,
)

DRIVE = "C:" if os.name == "nt" else ""
HOME = os.path.join(DRIVE + os.sep, "home", "me")
HERE = os.path.join(DRIVE + os.sep, "work", "here")


def parse(text: str) -> Location:
    return parse_location(text, home=HOME, directory=HERE)


FOLDERS = {
    "posix": [
        ("/mnt/stick/ccsync", "/mnt/stick/ccsync"),
        ("/mnt//stick/./ccsync/", "/mnt/stick/ccsync"),
        ("~", "/home/me"),
        ("~/Dropbox/claude sync", "/home/me/Dropbox/claude sync"),
        ("relative/folder", "/work/here/relative/folder"),
        ("../sibling", "/work/sibling"),
        (".", "/work/here"),
        ("./nas:folder", "/work/here/nas:folder"),
        ("a/b:c", "/work/here/a/b:c"),
        ("/a:b", "/a:b"),
        ("./-rf", "/work/here/-rf"),
        ("/with\nnewline", "/with\nnewline"),
    ],
    "nt": [
        ("C:\\Sync", "C:\\Sync"),
        ("c:/Sync/", "c:\\Sync"),
        ("\\\\server\\share\\x", "\\\\server\\share\\x"),
        ("relative\\a:b", "C:\\work\\here\\relative\\a:b"),
        ("\\Sync", "C:\\Sync"),  # from the root of the drive where one is
        ("/Sync", "C:\\Sync"),
        ("c:Sync", "c:\\work\\here\\Sync"),
        ("~\\Sync", "C:\\home\\me\\Sync"),
    ],
}
SYSTEMS = {
    "posix": ("linux", "/home/me", "/work/here"),
    "nt": ("win32", "C:\\home\\me", "C:\\work\\here"),
}


@pytest.mark.parametrize(
    ("rules", "text", "path"), [(name, *pair) for name in FOLDERS for pair in FOLDERS[name]]
)
def test_a_folder_is_made_absolute(rules: str, text: str, path: str) -> None:
    system, home, directory = SYSTEMS[rules]
    location = parse_location(text, home=home, directory=directory, system=system)
    assert location == FolderLocation(path)
    again = parse_location(location.spelling, home=home, directory=directory, system=system)
    assert again == location


def test_a_folder_relative_to_another_drive_is_refused() -> None:
    with pytest.raises(UsageError, match="another drive"):
        parse_location("D:Sync", home=HOME, directory="C:\\work", system="win32")


@pytest.mark.parametrize(
    ("text", "location", "canonical"),
    [
        ("nas:/srv/sync", HostLocation("nas", "/srv/sync"), "ssh://nas/srv/sync"),
        ("nas:sync", HostLocation("nas", "~/sync"), "ssh://nas/~/sync"),
        ("nas:~/sync/", HostLocation("nas", "~/sync"), "ssh://nas/~/sync"),
        ("me@nas.local:a b", HostLocation("nas.local", "~/a b", "me"), "ssh://me@nas.local/~/a b"),
        ("nas:a:b", HostLocation("nas", "~/a:b"), "ssh://nas/~/a:b"),
        ("nas:100%", HostLocation("nas", "~/100%"), "ssh://nas/~/100%25"),
        ("nas:%41", HostLocation("nas", "~/%41"), "ssh://nas/~/%2541"),
        ("[::1]:sync", HostLocation("::1", "~/sync"), "ssh://[::1]/~/sync"),
        ("me@ad@nas:sync", HostLocation("nas", "~/sync", "me@ad"), "ssh://me@ad@nas/~/sync"),
        ("ssh://nas/srv/sync", HostLocation("nas", "/srv/sync"), "ssh://nas/srv/sync"),
        ("SSH://nas//srv//./sync/", HostLocation("nas", "/srv/sync"), "ssh://nas/srv/sync"),
        ("ssh://nas/~/sync", HostLocation("nas", "~/sync"), "ssh://nas/~/sync"),
        ("ssh://nas//~odd/x", HostLocation("nas", "/~odd/x"), "ssh://nas//~odd/x"),
        (
            "ssh://me@nas:2222/srv/a%20b",
            HostLocation("nas", "/srv/a b", "me", 2222),
            "ssh://me@nas:2222/srv/a b",
        ),
        (
            "ssh://[fe80::1]:22/x",
            HostLocation("fe80::1", "/x", "", 22),
            "ssh://[fe80::1]:22/x",
        ),
        ("ssh://nas/a%0Ab", HostLocation("nas", "/a\nb"), "ssh://nas/a%0Ab"),
        ("ssh://nas/a%zz%", HostLocation("nas", "/a%zz%"), "ssh://nas/a%25zz%25"),
        ("ssh://nas/%FF", HostLocation("nas", "/\udcff"), "ssh://nas/%FF"),
        ("ssh://nas/ünï", HostLocation("nas", "/ünï"), "ssh://nas/ünï"),
        ("ssh://nas/-rf", HostLocation("nas", "/-rf"), "ssh://nas/-rf"),
        ("ssh://nas/a/../b", HostLocation("nas", "/a/../b"), "ssh://nas/a/../b"),
    ],
)
def test_a_host_is_read_and_spelled_one_way(
    text: str, location: HostLocation, canonical: str
) -> None:
    assert parse(text) == location
    assert location.spelling == canonical
    assert parse(canonical) == location


def test_one_letter_before_the_colon_is_a_drive_on_every_system() -> None:
    for text in ("c:stuff", "C:\\Users\\me", "d:/x"):
        if os.name == "nt":
            assert isinstance(parse(text), FolderLocation)
        else:
            with pytest.raises(UsageError, match="drive"):
                parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-oProxyCommand=id:/x",
        "-rf",
        "nas:-rf",
        "nas:",
        "nas:/",
        "nas:~",
        "nas:~other/x",
        "ssh://nas",
        "ssh://nas/",
        "ssh://nas/~",
        "ssh://nas/~other/x",
        "ssh://-oProxyCommand=id/x",
        "ssh://-l@nas/x",
        "-l@nas:x",
        "ssh://me%0Ayou@nas/x",
        "ssh://%2Dl@nas/x",
        "ssh:///x",
        "ssh://me@/x",
        "ssh://nas:0/x",
        "ssh://nas:65536/x",
        "ssh://nas:ssh/x",
        "ssh://nas:-1/x",
        "ssh://[::1/x",
        "ssh://n\nas/x",
        "ssh://n as/x",
        "ssh://$(id)/x",
        "`id`:x",
        "a|b:x",
        "ssh://m;e@nas/x",
        "ssh://me\\@nas/x",
        ":x",
        "ssh://nas/a\0b",
        "a\0b",
        "ssh://nas/a%00b",
        "~other/x",
    ],
)
def test_what_could_be_an_option_a_command_or_nothing_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "ssh://me:hunter2@nas/x",
        "ssh://:hunter2@nas/x",
        "me:hunter2@nas:x",
        "sftp://me:hunter2@nas/x",
        "ssh://me:hunter2@nas",
    ],
)
def test_a_password_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(UsageError, match="password") as caught:
        parse(text)
    assert "hunter2" not in str(caught.value)


def test_other_kinds_of_places_are_for_installed_packages() -> None:
    assert parse("S3://bucket/x") == OtherLocation("s3", "s3://bucket/x")


def test_a_kind_that_no_package_knows_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nosuch://"):
        open_transport("nosuch://place", [], tmp_path)


# --- clouds ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("rclone:drive:claude-sync", CloudLocation("drive", "claude-sync")),
        ("rclone:my drive:a//b/./c/", CloudLocation("my drive", "a/b/c")),
        ("rclone:nas.sftp:/srv/sessions", CloudLocation("nas.sftp", "/srv/sessions")),
        ("rclone:s3:bucket/a:b", CloudLocation("s3", "bucket/a:b")),
        ("ssh://rclone/path", HostLocation("rclone", "/path")),
    ],
)
def test_a_place_in_a_cloud_is_a_remote_and_a_path(text: str, location: Location) -> None:
    assert parse(text) == location
    assert parse(location.spelling) == location


@pytest.mark.parametrize(
    "text",
    [
        "rclone:drive",
        "rclone:drive:",
        "rclone:drive:/",
        "rclone::path",
        "rclone:-drive:path",
        "rclone::webdav,url=http://me,pass=secret:path",
        "rclone:drive,token=secret:path",
        "rclone:drive:../path",
        "rclone:drive:a/../b",
        "rclone:drive:a\nb",
        "rclone:drive:~/path",
        "rclone:a/b:path",
        "rclone:drive :path",
    ],
)
def test_what_is_no_place_in_a_cloud_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert "secret" not in str(caught.value)
