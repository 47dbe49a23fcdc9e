"""Settings: precedence, checks, and files that are not trusted."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmxcli.config import SETTINGS, Settings, load_settings, project_file, user_file
from mmxcli.errors import UsageError


@pytest.fixture(autouse=True)
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project" / "part"
    folder.mkdir(parents=True)
    return folder


def of_user(text: str) -> None:
    user_file().parent.mkdir(parents=True, exist_ok=True)
    user_file().write_text(text)


def test_the_default_home_is_the_platforms_data_folder(tmp_path: Path) -> None:
    assert Settings().home == tmp_path / "data" / "mmx"
    assert Settings().weights_folder == tmp_path / "data" / "mmx" / "weights"


def test_a_flag_is_stronger_than_environment_project_and_user(project: Path) -> None:
    levels: list[dict[str, object]] = []
    of_user("window = 21\nchunk = 1\npassages = 1\nmax_tokens = 1")
    (project.parent / "mmx.toml").write_text("window = 22\nchunk = 2\npassages = 2")
    environ = {"MMX_WINDOW": "23", "MMX_CHUNK": "3", "MMX_MAX_TOKENS": ""}
    found = load_settings({"window": "24", "chunk": None}, environ=environ, cwd=project)
    levels.append({name: getattr(found, name) for name in ("window", "chunk", "passages", "max_tokens")})
    assert levels == [{"window": 24, "chunk": 3, "passages": 2, "max_tokens": 1}]


def test_the_nearest_project_file_is_the_one(project: Path) -> None:
    (project.parent / "mmx.toml").write_text("window = 22\nmax_tokens = 2")
    (project / "mmx.toml").write_text("window = 23")
    found = load_settings({}, environ={}, cwd=project)
    assert (found.window, found.max_tokens) == (23, 128)


def test_home_moves_the_weights_unless_they_are_named(project: Path, tmp_path: Path) -> None:
    environ = {"MMX_HOME": str(tmp_path / "elsewhere")}
    assert load_settings({}, environ=environ, cwd=project).weights_folder == tmp_path / "elsewhere" / "weights"
    environ["MMX_WEIGHTS"] = "here"
    assert load_settings({}, environ=environ, cwd=project).weights_folder == project / "here"


def test_a_relative_folder_counts_from_the_file_that_names_it(project: Path) -> None:
    (project.parent / "mmx.toml").write_text('weights = "w"')
    assert load_settings({}, environ={}, cwd=project).weights == project.parent / "w"


@pytest.mark.parametrize("sources", [["."], [".."], ["../mmx.toml"], ["book.txt", "../../project"], ["link"]])
def test_a_project_file_that_is_being_read_is_never_trusted(project: Path, sources: list[str]) -> None:
    (project.parent / "mmx.toml").write_text('model = "evil/model"')
    (project / "link").symlink_to(project.parent)
    if sources == ["."]:
        (project.parent / "mmx.toml").rename(project / "mmx.toml")
    found = load_settings({}, environ={}, cwd=project, sources=sources)
    assert found.model == SETTINGS["model"].default
    assert project_file(project, sources)[1] is False


def test_a_project_file_that_links_into_a_source_is_not_trusted(project: Path, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "theirs.toml").write_text("window = 29")
    (project / "mmx.toml").symlink_to(tmp_path / "docs" / "theirs.toml")
    assert (
        load_settings({}, environ={}, cwd=project, sources=[str(tmp_path / "docs")]).window
        == SETTINGS["window"].default
    )


@pytest.mark.parametrize("sources", [[], ["-"], ["book.txt"], ["../other"]])
def test_a_project_file_beside_the_sources_is_trusted(project: Path, sources: list[str]) -> None:
    (project / "mmx.toml").write_text("window = 29")
    assert load_settings({}, environ={}, cwd=project, sources=sources).window == 29
    assert project_file(project, sources) == (project / "mmx.toml", True)


@pytest.mark.parametrize(
    ("flags", "environ", "toml", "words"),
    [
        ({"read": "all"}, {}, "", ["read", "'all'", "--read", "auto or full or recall"]),
        ({"window": "0"}, {}, "", ["--window", "whole number from 16"]),
        ({"max_tokens": "9" * 5000}, {}, "", ["--max-tokens", "whole number"]),
        ({}, {"MMX_MEMORY": "lots"}, "", ["memory", "MMX_MEMORY", "8G"]),
        ({}, {"MMX_OFFLINE": "maybe"}, "", ["offline", "MMX_OFFLINE", "true or false"]),
        ({}, {}, "passages = -1", ["passages", "mmx.toml", "whole number from 0"]),
        ({}, {}, "threads = true", ["threads", "mmx.toml"]),
        ({}, {}, "model = ''", ["model", "mmx.toml"]),
        ({}, {}, "home = 3", ["home", "mmx.toml", "a folder"]),
        ({}, {}, "windw = 3", ["mmx.toml", "windw", "window"]),
        ({}, {}, "window = ", ["mmx.toml", "TOML"]),
    ],
)
def test_an_error_names_the_setting_its_origin_and_what_is_allowed(
    project: Path, flags: dict[str, object], environ: dict[str, str], toml: str, words: list[str]
) -> None:
    (project / "mmx.toml").write_text(toml)
    with pytest.raises(UsageError) as caught:
        load_settings(flags, environ=environ, cwd=project)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_a_file_that_is_not_text_is_an_error_of_one_line(project: Path) -> None:
    (project / "mmx.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not valid TOML"):
        load_settings({}, environ={}, cwd=project)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("8G", 8 << 30),
        ("512M", 512 << 20),
        ("1.5k", 1536),
        ("2 GiB", 2 << 30),
        ("100", 100),
        ("1tb", 1 << 40),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert Settings(memory=text).memory == size  # type: ignore[arg-type]


@given(st.text(max_size=12))
def test_a_size_is_a_positive_number_or_an_error(text: str) -> None:
    try:
        memory = Settings(memory=text).memory  # type: ignore[arg-type]
    except UsageError as error:
        assert "memory" in str(error)
    else:
        assert memory is not None and memory > 0


@pytest.mark.parametrize(("text", "value"), [("1", True), ("Yes", True), ("0", False), ("off", False)])
def test_switches(project: Path, text: str, value: bool) -> None:
    assert load_settings({}, environ={"MMX_CACHE": text}, cwd=project).cache is value


def test_settings_are_checked_however_they_are_made() -> None:
    with pytest.raises(UsageError, match="chunk cannot be 0"):
        Settings(chunk=0)
    with pytest.raises(AttributeError):
        Settings().chunk = 1  # type: ignore[misc]
