import os
import socket
from collections.abc import Iterable
from pathlib import Path

import pytest

from mmxcli.sources.document import Document
from mmxcli.sources.open import open_sources
from mmxcli.sources.segment import Gap
from mmxcli.sources.tree import is_tree


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder named `tree` in the folder that the test runs in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tree").mkdir()
    return tmp_path / "tree"


def fill(folder: Path, *files: str) -> None:
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(f"This is {file}.\n")


def names(found: Iterable[Document | Gap]) -> list[str]:
    """Without the tree, which is last where there are two or more."""
    told = [thing.name if isinstance(thing, Document) else f"{thing.source}: {thing.reason}" for thing in found]
    return [name for name in told if not is_tree(name)]


def test_order_and_names(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tree, "b.txt", "a/z.txt", "a/README.md", "a/b.txt", "readme.rst", "Z.txt", "a.txt")
    order = ["readme.rst", "Z.txt", "a/README.md", "a/b.txt", "a/z.txt", "a.txt", "b.txt"]
    for given in ("tree", "tree/", "./tree"):
        assert names(open_sources([given])) == [f"tree/{name}" for name in order]
    assert names(open_sources([str(tree)])) == [f"{tree.as_posix()}/{name}" for name in order]
    monkeypatch.chdir(tree)
    assert names(open_sources(["."])) == order
    assert names(open_sources(["../tree"])) == [f"../tree/{name}" for name in order]


def test_a_document_is_read_once(tree: Path) -> None:
    fill(tree, "a.txt", "b.txt")
    assert names(open_sources(["tree/b.txt", "tree", "tree/a.txt", "tree"])) == ["tree/b.txt", "tree/a.txt"]


def test_hidden_ignored_and_empty_files_are_passed_over(tree: Path) -> None:
    fill(
        tree,
        ".env",
        ".github/ci.yml",
        "src/a.py",
        "src/a.log",
        "src/build/x.txt",
        "src/kept.log",
        "node/x.js",
    )
    (tree / ".gitignore").write_text("*.log\nnode/\n")
    (tree / "src/.gitignore").write_text("/build\n!kept.log\n")
    (tree / "src/__init__.py").touch()
    assert names(open_sources(["tree"])) == ["tree/src/a.py", "tree/src/kept.log"]
    assert names(open_sources(["tree/.env", "tree/.github", "tree/src/a.log"])) == [
        "tree/.env",
        "tree/.github/ci.yml",
        "tree/src/a.log",
    ]


def test_nothing_to_read(tree: Path) -> None:
    reason = "tree: a folder without files, but for empty, hidden and git-ignored ones"
    assert names(open_sources(["tree"])) == [reason]
    fill(tree, ".hidden")
    (tree / "empty").touch()
    assert names(open_sources(["tree"])) == [reason]


def test_what_cannot_be_read_is_told(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tree, "a.txt", "locked/b.txt", "secret.txt")
    (tree / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    scandir, open_path = os.scandir, Path.open

    def refuse_scandir(path: Path) -> object:
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    def refuse_open(path: Path, *arguments: object) -> object:
        if path.name == "secret.txt":
            raise PermissionError(13, "Permission denied")
        return open_path(path, *arguments)

    monkeypatch.setattr(os, "scandir", refuse_scandir)
    monkeypatch.setattr(Path, "open", refuse_open)
    assert names(open_sources(["tree"])) == [
        "tree/locked: cannot be read: Permission denied",
        "tree/a.txt",
        "tree/image.png: binary",
        "tree/secret.txt: cannot be read: Permission denied",
    ]


def test_links_pipes_and_sockets(tree: Path) -> None:
    fill(tree, "a/a.txt", "../outside.txt")
    (tree / "a/loop").symlink_to(tree)
    (tree / "again").symlink_to(tree / "a")
    (tree / "self").symlink_to("self")
    (tree / "out").symlink_to(tree.parent / "outside.txt")
    (tree / "up").symlink_to("..")
    os.mkfifo(tree / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("tree/socket")
    assert names(open_sources(["tree"])) == [
        "tree/out: a symbolic link that leads out of the folder",
        "tree/pipe: not a regular file",
        "tree/socket: not a regular file",
        "tree/up: a symbolic link that leads out of the folder",
        "tree/a/a.txt",
    ]


def test_what_was_changed_last_comes_last(tree: Path) -> None:
    """By the hour: within one, and after a checkout, by name. What explains the rest comes first."""
    fill(tree, "a.txt", "b/b.txt", "b/readme.md", "c.txt", "d.txt")
    fill(tree, "README", "readme/x.txt")
    hour = 1_700_000_000 // 3600 * 3600
    os.utime(tree / "readme/x.txt", (hour + 7200, hour + 7200))
    for name, changed in {"a.txt": hour + 3600, "b/b.txt": hour, "b/readme.md": hour + 3599, "c.txt": hour + 5}.items():
        os.utime(tree / name, (changed, changed))
    order = ["README", "b/readme.md", "b/b.txt", "c.txt", "a.txt", "readme/x.txt", "d.txt"]
    assert names(open_sources(["tree"])) == [f"tree/{name}" for name in order]


def test_a_named_link_is_followed(tree: Path) -> None:
    fill(tree, "a.txt")
    (tree.parent / "link").symlink_to(tree)
    assert names(open_sources(["link"])) == ["link/a.txt"]


def test_names_that_are_not_utf_8(tree: Path) -> None:
    Path(os.fsdecode(os.fsencode(tree) + b"/caf\xe9.txt")).write_text("coffee")
    [found] = open_sources(["tree"])
    assert isinstance(found, Document)
    assert found.name == "tree/caf\ufffd.txt"
    assert [part.text for part in found.segments()] == ["coffee"]


def test_deeper_than_the_stack(tree: Path) -> None:
    folders = [str(tree)]
    for _ in range(1200):
        folders.append(folders[-1] + "/d")
        Path(folders[-1]).mkdir()
    (Path(folders[-1]) / "a.txt").write_text("text")
    assert names(open_sources(["tree"])) == ["tree/" + "d/" * 1200 + "a.txt"]
    (Path(folders[-1]) / "a.txt").unlink()
    for folder in reversed(folders):  # pytest's own cleaning up would recurse
        Path(folder).rmdir()
