"""With PROMETHEUS_MULTIPROC_DIR set, what one worker process counted is in what another one reports."""

import os
import subprocess
import sys
from pathlib import Path

_WORKER = """
import sys
from fenzhen.web.metrics import Metrics
metrics = Metrics(spool_bytes=lambda: 7, inside=lambda: 1)
metrics.request("/classify", 200, 0.004)
sys.stdout.write(metrics.render().decode())
"""


def test_workers_are_added_up(tmp_path: Path) -> None:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    for worker in (1, 2):
        ran = subprocess.run(
            [sys.executable, "-c", _WORKER], env=environment, capture_output=True, text=True, check=True
        )
        assert f'fenzhen_requests_total{{endpoint="/classify",status="200"}} {worker}.0' in ran.stdout
        assert "fenzhen_spool_bytes 7.0" in ran.stdout, "the spool is shared, not added up"


def test_what_a_dead_worker_was_doing_is_forgotten(tmp_path: Path) -> None:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    for _ in range(2):  # the first one is gone when the second one reports
        ran = subprocess.run(
            [sys.executable, "-c", _WORKER], env=environment, capture_output=True, text=True, check=True
        )
    assert "fenzhen_requests_inside 1.0" in ran.stdout
    assert 'fenzhen_requests_total{endpoint="/classify",status="200"} 2.0' in ran.stdout
