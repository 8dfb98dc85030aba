"""Run code in the enclave when it looks at a submitted pickle.

Way: submission
Control: `pickle.load`
Held by: pickles are read by opcode and never loaded, in a sandbox; one that calls anything is blocked
"""

import pickle
from pathlib import Path

from egress_review.previews import preview
from egress_review.store import Store
from hub.portal.shown import cut_down
from tests.redteam import submitting


class Touch:
    """Unpickling it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_control_loading_it_runs_it(tmp_path) -> None:
    pickle.loads(pickle.dumps(Touch(tmp_path / "ran"))).close()
    assert (tmp_path / "ran").exists()


def test_the_checks_do_not_run_it(enclave, inside, tmp_path) -> None:
    tmp_path.chmod(0o777)
    name = f"{submitting.fresh()}.pkl"
    submitting.write(inside, name, pickle.dumps(Touch(tmp_path / "ran")))
    (kept,) = submitting.submit(enclave, submitting.draft(enclave, name))
    shown = cut_down(preview(Store(enclave.settings.store).path(kept.sha256), kept.kind, enclave.settings))
    assert kept.verdict == "block"
    assert not (tmp_path / "ran").exists()
    assert not shown.preview.tables
