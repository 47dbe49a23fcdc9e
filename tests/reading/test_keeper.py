"""Texts that are read, grow, change, are killed, removed and pruned in any order: what is stored is always what reading
would give, and nothing is read twice that need not be."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

import torch
from contents import tensors
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from mmxcli.reading.keeper import Keeper
from mmxcli.state.fixed import RecurrentState
from mmxcli.state.maker import Maker
from mmxcli.state.model_state import ModelState
from mmxcli.state.pages import PagedState
from mmxcli.state.record import StoredReading
from mmxcli.state.saving import check_files, load_snapshot
from mmxcli.state.store import ReadingStore

PROMPT = [9, 9]
MAKER = Maker("0", 0, "", "full")


class Kill(BaseException):
    """Stands for the end of the process."""


@contextmanager
def killed_at(flush: int | None) -> Iterator[None]:
    """Dies where the disk is asked to flush for this time, counted from 0."""
    fsync, left = os.fsync, [flush]

    def dying(descriptor: int) -> None:
        if left[0] is not None:
            if left[0] == 0:
                raise Kill
            left[0] -= 1
        fsync(descriptor)

    os.fsync = dying
    try:
        yield
    finally:
        os.fsync = fsync


def new_state() -> ModelState:
    return ModelState([PagedState(), RecurrentState()])


def advance(state: ModelState, ids: list[int]) -> None:
    """A memory of every token, and one that forgets."""
    pages, sums = cast(PagedState, state.layers[0]), cast(RecurrentState, state.layers[1])
    keys = torch.tensor(ids, dtype=torch.float32).view(1, -1, 1)
    pages.append(keys, -keys)
    total = sums.contents.get("sums", torch.zeros(1))
    for token in ids:
        total = total * 0.5 + token
    sums.contents["sums"] = total
    state.chain.extend(ids)
    state.position += len(ids)


def after(ids: list[int]) -> ModelState:
    """The state that has read these, in one go."""
    state = new_state()
    advance(state, ids)
    return state


def same(one: ModelState, other: ModelState) -> bool:
    return all(torch.equal(a, b) for a, b in zip(tensors(one), tensors(other), strict=True))


class Store(RuleBasedStateMachine):
    texts = Bundle("texts")

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp())
        self.store = ReadingStore(self.home)
        self.read: dict[tuple[int, str], list[int]] = {}  # what each state that was ever stored has read

    def teardown(self) -> None:
        shutil.rmtree(self.home)

    @rule(target=texts, ids=st.lists(st.integers(0, 1), min_size=1, max_size=80))
    def write(self, ids: list[int]) -> list[int]:
        return ids

    @rule(target=texts, text=texts, more=st.lists(st.integers(0, 1), min_size=1, max_size=40))
    def append(self, text: list[int], more: list[int]) -> list[int]:
        return text + more

    @rule(target=texts, text=texts, place=st.integers(0, 200))
    def edit(self, text: list[int], place: int) -> list[int]:
        changed = list(text)
        changed[place % len(text)] ^= 1
        return changed

    @rule(target=texts, text=texts, place=st.integers(1, 200))
    def shorten(self, text: list[int], place: int) -> list[int]:
        return text[: (place % len(text)) + 1]

    @rule(
        text=texts,
        step=st.integers(1, 40),
        every=st.integers(1, 4),
        killed=st.one_of(st.none(), st.integers(0, 12)),
    )
    def read_it(self, text: list[int], step: int, every: int, killed: int | None) -> None:
        with suppress(Kill), killed_at(killed):
            self.read_through(text, step, every)

    def read_through(self, text: list[int], step: int, every: int) -> None:
        stored = self.store.get(identifier(text)) or self.index(text)
        with self.store.using(stored.id):
            keeper = Keeper(self.store, stored, PROMPT)
            whole = PROMPT + text
            there = [self.read[one.position, one.chain] for one in self.store.snapshots(stored.stream)]
            longest = max((len(ids) for ids in there if ids == whole[: len(ids)]), default=0)
            state = keeper.begin([text[i : i + 7] for i in range(0, len(text), 7)])
            assert (state.position if state else 0) == longest
            if state is None:
                state = new_state()
                advance(state, PROMPT)
            assert same(state, after(whole[: state.position]))
            for number, start in enumerate(range(state.position, len(whole), step)):
                advance(state, whole[start : start + step])
                if number % every == 0 or state.position == len(whole):
                    self.read[state.position, state.chain.hexdigest()] = whole[: state.position]
                    keeper.save(state)
            assert keeper.stored.complete and keeper.stored.read_tokens == len(text)

    def index(self, text: list[int]) -> StoredReading:
        name = identifier(text)
        reading = StoredReading(
            name,
            self.store.path(name),
            "",
            MAKER,
            ("a",),
            "toy",
            "full",
            "hybrid",
            len(text),
            0,
            0,
            False,
            0,
            chain=after(PROMPT + text).chain.hexdigest(),
        )
        with self.store.building() as folder:
            (folder / "recall.sqlite").write_bytes(b"index")
            return self.store.adopt(folder, reading)

    @rule(text=texts)
    def remove(self, text: list[int]) -> None:
        if self.store.get(identifier(text)):
            assert self.store.remove(identifier(text))
            assert self.store.get(identifier(text)) is None
            self.nothing_else_is_left()

    @rule(share=st.floats(0, 1))
    def prune(self, share: float) -> None:
        limit = int(share * self.bytes())
        before = {reading.id: reading.used for reading in self.store.readings()}
        removed = [reading.id for reading in self.store.prune(limit)]
        assert self.bytes() <= limit or not before
        left = [reading.used for reading in self.store.readings()]
        assert all(before[one] <= used for one in removed for used in left)
        self.nothing_else_is_left()

    @rule(number=st.integers(0, 1_000), place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
    def damage(self, number: int, place: float, bit: int) -> None:
        """A changed byte is found by whoever looks, or changes nothing."""
        snapshots = [one for reading in self.store.readings() for one in reading.snapshots]
        if not snapshots:
            return
        snapshot = snapshots[number % len(snapshots)]
        path = self.store.states / snapshot.files[number % len(snapshot.files)]
        content = path.read_bytes()
        changed = bytearray(content)
        changed[int(place * len(changed))] ^= 1 << bit
        path.write_bytes(changed)
        try:
            if not list(check_files([snapshot], self.store.states)):
                self.what_is_stored_is_right()
        finally:
            path.write_bytes(content)

    @invariant()
    def what_is_stored_is_right(self) -> None:
        for reading in self.store.readings():
            last = max((one.position for one in reading.snapshots), default=len(PROMPT))
            assert reading.read_tokens == last - len(PROMPT)
            assert reading.complete == (reading.read_tokens == reading.tokens)
            for snapshot in reading.snapshots[-3:]:
                state = load_snapshot(snapshot, self.store.states, reading.stream)
                assert same(state, after(self.read[snapshot.position, snapshot.chain]))

    def nothing_else_is_left(self) -> None:
        needed = {name for reading in self.store.readings() for name in reading.files}
        there = {file.name for file in self.store.states.iterdir()} if self.store.states.is_dir() else set()
        assert there == needed

    def bytes(self) -> int:
        return sum(file.stat().st_size for file in self.home.rglob("*") if file.is_file())


def identifier(text: list[int]) -> str:
    return hashlib.sha256(bytes(text)).hexdigest()[:16]


TestStore = Store.TestCase
TestStore.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
