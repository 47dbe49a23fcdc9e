"""Short passages on which is tried whether a model can tell what a text says in its own words (ability.py)."""

import re
from typing import NamedTuple

from mmxcli.models.chat import ChatTemplate
from mmxcli.reading.prompts import retelling_prompt
from mmxcli.reading.retelling import borne_out
from mmxcli.recall.sentences import sentences
from mmxcli.recall.stems import Stemmer

TO_RETELL = "retell"
SHORTER = 0.9  # of the words of the sentences that bear it out that a summary may have: to copy them is none


class Passage(NamedTuple):
    """`points`: what a summary must have of it. `twisted`: what those say who have not understood it, though each word
    of it stands there."""

    text: str
    points: tuple[str, ...]
    twisted: str

    def prompt(self, template: ChatTemplate) -> list[int]:
        return retelling_prompt(template, "\n".join(self._sentences))

    def done(self, written: str) -> tuple[bool, bool]:
        """Whether all points are told in fewer words, each sentence borne out and nothing twisted; and whether
        something is that was borne out."""
        own = self._sentences
        told = list(borne_out(Stemmer(), written, own))
        kept = " ".join(sentence for sentence, places in told if places)
        bearing = " ".join(own[place] for place in {place for _, places in told for place in places})
        twisted = re.search(self.twisted, kept, re.I) is not None
        whole = all(places for _, places in told) and all(re.search(point, kept, re.I) for point in self.points)
        return whole and not twisted and len(kept.split()) <= SHORTER * len(bearing.split()), twisted

    @property
    def _sentences(self) -> list[str]:
        return [self.text[start:end] for start, end in sentences(self.text)]


PASSAGES = (
    Passage(
        "It had rained for nine days, and the river stood high against the wall of the mill. Marta Lund had told her"
        " nephew Jon to keep the sluice shut, whatever happened. In the night Jon opened the sluice, though nobody was"
        " there to help him. By the morning the water had run off into the meadow, and the mill was saved. Nobody spoke"
        " of it at breakfast, which was bread and cold bacon as always.",
        (r"jon\b[^.]*opened", r"mill[^.]*saved|saved[^.]*mill"),
        r"marta(?: lund)? opened|jon (?:kept|keeps)|told by jon|jon (?:had )?told",
    ),
    Passage(
        "The office on the second floor has a green door and a bell that nobody hears. Requests for leave are handed in"
        " there, at least ten days before the leave begins. A request is granted by the head of the section, and not by"
        " the office, which only keeps the list. Who falls ill during leave gets those days back with a doctor's note."
        " The coffee machine next to the door takes coins only.",
        (r"ten days", r"head of the section", r"ill|note"),
        r"granted by the office|office[^.]{0,20}grants|ten days (?:of|after)|coins[^.]*leave",
    ),
    Passage(
        "Two ships left the harbour of Tarn in the same week of April. The Heron carried salt and was lost with all"
        " hands off the cape, where her mast was found in June. The Gannet carried timber and reached the colony after"
        " forty days, with two men sick. It had been a cold spring, and the gardens of the town were late. Her captain"
        " was given a clock by the owners, who never paid him what they owed.",
        (r"heron\b[^.]*lost", r"gannet\b[^.]*reached"),
        r"gannet(?:(?!heron)[^.]){0,40}lost|heron(?:(?!gannet)[^.]){0,40}reached|heron[^.]{0,20}timber|both ships",
    ),
    Passage(
        "For years it was said in the village that the teacher, Ada Voss, had stolen the silver of the church. The"
        " sexton's widow found the silver in 1931 behind the organ, where her husband had hidden it from the soldiers."
        " Ada Voss was dead by then, and her house had been sold to a dentist. The parish put a stone on her grave and"
        " asked her sister for forgiveness. The organ was tuned the year after.",
        (r"silver[^.]*behind the organ|found the silver", r"stone|forgiveness"),
        r"(?:\A|[.] )(?:(?!said|accus|suspect|wrong)[^.])*stole|widow(?:(?!husband)[^.]){0,30} (?:hid|stole)",
    ),
    Passage(
        "The cache holds the last two hundred pages that were asked for. A page that has changed on the disk is not"
        " taken from the cache, but read again. When the cache is full, the page goes that was not used for longest."
        " The module was written on a train between two conferences. The size can be set with the option `pages`, and"
        " zero turns the cache off.",
        (r"two hundred", r"changed[^.]*read again", r"longest"),
        r"changed[^.]{0,30} (?:is|are) taken from|most recently|(?<!not )used for longest|zero[^.]* on\b",
    ),
    Passage(
        "Doctor Hale wanted to leave for the coast on Monday, and his trunk stood packed in the hall. On Sunday the"
        " first cases of fever came down from the mine. Doctor Hale stayed in the town until October and lost his own"
        " son to the fever. The trunk was unpacked by the cook, who kept the straps. In the end eleven of ninety"
        " who had fallen ill were dead.",
        (r"hale stayed", r"fever", r"eleven"),
        r"hale (?:left|went|leaves|died|fell ill)|(?<!of )ninety[^.]{0,12} (?:died|dead|were dead)",
    ),
    Passage(
        "The trial compared a new salve with the old one in 240 patients. Wounds healed in nine days with the new salve"
        " and in eleven with the old one. The difference was not larger than chance alone may bring. Itching was more"
        " frequent with the new salve, so that thirty patients stopped using it. The tubes were blue and white.",
        (r"nine days", r"chance|not larger", r"itching"),
        r"itching[^.]{0,30}with the old|(?<!not )(?<!no )larger than|(?<!not )significant|old[^.]{0,12}nine",
    ),
    Passage(
        "Nobody in the house expected the letter, least of all Clara. It came from a lawyer in Bergen and said that her"
        " uncle had left his shipyard not to his son Erik, but to her. Erik read it twice and left the room without a"
        " word. The dog followed him as far as the gate. Clara sold the shipyard within a year and paid Erik half of"
        " what it had brought.",
        (r"left his shipyard|shipyard[^.]*to (?:her|clara)", r"clara sold"),
        r"(?:left|shipyard)(?:(?!not|clara|her\b)[^.]){0,30} to (?:his son )?erik|erik (?:sold|paid)|paid clara",
    ),
)
