import time
from pathlib import Path

import pytest

from mmxcli.sources.document import FileContent
from mmxcli.sources.folder import walk
from mmxcli.sources.ignore import inherited_rules, is_ignored, rules_in


@pytest.mark.parametrize(
    ("rules", "path", "ignored"),
    [
        ("*.log", "a.log", True),
        ("*.log", "deep/down/a.log", True),
        ("*.log\n!keep.log", "keep.log", False),
        ("!keep.log\n*.log", "keep.log", True),
        ("/a.log", "deep/a.log", False),
        ("deep/a.log", "deep/a.log", True),
        ("deep/a.log", "more/deep/a.log", False),
        ("**/deep/a.log", "more/deep/a.log", True),
        ("deep/**/a.log", "deep/a.log", True),
        ("deep/**/a.log", "deep/x/y/a.log", True),
        ("deep/**/a.log", "deep/x/y/b.log", False),
        ("build/", "build/", True),
        ("build/", "build", False),
        ("build/**", "build/", False),
        ("build/**", "build/x", True),
        ("**", "anything", True),
        ("*", "anything", True),
        ("a/*/c", "a/b/b/c", False),
        ("a?c", "abc", True),
        ("a/b?c", "a/b/c", False),
        ("[ab].txt", "b.txt", True),
        ("[!ab].txt", "b.txt", False),
        ("[^ab].txt", "c.txt", True),
        (r"\#notes", "#notes", True),
        ("#notes", "#notes", False),
        (r"\!notes", "!notes", True),
        (r"a\*b", "a*b", True),
        (r"a\*b", "axb", False),
        (r"\[a\]", "[a]", True),
        ("notes  ", "notes", True),
        (r"notes\ ", "notes ", True),
        ("notes\r", "notes", True),
        ("\n\n/\n!\n", "notes", False),
    ],
)
def test_as_git_does(tmp_path: Path, rules: str, path: str, ignored: bool) -> None:
    (tmp_path / ".gitignore").write_bytes(rules.encode())
    assert is_ignored(tmp_path / path, path.endswith("/"), list(rules_in(tmp_path))) is ignored


def test_a_rule_means_the_path_itself_not_what_is_below(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / ".gitignore").write_text("*.log\n")
    (tmp_path / "folder/.gitignore").write_text("!kept/\n")
    rules = [*rules_in(tmp_path), *rules_in(tmp_path / "folder")]
    assert is_ignored(tmp_path / "folder/kept/a.log", False, rules)


def test_exclude_yields_to_gitignore(tmp_path: Path) -> None:
    (tmp_path / ".git/info").mkdir(parents=True)
    (tmp_path / ".git/info/exclude").write_text("*.log\n*.tmp\n")
    (tmp_path / ".gitignore").write_text("!*.log\n")
    rules = list(rules_in(tmp_path))
    assert not is_ignored(tmp_path / "a.log", False, rules)
    assert is_ignored(tmp_path / "a.tmp", False, rules)


def test_the_rules_around_a_folder(tmp_path: Path) -> None:
    (tmp_path / "docs/inner").mkdir(parents=True)
    (tmp_path / ".gitignore").write_text("*.log\n")
    assert inherited_rules(tmp_path / "docs/inner") == ()
    (tmp_path / ".git").mkdir()
    rules = inherited_rules(tmp_path / "docs/inner")
    assert is_ignored(tmp_path / "docs/inner/a.log", False, rules)
    (tmp_path / "docs/.gitignore").write_text("inner/\n")
    assert inherited_rules(tmp_path / "docs/inner") == ()


@pytest.mark.parametrize("place", ["core.excludesFile", "XDG_CONFIG_HOME", "HOME", "without git"])
def test_a_persons_own_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    (tmp_path / "repo/.git").mkdir(parents=True)
    own = {"core.excludesFile": "rules", "XDG_CONFIG_HOME": "x/git/ignore"}.get(place, ".config/git/ignore")
    (tmp_path / own).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / own).write_text("*.log\n*.tmp\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "x") if place == "XDG_CONFIG_HOME" else "")
    if place == "core.excludesFile":
        (tmp_path / ".gitconfig").write_text("[core]\nexcludesFile = ~/rules\n")
    if place == "without git":
        monkeypatch.setenv("PATH", "")
    (tmp_path / "repo/.gitignore").write_text("!*.tmp\n")
    found = walk(str(tmp_path / "repo"))
    (tmp_path / "repo/a.log").write_text("text")
    (tmp_path / "repo/a.tmp").write_text("text")
    assert [item.path.name for item in found if isinstance(item, FileContent)] == ["a.tmp"]
    assert inherited_rules(tmp_path) == ()


def test_hostile_patterns_take_no_time(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*a" * 100 + "b\n" + "**/a/" * 50 + "b\n")
    rules = list(rules_in(tmp_path))
    began = time.perf_counter()
    assert not is_ignored(tmp_path / ("a" * 250), False, rules)
    assert not is_ignored(tmp_path / Path(*["a"] * 1000), False, rules)
    assert rules[1].reaches_below(tmp_path / Path(*["a"] * 1000))
    assert time.perf_counter() - began < 1
