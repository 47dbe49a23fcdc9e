import os
import socket
from collections.abc import Iterable
from pathlib import Path

import pytest

from mmxcli.sources.choice import Choice
from mmxcli.sources.document import Document
from mmxcli.sources.open import open_sources
from mmxcli.sources.segment import Gap, Remark
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


def names(found: Iterable[Document | Gap | Remark]) -> list[str]:
    """Without the tree, which is last where there are two or more, and what is said of others."""
    things = [thing for thing in found if not isinstance(thing, Remark)]
    told = [thing.name if isinstance(thing, Document) else f"{thing.source}: {thing.reason}" for thing in things]
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
        "tree/pipe: not a regular file",
        "tree/socket: not a regular file",
        "tree/out: a symbolic link that leads out of the folder",
        "tree/self: a symbolic link that leads nowhere",
        "tree/up: a symbolic link that leads out of the folder",
        "tree/a/a.txt",
    ]


def test_links_to_what_is_not_read_are_told(tree: Path) -> None:
    fill(tree, "a.txt", "b/b.txt", ".hidden/c.txt", "c.log", "node_modules/d.js")
    (tree / ".gitignore").write_text("*.log\n")
    for name, target in {
        "1": "a.txt",
        "2": "b",
        "3": ".hidden/c.txt",
        "4": "c.log",
        "5": "node_modules",
        "6": "no",
    }.items():
        (tree / name).symlink_to(target)
    told = [name for name in names(open_sources(["tree"])) if "link" in name]
    unread = "a symbolic link to something that is not read"
    assert told == [*(f"tree/{n}: {unread}" for n in "345"), "tree/6: a symbolic link that leads nowhere"]


def remarks(*sources: str, **choice: tuple[str, ...]) -> list[str]:
    found = open_sources(sources, choice=Choice(**choice))  # type: ignore[arg-type]
    return [thing.text for thing in found if isinstance(thing, Remark)]


def test_what_is_passed_over_is_counted_and_nobody_looks_into_it(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tree, "a.txt", "build/x.txt", "b/build/y.txt", ".git/HEAD", "b/.env", ".github/ci.yml", ".z", "b/c.log")
    (tree / ".gitignore").write_text("build/\n*.log\n")
    (tree / "b/__init__.py").touch()
    scandir, scanned = os.scandir, list[str]()

    def counting(path: Path) -> object:
        scanned.append(Path(path).name)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", counting)
    assert remarks("tree") == [
        "5 hidden files or folders not read: .git, .github, .gitignore, …",
        "3 git-ignored files or folders not read: build, b/build, b/c.log",
        "1 empty file not read: b/__init__.py",
    ]
    assert set(scanned) == {"tree", "b"}


@pytest.mark.parametrize(
    ("pattern", "found", "told"),
    [
        ("node_modules/**", {"node_modules/a/x.js", "node_modules/a/y.lock"}, set()),
        ("node_modules/a/*.js", {"node_modules/a/x.js"}, {"node_modules/"}),
        ("node_modules/a/x.js", {"node_modules/a/x.js"}, {"node_modules/"}),
        ("**/node_modules/**", {"node_modules/a/x.js", "node_modules/a/y.lock", "b/node_modules/z.js"}, set()),
        ("node_modules", {"node_modules/a/x.js", "node_modules/a/y.lock", "b/node_modules/z.js"}, set()),
        ("*.lock", set(), {"node_modules/"}),
        ("build/**", {"build/x.txt", "build/deep/y.txt"}, {"node_modules/"}),
        ("build/deep/*", {"build/deep/y.txt"}, {"node_modules/"}),
        (".github/**", {".github/ci.yml"}, {"node_modules/"}),
        ("**", {"node_modules/a/x.js", "node_modules/a/y.lock", "b/node_modules/z.js", "build/x.txt"}, set()),
    ],
)
def test_patterns_lead_into_what_is_left_out(tree: Path, pattern: str, found: set[str], told: set[str]) -> None:
    others = {"a.txt", "b/b.txt"}
    fill(tree, *others, "build/x.txt", "build/deep/y.txt", ".github/ci.yml", ".git/config")
    fill(tree, "node_modules/a/x.js", "node_modules/a/y.lock", "b/node_modules/z.js")
    (tree / ".gitignore").write_text("build/\n")
    things = list(open_sources(["tree"], choice=Choice(include=(pattern,))))
    read = {thing.name.removeprefix("tree/") for thing in things if isinstance(thing, Document)} - {" (tree)"}
    gaps = {thing.source.removeprefix("tree/") for thing in things if isinstance(thing, Gap)} - {"b/node_modules/"}
    if pattern == "**":
        assert read >= found | others and ".git/config" not in read
    else:
        assert (read - others, gaps) == (found, told)


def test_gits_own_files_are_not_read_but_a_commit_is_named(tree: Path) -> None:
    fill(tree, "bare.git/HEAD", "bare.git/objects/12/34", "bare.git/refs/heads/main", "a.txt")
    reason = "git's own files: name a commit to read what is in them, as in tree/bare.git@HEAD"
    assert names(open_sources(["tree/bare.git"])) == [f"tree/bare.git: {reason}"]
    assert f"tree/bare.git: {reason}" in names(open_sources(["tree"]))


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
