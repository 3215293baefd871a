"""Alerts over real sockets: delivery, order, limits and digests, retries, targets that hang, kills, duplicates."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fenzhen.alerts.event import AlertEvent
from fenzhen.alerts.outbox import Retry

Make = Callable[..., Any]


def chat(port: int, name: str = "群", rest: str = "") -> str:
    return f'  - {{name: {name}, url: "json://127.0.0.1:{port}/"{rest}}}\n'


def test_events_arrive_in_order_and_whole(webhook: Make, open_alerts: Make, event: Make) -> None:
    hook, tickets = webhook(), webhook()
    text = f'targets:\n{chat(hook.port)}tickets:\n  - {{name: 单, url: "http://127.0.0.1:{tickets.port}/t?a=1"}}\n'
    alerts = open_alerts(text)
    sent = [event(f"{number}") for number in range(15)]
    for one in sent:
        alerts.send(one)
    alerts.close(10)
    assert [message.partition("原话:第")[2].partition("次")[0] for message in hook.messages] == [e.id for e in sent]
    assert [AlertEvent.from_dict(body) for body in tickets.bodies] == sent
    path, headers, _ = tickets.got[3]
    assert path == "/t?a=1" and headers["Idempotency-Key"] == "3"
    assert (alerts.sent, alerts.digested, alerts.failed, alerts.dropped) == (30, 0, 0, 0)


def test_targets_get_what_they_want(webhook: Make, open_alerts: Make, event: Make) -> None:
    urgent, stalls, expert, shop = (webhook() for _ in range(4))
    alerts = open_alerts(
        "targets:\n"
        + chat(urgent.port, "a", ", events: [urgent]")
        + chat(stalls.port, "b", ", events: [stall]")
        + chat(expert.port, "c", ", groups: [expert]")
        + chat(shop.port, "d", ", shops: [other], events: [urgent, stall]")
    )
    alerts.send(event("plain stall", kind="stall", priority="high"))
    alerts.send(event("urgent stall", kind="stall", group="expert"))
    alerts.send(event("notice", kind="notice", priority="normal", shop="other"))
    alerts.close(10)
    assert [len(hook.got) for hook in (urgent, stalls, expert, shop)] == [1, 2, 1, 0]


def test_a_limit_holds_back_and_one_digest_follows(webhook: Make, open_alerts: Make, event: Make) -> None:
    hook = webhook()
    alerts = open_alerts("targets:\n" + chat(hook.port, rest=", per_minute: 3"), minute=1.0)
    for number in range(12):
        alerts.send(event(f"{number}", group_name="售后" if number % 2 else "专家"))
    hook.wait_for(3)
    time.sleep(0.3)
    assert len(hook.got) == 3, "the limit did not hold"
    hook.wait_for(4)
    alerts.close(5)
    assert len(hook.got) == 4
    assert hook.messages[3].startswith("【加急】另有 9 条:售后组 5、专家组 4 | 退款 9 | 店铺 demo-snacks 9")
    assert (alerts.sent, alerts.digested) == (3, 9)


def test_failures_are_tried_again(webhook: Make, open_alerts: Make, event: Make) -> None:
    hook = webhook(answers=[(500, "{}"), (429, "{}"), (503, "{}"), (200, "{}")])
    tickets = webhook(answers=[(500, "{}"), (409, "{}"), (201, "{}")])
    text = f'targets:\n{chat(hook.port)}tickets:\n  - {{name: 单, url: "http://127.0.0.1:{tickets.port}/"}}\n'
    alerts = open_alerts(text)
    alerts.send(event("a"))
    alerts.send(event("b"))
    alerts.close(10)
    assert [message[-3:] for message in hook.messages] == ["s-a", "s-a", "s-a", "s-a", "s-b"]
    assert [body["id"] for body in tickets.bodies] == ["a", "a", "a", "b"]
    assert (alerts.sent, alerts.failed) == (4, 0)


def test_what_never_works_is_given_up_and_counted(
    webhook: Make, open_alerts: Make, event: Make, capfd: pytest.CaptureFixture[str]
) -> None:
    hook = webhook(answers=[(500, "{}")] * 5 + [(200, "{}")])
    alerts = open_alerts("targets:\n" + chat(hook.port))
    alerts.send(event("a"))
    alerts.send(event("b"))
    alerts.close(10)
    assert len(hook.got) == 6, "five tries for the first, one for the second"
    assert (alerts.sent, alerts.failed) == (1, 1)
    said = capfd.readouterr().err
    assert "alert_given_up" in said and "refused with 500" in said and '"a"' in said


@pytest.mark.parametrize("status", [400, 401, 404, 422, 302])
def test_a_ticket_that_is_refused_is_not_tried_again(
    status: int, webhook: Make, open_alerts: Make, event: Make
) -> None:
    hook = webhook(answers=[(status, "{}"), (200, "{}")])
    alerts = open_alerts(f'tickets:\n  - {{name: 单, url: "http://127.0.0.1:{hook.port}/"}}\n')
    alerts.send(event("a"))
    alerts.send(event("b"))
    alerts.close(10)
    assert [body["id"] for body in hook.bodies] == ["a", "b"] and not hook.other, "a redirect must not become a GET"
    assert (alerts.sent, alerts.failed) == (1, 1)


def test_a_chat_that_redirects_has_not_taken_it(webhook: Make, open_alerts: Make, event: Make) -> None:
    hook = webhook(answers=[(302, "")])
    alerts = open_alerts("targets:\n" + chat(hook.port), retry=Retry(2, 0.01, 0.01))
    alerts.send(event())
    alerts.close(10)
    assert not hook.other and (alerts.sent, alerts.failed) == (0, 1)


def test_a_target_that_hangs_holds_nobody_up(webhook: Make, open_alerts: Make, event: Make, tmp_path: Path) -> None:
    hanging, fine = webhook(hold=threading.Event()), webhook()
    alerts = open_alerts(
        "targets:\n" + chat(hanging.port, "a") + chat(fine.port, "b"), spool=tmp_path / "s", timeout=9.0
    )
    times = []
    for number in range(18):
        one = event(f"{number}")
        before = time.perf_counter()
        alerts.send(one)
        times.append(time.perf_counter() - before)
    fine.wait_for(18, within=5)
    assert len(hanging.got) == 1
    assert sorted(times)[9] < 0.001 and max(times) < 0.1, times


def test_nobody_there_is_a_failure_that_blocks_nothing(open_alerts: Make, event: Make, wait_until: Make) -> None:
    alerts = open_alerts("targets:\n" + chat(9), retry=Retry(2, 0.01, 0.01))  # the discard port: nothing listens
    alerts.send(event())
    wait_until(lambda: alerts.failed == 1)


def test_an_id_is_sent_once_to_each_target(webhook: Make, open_alerts: Make, event: Make) -> None:
    hook = webhook()
    alerts = open_alerts("targets:\n" + chat(hook.port))
    threads = [threading.Thread(target=alerts.send, args=(event("a"),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    hook.wait_for(1)
    alerts.send(event("a"))
    alerts.close(5)
    assert len(hook.got) == 1 and alerts.dropped == 0


def test_a_full_queue_drops_and_says_so_once(
    webhook: Make, open_alerts: Make, event: Make, wait_until: Make, capfd: pytest.CaptureFixture[str]
) -> None:
    hook = webhook(hold=threading.Event())
    alerts = open_alerts("targets:\n" + chat(hook.port), most_waiting=3)
    for number in range(10):
        alerts.send(event(f"{number}"))
    assert alerts.dropped == 7 and alerts.waiting() == 3
    hook.hold.set()
    wait_until(lambda: alerts.waiting() == 0)
    alerts.send(event("9"))  # what there was no room for is no duplicate
    alerts.close(5)
    assert len(hook.got) == 4
    assert capfd.readouterr().err.count("alerts_full") == 1


def test_what_close_leaves_is_sent_at_the_next_start(
    webhook: Make, open_alerts: Make, event: Make, tmp_path: Path
) -> None:
    down, spool = webhook(answers=[(500, "{}")]), tmp_path / "spool"
    first = open_alerts("targets:\n" + chat(down.port), spool=spool, retry=Retry(99, 5, 5))
    for number in range(5):
        first.send(event(f"{number}"))
    down.wait_for(1)
    began = time.monotonic()
    first.close(0.2)
    assert time.monotonic() - began < 2
    down.answers[:] = [(200, "{}")]
    again = open_alerts("targets:\n" + chat(down.port), spool=spool)
    again.send(event("new"))
    again.close(10)
    assert [message.rpartition("s-")[2] for message in down.messages[1:]] == ["0", "1", "2", "3", "4", "new"]
    assert not list(spool.glob("*.alerts")), "nothing is left"


def test_what_is_for_a_target_that_is_gone_is_dropped(
    webhook: Make, open_alerts: Make, event: Make, tmp_path: Path
) -> None:
    hook = webhook(answers=[(500, "{}")])
    first = open_alerts("targets:\n" + chat(hook.port, "old"), spool=tmp_path / "s", retry=Retry(99, 5, 5))
    first.send(event())
    first.close(0.1)
    again = open_alerts("targets:\n" + chat(hook.port, "new"), spool=tmp_path / "s")
    again.close(5)
    assert again.dropped == 1 and not list((tmp_path / "s").glob("*.alerts"))


_SENDER = """
import itertools, sys
from pathlib import Path
from fenzhen.alerts.alerts import Alerts
from fenzhen.alerts.config import AlertConfig
from fenzhen.alerts.event import AlertEvent
from fenzhen.logs import log_to_stderr
log_to_stderr("error")
alerts = Alerts(AlertConfig.load(Path(sys.argv[1])), Path(sys.argv[2]))
for number in itertools.count():
    alerts.send(AlertEvent("urgent", f"{number:05d}", priority="urgent", session=f"s-{number:05d}"))
    print(f"{number:05d}", flush=True)
    if number > 20:
        __import__("time").sleep(0.001)
"""


def test_a_kill_loses_no_event(webhook: Make, open_alerts: Make, tmp_path: Path) -> None:
    hook = webhook()
    path, spool = tmp_path / "killed.yaml", tmp_path / "spool"
    text = f'tickets:\n  - {{name: 单, url: "http://127.0.0.1:{hook.port}/"}}\n'
    path.write_text(text, encoding="utf-8")
    sender = subprocess.Popen([sys.executable, "-c", _SENDER, str(path), str(spool)], stdout=subprocess.PIPE, text=True)
    assert sender.stdout is not None
    hook.wait_for(10, within=30)
    os.kill(sender.pid, signal.SIGKILL)
    sent = {line.strip() for line in sender.stdout if line.endswith("\n")}
    sender.wait()
    time.sleep(0.2)  # what was on its way arrives
    before = [body["id"] for body in hook.bodies]
    assert len(sent) > 10 and set(before) != sent, "the kill came too late to test anything"
    open_alerts(text, spool=spool).close(20)
    ids = [body["id"] for body in hook.bodies]
    assert sent <= set(ids)
    assert len(ids) - len(set(ids)) <= 1, "only what was being delivered may come twice"
    assert list(dict.fromkeys(ids)) == sorted(set(ids)), "in order"


def test_several_processes_keep_one_limit(webhook: Make, open_alerts: Make, event: Make, tmp_path: Path) -> None:
    hook = webhook()
    text = "targets:\n" + chat(hook.port, rest=", per_minute: 4")
    for number in range(3):  # as after restarts, and as workers do: each has its own queue and one folder
        alerts = open_alerts(text, spool=tmp_path / "s", minute=30.0)
        for part in range(3):
            alerts.send(event(f"{number}-{part}"))
        time.sleep(0.2)
        alerts.close(0.1)
    assert len(hook.got) == 4


def test_secrets_reach_no_log(
    webhook: Make,
    open_alerts: Make,
    event: Make,
    wait_until: Make,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    hook = webhook(answers=[(500, "{}"), (200, "{}")])
    caplog.set_level(0)
    alerts = open_alerts(
        f'targets:\n  - {{name: a, url: "json://user:hunter22@127.0.0.1:{hook.port}/Tok3nPath?+Auth=Hidd3n"}}\n'
        f'  - {{name: b, url: "json://user:hunter22@127.0.0.1:9/Tok3nPath"}}\n'
        f'tickets:\n  - {{name: c, url: "http://127.0.0.1:9/Tok3nPath?k=Hidd3n", headers: {{X: hunter22}}}}\n',
        retry=Retry(2, 0.01, 0.01),
    )
    alerts.send(event())
    wait_until(lambda: (alerts.sent, alerts.failed) == (1, 2))
    assert hook.got[0][1]["Auth"] == "Hidd3n"
    said = capfd.readouterr().err + caplog.text
    assert said.count("alert_given_up") == 2 and "Connection refused" in said
    for secret in ("hunter22", "Tok3nPath", "Hidd3n"):
        assert secret not in said, f"{secret}: {said}"
    assert "hunter22" not in repr(alerts._takers)


def test_importing_does_not_import_apprise() -> None:
    script = "import sys, fenzhen.alerts.alerts; print('apprise' in sys.modules, 'requests' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "False"]


def test_apprise_missing_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text('targets: [{name: 群, url: "json://127.0.0.1"}]', encoding="utf-8")
    script = (
        "import sys; sys.modules['apprise'] = None\n"  # what Python does for a module that can't be imported
        "from pathlib import Path; from fenzhen.alerts.alerts import Alerts; from fenzhen.alerts.config import *\n"
        "try: Alerts(AlertConfig.load(Path('a.yaml')))\nexcept AlertError as error: print(error)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert "pip install 'fenzhen[alerts]'" in ran.stdout and "群" in ran.stdout
