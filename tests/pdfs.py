"""Small PDFs, written byte by byte."""

import io
import zlib
from collections.abc import Sequence

HELVETICA = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
DRAWING = b"10 10 50 50 re f"  # a filled square: something to see, nothing to read


def showing(*lines: str) -> bytes:
    """The content of a page with these lines of Latin-1 text."""
    shown = b" ".join(b"<%s> Tj T*" % line.encode("latin-1").hex().encode() for line in lines)
    return b"BT /F1 12 Tf 14 TL 20 700 Td %s ET" % shown


def pdf(
    *contents: bytes | None,
    font: bytes = HELVETICA,
    extra: tuple[bytes, ...] = (),
    count: int = 0,
    packed: bool = False,
) -> bytes:
    """A PDF with one page for each content; None is a page without any. `extra` objects number from 4."""
    first = 4 + len(extra)
    pages, kids = [], []
    for content in contents:
        number = first + len(pages)
        kids.append(b"%d 0 R" % number)
        reference = b"" if content is None else b" /Contents %d 0 R" % (number + 1)
        pages.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800]/Resources << /Font << /F1 3 0 R >> >>%s >>"
            % reference
        )
        if content is not None:
            shown = zlib.compress(content) if packed else content
            way = b" /Filter /FlateDecode" if packed else b""
            pages.append(b"<< /Length %d%s >> stream\n%s\nendstream" % (len(shown), way, shown))
    tree = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(kids), count or len(kids))
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", tree, font, *extra, *pages]
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    return out + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (size, table, size, len(out))
    )


def encrypted(data: bytes, user_password: str) -> bytes:
    """The same behind a password; an empty `user_password` locks only what may be done with it."""
    from pypdf import PdfWriter

    writer, out = PdfWriter(io.BytesIO(data)), io.BytesIO()
    writer.encrypt(user_password, owner_password="owner", algorithm="RC4-128")
    writer.write(out)
    return out.getvalue()


def structured(
    data: bytes, headings: Sequence[tuple[str, int]] = (), labels: Sequence[tuple[int, int, str]] = ()
) -> bytes:
    """The same with an outline of headings and their pages, and page labels: first and last page, style."""
    from pypdf import PdfWriter

    writer, out = PdfWriter(io.BytesIO(data)), io.BytesIO()
    for title, page in headings:
        writer.add_outline_item(title=title, page_number=page - 1)
    for first, last, style in labels:
        writer.set_page_label(first - 1, last - 1, style)
    writer.write(out)
    return out.getvalue()


def without_map(kind: str) -> bytes:
    """A page of a font that does not tell which characters it shows, as three kinds of fonts do it."""
    descriptor = (
        b"<< /Type /FontDescriptor /FontName /ABCDEF+Foo /Flags 4 /FontBBox [0 0 1000 1000] /ItalicAngle 0 /Ascent 800"
        b" /Descent -200 /CapHeight 700 /StemV 80 >>"
    )
    text = "This is a sentence of which nobody can read anything at all"
    if kind == "by glyph":
        font = b"<< /Type /Font /Subtype /Type0 /BaseFont /ABCDEF+Foo /Encoding /Identity-H /DescendantFonts [4 0 R] >>"
        system = b"<< /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>"
        cid = b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /ABCDEF+Foo /CIDSystemInfo %s /FontDescriptor 5 0 R >>"
        shown, extra = "".join(f"{ord(c) - 29:04x}" for c in text), (cid % system, descriptor)
    elif kind == "drawn":
        font = (
            b"<< /Type /Font /Subtype /Type3 /FontBBox [0 0 750 750] /FontMatrix [0.001 0 0 0.001 0 0] /CharProcs << "
            b"/g1 4 0 R /g2 4 0 R >> /Encoding << /Type /Encoding /Differences [1 /g1 /g2] >> /FirstChar 1 /LastChar 2 "
            b"/Widths [500 500] >>"
        )
        drawn = b"500 0 d0 0 0 400 400 re f"
        shown, extra = "0102" * 20, (b"<< /Length %d >> stream\n%s\nendstream" % (len(drawn), drawn),)
    else:
        names = b" ".join(b"/g%d" % at for at in range(26))
        font = (
            b"<< /Type /Font /Subtype /Type1 /BaseFont /ABCDEF+Foo /Encoding << /Type /Encoding /Differences [65 %s] >>"
            b" /FontDescriptor 4 0 R >>" % names
        )
        shown, extra = b"QWERTZUIOP".hex() * 3, (descriptor,)
    return pdf(f"BT /F1 12 Tf 20 700 Td <{shown}> Tj ET".encode(), font=font, extra=extra)
