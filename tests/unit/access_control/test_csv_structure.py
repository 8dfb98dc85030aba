import csv
import hashlib
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access_control.csv_structure import Scan, find_fault, header_of
from access_control.errors import Invalid


def scanned(content: bytes, block: int = 7) -> Scan:
    scan = Scan(ord(","))
    for start in range(0, len(content), block):
        scan.feed(content[start : start + block])
    assert scan.finish() == hashlib.sha256(content).hexdigest()
    return scan


@pytest.mark.parametrize("block", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("content", "leading_zeros", "odd_quotes"),
    [
        (b"a,b\n1,2\n", False, False),
        (b"a,b\n007,2\n", True, False),
        (b'a,b\n"007",2\n', True, False),
        (b"a,b\n1,00", True, False),
        (b"01,b\n", True, False),
        (b"a,b\n1,+44\n", True, False),
        (b"a,b\n1,-07\n", False, False),
        (b"a,b\n1,1e+05\n", False, False),
        (b"a,b\n0,0.05\n10,100\n", False, False),
        (b"a,b\n2020-01-05,1.02\n", False, False),
        (b'a,b\n"x ""y"" z",""\n', False, False),
        (b'a,b\n"x,\ny",2\n', False, False),
        (b'a,b\n1,"x\n2,3\n', False, True),
        (b'a,b\n1,"x"y\n', False, True),
        (b'a,b\n5" pipe,1\n', False, True),
        (b'a,b\n1,"x\n2,3\n4,"y\n', False, True),
    ],
)
def test_scan_sees_what_a_lenient_reader_passes_over(
    content: bytes, leading_zeros: bool, odd_quotes: bool, block: int
) -> None:
    scan = scanned(content, block)
    assert (scan.leading_zeros, scan.odd_quotes, scan.nul) == (leading_zeros, odd_quotes, False)


def test_scan_sees_nul_bytes() -> None:
    assert scanned(b"a,b\n1,x\0y\n").nul


@given(
    st.lists(st.lists(st.text(alphabet='ab",\n;0', max_size=5), min_size=2, max_size=2), min_size=1), st.integers(1, 9)
)
def test_scan_finds_no_odd_quote_in_what_a_csv_writer_wrote(rows: list[list[str]], block: int) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(rows)
    assert not scanned(text.getvalue().encode(), block).odd_quotes


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"a,b\n1,2\n", None),
        (b"\xef\xbb\xbfa,b\n1,2\n", None),
        (b'a,b\n"x\ny",2\n\n3,4\n', None),
        (b'a,b\n5" pipe,1\n', None),
        (b"a,b\n1,2\n3\n", "line 3: 1 value where the header has 2."),
        (b'a,b\n"x\ny\nz",1\n5,6,7\n', "line 5: 3 values where the header has 2."),
        (b'a,b\n1,2\n1,"x\n2,3\n', "line 3: a quotation mark is opened and never closed."),
        (b'a,b\n1,"x"y\n', "line 2: text after a closing quotation mark."),
        (b"a,b\n1,2\n1,\xff\n", "line 3: a byte that is no UTF-8 text."),
        (b"a,b\n1,\xe2\x82", "line 2: a byte that is no UTF-8 text."),
    ],
)
def test_a_fault_is_found_with_its_line(tmp_path: Path, content: bytes, fault: str | None) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    found = find_fault(path, ",")
    assert found is None if fault is None else found is not None and found.startswith(fault)


@pytest.mark.parametrize(
    ("content", "names", "delimiter"),
    [
        (b"a,b\n", ["a", "b"], ","),
        (b"a;b;c\n", ["a", "b", "c"], ";"),
        (b"a\tb\n", ["a", "b"], "\t"),
        (b"\xef\xbb\xbfage\n1\n", ["age"], ","),
        (b'"a,x",b\n', ["a,x", "b"], ","),
    ],
)
def test_the_header_tells_names_and_delimiter(tmp_path: Path, content: bytes, names: list[str], delimiter: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    assert header_of(path, None) == (names, delimiter)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"a,a\n1,2\n", "two columns are called 'a'"),
        (b"a,,b\n", "column 2 has no name"),
        (b"a,b\x07\n", "control characters"),
        ("a,b\n1,2\n".encode("utf-16"), "no UTF-8 text"),
        (b"caf\xe9,b\n", "line 1: a byte that is no UTF-8 text"),
    ],
)
def test_a_header_that_cannot_be_used_is_refused(tmp_path: Path, content: bytes, fault: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(Invalid, match=fault):
        header_of(path, None)
