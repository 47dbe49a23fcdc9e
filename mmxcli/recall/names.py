"""Who and what a text speaks of by name, by how many of its parts do."""

import re
from collections import Counter, defaultdict
from itertools import filterfalse

LONGEST = 3  # words of one name
FEWEST, SHARE = 4, 0.1  # parts that must have a name; of all parts
RARELY = 0.25  # of the times that a name stands there, so often it may in small letters
COMMON = 60  # words in small letters that the text has most
# Where no sentence begins: "said Captain Ahab", "the White Whale", "of Mr. Jaggers".
_RUN = re.compile(
    r"(?<=[a-z,;] )(?:(?:Mr|Mrs|Ms|Dr|St|Rev|Capt|Col|Gen)\. )?"
    rf"[A-Z][^\W\d_]+(?:[ -][A-Z][^\W\d_]+){{0,{LONGEST - 1}}}"
)
_WORD = re.compile(r"[^\W\d_]+")
# Days, forms of address, peoples and their languages: they tell no text from another.
_NO_NAMES = """
    january february march april may june july august september october november december monday tuesday wednesday
    thursday friday saturday sunday christmas easter god lord heaven sir madam mr mrs ms dr st rev capt col gen miss
    american arabic chinese christian dutch english european french german greek greeks indian irish italian japanese
    jewish latin roman romans russian scotch spanish turkish welsh esq vol chapter figure table section
"""
_NONE = frozenset(_NO_NAMES.split())


class Names:
    """Parts of a text are added one by one; names are then what several of them share and small letters seldom have."""

    def __init__(self) -> None:
        self._parts = 0
        self._spread: Counter[str] = Counter()
        self._small: Counter[str] = Counter()
        self._times: Counter[str] = Counter()
        self._forms: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def add(self, text: str) -> None:
        joined = " ".join(text.split())
        here: dict[str, None] = {}  # in their order
        for form in _RUN.findall(joined):
            for word in filterfalse(str.isupper, _WORD.findall(form)):
                self._forms[word][form] += 1
                self._times[word] += 1
                here[word] = None
        self._spread.update(here.keys())
        self._small.update(filter(str.islower, _WORD.findall(joined)))
        self._parts += 1

    def most(self, count: int) -> list[str]:
        """Those in most parts, each as it is most often written."""
        least, found = max(FEWEST, SHARE * self._parts), list[str]()
        for word in sorted(self._spread, key=lambda word: (-self._spread[word], -self._times[word])):
            if self._spread[word] < least or len(found) == count:
                break
            seldom = self._small[word.lower()] <= RARELY * self._times[word]
            if seldom and word.lower() not in _NONE:
                form = self._form(word)
                if not any({*form.split()} & {*name.split()} for name in found):
                    found.append(form)
        return found

    def _form(self, word: str) -> str:
        """A longer one, where it is the rule."""
        ((form, times),) = self._forms[word].most_common(1)
        return form if 2 * times > self._times[word] else word

    def common(self) -> frozenset[str]:
        """The words in small letters that it has most: a sentence without them is a list, or in another language."""
        return frozenset(word for word, _ in self._small.most_common(COMMON))


def introductions(name: str) -> tuple[re.Pattern[str], ...]:
    """What matches a sentence that says who or what it is, the plainest first: "Ishmael was a sailor", "The mate was
    Starbuck, a Quaker", "Stubb, the second mate, laughed"."""
    own = re.escape(name)
    before = r"(?:(?:the|an?|old|young|poor|little|captain|mr\.?|mrs\.?|miss|my|sir) ){0,3}(?:\w+ )?"
    is_one = r"(?:is|was|are|were|had been) (?:also |then |now |once )?(?:an?|the|one of|my|our) "
    plain = rf"(?i:{before}){own}(?:, [^,]{{1,40}},)? {is_one}"
    last = rf"(?:[^,;:]{{1,60}} )?(?:is|was|named|called) (?:\w+ )?{own}[,;] (?:an?|the|one|who)\b"
    beside = rf"(?:[^,;:]{{1,50}} )?{own}, (?:an?|the|my|our) [^,]{{3,80}},"
    return re.compile(f"{plain}|{last}"), re.compile(beside)
