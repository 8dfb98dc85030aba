import os

import pytest

from access_control.settings import Profile
from egress_review import sandbox
from egress_review.confinement import Limits

TASK = {"do": "check", "name": "a.csv", "profile": Profile().model_dump(), "peers": [], "disk": {}}


def _run(data: bytes, limits: Limits, task=TASK) -> sandbox.Answer:
    descriptor = os.memfd_create("input")
    try:
        os.write(descriptor, data)
        return sandbox.run(task, descriptor, limits)
    finally:
        os.close(descriptor)


def _in_child(act) -> int:
    """The exit status of a process that confines itself and then runs `act`; 0 when `act` returned true."""
    from egress_review import confinement

    pid = os.fork()
    if pid == 0:
        status = 3
        try:
            confinement.confine(Limits())
            status = 0 if act() else 1
        except OSError:
            status = 2
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_good_file_is_answered():
    answer = _run(b"sex,n\nF,120\nM,130\n", Limits())
    assert answer.failure == ""
    assert answer.values["verdict"] == "pass"


def test_a_slow_check_is_stopped():
    assert _run(b"a,b\n1,2\n", Limits(seconds=0.0)).failure == "time"


def test_an_answer_that_is_too_large_is_not_taken():
    assert _run(b"a,b\n1,2\n", Limits(answer_bytes=10)).failure == "size"


def test_an_unknown_task_is_a_failure():
    assert _run(b"x", Limits(), {**TASK, "do": "nonsense"}).failure == "crash"


def test_a_missing_index_is_a_failure():
    assert _run(b"x", Limits(), {**TASK, "indexes": ["/nonexistent"]}).failure == "index"


def test_a_confined_process_has_no_network_and_starts_no_program():
    import socket

    assert _in_child(lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM)) == 2
    assert _in_child(socket.socketpair) == 2
    assert _in_child(lambda: os.fork() >= 0) == 2
    assert _in_child(lambda: os.execv("/bin/true", ["true"])) == 2


def test_a_confined_process_writes_no_file(tmp_path):
    def write() -> bool:
        descriptor = os.open(tmp_path / "x", os.O_CREAT | os.O_WRONLY)
        return os.write(descriptor, b"x") == 1

    tmp_path.chmod(0o777)
    assert _in_child(write) != 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a uid to give up")
def test_a_confined_process_is_nobody():
    assert _in_child(lambda: os.getuid() == os.geteuid() == 65534 and os.getgroups() == []) == 0


def test_a_confined_process_may_still_start_threads():
    def thread() -> bool:
        import threading

        done: list[int] = []
        made = threading.Thread(target=lambda: done.append(1))
        made.start()
        made.join()
        return bool(done)

    assert _in_child(thread) == 0


def test_forty_columns_do_not_run_out_of_descriptors(tmp_path):
    import polars as pl

    from access_control.settings import Settings
    from egress_review.checking import check_files
    from egress_review.source_index import build_index

    settings = Settings(data_root=tmp_path / "data")
    frame = pl.DataFrame({f"c{i}": [j * 1.5 + i for j in range(50)] for i in range(60)})
    frame.write_parquet(tmp_path / "s.parquet")
    build_index(settings, "wide", 1, tmp_path / "s.parquet")
    frame.head(40).write_csv(tmp_path / "out.csv")
    (result,) = check_files(settings, [(tmp_path / "out.csv", "out.csv")], profile=Profile(), datasets=[("wide", 1)])
    assert "source.rows" in {finding.rule for finding in result.findings}


def test_the_zygote_comes_back_when_it_has_died():
    assert _run(b"a,b\n1,2\n", Limits()).failure == ""
    process = sandbox._zygote._process
    assert process is not None
    process.kill()
    process.wait()
    assert _run(b"a,b\n1,2\n", Limits()).failure == ""
