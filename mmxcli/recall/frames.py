"""Words that say nothing about where an answer stands: those that frame a question or a sentence, by language."""

import re
import unicodedata
from functools import lru_cache

_ENGLISH = """
    a about above after again against all am an and any are as at be because been before being
    below between both but by can cannot could did do does doing down during
    each few for from further had has have having he her here hers herself him himself
    his how i if in into is it its itself just many me more most much my myself no nor not now of off often on
    once only or other our ours ourselves out over own same shall she should so some such
    than that the their theirs them themselves then there these they this those through to too under
    until up upon us very was we were what when where which while who whom whose why will
    with would you your yours yourself yourselves according please tell
"""
# German, French, Spanish, Italian, Portuguese, Dutch, Russian, Arabic; single letters stand before apostrophes.
_FOREIGN = """
    ab aber alle als am an auch auf aus bei bin bis da damit dann darf das dass dem den denn der des die dies diese
    dieser du durch ein eine einem einen einer eines er es für gegen gibt hat haben hatte ich ihm ihn ihr ihre im in
    innerhalb ist kann kein keine man mehr mit muss nach nicht noch nur ob oder ohne seit sein seine sich sie sind
    so soll über um und uns unter viel viele vom von vor wann war waren warum was wegen welche welchem welchen
    welcher welches wem wen wenn wer werden wessen wie wieso wird wo wobei wodurch woher wohin womit worden wurde
    wurden zu zum zur zwischen

    a à au aucun aussi aux avait avec avoir c ce cela ces cet cette combien comme comment d dans de des dit doit
    dont du elle elles en est et était être eut faut fut il ils j je l la le les leur leurs lors lui m mais me met n
    ne ni nos notre nous on ont ou où par pas peut plus pour pourquoi qu quand que quel quelle quelles quels qui
    quoi s sa sans se sera ses si son sont sous sur t tu un une vers vos votre vous y

    a al algo ante como cómo con cual cuál cuáles cuando cuándo cuánta cuántas cuánto cuántos de del desde donde
    dónde durante e el él ella en entre era eran es esa ese eso esta está están este esto fue fueron ha hace hacia
    han hasta hay la las le les lo los más me muy ni no nos o para pero por porque que qué quien quién quiénes se
    según ser si sin sobre son su sus tiene tienen un una unas uno unos y ya

    a ad agli ai al alla alle allo anche c che chi ci come con cosa cui d da dal dalla dalle dei del della delle
    dello di do dove e è era erano fu gli ha hanno i il in l la le lo loro ma nei nel nella nelle non o per perché
    più qual quale quali quando quanta quante quanti quanto questa questo qui se si sono su sua sue sui sul sulla
    suo suoi un una uno

    a ao aos as até com como da das de depois do dos e é ela ele eles em entre era eram essa esse esta está este foi
    foram há isso já mais mas na não nas no nos o onde os ou para pela pelo por porque qual quais quando quanta
    quantas quanto quantos que quem se sem ser seu seus são sobre sua suas também tem um uma

    aan als bij dan dat de deze die dit door een en er geen had heb heeft hem het hij hoe hoeveel hun ik in is je
    kan maar men met mijn na naar niet nog of om onder ook op over te tegen toen tot u uit van veel voor waar waarom
    waarin wanneer waren was wat we welk welke werd werden wie wordt worden ze zich zij zijn zo zonder zou

    а без бы был была были было быть в вам вас весь во вот все всё вы где да для до его её если есть ещё же за зачем
    и из или им их к как какая какие какого какое каков какой когда которая которое которые который кто куда ли
    между меня мне мы на над не него неё нет ни но о об она они оно от откуда по под почему при про с сколько со так
    также там то того тоже только у уже чей чем что чтобы чья эта эти это этот я

    أن أو أي أين إلى إن التي الذي الى ان اين ب بعد بين تم ثم حتى ذلك على عن عند في قبل قد كان كانت كل كم كيف لا لم
    لماذا له لها ما ماذا متى مع من منذ منها منه هذا هذه هل هم هو هي و
"""
# In scripts without spaces, where a word is not known from what stands beside it: Chinese, Japanese, Thai.
_SPACELESS = re.compile(
    "为什么|為什麼|什么|什麼|怎么|怎麼|怎样|怎樣|多少|如何|几|幾|谁|誰|哪|吗|嗎|呢|不|没|沒|的|了|是|在|有|被|把|都|就|和|与|與|也"
    "|なぜ|どこ|いつ|どの|どう|どれ|なに|だれ|いくら|いくつ|何(?=[^一-鿿]|[時年月日人円])|です|ます|まし|でし|[はがをにのへとでもか]"
    "|ใคร|อะไร|ที่ไหน|ไหน|เมื่อไหร่|เมื่อไร|เท่าไหร่|เท่าไร|กี่|อย่างไร|ยังไง|ทำไม|ไหม|หรือไม่|ไม่|ที่|ของ|และ|เป็น|อยู่|มา|จาก|ให้|ได้|ว่า"
)
LEAST = 2  # words of a language, and of another not of English, that a text must have to be surely in it
_WORD = re.compile(r"[^\W\d_]+")


def frame(text: str) -> frozenset[str]:
    """The framing words of the language that a text seems to be in, folded; English where nothing tells more."""
    said = _said(text)
    best = max(_OTHERS, key=lambda words: len(said & words))
    foreign = len(said & best - ENGLISH) >= LEAST and len(said & best) > len(said & ENGLISH)
    return best if foreign else ENGLISH


def is_english(text: str) -> bool:
    """As far as its framing words and its letters tell: an English question may name Zoë."""
    sure = len(_said(text) & ENGLISH) >= LEAST
    return frame(text) is ENGLISH and (sure or not any(letter > "\x7f" and letter.isalpha() for letter in text))


def _said(text: str) -> set[str]:
    """Its words, folded."""
    return {folded(word) for word in _WORD.findall(text)}


def is_framed(text: str) -> bool:
    """Whether it has a question mark, or a word that frames a question or a sentence, in any language. Search terms
    have none: their operators (AND, NEAR) are in capitals alone."""
    if any(mark in text for mark in "?？؟") or _SPACELESS.search(text):
        return True
    words = (word for word in _WORD.findall(text) if len(word) > 1 and (text.isupper() or not word.isupper()))
    return any(folded(word) in _ANY for word in words)


def framing(text: str) -> set[int]:
    """Where characters of scripts without spaces stand that only frame a question."""
    return {at for found in _SPACELESS.finditer(text) for at in range(*found.span())}


@lru_cache(maxsize=65_536)
def folded(word: str) -> str:
    """A word in small letters and without accents."""
    plain = word.lower()
    if plain.isascii():
        return plain
    return "".join(c for c in unicodedata.normalize("NFD", plain) if unicodedata.category(c) != "Mn")


ENGLISH = frozenset(_ENGLISH.split())
_OTHERS = tuple(frozenset(map(folded, words.split())) for words in _FOREIGN.split("\n\n"))
_ANY = ENGLISH.union(*_OTHERS)
