"""A full disk, simulated by a limit on the size of files: no crash, an honest False, and the rest stays readable."""

import json
import subprocess
import sys
from pathlib import Path

from fenzhen.review.store import ReviewStore

_FILL = """
import json, resource, sys
from pathlib import Path
from fenzhen.defaults import default_file
from fenzhen.message import Message
from fenzhen.review.store import ReviewStore
from fenzhen.routing.policies import Policies
from fenzhen.triage import Triage
from fenzhen.understanding.classification import FixedClassifier
folder = Path(sys.argv[1])
url, spool = f"sqlite:///{folder}/test.db", folder / "spool"
store = ReviewStore(url, spool_dir=spool, busy_timeout=0.05, pause=0.0, replay_every=3600)
triage = Triage(FixedClassifier(), Policies.load(default_file("policy.yaml")))
[decision] = triage([Message("发票怎么开" * 400)])
kept = []
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
for number in range(200):
    if not store.record([(f"{number:03d}", decision)]):
        break
    kept.append(f"{number:03d}")
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
ready = store.ready()
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
again = store.record([("again", decision)])
print(json.dumps({"kept": kept, "ready": ready, "again": again, "later": store.ready()}))
"""


def test_a_full_disk_loses_nothing_that_was_promised(tmp_path: Path) -> None:
    ran = subprocess.run([sys.executable, "-c", _FILL, str(tmp_path)], capture_output=True, text=True, check=True)
    said = json.loads(ran.stdout.splitlines()[-1])
    assert len(said["kept"]) < 200, "the limit was never hit"
    assert "database" in said["ready"] and "spool" in said["ready"]
    assert said["again"] is True and said["later"] is None, "with space again, it works again"
    store = ReviewStore(f"sqlite:///{tmp_path}/test.db", spool_dir=tmp_path / "spool", replay_every=3600)
    in_database = [id for id in said["kept"] if store._database.knows(id)]
    assert 0 < len(in_database) < len(said["kept"]), "some went to the database, some to the spool"
    store.replay()
    assert all(store._database.knows(id) for id in [*said["kept"], "again"])
    store.close()
