"""Attachments: what is taken, what is refused, and who may read it."""

import hashlib
import io
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.registry import Vehicle
from ledger.attachments import (
    ENDINGS,
    MOST_BYTES,
    MOST_NAME,
    AttachmentError,
    NoSuchAttachmentError,
    QuotaError,
    TooLargeError,
    clean_name,
    read,
    store,
    sweep,
)
from ledger.casework import make_move, open_case
from ledger.database import connect
from ledger.principal import CENTRE, Principal, Role
from ledger.violations import apply
from tests.ledger.made import episode, rows, vehicle


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _archive() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("a.js", "alert(1)")
    return held.getvalue()


COMPANY = Principal(Role.COMPANY, "甲")
COUNTY = Principal(Role.COUNTY, "652301")
ZIP = _archive()
PART = b"PK\x06\x06".ljust(56, b"\0") + b"PK\x06\x07" + struct.pack("<LQL", 1, 0, 2) + b"PK\x05\x06" + b"\xff" * 18
PNG = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress(b"\0\x7f"))
    + _chunk(b"IEND", b"")
)
JPEG = (
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    + b"\xff\xda\x00\x02"
    + b"\x12" * 40
    + b"\xff\xd9"
)
WEBP = b"RIFF" + struct.pack("<I", 4 + 8 + 10) + b"WEBPVP8 " + struct.pack("<I", 10) + b"\x10" * 10
PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n"


def _png(width: int, height: int) -> bytes:
    return PNG[:8] + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)) + PNG[33:]


def _jpeg(width: int, height: int) -> bytes:
    return JPEG[:20] + b"\xff\xc2" + struct.pack(">HBHH", 8, 8, height, width) + b"\0" + JPEG[20:]


def _webp(kind: bytes, head: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 12 + len(head)) + b"WEBP" + kind + struct.pack("<I", len(head)) + head


def _document(entry: bytes) -> bytes:
    return PDF.replace(b"/Type", entry + b" /Type")


THUMBNAIL = b"\xff\xe1" + struct.pack(">H", len(JPEG) + 2) + JPEG
TAKEN = {
    "照片.jpg": JPEG, "b.JPEG": JPEG, "c.png": PNG, "d.WebP": WEBP, "e.pdf": PDF, "padded.jpg": JPEG + bytes(40),
    "with a small one.jpg": JPEG[:20] + THUMBNAIL + JPEG[20:], "scanned.jpg": JPEG[:-2] + b"\xff\0\xff\xd0\xff\xd9",
    "large.png": _png(10_000, 10_000), "large.jpg": _jpeg(12_000, 8_000),
    "large.webp": _webp(b"VP8 ", b"\0" * 6 + struct.pack("<HH", 10_000, 10_000)),
    "opens at a page.pdf": _document(b"/OpenAction [1 0 R /XYZ null null 0]"), "JSON.pdf": _document(b"/JSON (x)"),
}  # fmt: skip
PAGE = b"<!doctype html><script>alert(document.cookie)</script>" + b" " * 300


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_taken_is_kept_once(database_url: str, name: str) -> None:
    content = TAKEN[name]
    with connect(database_url) as connection:
        sha256 = hashlib.sha256(content).hexdigest()
        halves = [content[:3], b"", content[3:20], content[20:]]
        assert (
            store(connection, COMPANY, "某人", name, halves)
            == store(connection, COMPANY, "某人", f"x/{name}", [content])
            == sha256
        )
        ((kept, media_type),) = rows(database_url, "SELECT content, media_type FROM attachments")
        assert kept == content
        assert name.lower().endswith(ENDINGS[media_type])


REFUSED = {
    "a page": ("a.png", PAGE, "none of them"),
    "a script": ("a.jpg", b"var a = 1; alert(a); // and more of it", "none of them"),
    "a program": ("a.png", b"MZ\x90\x00\x03\x00\x00\x00\x04\x00" + b"\0" * 100, "this is application"),
    "another program": ("a.png", b"\x7fELF\x02\x01\x01" + b"\0" * 100, "this is application"),
    "an archive": ("a.png", ZIP, "this is application/zip"),
    "a gif": ("a.gif", b"GIF89a" + b"\0" * 60, "this is image/gif"),
    "a drawing": ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "none of them"),
    "nothing": ("a.png", b"", "none of them"),
    "a little": ("a.png", b"\x89PN", "none of them"),
    "another than its name says": ("a.pdf", PNG, "says otherwise"),
    "an ending behind the ending": ("a.png.html", PNG, "says otherwise"),
    "no ending": ("png", PNG, "says otherwise"),
    "an ending that is a blank": ("a.png ​.exe", PNG, "says otherwise"),
    "a picture broken off": ("a.png", PNG[:-5], "broken off"),
    "a photograph broken off": ("a.jpg", JPEG[:-2], "broken off"),
    "a document broken off": ("a.pdf", PDF[:-8], "broken off"),
    "a document that begins late": ("a.pdf", b"\n\n" + PDF, "none of them|only JPEG"),
    "a webp that goes on": ("a.webp", WEBP + PAGE, "goes on behind"),
    "a picture and an archive": ("a.png", PNG + ZIP, "goes on behind"),
    "a photograph and an archive": ("a.jpg", JPEG + ZIP, "goes on behind"),
    "a document and an archive": ("a.pdf", PDF + ZIP + b"%%EOF", "an archive hides"),
    "a document and a part of an archive": ("a.pdf", PDF + PART + b"%%EOF", "an archive hides"),
    "a photograph with a page": ("a.jpg", JPEG[:20] + b"\xff\xfe\x01\x00" + PAGE + JPEG[20:], "a script hides"),
    "a picture with a page": ("a.png", PNG[:33] + _chunk(b"tEXt", b"c\0<ScRiPt>x") + PNG[33:], "a script hides"),
    "a photograph that goes on": ("a.jpg", JPEG + b"MZ" + bytes(64) + b"\xff\xd9", "goes on behind"),
    "a document that opens": ("a.pdf", _document(b"/OpenAction 4 0 R"), "runs something.*/OpenAction"),
    "a document with a script": ("a.pdf", _document(b"/S/JavaScript/X(x)"), "runs something.*/JavaScript"),
    "a document with a short script": ("a.pdf", _document(b"/JS (app.alert)"), "runs something.*/JS"),
    "a document with a script in other letters": ("a.pdf", _document(b"/Java#53cript "), "runs something"),
    "a document that launches": ("a.pdf", _document(b"/S /Launch"), "runs something.*/Launch"),
    "a document with a file": ("a.pdf", _document(b"/EmbeddedFiles 3 0 R"), "holds files"),
    "a picture of absurd size": ("a.png", _png(65_000, 65_000), "4,225,000,000 pixels"),
    "a photograph of absurd size": ("a.jpg", _jpeg(65_000, 2_000), "130,000,000 pixels"),
    "a webp of absurd size": ("a.webp", _webp(b"VP8 ", b"\0" * 6 + struct.pack("<HH", 16_383, 16_383)), "pixels"),
    "a webp of absurd size without loss": ("a.webp", _webp(b"VP8L", b"\x2f" + b"\xff" * 9), "pixels"),
    "a webp canvas of absurd size": ("a.webp", _webp(b"VP8X", b"\0" * 4 + b"\xff" * 6), "pixels"),
    "no name": ("​/..", PNG, "no name"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(database_url: str, case: str) -> None:
    name, content, says = REFUSED[case]
    with connect(database_url) as connection, pytest.raises(AttachmentError, match=says) as error:
        store(connection, COMPANY, "某人", name, [content])
    assert "附件" in str(error.value) or "文件" in str(error.value)
    assert rows(database_url, "SELECT count(*) FROM attachments") == [(0,)]


def counted(first: bytes, size: int, taken: list[int]) -> Iterator[bytes]:
    """An endless file in chunks, and how many have been asked for."""
    yield first.ljust(size, b"\x11")
    while True:
        taken[0] += 1
        yield b"\x11" * size


def test_a_file_without_end_is_given_up_at_the_bound(database_url: str) -> None:
    taken = [1]
    with connect(database_url) as connection, pytest.raises(TooLargeError, match="10240 KiB"):
        store(connection, COMPANY, "某人", "a.jpg", counted(JPEG[:-2], 1 << 20, taken))
    assert taken == [(MOST_BYTES >> 20) + 1]


def test_a_disguised_file_is_given_up_at_once(database_url: str) -> None:
    taken = [1]
    with connect(database_url) as connection, pytest.raises(AttachmentError, match="none of them"):
        store(connection, COMPANY, "某人", "a.jpg", counted(PAGE, 1 << 10, taken))
    assert taken == [1]


def test_the_bound_itself_is_taken(database_url: str) -> None:
    full = JPEG.ljust(300, b"\0")
    with connect(database_url) as connection:
        assert store(connection, COMPANY, "某人", "a.jpg", [full], most_bytes=300)
        with pytest.raises(TooLargeError):
            store(connection, COMPANY, "某人", "a.jpg", [full, b"\0"], most_bytes=300)


HEADS = st.sampled_from([b"", PNG[:33], JPEG[:22], WEBP[:12], PDF[:9], b"PK\x03\x04", b"\0\0\0\x20ftyp", b"RIFF"])
TAILS = st.sampled_from([b"", PNG[-12:], JPEG[-2:], PDF[-6:], ZIP, ZIP[-22:], PART])


@given(HEADS, st.binary(max_size=200), TAILS, st.integers(1, 50))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rubbish_is_refused_or_kept_as_it_is(
    database_url: str, head: bytes, body: bytes, tail: bytes, size: int
) -> None:
    content = head + body + tail
    chunks = [content[at : at + size] for at in range(0, len(content), size)]
    with connect(database_url) as connection:
        for name in ("a.png", "a.jpg", "a.webp", "a.pdf"):
            try:
                sha256 = store(connection, COMPANY, "某人", name, chunks)
            except AttachmentError:
                continue
            assert sha256 == hashlib.sha256(content).hexdigest()


# --- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("罚单.png", "罚单.png"), ("/etc/passwd.png", "passwd.png"), ("C:\\Temp\\..\\a.png", "a.png"),
        ("..\\..\\.png", "png"),
        ("a\0b\r\n.png", "ab .png"), ("x\u202egnp.exe.png", "xgnp.exe.png"), ("a\u200b\ufeff.png", "a.png"),
        ("e\u0301.png", "é.png"), ('a"b<c>|?*:.png', "a_b_c_____.png"), ("  a  \u3000 b .png. ", "a b .png"),
        ("字" * 500 + ".png", "字" * 116 + ".png"), ("a." + "b" * 500, "a." + "b" * 118), ("\ud800a.png", "a.png"),
    ],
)  # fmt: skip
def test_names_are_cleaned(name: str, cleaned: str) -> None:
    assert clean_name(name) == cleaned


@given(st.text(st.characters(codec=None), max_size=300))
def test_a_clean_name_is_harmless_and_stays_as_it_is(name: str) -> None:
    try:
        cleaned = clean_name(name)
    except AttachmentError:
        return
    assert 0 < len(cleaned) <= MOST_NAME
    assert not set(cleaned) & set('/\\<>:"|?*\n\r\0')
    assert cleaned == cleaned.strip(". ")
    assert not [letter for letter in cleaned if unicodedata.category(letter).startswith("C")]
    assert clean_name(cleaned) == cleaned
    cleaned.encode("utf-8")


# --- who may read ----------------------------------------------------------------------------------------------------


def case(connection: psycopg.Connection, company: str, county: str) -> UUID:
    """A case of a company's."""
    vehicle_name = Vehicle(f"测{company}", 2)
    told = episode(vehicle(connection, *vehicle_name), name=vehicle_name, company=company, county=county)
    with connection.transaction(), connection.cursor() as cursor:
        (id_,) = apply(cursor, [told]).changed
        open_case(cursor, id_, 2)
    return id_


def hung(connection: psycopg.Connection, company: str, county: str, content: bytes, name: str) -> UUID:
    """Let a company submit a file with a case of its own."""
    id_, party = case(connection, company, county), Principal(Role.COMPANY, company)
    sha256 = store(connection, party, "某人", name, [content])
    make_move(connection, party, "某人", id_, "submit", "见附件", [(name, sha256)])
    return id_


def test_a_file_is_read_through_ones_own_case_only(database_url: str) -> None:
    with connect(database_url) as connection:
        both, one = hashlib.sha256(PNG).hexdigest(), hashlib.sha256(PDF).hexdigest()
        loose = store(connection, COMPANY, "某人", "x.jpg", [JPEG])
        hung(connection, "甲", "652301", PNG, "甲.png")
        hung(connection, "乙", "652302", PNG, "乙.png")
        hung(connection, "丙", "652302", PDF, "丙.pdf")
        seen = {
            Principal(Role.COMPANY, "甲"): {both: "甲.png"},
            Principal(Role.COMPANY, "乙"): {both: "乙.png"},
            Principal(Role.COMPANY, "丙"): {one: "丙.pdf"},
            Principal(Role.COUNTY, "652301"): {both: "甲.png"},
            Principal(Role.COUNTY, "652302"): {both: "乙.png", one: "丙.pdf"},
            Principal(Role.COUNTY, "652303"): {},
            Principal(Role.COMPANY, "652301"): {},
        }
        for principal, names in seen.items():
            for sha256 in (both, one, loose, "0" * 64, "", "zz", both[:-1], "' OR true --"):
                if sha256 in names:
                    assert read(connection, principal, sha256).name == names[sha256]
                else:
                    with pytest.raises(NoSuchAttachmentError, match="无此附件"):
                        read(connection, principal, sha256)
        assert read(connection, CENTRE, one.upper()) == ("丙.pdf", "application/pdf", PDF)
        assert read(connection, Principal(Role.OPERATOR), both).content == PNG


# --- whose a file is, and for how long -------------------------------------------------------------------------------


def test_every_upload_is_remembered(database_url: str) -> None:
    with connect(database_url) as connection:
        for party, actor in ((COMPANY, "某人"), (COMPANY, "他人"), (COUNTY, "某人")):
            sha256 = store(connection, party, actor, "x/a.png", [PNG])
        with pytest.raises(AttachmentError):
            store(connection, COMPANY, "某人", "a.png", [JPEG])
    held = "SELECT encode(sha256, 'hex'), role, tenant, actor FROM uploads ORDER BY role"
    assert rows(database_url, held) == [(sha256, "company", "甲", "他人"), (sha256, "county", "652301", "某人")]
    told = "SELECT actor, subject, detail FROM audit WHERE action = 'attachment.store' ORDER BY number"
    detail = {"role": "company", "tenant": "甲", "name": "a.png", "bytes": len(PNG)}
    assert rows(database_url, told) == [
        ("某人", sha256, detail),
        ("他人", sha256, detail),
        ("某人", sha256, {**detail, "role": "county", "tenant": "652301"}),
    ]


def test_a_hash_is_no_key_to_what_is_anothers(database_url: str) -> None:
    other = Principal(Role.COMPANY, "乙")
    with connect(database_url) as connection:
        theirs = hung(connection, "甲", "652301", PNG, "甲.png")
        sha256, mine = hashlib.sha256(PNG).hexdigest(), case(connection, "乙", "652301")
        for party, id_ in ((other, mine), (COUNTY, mine)):
            said = []
            for asked in (sha256, "0" * 64):
                with pytest.raises(AttachmentError, match="未上传") as error:
                    make_move(connection, party, "某人", id_, *MOVE[party.role], [("a.png", asked)])
                said.append(str(error.value))
            assert said[0] == said[1]
        with pytest.raises(NoSuchAttachmentError):
            read(connection, other, sha256)
        make_move(connection, COUNTY, "某人", theirs, "return", "见附件", [("a.png", sha256)])  # it hangs there
        store(connection, other, "某人", "a.png", [PNG])
        make_move(connection, other, "某人", mine, "submit", "见附件", [("a.png", sha256)])
        assert read(connection, other, sha256).content == PNG


MOVE = {Role.COMPANY: ("submit", "见附件"), Role.COUNTY: ("false_alarm", "见附件")}


def test_what_hangs_on_no_case_is_bounded_for_each_party(database_url: str) -> None:
    bound = len(PNG) + len(PDF)
    with connect(database_url) as connection:
        for name, content in (("a.png", PNG), ("a.jpg", JPEG), ("again.png", PNG)):
            store(connection, COMPANY, "某人", name, [content], most_loose=bound)
        with pytest.raises(QuotaError, match="hang on no case"):
            store(connection, COMPANY, "某人", "a.pdf", [PDF], most_loose=bound)
        assert rows(database_url, "SELECT count(*) FROM attachments") == [(2,)]
        store(connection, COUNTY, "某人", "a.pdf", [PDF], most_loose=bound)
        hung(connection, "甲", "652301", JPEG, "a.jpg")
        store(connection, COMPANY, "某人", "a.pdf", [PDF], most_loose=bound)


def test_what_hangs_on_no_case_goes_after_a_day(database_url: str) -> None:
    kept = "SELECT media_type FROM attachments ORDER BY 1"
    with connect(database_url) as connection:
        hung(connection, "甲", "652301", PNG, "a.png")
        for name, content in (("a.jpg", JPEG), ("a.pdf", PDF), ("a.webp", WEBP)):
            store(connection, COMPANY, "某人", name, [content])
        sweep(connection)
        assert len(rows(database_url, kept)) == 4
        connection.execute("UPDATE uploads SET uploaded_at = now() - interval '25 h'")
        store(connection, COUNTY, "某人", "a.webp", [WEBP])
        sweep(connection)
        sweep(connection)
    assert rows(database_url, kept) == [("image/png",), ("image/webp",)]
    swept = sorted(hashlib.sha256(content).hexdigest() for content in (JPEG, PDF))
    told = "SELECT actor, detail FROM audit WHERE action = 'attachment.sweep'"
    assert rows(database_url, told) == [("warnloop", {"files": swept})]


def test_a_file_that_is_just_being_hung_is_not_swept(database_url: str) -> None:
    with connect(database_url) as connection, connect(database_url) as other:
        id_, sha256 = case(connection, "甲", "652301"), store(connection, COMPANY, "某人", "a.png", [PNG])
        connection.execute("UPDATE uploads SET uploaded_at = now() - interval '25 h'")
        with connection.transaction():
            make_move(connection, COMPANY, "某人", id_, "submit", "见附件", [("a.png", sha256)])
            sweep(other)
        sweep(other)
        assert read(connection, COMPANY, sha256).content == PNG


def test_what_hangs_on_a_case_cannot_be_deleted(database_url: str) -> None:
    with connect(database_url) as connection:
        hung(connection, "甲", "652301", PNG, "a.png")
        for change in (
            "DELETE FROM attachments",
            "TRUNCATE attachments CASCADE",
            "UPDATE attachments SET content = ''",
        ):
            with pytest.raises(psycopg.errors.IntegrityError):
                connection.execute(change.encode())
