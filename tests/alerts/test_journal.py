"""The journal: what is open survives, what is done goes, a full disk is made good, files stay short."""

import json
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fenzhen.alerts.journal import Journal
from fenzhen.alerts.limit import Limit


def row(id: str) -> dict[str, Any]:
    return {"id": id, "text": "几点发货"}


def left(folder: Path) -> list[tuple[str, list[str]]]:
    """What a new process would find; it is left there."""
    journal = Journal(folder)
    found = [(event["id"], sorted(to)) for event, to in journal.left]
    journal.close()
    return found


def test_what_is_open_is_found_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "s")
    for id in "cab":
        journal.keep(id, row(id), ["群", "单"])
    journal.done(["c"], "群")
    journal.done(["a", "unknown"], "群")
    journal.done(["a"], "单")
    journal.close()
    assert left(tmp_path / "s") == [("c", ["单"]), ("b", ["单", "群"])]
    assert left(tmp_path / "s") == [("c", ["单"]), ("b", ["单", "群"])], "taken over, still open"
    [file] = (tmp_path / "s").glob("*")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o700


def test_nothing_open_leaves_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.keep("a", row("a"), ["群"])
    journal.done(["a"], "群")
    journal.close()
    assert not list(tmp_path.iterdir())


def test_a_living_process_keeps_its_file(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.keep("a", row("a"), ["群"])
    assert left(tmp_path) == []
    journal.close()
    assert left(tmp_path) == [("a", ["群"])]


def test_every_way_to_tear_a_file_keeps_the_lines_before(tmp_path: Path) -> None:
    lines = [json.dumps({"event": row(id), "to": ["x"]}).encode() for id in "ab"]
    for cut in range(len(lines[1])):
        (tmp_path / "0-1.alerts").write_bytes(lines[0] + b"\n" + lines[1][:cut])
        assert left(tmp_path) == [("a", ["x"])], cut
        for file in tmp_path.iterdir():
            file.unlink()


def test_a_long_life_needs_little_room(tmp_path: Path, wait_until: Callable[..., None]) -> None:
    journal = Journal(tmp_path, rotate=4_000)
    journal.keep("first", row("first"), ["群"])
    for number in range(2_000):
        journal.keep(str(number), row(str(number)), ["群"])
        journal.done([str(number)], "群")

    def small() -> bool:
        journal.done([], "群")  # wakes the thread
        return sum(file.stat().st_size for file in tmp_path.glob("*.alerts")) < 10_000

    wait_until(small)
    journal.close()
    assert left(tmp_path) == [("first", ["群"])]


_FULL = """
import json, resource, sys, time
from pathlib import Path
from fenzhen.alerts.journal import Journal
from fenzhen.logs import log_to_stderr
log_to_stderr("info")
journal = Journal(Path(sys.argv[1]), again=0.05)
journal.keep("before", {"id": "before"}, ["群"])
journal.keep("gone", {"id": "gone"}, ["群"])
endless = resource.RLIM_INFINITY
resource.setrlimit(resource.RLIMIT_FSIZE, (200, endless))
slowest = 0.0
for number in range(50):
    began = time.perf_counter()
    journal.keep(f"during {number}", {"id": f"during {number}"}, ["群"])
    slowest = max(slowest, time.perf_counter() - began)
journal.done(["gone", "during 7"], "群")
time.sleep(0.2)
resource.setrlimit(resource.RLIMIT_FSIZE, (endless, endless))
time.sleep(0.5)
print(slowest, flush=True)
import os, signal
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_full_disk_is_logged_once_and_made_good(tmp_path: Path) -> None:
    ran = subprocess.run([sys.executable, "-c", _FULL, str(tmp_path)], capture_output=True, text=True, check=False)
    assert float(ran.stdout) < 0.1
    assert ran.stderr.count("alert_journal_failed") == 1 and ran.stderr.count("alert_journal_works_again") == 1
    expected = ["before", *(f"during {number}" for number in range(50) if number != 7)]
    assert sorted(id for id, _ in left(tmp_path)) == sorted(expected)


def test_a_folder_that_can_not_be_made_is_used_later(tmp_path: Path, wait_until: Callable[..., None]) -> None:
    (tmp_path / "place").write_text("in the way")
    journal = Journal(tmp_path / "place" / "s", again=0.02)
    journal.keep("a", row("a"), ["群"])
    (tmp_path / "place").unlink()
    wait_until(lambda: bool(list(tmp_path.glob("place/s/*.alerts"))))
    journal.close()
    assert left(tmp_path / "place" / "s") == [("a", ["群"])]


def test_a_limit_is_exact_in_every_window() -> None:
    limit = Limit(3, minute=0.2)
    waits = [limit.take() for _ in range(5)]
    assert waits[:3] == [0.0] * 3 and all(0.0 < wait <= 0.2 for wait in waits[3:])


@pytest.mark.parametrize("content", [b"", b"{", b'{"a": 1}', b'["a", null, 1]', b"\xff" * 10])
def test_a_limit_survives_a_broken_file(content: bytes, tmp_path: Path) -> None:
    limit = Limit(1, name="群", folder=tmp_path)
    limit.take()
    [file] = tmp_path.iterdir()
    file.write_bytes(content)
    assert limit.take() == 0.0 and limit.take() > 0.0


def test_a_limit_without_a_disk_still_holds(tmp_path: Path) -> None:
    limit = Limit(1, name="群", folder=tmp_path / "nowhere")
    assert limit.take() == 0.0 and limit.take() > 0.0


def test_a_clock_set_back_frees_the_limit(tmp_path: Path) -> None:
    limit = Limit(1, name="群", folder=tmp_path)
    limit.take()
    [file] = tmp_path.iterdir()
    file.write_text("[99999999999.0]")
    assert limit.take() == 0.0
