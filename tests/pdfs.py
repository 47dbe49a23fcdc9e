"""Small PDFs, written byte by byte."""

import io

HELVETICA = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
DRAWING = b"10 10 50 50 re f"  # a filled square: something to see, nothing to read


def showing(*lines: str) -> bytes:
    """The content of a page with these lines of Latin-1 text."""
    shown = b" ".join(b"<%s> Tj T*" % line.encode("latin-1").hex().encode() for line in lines)
    return b"BT /F1 12 Tf 14 TL 20 700 Td %s ET" % shown


def pdf(*contents: bytes | None, font: bytes = HELVETICA, extra: tuple[bytes, ...] = (), count: int = 0) -> bytes:
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
            pages.append(b"<< /Length %d >> stream\n%s\nendstream" % (len(content), content))
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
