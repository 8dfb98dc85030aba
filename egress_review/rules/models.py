"""Saved models and pickles, looked at without ever loading them."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from io import BytesIO

from egress_review import pickle_tables
from egress_review.findings import Finding
from egress_review.rules.catalogue import Subject, rule

PICKLE = rule(
    "model.pickle",
    "blocks",
    "A pickle",
    source="Python documentation: pickle is not secure",
    why="Loading it runs code, and it can hold a whole data frame.",
    remedy="Save coefficients or tables as CSV.",
)
DANGEROUS = rule(
    "model.code",
    "blocks",
    "A pickle that calls programs",
    source="picklescan, fickling",
    why="It names functions that run commands or open connections.",
    remedy="Don't. This is reported to the security officer.",
)
ROWS = rule(
    "model.rows",
    "blocks",
    "A model that keeps rows of the data",
    source="SACRO-ML: instance-based models",
    why="Nearest neighbours, support vectors, Gaussian processes and data frames hold people's rows as they are.",
    remedy="Release a parametric model's coefficients, as a table.",
)
MODEL = rule("model.file", "blocks", "A model file", source="SACRO guidance on machine learning models",
    why="Leaf sizes, parameters and kept data cannot be judged from a finished file.",
    remedy="Ask for a model release: a steward takes it through the attacks of the guidance.")  # fmt: skip

_INSTANCE = (
    "KNeighbors",
    "SVC",
    "SVR",
    "GaussianProcess",
    "NearestNeighbors",
    "KDTree",
    "BallTree",
    "RadiusNeighbors",
    "LocalOutlier",
    "OneClassSVM",
    "KernelRidge",
    "DataFrame",
    "BlockManager",
    "KernelDensity",
)
_CALLS = (
    "os system",
    "posix system",
    "nt system",
    "subprocess",
    "builtins eval",
    "builtins exec",
    "builtins __import__",
    "socket",
    "urllib",
    "requests",
    "webbrowser",
    "pty",
    "shutil",
    "runpy",
    "ctypes",
    "builtins compile",
    "builtins getattr",
    "builtins open",
    "operator attrgetter",
)


def globals_of(data: bytes) -> list[str]:
    """`module name` of every global that a pickle asks for, by opcode; stops at what is broken."""
    found: list[str] = []
    strings: list[str] = []
    for name, argument in (read := pickle_tables.opcodes(data)):
        if name in ("GLOBAL", "INST"):
            found.append(str(argument))
        elif name == "STACK_GLOBAL" and len(strings) >= 2:
            found.append(f"{strings[-2]} {strings[-1]}")
        elif "UNICODE" in name or name in ("STRING", "BINSTRING", "SHORT_BINSTRING"):
            strings.append(str(argument)[:200])
    if not read or read[-1][0] != "STOP":
        found.append("? broken")
    return found


def check(subject: Subject) -> Iterator[Finding]:
    """Findings in pickles and model files."""
    data = subject.data
    if subject.kind in ("model", "array", "zip") and data[:2] == b"PK":
        try:
            with zipfile.ZipFile(BytesIO(data)) as archive:
                inner = [
                    m
                    for m in archive.infolist()
                    if m.filename.endswith(("data.pkl", ".pkl")) and m.file_size < 64 * 1024**2
                ]
                data = archive.read(inner[0]) if inner else b""
        except Exception:  # zipfile raises many kinds for broken archives, and what says so is another rule
            data = b""
    if subject.kind == "model":
        yield MODEL.found(subject.name, "This is the file of a trained model, or of a container that holds one.")
    if subject.kind not in ("pickle", "model", "array", "unknown", "archive", "zip", "statistics"):
        return
    data = pickle_tables.unpacked(data)
    if subject.kind != "pickle" and data[:1] != b"\x80":
        return
    names = globals_of(data)
    if subject.kind == "pickle" or names:
        yield PICKLE.found(
            subject.name, f"This is a pickle; it asks for {', '.join(sorted(set(names))[:6]) or 'nothing'}."[:400]
        )
    calls = [name for name in names if any(name.startswith(call) for call in _CALLS)]
    if calls:
        yield DANGEROUS.found(subject.name, f"It calls {', '.join(sorted(set(calls))[:5])}.")
    kept = [name for name in names if any(word in name for word in _INSTANCE)]
    if kept:
        yield ROWS.found(subject.name, f"It holds {', '.join(sorted(set(kept))[:5])}.")
