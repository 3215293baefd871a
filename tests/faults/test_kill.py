"""SIGKILL at any moment: every id that record() had returned for is in the database or the spool."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from fenzhen.review.store import ReviewStore

_RECORD = """
import itertools, sys
from fenzhen.logs import log_to_stderr
from pathlib import Path
from fenzhen.defaults import default_file
from fenzhen.message import Message
from fenzhen.review.store import ReviewStore
from fenzhen.routing.policies import Policies
from fenzhen.triage import Triage
from fenzhen.understanding.classification import FixedClassifier
log_to_stderr("error")
folder = Path(sys.argv[1])
url, spool = f"sqlite:///{folder}/test.db", folder / "spool"
store = ReviewStore(url, spool_dir=spool, busy_timeout=0.02, pause=0.1, replay_every=0.1)
triage = Triage(FixedClassifier(), Policies.load(default_file("policy.yaml")))
[decision] = triage([Message("什么时候发货")])
for number in itertools.count():
    if store.record([(f"{number:06d}", decision)]):
        print(f"{number:06d}", flush=True)
"""


@pytest.mark.parametrize("lock_for", [0.0, 0.4], ids=["calm", "database locked for a while"])
def test_no_answered_decision_is_lost(tmp_path: Path, lock_for: float) -> None:
    recorder = subprocess.Popen([sys.executable, "-c", _RECORD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert recorder.stdout is not None
    assert recorder.stdout.readline(), "the recorder did not start"
    with closing(sqlite3.connect(tmp_path / "test.db", isolation_level=None, timeout=10)) as other:
        if lock_for:
            other.execute("BEGIN IMMEDIATE")
            time.sleep(lock_for)
            other.execute("ROLLBACK")
    time.sleep(0.3)
    os.kill(recorder.pid, signal.SIGKILL)
    answered = {"000000", *(line.strip() for line in recorder.stdout if line.endswith("\n"))}
    recorder.wait()
    ReviewStore(f"sqlite:///{tmp_path}/test.db", spool_dir=tmp_path / "spool").close()  # replays what was left
    with closing(sqlite3.connect(tmp_path / "test.db")) as connection:
        kept = {row[0] for row in connection.execute("SELECT id FROM decisions")}
    assert len(answered) > 10
    assert answered - kept == set()
