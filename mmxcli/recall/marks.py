"""The numbers, letters and words that only say where a sentence stands or what it is: "4.2", "(b)", "§ 7", "Answer:".
They are no part of it."""

import re

_FIGURES = r"\d{1,3}(?:\.\d{1,3}){1,4}[.)]?"  # 4.2
# 12. or 12), (b) or b), (iv) or iv., § 7; a letter alone with a full stop is the beginning of a name.
_SINGLE = r"(?i:\(?\d{1,3}[.)]|\(?[a-z]\)|\(?[ivxlc]{1,7}\)|[ivxlc]{2,7}\.|§{1,2} ?\d{1,4}[a-z]?[.)]?)"
_OPENING = r"[ \t>|#*•·–—-]*"
_LARGE = r"(?=[\"'“‘„«(]?[^\W\d_a-zß-öø-ÿа-яё])"  # "1.40 m" is no clause 1.40
# Before a sentence, several of one line too, and after a heading, which has no full stop.
_MARKS = re.compile(rf"\s*{_OPENING}(?:(?:{_FIGURES}[ \t]+(?:{_LARGE}|(?=\())|{_SINGLE}[ \t]+)(?=\W{{0,3}}[^\W_]))+")
_AFTER_HEADING = re.compile(rf"\n{_OPENING}{_FIGURES}[ \t]+{_LARGE}")
# As questions and answers begin in lists of them, and the parts of our own prompts, for which a text could be taken.
_LABELS = r"""
    q a question answer text sentence most\srelevant frage antwort réponse pregunta respuesta domanda risposta pergunta
    resposta vraag antwoord вопрос ответ 问 答 問 سؤال جواب
"""
_LABEL = re.compile(rf"^{_OPENING}(?:{'|'.join(_LABELS.split())})[ \t]*[:：][ \t]*", re.I | re.M)
_SAYS = re.compile(r"[.!?;:…。！？\d\n]")
LONGEST = 8  # words of a heading
_PLACES = r"""
    clauses? sections? articles? chapters? paragraphs? headings? titles? items? rules? steps? numbers? numbered lines?
    schedules? annex\w* appendi\w+ klauseln? abschnitte? artikels? kapitel paragraph\w* absatz ziffer nummer
    überschrift chapitres? numéros? titres? secci[oó]n\w* art[ií]culos? cap[ií]tulos? n[uú]meros? títulos? articol[oi]
    capitol[oi] titol[oi] sezion[ei] artigos? hoofdstuk\w* стать\w+ пункт\w* раздел\w* глав[аеуы]\w* номер\w*
"""
_PLACE = re.compile(rf"\b(?:{'|'.join(_PLACES.split())})\b|§|[条章节節項]", re.I)


def asks_for_place(question: str) -> bool:
    """Whether a clause, a section, a number or a title may be what it asks for."""
    return _PLACE.search(question) is not None


def unmarked(text: str) -> str:
    """A sentence without the marks before it."""
    found = _MARKS.match(text)
    return _AFTER_HEADING.sub("\n", text[found.end() :] if found else text)


def unlabelled(text: str) -> str:
    """Lines without the label of a question or an answer before them."""
    return _LABEL.sub("", text)


def is_heading(text: str) -> bool:
    """Whether a text only names what comes below it: a few words without a full stop, after a mark or in capitals."""
    plain = unmarked(text).strip()
    named = plain != text.strip() or plain.isupper()
    return named and len(plain.split()) <= LONGEST and not _SAYS.search(plain)
