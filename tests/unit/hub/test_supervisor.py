"""The supervisor: starts again what ended, and leaves nothing behind, however it ends itself."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from access_control.settings import Settings
from hub.programs import Program
from hub.supervisor import Running, Supervisor

SLEEPER = "import time; print('here', flush=True); time.sleep(600)"


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "in vain"
        time.sleep(0.02)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] == "Z"


def make(tmp_path: Path, *programs: Program) -> Supervisor:
    settings = Settings(data_root=tmp_path)
    settings.run.mkdir()
    settings.logs.mkdir()
    supervisor = Supervisor(settings, programs)
    supervisor._running = [Running(program) for program in programs]
    return supervisor


def test_a_program_that_ended_is_started_again_later_each_time(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = make(tmp_path, Program("short", (sys.executable, "-c", "print('x')")))
    supervisor.report = said.append
    supervisor.step(100.0)
    one = supervisor._running[0]
    until(lambda: one.process is not None and one.process.poll() is not None)
    supervisor.step(101.0)
    assert one.process is None
    assert one.next_start > 101.0
    supervisor.step(101.1)
    assert one.process is None, "too early"
    supervisor.step(one.next_start)
    assert one.starts == 2
    assert "ended with code 0" in said[0]
    supervisor.end_all()
    assert (tmp_path / "logs" / "short.log").read_text().startswith("x")


def test_all_end_with_the_supervisor(tmp_path: Path) -> None:
    supervisor = make(tmp_path, *(Program(name, (sys.executable, "-c", SLEEPER)) for name in ("a", "b")))
    supervisor.step(1.0)
    pids = [one.process.pid for one in supervisor._running]
    state = json.loads((tmp_path / "run" / "programs.json").read_text())
    assert [state["programs"][name]["pid"] for name in ("a", "b")] == pids
    supervisor.end_all()
    assert all(gone(pid) for pid in pids)


def test_a_program_that_cannot_be_started_is_said_and_tried_again(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = make(tmp_path, Program("missing", ("/no/such/program",)))
    supervisor.report = said.append
    supervisor.step(1.0)
    assert "cannot be started" in said[0]
    supervisor.step(1.1)
    assert len(said) == 1
    supervisor.step(60.0)
    assert len(said) == 2


def test_programs_die_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "supervise.py"
    script.write_text(
        "import sys\nfrom pathlib import Path\nfrom access_control.settings import Settings\n"
        "from hub.programs import Program\nfrom hub.supervisor import Supervisor\n"
        f"root = Path({str(tmp_path / 'data')!r})\n"
        "for name in ('run', 'logs'):\n    (root / name).mkdir(parents=True)\n"
        f"Supervisor(Settings(data_root=root), [Program('a', (sys.executable, '-c', {SLEEPER!r}))]).run()\n"
    )
    process = subprocess.Popen([sys.executable, str(script)], cwd=Path(__file__).resolve().parents[3])
    state = tmp_path / "data" / "run" / "programs.json"
    log = tmp_path / "data" / "logs" / "a.log"
    until(lambda: state.exists() and log.exists() and "here" in log.read_text())
    pid = json.loads(state.read_text())["programs"]["a"]["pid"]
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    until(lambda: gone(pid))
