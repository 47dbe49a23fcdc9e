"""What parts of a text say, in the words of a model that can tell it (trials.py), as far as the text bears them out."""

import hashlib
import re
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import replace

from mmxcli.reading.conversation import POINTING
from mmxcli.reading.corpus import Corpus, text_of
from mmxcli.reading.prompts import carried_prompt, retelling_prompt
from mmxcli.reading.scribe import Scribe
from mmxcli.reading.session import Reading, Session, Told
from mmxcli.reading.stops import Stops
from mmxcli.recall.backing import Stems, adds
from mmxcli.recall.bearing import bearers
from mmxcli.recall.gist import ENDED, FAR, Statement, gist, length
from mmxcli.recall.gist import Told as Tells
from mmxcli.recall.index import RecallIndex
from mmxcli.recall.parts import Part
from mmxcli.recall.passages import is_code
from mmxcli.recall.sentences import sentences
from mmxcli.recall.words import words
from mmxcli.sources.segment import Segment
from mmxcli.state.model_state import ModelState

TOKENS = 160  # that are written about a stretch
SHORT, ROOM = 600, 4_000  # code points that are told as they are; that a model reads at once without a state
BEFORE = 60  # words of what came before that it then reads too
UNTOLD = 40  # words of the text itself where the model wrote nothing
_BULLET = re.compile(r"(?:[-*•#]+|\(?\d{1,2}[.)])\s+")

End = tuple[str, int]  # of a part: its source, and where in that it ends


class Reteller:
    """Tells one part after the other, in the order of the text. `carried` is what was written about parts by a state
    that had read the text up to their end."""

    def __init__(self, index: RecallIndex, scribe: Scribe, carried: Mapping[End, str]) -> None:
        self._index, self._scribe, self._carried = index, scribe, carried
        self._lines: dict[str, list[Statement]] = {}  # of the parts before, for each source

    def told(self, part: Part, given: Sequence[Statement]) -> Generator[Told, None, list[Statement]]:
        """What to say in place of `given`: the sentences of the part, or the lines of its parts."""
        if not is_told(part) or sum(len(one.text) for one in given) <= SHORT:
            return list(given)
        written = None if part.parts else self._carried.get((part.source, part.end))
        if written is not None:
            lines = held(self._index, written, given)
        else:
            stretches, template = list(_stretches(given)), self._scribe.template
            before = "" if part.parts else self._before(part.source)
            texts = ["\n".join(one.text for one in stretch) for stretch in stretches]
            prompts = [retelling_prompt(template, text, before) for text in texts]
            every = yield from self._scribe.write(prompts, TOKENS, None)
            both = zip(every, stretches, strict=True)
            lines = [line for written, stretch in both for line in held(self._index, written, stretch)]
        if not part.parts:
            self._lines.setdefault(part.source, []).extend(lines)
        return lines

    def _before(self, source: str) -> str:
        """In short; of the same document alone, so that a change in one leaves what is written about others."""
        lines = self._lines.get(source, [])
        weights = Tells(self._index, " ".join(one.text for one in lines)).weights(self._index)
        return " ".join(one.text for one in gist(self._index, lines, weights, BEFORE))


def is_told(part: Part) -> bool:
    """Whether it is prose, and has a text of its own or parts that have."""
    return not (part.is_apparatus or is_code(part.source)) and (not part.source or part.end - part.start > SHORT)


def carried(
    session: Session, scribe: Scribe, reading: Reading, whole: Part
) -> Generator[Told, None, tuple[Reading, Mapping[End, str]]]:
    """The text read in full, and what the model then wrote at the end of each part without parts, from a fork of its
    state; what was written before of a text that is the same up to there is not written again."""
    titles = {(part.source, part.end): part.title for part in whole.leaves if is_told(part)}
    written: dict[End, str] = {}
    wanted: list[tuple[int, End, list[int], str]] = []
    for end, place, digest in _places(reading.corpus, titles):
        prompt, read = carried_prompt(session.template, titles[end]), f"{session.maker('full')} {digest} "
        known = scribe.known(prompt, TOKENS, read)
        if known is None:
            wanted.append((place, end, prompt, read))
        else:
            written[end] = known

    def visit(number: int, state: ModelState) -> Iterator[Told]:
        _, end, prompt, read = wanted[number]
        (written[end],) = yield from scribe.write([prompt], TOKENS, None, state, read)

    reading = yield from session.read_in_full(reading, Stops([place for place, *_ in wanted], visit))
    return reading, written


def _places(corpus: Corpus, ends: Collection[End]) -> Iterator[tuple[End, int, str]]:
    """Where in all text each of the ends is, in its order, and a digest of what comes before."""
    of_source: dict[str, list[int]] = {}
    for source, end in sorted(ends):
        of_source.setdefault(source, []).append(end)
    length, digest = 0, hashlib.sha256()
    for item in corpus.items():
        text = text_of(item)
        if isinstance(item, Segment):
            for end in of_source.get(item.source, ()):
                if item.start < end <= item.start + len(text):
                    before = digest.copy()
                    before.update(_bytes(text[: end - item.start]))
                    yield (item.source, end), length + end - item.start, before.hexdigest()
        digest.update(_bytes(text))
        length += len(text)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _stretches(given: Sequence[Statement]) -> Iterator[list[Statement]]:
    """As many in each as a model reads at once."""
    stretch, size = list[Statement](), 0
    for one in given:
        if stretch and size + len(one.text) > ROOM:
            yield stretch
            stretch, size = [], 0
        stretch.append(one)
        size += len(one.text)
    yield stretch


def held(index: RecallIndex, written: str, given: Sequence[Statement]) -> list[Statement]:
    """The sentences that `given` bears out, in its order. In place of others stand as many words of the best of
    `given`; so do those that bear out a sentence which is no shorter: it adds nothing."""
    lines: list[tuple[int, Statement]] = []
    lacking = 0
    for sentence, places in borne_out(index, written, [one.text for one in given]):
        bearing = [given[place] for place in places]
        if not places:
            lacking += length(sentence)
        elif length(sentence) >= sum(length(one.text) for one in bearing):
            lines += [both for both in zip(places, bearing, strict=True) if both not in lines]
        else:
            also = tuple((one.source, one.start, one.end) for one in bearing[1:])
            lines.append((places[0], replace(bearing[0], text=sentence, origin="written", also=also)))
    if lacking or not lines:
        told = {place for place, _ in lines}
        others = [one for place, one in enumerate(given) if place not in told]
        weights = Tells(index, " ".join(one.text for one in given)).weights(index)
        lines += [(given.index(one), one) for one in gist(index, others, weights, lacking or UNTOLD)]
    return [line for _, line in sorted(lines, key=lambda both: both[0])]


def borne_out(index: Stems, written: str, texts: Sequence[str]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Each sentence that adds something to those before, and the places in `texts` of those that bear it out; none
    where a clause is not borne out, or it is not clear by itself."""
    said = ""
    for start, end in sentences(written):
        sentence = _BULLET.sub("", " ".join(written[start:end].split()), count=1)
        if not adds(index, said, sentence):
            continue
        places = bearers(index, "", sentence, texts) if _is_clear(sentence) else ()
        said += f" {sentence}" if places else ""
        yield sentence, places


def _is_clear(sentence: str) -> bool:
    """Whether it came to its end, and does not begin with a word that stands for another."""
    first = next(iter(words(sentence)), None)
    pointing = first is None or first.text.lower() in POINTING
    return not pointing and length(sentence) <= FAR.longest and ENDED.search(sentence) is not None
