"""What a folder yields is what git would list, for random trees and random rules."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmxcli.sources.document import FileContent
from mmxcli.sources.folder import walk

NAMES = st.sampled_from(["a", "b", "ab", "a.log", "b.txt", "foo", "bar"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
PARTS = st.sampled_from(["a", "*", "**", "?", "*.log", "foo", "[ab]", "a*", "b.txt", "ba?", "[!a]*"])
RULES = st.tuples(
    st.sampled_from(["", "!"]), st.sampled_from(["", "/"]), st.lists(PARTS, min_size=1, max_size=3).map("/".join),
    st.sampled_from(["", "/"]),
).map("".join)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    paths=st.sets(PATHS, min_size=1, max_size=8), rules=st.lists(RULES, max_size=4), nested=st.lists(RULES, max_size=2)
)
def test_a_folder_is_read_as_git_lists_it(
    tmp_path_factory: pytest.TempPathFactory, paths: set[str], rules: list[str], nested: list[str]
) -> None:
    root = tmp_path_factory.mktemp("tree")
    for path in sorted(paths):
        if any((root / parent).is_file() for parent in Path(path).parents) or (root / path).is_dir():
            continue
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("text")
    (root / ".gitignore").write_text("\n".join(rules))
    if (root / "foo").is_dir():
        (root / "foo" / ".gitignore").write_text("\n".join(nested))
    subprocess.run(["git", "init", "-q", root], check=True)
    listed = subprocess.run(
        ["git", "-C", root, "ls-files", "--others", "--exclude-standard"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    expected = {name for name in listed if not Path(name).name.startswith(".")}
    found = {str(item.path.relative_to(root)) for item in walk(str(root)) if isinstance(item, FileContent)}
    assert found == expected
