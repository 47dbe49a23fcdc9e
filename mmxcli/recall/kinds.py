"""The kind of thing that a question asks for, an age, a colour, a sum, a length, a number or a time; and
whether a text has one.

The words are English, German, French, Spanish, Italian, Portuguese, Dutch, Russian and Chinese in one: where a word is
a number in another language alone, too much is taken to be said rather than too little.
"""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from mmxcli.recall.marks import unmarked
from mmxcli.recall.numbers import numbers

_QUANTITIES = r"""
    one single half halves quarters? dozens? scores? couple pair both none neither few several many twice thrice
    double triple hundreds thousands millions \w+score fortnight \w+pence penny free

    eins zwei drei vier fünf sechs sieben acht neun elf zwölf \w*zehn\w*
    \w*(?:zwan|vier|fünf|sech|sieb|acht|neun)zig\w* \w*dreißig\w* \w*hundert\w* \w*tausend\w* dutzend halb\w*
    \w*drit\w+ \w*viert\w+ beide\w*

    deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize vingt trente quarante
    \w*cinquante\w* \w*soixante\w* cent mille (?:diz|douz|quinz|vingt|trent|quarant|cinquant|soixant|cent)aines?
    demie?

    dos tres cuatro cinco seis siete ocho nueve diez doce trece catorce dieci\w+ veint\w+ treinta cuarenta cincuenta
    sesenta setenta ochenta noventa cien\w* \w+cient[oa]s mil docena medi[oa]

    tre quattro cinque sette otto nove dieci (?:un|do|tre|quattor|quin|se)dici diciassette diciotto diciannove venti
    vent\w+(?:uno|due|tre|quattro|cinque|sei|sette|otto|nove) trenta\w* quaranta\w* cinquanta\w* sessanta\w*
    settanta\w* ottanta\w* novanta\w* \w*cento mila dozzina mezz[oa]

    dois duas três sete oito dez doze treze quinze vinte trinta quarenta cinquenta sessenta cem dúzia mei[oa]

    twee drie vijf zes zeven negen tien twaalf (?:der|veer|vijf|zes|zeven|acht|negen)tien\w*
    \w*(?:twin|der|veer|vijf|zes|zeven|tach|negen)tig\w* \w*honderd\w* \w*duizend\w* dozijn halve

    один одна одно одного одной дв[аеу]\w* об[ае]\w* тр[иеё]\w* четыр\w* пят\w* шест\w* сем[ьи]\w* восем\w* восьм\w*
    девят\w* десят\w* \w*дцат\w* сорок\w* сто двести триста \w+ста \w+сот тысяч\w* миллион\w* половин\w* полтор\w*
    дюжин\w*
"""
_COLOURS = r"""
    black white gr[ae]y red blue green yellow orange purple violet pink brown gold\w* silver\w* crimson scarlet
    azure ivory cream beige tan maroon turquoise indigo khaki dark light pale bright colou?rless transparent fair
    blond\w* hazel

    schwarz\w* weiß\w* grau\w* rote?[mnrs]? blau\w* grün\w* gelb\w* lila rosa braun\w* dunkel\w* hell\w* noire?s?
    blanc(?:he)?s? grise?s? rouges? bleue?s? vertes? verts? jaunes? roses? bruns? marron dorée?s? foncée?s?
    negr[oa]s? blanc[oa]s? roj[oa]s? azul\w* amarill[oa]s? rosad[oa]s? pard[oa]s? dorad[oa]s? oscur[oa]s? clar[oa]s?
    ner[oaie] bianc[oa] bianch[ie] grigi\w* ross[oaie] blu azzurr\w* verd[ei] giall\w* marrone pret[oa]s?
    branc[oa]s? cinzent[oa]s? vermelh[oa]s? amarel[oa]s? castanh[oa]s? zwarte? witte? wit grijze? grijs rode? rood
    blauwe? groene? groen gele? geel paarse? bruine? bruin ч[её]рн\w* бел\w* сер\w* красн\w* син\w* голуб\w*
    зел[её]н\w* ж[её]лт\w* оранжев\w* розов\w* коричнев\w* золот\w* тёмн\w* светл\w*
"""
_LIFE = r"""
    years? old aged? ages born birth\w* boy girl lad lass man woman child son daughter infant months? centur\w+
    since built founded made jahr\w* alt lebensjahr\w* geboren gebaut gegründet ans âgée?s? née? naquit siècle años
    edad nacid[oa] siglo anni età nat[oa] secolo anos idade nascid[oa] século jaar oud leeftijd geboren eeuw лет
    год\w* родил\w* века?
"""
_TIMES = r"""
    jan(?:uary)? feb(?:ruary)? mar(?:ch)? apr(?:il)? (?-i:May) june? july? aug(?:ust)? sept?(?:ember)? oct(?:ober)?
    nov(?:ember)? dec(?:ember)? \w*days? morning noon night \w*night evening tonight yesterday tomorrow weeks?
    \w*months? years? centur\w+ hours? minutes? time after before until till during while when\w* once soon then now
    always never early late\w* ago since spring summer autumn winter christmas easter reign

    januar märz mai juni juli oktober dezember \w*tage?n?s? \w*woche?n?\w* \w*monate?n?\w* \w*jahre?s? \w*morgens?
    \w*abends? \w*nachts? uhr nach vor bis wenn sobald als \w*jahrhundert\w*

    janvier février mars avril juin juillet août jours? lundi mardi mercredi jeudi vendredi samedi dimanche
    semaines? mois matin soir nuit après avant quand lorsque ans? années? siècle

    enero febrero abril mayo junio julio agosto diciembre días? lunes martes miércoles jueves viernes sábado domingo
    semanas? mes(?:es)? mañana tarde noche después antes hasta cuando años? siglo

    gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre giorn[oi] \w+dì sabato domenica
    settiman[ae] mes[ei] mattina sera notte dopo prima quando ann[oi] secolo

    janeiro fevereiro março maio junho julho setembro outubro novembro dezembro dias? \w+feira semanas? mês manhã
    noite depois antes até anos? século

    maart mei augustus dagen \w*dag we[e]?k\w* maand\w* ja[a]?r\w* ochtend avond nacht na voor tot toen eeuw

    \w*январ\w* феврал\w* март\w* апрел\w* ма[йея] июн\w* июл\w* август\w* сентябр\w* октябр\w* ноябр\w* декабр\w*
    дн\w* день понедельник\w* вторник\w* сред[уы]\w* четверг\w* пятниц\w* суббот\w* воскресень\w* недел\w* месяц\w*
    год\w* утр\w* вечер\w* ноч\w* после перед пока когда лет\w* зим\w* осен\w* весн\w* век\w*
"""
_MONEY = r"""
    dollars? pounds? sterling shillings? pence penny \w+pence guineas? crowns? sovereigns? cents? euros? eur usd gbp
    chf francs? livres? sous florins? marks? mark thalers? taler ducats? doubloons? kron\w+ rupees? roubles? rubles?
    yen yuan lir[ae] pesetas? pesos? escudos? gulden рубл\w* руб копе[ей]\w* percent per[ ]cent prozent free nothing
    gratis kostenlos kostenfrei gratuit\w* бесплатн\w*
"""
_FIGURES = re.compile(r"[^\W_]*\d[\w.,:/-]*\w|\d|[½¼¾%£$€¥]|[一二三四五六七八九十百千万两半]")


def _words(listed: str, others: str = "") -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(listed.split())})\b{others}", re.I)


_QUANTITY, _OF_LIFE = _words(_QUANTITIES), _words(_LIFE, "|[岁生]")
_COLOUR = _words(_COLOURS, "|[红黄蓝绿白黑灰紫粉棕青银橙]")
_CURRENCY = _words(_MONEY, "|[£$€¥%元块]")
# A number that counts nothing which is named after it: "Fee: 400." The year of a date does not either, and is none.
_BARE = re.compile(r"(?<![\w.,:/-])\d[\d,]*(?:\.\d\d?)?(?=\s*(?:[.;)\]|\n]|,\s|$))")
_TIME = _words(_TIMES, "|[日月年点时天]|星期|周")


def _quantities(text: str) -> set[str]:
    """Its numbers by their value, its figures and words of quantity as they stand there."""
    found = {match.group().lower() for match in _FIGURES.finditer(text)}
    found |= {match.group().lower() for match in _QUANTITY.finditer(text)}
    return found | {f"={number.value}" for number in numbers(text)}


def _sums(text: str) -> set[str]:
    return {match.group().lower() for pattern in (_CURRENCY, _BARE) for match in pattern.finditer(text)}


def _colours(text: str) -> set[str]:
    return {match.group().lower() for match in _COLOUR.finditer(text)}


def _ages(text: str) -> set[str]:
    return _quantities(text) if _OF_LIFE.search(text) else set()


def _times(text: str) -> set[str]:
    return _quantities(text) | {match.group().lower() for match in _TIME.finditer(text)}


class Kind(NamedTuple):
    """`name` in words, `asked` in which questions, `said` what of the kind a sentence has, `given` an answer, which is
    about nothing else."""

    name: str
    asked: re.Pattern[str]
    said: Callable[[str], set[str]]
    given: Callable[[str], set[str]]


def _kind(name: str, said: Callable[[str], set[str]], asked: str) -> Kind:
    return Kind(name, re.compile(asked, re.I | re.X), said, _quantities if said in (_ages, _sums) else said)


# A question asks for the first that fits.
KINDS = (
    _kind(
        "an age",
        _ages,
        r"""\b(?: how[ ]old | (?:what|which)[ ]age | wie[ ]alt | welche[mns]?[ ]alter | quel[ ]âge | qué[ ]edad
        | cuántos[ ]años[ ]tiene | quanti[ ]anni[ ]ha | che[ ]età | (?:que|qual)[ ]idade | quantos[ ]anos[ ]tem
        | hoe[ ]oud | какой[ ]возраст )\b | 几岁 | 多大""",
    ),
    _kind(
        "a colour",
        _colours,
        r"""\b(?: (?:what|which)[ ]colou?rs? | welche[rn]?[ ]farbe | quelle[ ]couleur | (?:qué|de[ ]qué)[ ]color
        | (?:che|quale)[ ]colore | (?:que|qual)[ ]cor | welke[ ]kleur | как(?:ой|ого)[ ]цвета? )\b | 什么颜色""",
    ),
    _kind(
        "a sum",
        _sums,
        r"""\bhow[ ]much\b.*\b(?: costs? | pays? | paid | price\w* | charge\w* | earn\w* | spen[dt] | worth | fees?
        | rent | fines? | wages? | salary | owe\w* | sell | sold | buy | bought | borrow\w* | len[dt] | money )\b
        | \bwhat\b.*\b(?: price | fee | fine | wages? | salary )\b | \b(?: (?:was|wie[ ]?viel)[ ]kostet\w* | wie[ ]teuer
        | combien[ ]coûte\w* | quel\b.*\bprix | cuánto[ ]c(?:ue|o)st\w+ | quanto[ ]c(?:o|u)sta\w* | hoeveel[ ]kost\w*
        | сколько[ ]стои\w+ | как(?:ая|ова)[ ]цена )\b | 多少钱""",
    ),
    _kind(
        "a length",
        _times,
        r"""\b(?: how[ ]long | wie[ ]lange? | combien[ ]de[ ]temps | cuánto[ ]tiempo | quanto[ ]tempo | hoe[ ]lang
        | как[ ]долго )\b | 多久 | 多长""",
    ),
    _kind(
        "a number",
        _quantities,
        r"""\b(?: how[ ](?:many|much|far|high|deep|wide|tall|big|large|heavy|thick|broad|fast)
        | wie[ ]?(?:viele?n?r?|hoch|tief|breit|weit|groß|schwer) | combien | cuánt[oa]s? | quant[oaie]s? | hoeveel
        | hoe[ ](?:hoog|diep|breed|ver|groot|zwaar) | сколько )\b | 多少 | 几[个人天年次]""",
    ),
    _kind(
        "a time",
        _times,
        r"""\b(?: when[ ](?:did|do|does|is|are|was|were|will|shall|can|may|must|should|has|have|had)
        | (?:what|which)[ ](?:year|date|day|month|century)
        | wann | quand | cuándo | quando | wanneer | когда )\b | 什么时候 | 哪[一]?[天年]""",
    ),
)


def kind_asked(question: str) -> Kind | None:
    """What kind of thing a question asks for, if it is one of these."""
    return next((kind for kind in KINDS if kind.asked.search(question)), None)


def has_kind(kind: Kind, question: str, texts: Iterable[str]) -> bool:
    """Whether one of these texts has such a thing that the question does not have itself. Marks before a sentence are
    none."""
    own = kind.said(question)
    return any(kind.said(unmarked(text)) - own for text in texts)


def is_kind(question: str, answer: str) -> bool:
    """Whether an answer has the kind of thing that is asked for, if it is one of these."""
    kind = kind_asked(question)
    return kind is None or bool(kind.given(answer) - kind.given(question))
