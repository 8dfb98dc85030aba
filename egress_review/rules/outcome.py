"""What a check says when it could not be carried out: never nothing."""

from __future__ import annotations

from egress_review.rules.catalogue import rule

TIME = rule(
    "check.time",
    "blocks",
    "The check took too long",
    source="Fail closed",
    why="A file that cannot be checked in time may be made so on purpose.",
    remedy="Make the file smaller or simpler.",
)
CRASH = rule(
    "check.crash",
    "blocks",
    "The check broke off",
    source="Fail closed",
    why="A file that breaks its parser cannot be reviewed.",
    remedy="Save the file again from your program, in a simpler form.",
)
MEMORY = rule(
    "check.memory",
    "blocks",
    "The check ran out of memory",
    source="Fail closed",
    why="A file that unpacks to more than the limit is a bomb or no result.",
    remedy="Make the file smaller.",
)
SIZE = rule(
    "check.size",
    "blocks",
    "The file or the answer is too large",
    source="Setting egress.max_file_bytes",
    why="A result is small.",
    remedy="Summarise it.",
)
ISOLATION = rule(
    "check.isolation",
    "warns",
    "No check without isolation",
    source="Fail closed",
    why="The sandbox could not be set up, and nothing is read outside it.",
    remedy="Ask an admin to run `enclave doctor`.",
)
NO_INDEX = rule("check.no-index", "warns", "A dataset without an index", source="Fail closed", why="Rows of that dataset cannot be looked for.",
    remedy="Ask an admin to build the index of source rows for this version.")  # fmt: skip
