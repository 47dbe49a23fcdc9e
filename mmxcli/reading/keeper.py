"""The states of one text in the store: the longest that is there, and those that the reading adds."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain

from mmxcli.errors import DamagedError
from mmxcli.reading.corpus import changed
from mmxcli.state.model_state import ModelState
from mmxcli.state.prefix import prefixes
from mmxcli.state.record import StoredReading
from mmxcli.state.saving import load_snapshot
from mmxcli.state.snapshot import Snapshot
from mmxcli.state.store import ReadingStore


class Keeper:
    """Works on the full reading `stored` of a text that the model reads after `prompt`. `pages`: how keys and values
    are kept (state/pages.py). `device`: that of the model."""

    def __init__(
        self,
        store: ReadingStore,
        stored: StoredReading,
        prompt: Sequence[int],
        pages: str = "memory",
        device: str = "cpu",
    ) -> None:
        self.store = store
        self._pages = pages
        self._device = device
        self.stored = stored
        self.prompt = prompt
        self._last: Snapshot | None = None  # what the state at hand goes on from

    def begin(self, ids: Iterable[Sequence[int]], *, whole: bool = True) -> ModelState | None:
        """The longest stored state that has read the prompt and a beginning of `ids`, the text's tokens, whichever text
        it was made for. `ids` is used only where that must be found out, as where they are not the `whole` text.

        Raises DamagedError when a state of this reading itself is not as it was written.
        """
        last = [snapshot for snapshot in self.stored.snapshots if snapshot.chain == self.stored.chain]
        if self.stored.complete and last and whole:
            self._last = last[-1]
            return self._load(last[-1])
        candidates = self.store.snapshots(self.stored.stream)
        common = prefixes(chain([self.prompt], ids), candidates) if candidates else []
        if not common:
            return None
        with self.store.keeping():  # from here on what is there stays, until the record names it
            there = [snapshot for snapshot in common if self.store.holds(snapshot)]
            while there:
                try:
                    return self._taken(there)
                except DamagedError:
                    current = self.store.get(self.stored.id)
                    if current and there[-1] in current.snapshots:
                        raise
                there.pop()  # that of another text
        return None

    def _taken(self, there: Sequence[Snapshot]) -> ModelState:
        """The last of them, from now on in the record together with those before it."""
        state = self._load(there[-1])
        self._last = there[-1]
        with suppress(OSError):  # a home that cannot be written to
            self.store.note(replace(self.stored, snapshots=tuple(there), read_tokens=self._read(state)))
        self._refresh()
        return state

    def save(self, state: ModelState) -> None:
        """Stores `state`, which has read on. Raises OSError when it cannot be written: what was stored stays;
        InputError when it has read to the end of another text than the one that was indexed."""
        if self._read(state) >= self.stored.tokens:
            self.check(state)
        self._last = self.store.keep(self.stored, state, self._last, self._read(state))
        self._refresh()

    def check(self, state: ModelState) -> None:
        """Raises InputError unless `state` has read the whole text, the one that was indexed."""
        if state.chain.hexdigest() != self.stored.chain:
            raise changed(self.stored.sources)

    def _read(self, state: ModelState) -> int:
        """How many tokens of the text it has read."""
        return state.position - len(self.prompt)

    def _refresh(self) -> None:
        self.stored = self.store.get(self.stored.id) or self.stored

    def _load(self, snapshot: Snapshot) -> ModelState:
        try:
            return load_snapshot(snapshot, self.store.states, self.stored.stream, self._pages, self._device)
        except DamagedError as error:
            raise DamagedError(f"{error}: remove it with `mmx states rm {self.stored.id}`") from None
