"""The spool: durable lines, torn lines, files of other processes."""

import json
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fenzhen.review.spool import Entry, Spool


def entry(id: str) -> Entry:
    return {"kind": "decision", "row": {"id": id, "text": "几点发货"}}


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


@pytest.fixture
def taken() -> list[Entry]:
    return []


def test_entries_come_back_once_and_in_order(spool: Spool, taken: list[Entry]) -> None:
    spool.append([entry("a"), entry("b")])
    spool.append([entry("c")])
    assert spool.size() > 0
    assert spool.replay(taken.extend) == 3
    assert taken == [entry("a"), entry("b"), entry("c")]
    assert spool.replay(taken.extend) == 0 and spool.size() == 0


def test_a_torn_last_line_is_set_aside(spool: Spool, taken: list[Entry]) -> None:
    spool.append([entry("a"), entry("b")])
    spool.close()
    [file] = spool.files()
    whole = file.read_bytes()
    file.write_bytes(whole[:-10])
    spool.replay(taken.extend)
    assert taken == [entry("a")]
    [torn] = spool.folder.glob("*.torn")
    assert torn.read_bytes() == whole.splitlines(keepends=True)[1][:-10]


def test_every_way_to_tear_a_file_keeps_the_lines_before(spool: Spool, taken: list[Entry]) -> None:
    line = json.dumps(entry("b")).encode()
    spool.folder.mkdir()
    for cut in range(len(line)):
        taken.clear()
        (spool.folder / "1-x.jsonl").write_bytes(json.dumps(entry("a")).encode() + b"\n" + line[:cut])
        spool.replay(taken.extend)
        assert taken == [entry("a")], f"cut after {cut} bytes"


def test_a_file_stays_when_it_could_not_be_taken(spool: Spool, taken: list[Entry]) -> None:
    def refuse(entries: list[Entry]) -> None:
        raise RuntimeError("the database is away")

    spool.append([entry("a")])
    with pytest.raises(RuntimeError):
        spool.replay(refuse)
    assert spool.replay(taken.extend) == 1


def test_a_file_in_use_is_left_to_its_process(spool: Spool, taken: list[Entry]) -> None:
    spool.append([entry("a")])
    other = Spool(spool.folder)
    assert other.replay(taken.extend) == 0
    assert other.holds("id", "a"), "but what it holds is known"
    spool.close()
    assert other.replay(taken.extend) == 1


def test_what_the_spool_holds(spool: Spool) -> None:
    assert not spool.holds("id", "a")
    spool.append([entry('é"a')])
    assert spool.holds("id", 'é"a')
    assert not spool.holds("text", "几点") and not spool.holds("event_id", 'é"a')


def test_only_the_owner_may_read(spool: Spool) -> None:
    spool.append([entry("a")])
    assert stat.S_IMODE(spool.folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(file.stat().st_mode) for file in spool.files()] == [0o600]


def limited(size: int, work: Callable[[], None]) -> None:
    """Run in a process whose files can't grow beyond `size` bytes; fails unless it ends well."""
    pid = os.fork()
    if pid == 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_a_full_disk_takes_all_or_nothing(spool: Spool, taken: list[Entry]) -> None:
    size = len(json.dumps(entry("a"), separators=(",", ":"))) + 1

    def fill() -> None:
        spool.append([entry("a")])
        with pytest.raises(OSError, match="too large"):
            spool.append([entry("b"), entry("c")])  # b would fit, c would not

    limited(size * 2 + 5, fill)
    assert spool.replay(taken.extend) == 1 and taken == [entry("a")]
    assert not list(spool.folder.glob("*.torn"))


def test_check_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "Not a directory" in (Spool(tmp_path / "file" / "spool").check() or "")
    assert Spool(tmp_path / "fine").check() is None
    assert list((tmp_path / "fine").iterdir()) == []


def test_a_killed_process_leaves_its_file_to_others(spool: Spool, taken: list[Entry]) -> None:
    program = (
        "import sys, os, signal; from pathlib import Path; from fenzhen.review.spool import Spool\n"
        "Spool(Path(sys.argv[1])).append([{'kind': 'decision', 'row': {'id': 'a'}}])\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", program, str(spool.folder)], check=False)
    assert spool.replay(taken.extend) == 1
