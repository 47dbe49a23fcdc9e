import subprocess
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmxcli.sources.choice import Choice
from mmxcli.sources.document import Document
from mmxcli.sources.open import open_sources
from mmxcli.sources.segment import Segment
from mmxcli.sources.tree import LONGEST, tree_of


def text_of(document: Document) -> str:
    return "".join(part.text for part in document.segments() if isinstance(part, Segment))


def opened(*sources: str, **chosen: object) -> dict[str, str]:
    found = open_sources(sources, choice=Choice(**chosen))  # type: ignore[arg-type]
    return {item.name: text_of(item) for item in found if isinstance(item, Document)}


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    repo = tmp_path / "repo"
    for name in ("README.md", "src/a.py", "src/deep/b.py", "notes.txt"):
        (repo / name).parent.mkdir(parents=True, exist_ok=True)
        (repo / name).write_text(f"This is {name}.\n")
    return repo


TREE = """All 4 files that can be read here, folder by folder.

Files in the folder itself (2): README.md, notes.txt.

Folders in the folder itself (1): src (2 files).

Files in src (1): a.py.

Folders in src (1): deep (1 file).

Files in src/deep (1): b.py.

"""


@pytest.mark.parametrize("kind", ["folder", "dot", "revision", "archive"])
def test_the_tree_is_last(repo: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = {"folder": "repo/", "dot": ".", "revision": "repo@HEAD", "archive": "repo.zip"}[kind]
    if kind == "dot":
        monkeypatch.chdir(repo)
    if kind == "revision":
        git = ["git", "-C", "repo", "-c", "user.name=A", "-c", "user.email=a@b"]
        for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
            subprocess.run([*git, *command], check=True)
    if kind == "archive":
        with zipfile.ZipFile("repo.zip", "w") as archive:
            for file in sorted(repo.rglob("*.*")):
                archive.write(file, file.relative_to(repo))
    found = opened(source)
    assert len(found) == 5
    assert list(found.items())[-1] == (f"{source.rstrip('/')}/ (tree)", TREE)
    if kind != "archive":
        assert next(iter(found)).endswith("README.md")


def test_a_tree_names_what_is_read(repo: Path) -> None:
    (repo / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    (repo / "large.txt").write_text("long\n" * 999)
    assert opened("repo", max_file_size=999)["repo/ (tree)"] == TREE
    assert opened("repo", exclude=("notes.txt", "large.txt"))["repo/ (tree)"].startswith("All 3 files")
    limited = opened("repo", max_files=2)
    assert len(limited) == 3 and limited["repo/ (tree)"].startswith("All 2 files")
    assert list(opened("repo", max_files=1)) == ["repo/README.md"]
    assert list(opened("repo/src/deep", "repo/notes.txt")) == ["repo/src/deep/b.py", "repo/notes.txt"]


def test_files_of_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tar to which files were appended holds them all."""
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile("a.zip", "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        for name in ("x", "x (2)", "x", "x", " (tree)"):
            archive.writestr(name, f"{name}\n")
    names = ["x", "x (2)", "x (3)", "x (4)", " (tree)", " (tree) (2)"]
    assert list(opened("a.zip")) == [f"a.zip/{name}" for name in names]


names = st.text(st.characters(exclude_characters="/", exclude_categories=["Cs"]), min_size=1, max_size=200)


@given(st.lists(st.lists(names, min_size=1, max_size=9).map("/".join), min_size=2, max_size=60))
def test_a_tree_is_bounded_whatever_the_names(paths: list[str]) -> None:
    tree = tree_of("folder", paths)
    text = text_of(tree)
    assert len(text) <= LONGEST + 100
    lines = text.split("\n")
    assert lines[1::2] == [""] * (len(lines) // 2)
    assert text_of(tree_of("folder", paths[::-1])) == text


@pytest.mark.parametrize("shape", ["{n}.py", "f{n}/a/b/x.py", "{m}/{k}/file {n}.py"])
def test_a_tree_of_many_files(shape: str) -> None:
    paths = [shape.format(n=n, m=n % 7, k=n % 70) for n in range(10_000)]
    text = text_of(tree_of("folder", paths))
    assert 4_000 < len(text) <= LONGEST
    assert text.startswith("All 10,000 files")
    assert " more." in text
