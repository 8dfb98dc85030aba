"""The rules that the queue itself checks, beside those of `rules`: what only it can know, and what comes inwards."""

from __future__ import annotations

from egress_review.rules.catalogue import rule

CANONICAL = rule(
    "no-canonical-form",
    "blocks",
    "A file that cannot be rewritten",
    why="What leaves is a rewrite, values only, so that nothing hides in a file's format. What cannot be, stays.",
    source="Channels of file formats, listed in docs/explanation/release.md.",
    remedy="Save tables as CSV, text as .txt, figures as PNG, and add those instead.",
)
DIFFERENCING = rule(
    "differencing",
    "blocks",
    "Two tables that give away a few people together",
    why="Subtracting a released table from a new one shows the few people that are in one of them alone.",
    source="Statbarn, class 'successive releases'; ABS DataLab: no two tables may differ by fewer than 10.",
    remedy="Count the same people as the earlier table, or round both tables to the same base.",
)
EXECUTABLE = rule(
    "import-executable",
    "blocks",
    "A program",
    why="What runs in a session is built from recorded sources, so that it can be looked at.",
    source="SATRE: software ingress.",
    remedy="Bring the source, or ask for the package in the session image.",
)
SCRIPT = rule(
    "import-script",
    "warns",
    "A script that can be run",
    why="It runs with the researcher's rights; a reviewer reads it first.",
    source="SATRE: software ingress.",
    remedy="Reviewers read it line by line; keep it short.",
)
PICKLE = rule(
    "import-pickle",
    "blocks",
    "A pickle",
    why="Loading a pickle can run anything.",
    source="Python's documentation of the module pickle.",
    remedy="Save the model as ONNX, JSON or safetensors.",
)
ARCHIVE = rule(
    "import-archive",
    "blocks",
    "An archive",
    why="It hides what is in it from the other checks.",
    source="Zip bombs and path traversal in archives.",
    remedy="Upload the files one by one.",
)
SECRET = rule(
    "import-secret",
    "blocks",
    "A password, key or token",
    why="A session reaches nothing, so it needs no secret; one that is here can only be lost.",
    source="Forms of keys as their issuers publish them.",
    remedy="Take it out; a session has no use for it.",
)
DATA = rule(
    "import-data",
    "blocks",
    "Data that comes in as a file",
    why="Data needs an owner, a tier and an agreement, which a file in a workspace does not have.",
    source="The enclave's own rule: data comes in as a dataset.",
    remedy="Data comes in as a dataset, with an owner and a tier: ask a data steward.",
)
MALWARE = rule(
    "import-malware",
    "blocks",
    "Known malware",
    why="A session is isolated, and its output may still carry what came in.",
    source="ClamAV's signatures, where it is installed.",
    remedy="Tell your security officer, or an admin where ClamAV does not work.",
)
