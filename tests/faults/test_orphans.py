"""The supervisor of several workers is killed: its workers end too, and let go of the port."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

_SUPERVISOR = """
import multiprocessing, signal, sys, time
from fenzhen.commands.serve import end_with_parent

def worker():
    end_with_parent()
    print("up", flush=True)
    time.sleep(60)

if __name__ == "__main__":
    child = multiprocessing.get_context("spawn").Process(target=worker)
    child.start()
    print(child.pid, flush=True)
    child.join()
"""


def _runs(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"  # nobody may be there to collect an orphan


def test_workers_end_with_their_supervisor(tmp_path: Path) -> None:
    script = tmp_path / "supervisor.py"
    script.write_text(_SUPERVISOR)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        worker = int(supervisor.stdout.readline())
        assert supervisor.stdout.readline() == "up\n"
        time.sleep(0.2)
        assert _runs(worker)
        supervisor.kill()
        supervisor.wait()
    try:
        deadline = time.monotonic() + 10
        while _runs(worker):
            assert time.monotonic() < deadline, "the worker lives on without its supervisor"
            time.sleep(0.02)
    finally:
        if _runs(worker):
            os.kill(worker, signal.SIGKILL)
