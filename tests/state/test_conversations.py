"""Stored conversations come back as they were, or are refused in a line."""

import stat
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmxcli.errors import DamagedError, MmxError, UsageError
from mmxcli.state.conversations import ConversationStore, Said, StoredConversation, Turn, is_name

TEXT = st.text(st.characters(), max_size=30)  # lone surrogates too
SAID = st.builds(
    Said,
    TEXT,
    st.integers(0, 2**40),
    st.integers(0, 2**40),
    st.none() | st.integers(0, 9999),
    st.integers(1, 10**6),
    TEXT,
    st.booleans(),
    st.none() | TEXT,
)
TURN = st.builds(Turn, TEXT, TEXT, st.booleans(), TEXT, st.lists(SAID, max_size=3).map(tuple))
CONVERSATION = st.builds(
    StoredConversation,
    name=st.just("talk"),
    sources=st.lists(TEXT, min_size=1, max_size=3).map(tuple),
    folder=TEXT,
    text=TEXT,
    upto=st.none() | TEXT,
    own_name=st.booleans(),
    begun=st.floats(0, 1e10),
    updated=st.floats(0, 1e10),
    turns=st.lists(TURN, max_size=4).map(tuple),
)
ONE = StoredConversation(
    "talk",
    ("book.txt",),
    "/books",
    turns=(Turn("Who?", "Ishmael", True, "small", (Said("b", 1, 9, 2, 3, "x", True),)),),
)
same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture
def store(tmp_path: Path) -> ConversationStore:
    return ConversationStore(tmp_path / "home")


@same_folder
@given(conversation=CONVERSATION)
def test_what_was_stored_comes_back(store: ConversationStore, conversation: StoredConversation) -> None:
    store.path("talk").unlink(missing_ok=True)
    store.put(conversation, conversation)
    assert store.get("talk") == conversation


@same_folder
@given(at=st.integers(0, 5000), byte=st.integers(0, 255), cut=st.booleans())
def test_no_changed_byte_goes_unseen(store: ConversationStore, at: int, byte: int, cut: bool) -> None:
    path = store.path("talk")
    path.unlink(missing_ok=True)
    store.put(ONE, ONE)
    data = path.read_bytes()
    at %= len(data)
    changed = data[:at] if cut else data[:at] + bytes([byte]) + data[at + 1 :]
    path.write_bytes(changed)
    if changed == data:
        assert store.get("talk") == ONE
    else:
        with pytest.raises(DamagedError, match="mmx chat --rm talk"):
            store.get("talk")
        assert not store.described("talk").readable
        assert store.latest(None) is None


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"[" * 100_000, b"\xff", b'{"format": 1}', b"1e999"])
def test_what_is_no_conversation_is_damaged(store: ConversationStore, content: bytes) -> None:
    store.put(ONE, ONE)
    store.path("talk").write_bytes(content)
    with pytest.raises(DamagedError):
        store.get("talk")
    store.remove("talk")
    assert store.names() == []


@pytest.mark.parametrize("name", ["", "..", "../up", "a/b", "/etc/passwd", ".hidden", "a\0b", "a\nb", "x" * 65, "-c"])
def test_a_path_is_no_name(store: ConversationStore, name: str) -> None:
    assert not is_name(name)
    for use in (store.get, store.remove, store.holds):
        with pytest.raises(UsageError):
            use(name)


@given(source=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40))
def test_whatever_is_read_a_conversation_has_a_name(source: str) -> None:
    assert is_name(ConversationStore(Path("nowhere")).new_name(source))


def test_who_goes_on_from_what_another_has_gone_on_from_gets_a_name_of_his_own(store: ConversationStore) -> None:
    store.put(ONE, ONE)
    mine, theirs = (replace(ONE, updated=ONE.updated + later) for later in (1, 2))
    assert store.put(theirs, ONE) == theirs
    assert store.put(mine, ONE) == replace(mine, name="talk.2")
    assert store.get("talk") == theirs
    store.path("talk").write_text("damaged")
    assert store.put(replace(theirs, name="talk"), theirs).name == "talk.3"  # what is damaged stays to be looked at
    long = replace(ONE, name="x" * 64)
    store.put(long, long)
    assert is_name(store.put(replace(long, begun=1.0), replace(long, begun=1.0)).name)


def test_files_are_private_and_the_latest_over_some_sources_is_found(store: ConversationStore) -> None:
    store.put(ONE, ONE)
    assert stat.S_IMODE(store.path("talk").stat().st_mode) == 0o600
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    assert store.latest(["/books/book.txt"]) == ONE
    assert store.latest(["/other/book.txt"]) is None
    with pytest.raises(MmxError, match="mmx chat --list"):
        store.get("other")
