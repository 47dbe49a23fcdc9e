"""E-mail as programs really write it: every text of a message is read or told."""

import base64
from email.message import EmailMessage

import pytest
from formats import mailbox, message
from hypothesis import given, settings
from hypothesis import strategies as st
from test_formats import SENTENCE, checked, parsed

from mmxcli.sources.mail import MOST_DEPTH, MailReader

TOP = b"Message-ID: <1@x>\nMIME-Version: 1.0\nFrom: ada@example.org\nSubject: The loom\n"


def mail(*parts: bytes, kind: str = "mixed", boundary: str = "X") -> bytes:
    """Each part with its headers."""
    body = b"".join(b"--%b\n%b\n" % (boundary.encode(), part) for part in parts)
    return (
        TOP + f"Content-Type: multipart/{kind}; boundary={boundary}\n\n".encode() + body + f"--{boundary}--\n".encode()
    )


def part(kind: str, text: str | bytes, more: str = "") -> bytes:
    body = text if isinstance(text, bytes) else text.encode()
    return f"Content-Type: {kind}\n{more}\n".encode() + body


def read(data: bytes, name: str = "f.eml") -> tuple[str, list[str]]:
    found, segments, gaps = parsed(data, name)
    assert found == "e-mail"
    return checked(segments), [gap.reason for gap in gaps]


@pytest.mark.parametrize("plain", ["", " ", "Your program shows no HTML", "Open <b>elsewhere</b>"])
def test_a_stub_hides_no_alternative(plain: str) -> None:
    event = part("text/calendar", "BEGIN:VCALENDAR\nSUMMARY:Weaving\n")
    text, gaps = read(
        mail(part("text/plain", plain), part("text/html", "<p>Punched cards</p>"), event, kind="alternative")
    )
    assert plain.strip() in text and "Punched cards\n" in text and "SUMMARY:Weaving" in text and not gaps


@given(sentences=st.lists(SENTENCE, min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_what_two_alternatives_say_is_read_once(sentences: list[str]) -> None:
    plain, html = part("text/plain", "\n\n".join(sentences)), "".join(f"<p>{one}</p>" for one in sentences)
    alone, _ = read(TOP + plain)
    both, gaps = read(mail(plain, part("text/html", html), kind="alternative"))
    assert both == alone and not gaps


def test_what_stands_beside_an_alternative_is_read() -> None:
    html, log, tail = part("text/html", "<p>html</p>"), part("text/plain", "the log"), part("text/html", "tail")
    inner = mail(html, log, tail, boundary="Y")
    text, gaps = read(mail(part("text/plain", "plain"), inner, kind="alternative"))
    assert all(word in text for word in ("plain", "html", "the log", "tail")) and not gaps


def test_messages_within_keep_their_headers() -> None:
    inner = b"From: INNERFROM@x\nTo: INNERTO@y\nSubject: INNER\n\nthe kernel\n"
    packed = part("message/rfc822", base64.b64encode(inner), "Content-Transfer-Encoding: base64\n")
    for held in (part("message/rfc822", inner), packed):
        text, gaps = read(mail(part("text/plain", "outer"), held))
        assert "outer\n\nAttachment: message\n\nFrom: INNERFROM@x\nTo: INNERTO@y\nSubject: INNER\n\nthe kernel" in text
        assert not gaps


def test_messages_within_messages_are_read_so_deep_and_then_told() -> None:
    data = message("innermost", "the kernel")
    for depth in range(MOST_DEPTH + 1):
        text, gaps = read(data)
        assert "the kernel" in text and not gaps, depth
        data = mail(part("message/rfc822", data), boundary=f"B{depth}")
    text, (gap,) = read(data)
    assert gap.endswith(f"attachment message: a message within {MOST_DEPTH} others")


def test_what_a_server_reports_is_read() -> None:
    status = "Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; who@x\nDiagnostic-Code: smtp; 550 mailbox full\n"
    kinds = ("message/delivery-status", "message/disposition-notification", "message/feedback-report")
    for kind in kinds:
        text, gaps = read(mail(part("text/plain", "Sorry."), part(kind, status), kind="report"))
        assert "Sorry." in text and "Reporting-MTA: dns; mx\n" in text and "550 mailbox full" in text and not gaps


@pytest.mark.parametrize("kind", ["plain", "html"])
@pytest.mark.parametrize(
    ("text", "charset", "really"),
    [
        ("北京 朱镕基", "gb2312", "gb18030"),
        ("髙橋さん①", "shift_jis", "cp932"),
        ("“quoted”", "iso-8859-1", "cp1252"),
        ("Grüße aus Köln", "utf-8", "utf-8"),
        ("Grüße aus Köln", "x-unknown", "utf-8"),
        ("Grüße aus Köln", "us-ascii", "utf-8"),
    ],
)
def test_texts_in_what_their_charset_means(kind: str, text: str, charset: str, really: str) -> None:
    body = f"<html><body>{text}</body></html>" if kind == "html" else text
    found, gaps = read(TOP + part(f"text/{kind}; charset={charset}", body.encode(really)))
    assert text in found and not gaps


def test_bytes_that_are_not_in_the_charset_are_told() -> None:
    data = "Москва и река. ".encode("koi8-r") * 9
    text, gaps = read(TOP + part("text/plain; charset=utf-8", "Grüße ".encode() * 20 + b"\xff!"))
    assert gaps == ["1 bytes are not utf-8"] and text.endswith("Grüße \ufffd!\n\n")
    text, gaps = read(TOP + part("text/plain; charset=utf-8", data))
    assert "Москва и река." in text and not gaps


def test_headers_and_text_that_tell_no_charset(document) -> None:
    data = TOP.replace(b"The loom", "Москва".encode("koi8-r")) + b"\n" + "Москва и река. ".encode("koi8-r") * 9
    items = list(document(data, "f.eml").segments())
    assert "Subject: Москва\n\nМосква и река." in items[1].text
    assert [item.text.partition(", ")[0] for item in (items[0], items[2])] == [
        "its headers: read as koi8-r",
        "its text: read as koi8-r",
    ]
    first, *_ = MailReader("cp866").read(document(data, "f.eml").content)
    assert "Subject: " + "Москва".encode("koi8-r").decode("cp866") in first.text


@pytest.mark.parametrize(
    ("data", "words", "told"),
    [
        (part("text/plain", "SGVsbG8gV09STEQ", "Content-Transfer-Encoding: base64\n"), "Hello WORLD", "base64"),
        (part("text/plain", "SGVsbG8gV09STEQhI", "Content-Transfer-Encoding: base64\n"), "Hello WORLD!", "base64"),
        (part("multipart/mixed; boundary=Q", "the words\n"), "the words", "not marked as it says"),
        (part("multipart/mixed", "the words\n"), "the words", "not marked as it says"),
        (part("multipart/mixed; boundary=Q", "--Q\n\nthe words\n"), "the words", "ends too early"),
        (part("text/plain", b"\0\1\2\3" * 99), "", "binary"),
        (part("text/plain", "the words", "Content-Disposition: ;;=?;\nTo: <<@>,;:\n"), "the words", ""),
    ],
)
def test_damage_is_told(data: bytes, words: str, told: str) -> None:
    text, gaps = read(TOP + data)
    assert words in text and len(gaps) == bool(told) and told in "".join(gaps)


def test_an_empty_text_is_no_damage() -> None:
    assert read(mail(part("text/plain", ""), part("text/html", "<html><body>&nbsp;</body></html>")))[1] == []


def test_a_message_that_cannot_be_parsed_leaves_the_others() -> None:
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=%d\n\n--%d\n" % (at, at) for at in range(3000))
    _, segments, gaps = parsed(mailbox([message("one", "first"), TOP + deep, message("three", "third")]), "f.mbox")
    text = checked(segments)
    assert "first" in text and "third" in text
    assert any(gap.reason.startswith("message 2: ") for gap in gaps)


def test_archives_in_messages_are_told() -> None:
    from formats import zipped

    _, gaps = read(message("Ship", "See there.", attachment=zipped({"a.txt": "text"}), name="a.zip"))
    assert gaps == ["attachment a.zip: an archive, which is not opened"]


@pytest.mark.parametrize(
    "data",
    [
        b'Message-ID: <1@x>\nFrom: "A very long name"\n <a@b.c>\nContent-Transfer-Encoding: base64\n\nSGVsbG8=',
        b"\xef\xbb\xbf" + TOP + b"Content-Transfer-Encoding: base64\n\nSGVsbG8=",
        b"From: a@b.c\nContent-Transfer-Encoding: base64\n\nSGVsbG8=",
        b"From: a@b.c\r\nDate: Mon, 1 Jan 2024 00:00:00 +0000\r\n\r\nHello",
        b"\xef\xbb\xbfFrom a@b.c Mon Jan  1 00:00:00 2024\nFrom: a@b.c\n\nHello",
    ],
)
def test_messages_of_any_program_are_recognised(data: bytes) -> None:
    text, gaps = read(data)
    assert "Hello" in text and "a" in text.partition("\n")[0] and not gaps


def test_texts_that_begin_like_a_message_are_none() -> None:
    for text in (
        b"from: a@b.c\ndate: 2024-01-01\ntitle: Notes\n",
        b"From now on, 2024\nnote: this\n",
        b"Note: this\n\na",
    ):
        assert parsed(text, "notes.md")[0] == "text"


@pytest.mark.parametrize(
    "separator",
    [
        "From a@b.c Mon Jan  1 00:00:00 2024",
        "From a at b.c  Mon Jan  1 00:00:00 2024",
        "From  Mon Jan  1 00:00:00 2024",
        "From - Mon Jan 01 00:00:00 2024",
        "From 1787@xxx Mon Jan 01 00:00:00 +0000 2024",
        "From a@b.c Mon, 01 Jan 2024 00:00:00 +0100",
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_only_real_separators_part_messages(separator: str, end: str) -> None:
    body = [
        "hello",
        "",
        "From now on it is 2024",
        "more: words",
        "",
        "From a@b.c Mon Jan  1 00:00:00 2024",
        "a quote",
        "",
    ]
    lines = [
        separator,
        "From: a@b.c",
        "Subject: one",
        "",
        *body,
        separator,
        "From: a@b.c",
        "Subject: two",
        "",
        "bye",
        "",
    ]
    _, segments, gaps = parsed(end.join(lines).encode(), "f.mbox")
    assert [one.place and one.place.words for one in segments] == ["message 1: one", "message 2: two"]
    assert "\n".join(body).strip() in segments[0].text and "bye" in segments[1].text and not gaps


def test_a_mailbox_of_unknown_encodings_is_told_in_a_few_lines(document) -> None:
    one = TOP + b"\n" + "Москва и река. ".encode("koi8-r") * 9
    remarks = [item.text for item in document(mailbox([one] * 30), "f.mbox").segments() if hasattr(item, "text")]
    assert len([text for text in remarks if "sure" in text]) == 9 and remarks[-1] == "21 more such remarks"


def test_attachments_that_only_say_that_they_are_text() -> None:
    from formats import docx

    mail = EmailMessage()
    mail["From"], mail["Message-ID"] = "a@b.c", "<1@x>"
    mail.add_attachment(docx([("The storm", ["The gale."])]), maintype="text", subtype="plain", filename="a.docx")
    mail.get_payload(0).set_param("charset", "iso-8859-1")  # type: ignore[union-attr]
    text, gaps = read(mail.as_bytes())
    assert "The gale." in text and not gaps


@pytest.mark.parametrize(("text", "charset", "really"), [("朱镕基", "gb2312", "gbk"), ("①髙", "Shift_JIS", "cp932")])
def test_headers_in_what_their_charset_means(text: str, charset: str, really: str) -> None:
    word = f"=?{charset}?B?{base64.b64encode(text.encode(really)).decode()}?="
    found, gaps = read(TOP.replace(b"The loom", word.encode()) + b"\nHello")
    assert f"Subject: {text}\n" in found and not gaps
