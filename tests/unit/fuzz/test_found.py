"""What fuzzing found, each by code: what went wrong before, and what is said now."""

import base64
import contextlib
import io
import json
import struct
import time
import zipfile
import zlib

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tornado import web

from access_control.audit import canonical
from access_control.csv_structure import header_of
from access_control.errors import Invalid as AccessInvalid
from access_control.errors import Refused as AccessRefused
from access_control.rendition_parser import parse
from access_control.settings import Profile
from access_control.transparency import verify, verify_export
from egress_review import canonical_forms, kinds, previews, sandbox, tables, told_counts, worker
from egress_review.bundle_check import check_bundle
from egress_review.errors import Invalid, Refused
from egress_review.findings import FileResult
from egress_review.rules import columnar, encodings, families, images, markup, models, notebooks, pdfs, people
from egress_review.rules.catalogue import Subject
from egress_review.rules.text import encoded_runs
from egress_review.signing import public_from_pem
from hub.portal.logins import Logins
from hub.spawner import refuse_options
from tests.fuzz.targets import bundle, control_calls, user_options

DEEP = "[" * 5000 + "]" * 5000
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def subject(name: str, data: bytes) -> Subject:
    return Subject(name, kinds.tell(name, data), data, Profile())


def rules_of(family, name: str, data: bytes) -> set[str]:
    return {finding.rule for finding in family.check(subject(name, data))}


# -- a log that is handed in -------------------------------------------------------------------------------------------


def test_a_log_that_is_nested_deeply_is_not_readable():
    found = verify([DEEP], [DEEP], PUBLIC)
    assert found.problems == ["Checkpoint 1 is not one that this enclave's key signed.", "Entry 1 is not readable."]


@pytest.mark.parametrize(
    "point",
    [{}, {"size": "1"}, {"size": True, "root": "", "at": ""}, {"size": 1, "root": "", "at": "", "x": 1}, {"size": 1}],
)
def test_a_checkpoint_needs_its_parts_whoever_signed_it(point):
    line = canonical(point | {"signature": base64.b64encode(KEY.sign(canonical(point).encode())).decode()})
    assert verify([], [line], PUBLIC).problems == ["Checkpoint 1 is not one that this enclave's key signed."]


@pytest.mark.parametrize(
    "public",
    [
        b"",
        b"no key",
        generate_private_key(SECP256R1())
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
    ],
)
def test_a_log_with_a_key_that_is_none_is_refused(public):
    with pytest.raises(AccessRefused, match="key"):
        verify([], [], public)


@pytest.mark.parametrize("name", ["entries.jsonl", "checkpoints.jsonl"])
def test_an_export_that_is_no_text_is_refused(tmp_path, name):
    for file in ("entries.jsonl", "checkpoints.jsonl"):
        (tmp_path / file).write_bytes(b"\xff\xfe" if file == name else b"")
    (tmp_path / "audit.pub").write_bytes(PUBLIC)
    with pytest.raises(AccessRefused, match="no text"):
        verify_export(tmp_path)


# -- a bundle that is handed in ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_a_bundle_that_is_packed_otherwise_is_refused_before_it_is_unpacked(method):
    # An LZMA header can ask for a dictionary of 4 GiB, whatever the member holds.
    with pytest.raises(Refused, match="enclave"):
        check_bundle(bundle.packed(bundle._manifest(), method=method))


def test_a_bundle_whose_manifest_is_nested_deeply_is_refused():
    with pytest.raises(Refused):
        check_bundle(bundle.packed(DEEP))


def test_a_bundle_that_is_cut_or_changed_anywhere_is_refused_with_a_sentence():
    whole = bundle.packed(bundle._manifest())
    check_bundle(whole, bundle._ENCLAVE.public_key())
    for at in range(0, len(whole), 37):
        for changed in (whole[:at], whole[:at] + b"\xff\xff\xff\xff" + whole[at + 4 :]):
            try:
                found = check_bundle(changed, bundle._ENCLAVE.public_key())
            except Refused:
                continue
            assert found.manifest == bundle._manifest()  # a date or an attribute of a member, which nobody reads


def test_a_public_key_of_a_curve_that_nobody_knows_is_refused():
    body = base64.b64encode(bytes.fromhex("301506072a8648ce3d020106052b8104006303030004 00".replace(" ", ""))).decode()
    for text in (f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n", "", b"\xff"):
        with pytest.raises(Refused):
            public_from_pem(text)


# -- a worker that was taken over --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said", [b'{"blobs": [1e999]}', b'{"blobs": [' + b"[" * 5000 + b"]" * 5000 + b"]}", b'{"blobs": 5}', b"[]", b"{}"]
)
def test_an_answer_of_another_shape_is_a_crash(said):
    assert sandbox._unpack(struct.pack("<II", len(said), 0) + said).failure == "crash"


@pytest.mark.parametrize("findings", [["a"], [5], 5, [{}], {"a": 1}])
def test_findings_of_another_shape_are_no_result(findings):
    with pytest.raises(Invalid):
        FileResult.from_dict({"path": "x", "verdict": "pass", "findings": findings, "kind": "csv"})


# -- what a browser sends back ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cookie", ["\ud800.aa", "aa.\ud800", "é.aa", ".", "aa.é"])
def test_a_name_of_half_characters_is_no_login(cookie):
    assert Logins(lambda token: "ana").find(cookie) is None


# -- a declaration of a rendition --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    ["others = []", "others = {}", 'columns.a = { truncate = ["year"] }', "columns.a = { pseudonym = {} }", "suppress = { together = ['a'], below = 5, how = [] }",
     "columns.a = { groups = { x = [[1]] } }", "columns.a = { groups = { x = [{}] } }", f"x = {'[' * 5000}{']' * 5000}"],
    ids=lambda line: line[:30],
)  # fmt: skip
def test_a_rendition_with_a_list_where_a_word_stands_is_told(line):
    with pytest.raises(AccessInvalid):
        parse(f'rendition = "a/b"\ntitle = "t"\ntier = 1\n{line}\n')


# -- files under check -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"cells": 1},
        {"cells": ["a"]},
        {"cells": {}},
        {"cells": [{"outputs": 5}]},
        {"cells": [{"outputs": ["a"]}]},
        {"cells": [{"x": json.loads("[" * 300 + "]" * 300)}]},
    ],
)
def test_json_of_another_shape_is_no_notebook(value):
    data = json.dumps(value).encode()
    for read in (
        tables.load_notebook,
        lambda data: canonical_forms.rewrite_bytes(data, "notebook"),
        lambda data: list(notebooks.check(Subject("a.ipynb", "notebook", data, Profile()))),
    ):
        with pytest.raises(ValueError, match=r"notebook|nested|cells"):
            read(data)


def test_attachments_that_are_no_object_are_told():
    assert "notebook.attachments" in rules_of(
        notebooks, "a.ipynb", json.dumps({"nbformat": 4, "cells": [{"attachments": 5, "source": ""}]}).encode()
    )


def test_json_lines_that_are_nested_deeply_are_told():
    with pytest.raises(ValueError, match="nested"):
        tables.load_json(f"1\n{DEEP}\n".encode())


MARKDOWN = (
    "<b/onclick=alert(1)>x</b>",
    '<b title="a"onclick=x>',
    "<svg/onload=x>",
    "<a href='javascript:x'>y</a>",
    "<a href='jav&#x09;ascript:x'>y</a>",
    "<details ontoggle=x>",
    "<script>x",
)


@pytest.mark.parametrize("text", MARKDOWN)
@pytest.mark.parametrize("place", ["a cell", "an output"])
def test_markdown_of_cells_and_outputs_leaves_inert(text, place):
    output = {"output_type": "display_data", "metadata": {}, "data": {"text/markdown": text}}
    cells = (
        [{"cell_type": "markdown", "source": text, "metadata": {}}]
        if place == "a cell"
        else [{"cell_type": "code", "source": "", "outputs": [output]}]
    )
    written = json.loads(
        canonical_forms.rewrite_bytes(json.dumps({"nbformat": 4, "cells": cells}).encode(), "notebook")
    )
    cell = written["cells"][0]
    left = cell["source"] if place == "a cell" else cell["outputs"][0]["data"]["text/markdown"]
    assert "<" not in left
    assert "&lt;" in left


@pytest.mark.parametrize(
    "text", ["a < b", "<b>x</b>", "<td colspan=2>", "<https://example.org/a>", "`x` <- 1", "vector<int>"]
)
def test_markdown_without_anything_active_leaves_as_it_is(text):
    written = json.loads(
        canonical_forms.rewrite_bytes(
            json.dumps({"nbformat": 4, "cells": [{"cell_type": "markdown", "source": text}]}).encode(), "notebook"
        )
    )
    assert written["cells"][0]["source"] == text


@pytest.mark.parametrize(
    "page",
    [
        "<title>Secret</title><p>x",
        "<p>x<textarea>hidden</textarea>",
        "<script>a</script>x",
        "<p>a<svg><text>b</text></svg>",
    ],
)
def test_a_page_is_the_same_when_it_is_written_again(page):
    once = canonical_forms.rewrite_bytes(page.encode(), "html")
    assert canonical_forms.rewrite_bytes(once, "html") == once
    assert b"Secret" not in once
    assert b"hidden" not in once


def test_a_picture_with_a_header_that_none_has_is_not_unpacked():
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    def png(*header):
        return (
            b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">IIBBBBB", *header, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(b"\0" * 10_000_000))
            + chunk(b"IEND", b"")
        )

    for header in ((0, 2**32 - 1, 8, 2), (7000, 7000, 255, 6), (1, 0, 8, 2)):
        assert rules_of(images, "a.png", png(*header)) == {"image.trailing"}
    cut = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + b"\0\0\0\1"
    assert rules_of(images, "a.png", cut) == {"image.trailing"}


@pytest.mark.parametrize("more", ["/Contents 7", "/Annots[5]", "/Contents[1 2]", "/Contents(x)"])
def test_a_pdf_with_an_object_in_the_wrong_place_is_told(more):
    body, places = b"%PDF-1.4\n", []
    for number, text in enumerate(
        (
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]" + more.encode() + b">>",
        ),
        1,
    ):
        places.append(len(body))
        body += b"%d 0 obj" % number + text + b"endobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    data = (
        body
        + b"xref\n0 4\n0000000000 65535 f \n"
        + table
        + b"trailer<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % len(body)
    )
    with pytest.raises(ValueError, match="PDF"):
        list(pdfs.check(subject("a.pdf", data)))


@pytest.mark.parametrize("described", [b"[]", b"5", b'{"columns": 5}', b'{"index_columns": 1.5}', b"[" * 5000, b"\xff"])
def test_pandas_metadata_of_another_shape_is_told(described):
    out = io.BytesIO()
    pyarrow.parquet.write_table(pa.table({"a": [1, 2]}).replace_schema_metadata({b"pandas": described}), out)
    assert "columnar.metadata" in rules_of(columnar, "a.parquet", out.getvalue())


@pytest.mark.parametrize("name", ["a\0b", "\u200bb", "a\nb"])
def test_a_table_with_a_name_that_nobody_can_read_has_no_canonical_form(name):
    out = io.BytesIO()
    pyarrow.feather.write_feather(pa.table({name: [1, 2]}), out)
    with pytest.raises(ValueError, match="name"):  # polars panics at a NUL, which is no Exception
        canonical_forms.rewrite_bytes(out.getvalue(), "feather")


def test_a_panic_of_a_library_is_a_file_that_cannot_be_read():
    out = io.BytesIO()
    pyarrow.feather.write_feather(pa.table({"abcdefgh": [1, 2]}), out, compression="uncompressed")
    data = out.getvalue().replace(b"abcdefgh", b"\xff\xfeabcdef")
    with pytest.raises(ValueError, match="cannot be read"):
        tables.read_columnar(data, "feather")


def test_a_broken_member_of_a_model_breaks_no_rule():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a/data.pkl", b"\x80\x04" + b"x" * 999)
    data = bytearray(out.getvalue())
    data[45:60] = b"\xff" * 15
    assert rules_of(models, "a.pt", bytes(data)) == {"model.file"}


@pytest.mark.parametrize(
    "svg", ["<svg", "<svg width='9' height='9'>", "<svg xmlns='http://www.w3.org/2000/svg' width='0' height='9'></svg>"]
)
def test_a_drawing_that_cannot_be_drawn_is_broken(svg):
    with pytest.raises(ValueError):
        list(markup.check(subject("a.svg", svg.encode())))


def test_a_drawing_in_a_notebook_that_cannot_be_drawn_is_broken():
    notebook = Subject(
        "a.ipynb", "notebook", b"{}", Profile(), facts={"_markup": [("cell 1", "<svg><!--</svg>", "svg")]}
    )
    with pytest.raises(ValueError):
        list(markup.check(notebook))


def test_a_script_in_a_page_of_another_encoding_is_seen():
    page = "<html><body><script>x</script></body></html>"
    assert "markup.script" in rules_of(markup, "a.html", page.encode("utf-16"))


def test_cells_are_numbered_as_they_leave():
    cells = [{"cell_type": "odd", "source": ""}, {"cell_type": "raw", "source": "x"}]
    once = canonical_forms.rewrite_bytes(json.dumps({"nbformat": 4, "cells": cells}).encode(), "notebook")
    assert [cell["id"] for cell in json.loads(once)["cells"]] == ["cell-1"]
    assert canonical_forms.rewrite_bytes(once, "notebook") == once


def test_a_long_declaration_is_refused_before_it_is_read():
    with pytest.raises(AccessInvalid, match="at most"):
        parse("a." * 200_000)


@pytest.mark.parametrize("piece", ["0", "1.", "a", "0 ", ". ", "A=", "<b>", "1,1\n"])
def test_a_long_run_in_a_text_takes_no_square_of_its_length(piece):
    began = time.process_time()
    list(encoded_runs("x", piece * (200_000 // len(piece))))
    assert time.process_time() - began < 10


@pytest.mark.parametrize("options", [{"image": "x"}, [{"a": 1}, {"b": 2}], [[1], {}], 5, "text", True])
def test_options_of_any_shape_are_refused_with_a_sentence(options):
    with pytest.raises(web.HTTPError, match="takes no options"):
        refuse_options(user_options._spawner(), options)


@pytest.mark.parametrize(
    "body", [b'{"reasons": []}', b'{"sessions": 5}', b"[]", b'{"reasons": {"a": ' + b"[" * 5000 + b"]" * 5000 + b"}}"]
)
def test_control_calls_of_another_shape_are_not_understood(body):
    here = control_calls._running()
    for path in ("/cuts", "/warnings"):
        status, said = here.loop.run_until_complete(here.call("POST", path, body))
        assert (status, "not understood" in said["error"]) == (400, True)


def test_the_names_of_a_table_without_rows_are_read():
    for name in ("\u200b", "a\0", base64.b64encode(bytes(range(200))).decode()):
        out = io.BytesIO()
        pyarrow.parquet.write_table(pa.table({name: pa.array([], pa.int64())}), out)
        assert rules_of(columnar, "a.parquet", out.getvalue()) & {"text.control", "text.encoded"}


@pytest.mark.parametrize(
    "data",
    [b"\xef\xbb\xbf\n", b"\x1c", b"\xef\xbb\xbf", b'"' + b"a" * 200_000, b'"a\n'],
    ids=lambda data: repr(data[:9]),
)
def test_a_csv_without_names_of_columns_is_told(tmp_path, data):
    (tmp_path / "a.csv").write_bytes(data)
    for delimiter in (None, ","):
        with contextlib.suppress(AccessInvalid):
            assert header_of(tmp_path / "a.csv", delimiter)[0]


@pytest.mark.parametrize("error", [TypeError("x"), pl.exceptions.PanicException("x")], ids=["error", "panic"])
@pytest.mark.parametrize("families_of", ["CONTAINER", "CONTENT"])
def test_a_rule_that_breaks_off_hides_no_other(monkeypatch, error, families_of):
    def breaks(_subject):
        raise error

    worker.preload()
    monkeypatch.setattr(families, families_of, (breaks, *getattr(families, families_of)))
    task = {"name": "a.txt", "profile": Profile().model_dump(), "peers": [], "disk": {}}
    answer = worker.check(task, b"hidden \x1b[8mtext\x1b[0m\n", worker.prepare({}))
    assert {"check.crash", "text.control"} <= {finding["rule"] for finding in answer["findings"]}
    assert answer["verdict"] == "block"


def test_markdown_that_an_output_prints_is_looked_at_as_markup():
    output = {"output_type": "display_data", "metadata": {}, "data": {"text/markdown": "<script>alert(1)</script>"}}
    book = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {},
        "cells": [{"cell_type": "code", "source": "", "metadata": {}, "outputs": [output]}],
    }
    task = {"name": "a.ipynb", "profile": Profile().model_dump(), "peers": [], "disk": {}}
    answer = worker.check(task, json.dumps(book).encode(), worker.prepare({}))
    assert "markup.script" in {finding["rule"] for finding in answer["findings"]}


@pytest.mark.parametrize("word", ["w" * 60 + "K3k", "a" * 190 + "-9", "aB" * 90 + "9z9", "a1" * 90, "A" * 190 + "a1B2"])
def test_a_long_word_takes_no_time_that_doubles_with_its_letters(word):
    began = time.process_time()
    encodings.looks_coded([word, word[1:], word[:-1]])
    list(encodings.check(Subject("a.txt", "text", b"", Profile(), texts=[("x", f"{word} {word[1:]}")])))
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (people._TUPLES, "[(" + "," * 60 + "x"), (people._TUPLES, "[" + "(1,2,3)          " * 40 + "x"), (people._DICTS, "[" + "{'a': 1, 'b': 2}          " * 40 + "x"),
        (people._DICTS, "[{" + "'a': 1          ," * 50 + ":"), (told_counts._DICTIONARY, "{" + "a: 1          " * 50 + "!"), (told_counts._MATRIX, "[[1 2]" + "          [1 2]" * 50 + "x"),
    ],
    ids=range(6),
)  # fmt: skip
def test_a_listing_that_just_fails_takes_no_time_that_doubles_with_its_pieces(pattern, text):
    began = time.process_time()
    assert not pattern.search(text)
    assert time.process_time() - began < 5


def test_listings_are_still_seen():
    assert people._TUPLES.search("[(1, 'a', 3), (2, 'b', 4), (3, 'c', 5)]")
    assert people._DICTS.search('[{"id": 17, "s": null}, {"id": 18, "s": [1, 2]}, {"id": 19, "s": "10:30"}]')
    assert told_counts._DICTIONARY.search("Counter({'a b': 12, 'c': 4})")
    assert told_counts._MATRIX.search("[[ 1  2]\n [ 3  4]]")


def test_a_member_without_a_name_breaks_no_check():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo("x"), b"hidden \x1b[8mtext")
    data = out.getvalue().replace(b"x", b"")
    data = data.replace(b"\x01\x00\x00\x00hidden", b"\x00\x00\x00\x00hidden", 1)
    directory = data.index(b"PK\x01\x02")
    data = bytearray(data)
    data[directory + 28 : directory + 30] = b"\0\0"
    end = data.index(b"PK\x05\x06")
    data[end + 12 : end + 20] = struct.pack("<II", end - directory, directory)
    task = {"name": "a.zip", "profile": Profile().model_dump(), "peers": [], "disk": {}}
    answer = worker.check(
        task, bytes(data), worker.prepare({})
    )  # zipfile itself breaks when it is asked whether that is a folder
    assert answer["verdict"] == "block"


@pytest.mark.parametrize("shape", [(1, 0), (0, 3), (0,)])
def test_an_empty_array_has_no_table(shape):
    out = io.BytesIO()
    np.save(out, np.zeros(shape))
    assert tables.extract_bytes(out.getvalue(), "array") == []


def test_a_day_beyond_the_calendar_is_a_table_that_cannot_be_read():
    out = io.BytesIO()
    pyarrow.parquet.write_table(pa.table({"a": pa.array([1, 2**31 - 1], pa.int32()).cast(pa.date32())}), out)
    with pytest.raises(ValueError, match="cannot be read"):
        list(columnar.check(subject("a.parquet", out.getvalue())))
    assert previews.make(out.getvalue(), "parquet")[0]["tables"] == []


def test_numbers_of_hundreds_of_digits_break_no_rule():
    text = b"Df Residuals: 1" + b"0" * 400 + b"\nN = 1" + b"0" * 5000 + b"\nDf Residuals: 4\n"
    found = worker.check({"name": "a.txt", "profile": {}, "peers": [], "disk": {}}, text, worker.Prepared([], []))
    said = [finding["message"] for finding in found["findings"]]
    assert "4 residual degrees of freedom, fewer than 10." in said
    assert not any("broke" in sentence for sentence in said)
