"""One pass over a text: its passages are indexed, its tokens counted. Of a folder that was indexed before, only what
has changed since is passed over."""

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from mmxcli.models.tokenizer import Tokenizer
from mmxcli.reading.corpus import PARTED, Corpus, Place, nothing_to_read, text_of
from mmxcli.reading.progress import Note, Progress
from mmxcli.reading.tokens import TokenChunk, TokenStream
from mmxcli.recall.index import RecallIndex
from mmxcli.recall.renewal import is_worn, renewed
from mmxcli.recall.writer import Contained, IndexWriter
from mmxcli.sources.segment import Gap, Remark, Segment
from mmxcli.state.chain import TokenChain
from mmxcli.state.record import StoredReading


@dataclass(frozen=True, slots=True)
class Earlier:
    """An index that holds documents of another text already: the `kept` ones, by their names, with what was told of
    them."""

    index: RecallIndex
    kept: dict[str, Contained]
    gaps: tuple[Gap, ...]
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class Indexed:
    """`chain` is that of the prompt and all tokens; "" where some of them were counted before."""

    tokens: int
    chain: str
    gaps: tuple[Gap, ...]
    remarks: tuple[Remark, ...] = ()


def earlier(corpus: Corpus, stored: StoredReading, index: RecallIndex) -> Earlier | None:
    """What of `corpus` this index of another text holds already; None where that is less than half of the documents.

    Never its last document, which has no other behind it, so that its last tokens may be others.
    """
    if is_worn(index) or len({document.name for document in corpus.documents}) < len(corpus.documents):
        return None
    known = {(document.name, document.fingerprint): document for document in index.documents}
    kept = {}
    for document, fingerprint in zip(corpus.documents[:-1], corpus.fingerprints, strict=False):
        found = known.get((document.name, fingerprint))
        if found and found.tokens is not None:
            kept[document.name] = found
    if 2 * len(kept) < len(corpus.documents):
        return None
    gaps = (Gap(source, reason, page) for source, reason, page in stored.skipped if source in kept)
    remarks = (Remark(source, text) for source, text in stored.remarks if source in kept)
    return Earlier(index, kept, tuple(gaps), tuple(remarks))


def index_text(
    corpus: Corpus, path: Path, tokenizer: Tokenizer, prompt: Sequence[int], before: Earlier | None = None
) -> Generator[Progress | Note, None, Indexed]:
    """Writes the index to `path`, which must not exist yet. Raises InputError when there is nothing to read."""
    kept = before.kept if before else {}
    gaps, remarks = [*corpus.gaps, *(before.gaps if before else ())], list(before.remarks if before else ())
    visible = before is not None and next(before.index.passages(kept), None) is not None
    chain, counted = TokenChain(), DocumentTokens()
    chain.extend(prompt)
    if before:
        yield Note(f"{len(kept):,} of {len(corpus.documents):,} documents are as they were: the others are indexed")
    with renewed(before.index, path, kept) if before else IndexWriter(path) as writer:
        place = Place(corpus, kept)

        def texts() -> Iterator[str]:
            nonlocal visible
            position = 0
            for item in place.follow(corpus.items(kept)):
                text = text_of(item)
                if isinstance(item, Gap):
                    gaps.append(item)
                elif isinstance(item, Remark):
                    remarks.append(item)
                elif isinstance(item, Segment):
                    visible = visible or bool(text.strip())
                    writer.add(item)
                else:
                    counted.begin(position + len(text) - len(text.removeprefix(PARTED)))
                position += len(text)
                yield text

        for chunk in TokenStream(tokenizer).feed(texts()):
            counted.add(chunk)
            chain.extend(chunk.ids)
            yield Progress("index", place.done, corpus.size, "bytes", place.where)
        if not visible:
            raise nothing_to_read([document.name for document in corpus.documents], gaps)
        each = iter(counted.each())
        contained = [
            kept.get(document.name) or Contained(document.name, fingerprint, next(each, None))
            for document, fingerprint in zip(corpus.documents, corpus.fingerprints, strict=True)
        ]
        writer.finish(documents=contained)
    tokens = counted.tokens + sum(document.tokens or 0 for document in kept.values())
    return Indexed(tokens, "" if before else chain.hexdigest(), tuple(gaps), tuple(remarks))


class DocumentTokens:
    """How many tokens a text has, and each of its documents."""

    def __init__(self) -> None:
        self.tokens = 0
        self._starts = deque[int]()  # of documents, in code points of the text, that no chunk has reached yet
        self._before: list[int | None] = []  # tokens before each document; None where one reaches into it

    def begin(self, start: int) -> None:
        """A document begins there."""
        self._starts.append(start)

    def add(self, chunk: TokenChunk) -> None:
        while self._starts and self._starts[0] < chunk.end:
            place = self._starts.popleft() - chunk.start
            within = chunk.encoded.before(place) if place else 0
            self._before.append(None if within is None else self.tokens + within)
        self.tokens += len(chunk.ids)

    def each(self) -> list[int | None]:
        """Of all documents; None for the last, which would have more if another came, and where it is not known."""
        known = [None if None in both else both[1] - both[0] for both in pairwise(self._before)]  # type: ignore[operator]
        return [*known, None]
