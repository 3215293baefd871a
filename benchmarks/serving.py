"""What serving costs on this machine: start-up, memory, and time per message in the process, bare, and over HTTP.

    python benchmarks/serving.py [--model DIR] [--messages 300] [--install-size] [--json benchmarks/serving.json]

Prints a Markdown table; `--json` keeps it for the READMEs (training/fill_readme.py). Messages come from data/written,
at most 30 characters long; the process, the bare graph and the baseline see the same ones in turn, so a busy
neighbour slows all three alike. One client, one connection, one request at a time: latency, not capacity. Linux only.
"""

import argparse
import http.client
import json
import os
import platform
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from statistics import median

import numpy as np
import onnxruntime as ort

from fenzhen.message import Message
from fenzhen.routing.policies import Policies
from fenzhen.settings import Settings
from fenzhen.text.segment import Segmenter
from fenzhen.text.tokenise import Tokeniser
from fenzhen.triage import Triage
from fenzhen.understanding.baseline import JiebaBaseline
from fenzhen.understanding.model_dir import ModelDir
from fenzhen.understanding.onnx_classifier import OnnxClassifier

PROJECT = Path(__file__).resolve().parents[1]
SHORT = 30  # characters
LONG = 32  # tokens
WARM_UP = 20  # calls before the clock counts
STARTS = 3


@dataclass(frozen=True)
class Row:
    """One line of the table, in both languages."""

    english: str
    chinese: str
    value: str


@dataclass(frozen=True)
class Group:
    """Messages of a kind, which the table names in both languages."""

    english: str
    chinese: str
    messages: Sequence[Message]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="model folder; default: the one that models/CURRENT names")
    parser.add_argument("--messages", type=int, default=300, help="messages of each kind")
    parser.add_argument("--install-size", action="store_true", help="also install into a fresh venv and weigh it")
    parser.add_argument("--json", type=Path, help="write the table here too")
    options = parser.parse_args()

    model = ModelDir.open(Settings.read(model=options.model).model_path())
    where = machine()
    groups = messages(options.messages, Tokeniser.load(model.path / "tokenizer.json", model.limits))
    rows = [*process_rows(model, groups), *service_rows(model, groups[0].messages)]
    folder = sum(file.stat().st_size for file in model.path.iterdir()) / 1e6
    rows.append(Row("model folder", "模型目录", f"{folder:.1f} MB"))
    if options.install_size:
        size = f"{install_megabytes():.0f} MB"
        rows.append(Row("installed, fresh virtual environment with pip", "安装体积(新虚拟环境,含 pip)", size))
    print(f"{model.name}, {where}\n\n" + markdown(rows))
    if options.json:
        content = {"model": model.name, "machine": where, "rows": [asdict(row) for row in rows]}
        options.json.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def messages(wanted: int, tokeniser: Tokeniser) -> list[Group]:
    """Short messages without history and with what they came with, and messages of 32 tokens; the same every run."""
    lines = [
        json.loads(line)
        for file in sorted((PROJECT / "data" / "written").glob("*.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    every = [Message.from_dict({k: row[k] for k in ("text", "history") if k in row}) for row in lines]
    short = [message for message in every if len(message.text) <= SHORT]
    draw = random.Random(1)
    bare = draw.sample([message for message in short if not message.history], wanted)
    with_history = draw.sample([message for message in short if message.history], wanted)
    draw.shuffle(every)
    long = (message for message in every if not message.history and len(tokeniser.encode(message).ids) == LONG)
    return [
        Group("one short message, no history", "一条短消息,无历史", bare),
        Group("one short message, with history", "一条短消息,带历史", with_history),
        Group("one message of 32 tokens", "一条 32 个 token 的消息", list(islice(long, wanted))),
    ]


def process_rows(model: ModelDir, groups: Sequence[Group]) -> list[Row]:
    """Milliseconds a message, one at a time on one thread: everything, the graph alone, the baseline."""
    triage = Triage(OnnxClassifier(model), Policies.load(taxonomy=model.taxonomy))
    baseline = JiebaBaseline.load(model.path / "baseline.npz", model.taxonomy, Segmenter())
    tokeniser = Tokeniser.load(model.path / "tokenizer.json", model.limits)
    graph = bare_graph(model.path / "model.onnx")
    rows: list[Row] = []
    for group in groups:
        chosen = group.messages
        feeds = {id(message): feed_of(tokeniser, message) for message in chosen}
        whole, alone, linear = interleaved(
            chosen,
            lambda message: triage([message]),
            lambda message, feeds=feeds: graph.run(None, feeds[id(message)]),  # type: ignore[misc]
            lambda message: baseline.classify([message]),
        )
        tokens = median(feed["input_ids"].shape[1] for feed in feeds.values())
        ratio = f"{median(whole) / median(alone):.2f}"
        rows += [
            Row(
                f"triage of {group.english} (median {tokens:g} tokens), p50 / p95",
                f"完整分诊:{group.chinese}(中位 {tokens:g} 个 token),p50 / p95",
                percentiles(whole),
            ),
            Row(
                f"the same, model graph alone in onnxruntime, p50 / p95 (all ÷ graph: {ratio})",
                f"同上,只在 onnxruntime 里跑模型图,p50 / p95(全程 ÷ 模型图:{ratio})",
                percentiles(alone),
            ),
            Row(
                "the same, linear baseline instead of the encoder, p50 / p95",
                "同上,用线性基线代替编码器,p50 / p95",
                percentiles(linear),
            ),
        ]
    return rows


def bare_graph(path: Path) -> ort.InferenceSession:
    """The graph on one thread, as anyone would load it."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def feed_of(tokeniser: Tokeniser, message: Message) -> dict[str, np.ndarray]:
    encoded = tokeniser.encode(message)
    return {"input_ids": np.array([encoded.ids]), "segments": np.array([encoded.segments])}


def interleaved(chosen: Sequence[Message], *calls: Callable[[Message], object]) -> list[list[float]]:
    """Seconds of every call on every message: all calls on the first message, then on the second, and so on."""
    times: list[list[float]] = [[] for _ in calls]
    for message in (*chosen[:WARM_UP], *chosen):
        for call, taken in zip(calls, times, strict=True):
            start = time.perf_counter()
            call(message)
            taken.append(time.perf_counter() - start)
    return [taken[WARM_UP:] for taken in times]


def service_rows(model: ModelDir, bare: Sequence[Message]) -> list[Row]:
    """The service as a process of its own: start to /readyz, memory, and requests that are recorded durably."""
    starts, over_http, memory = [], [], 0.0
    for number in range(STARTS):
        with tempfile.TemporaryDirectory() as folder, served(model.path, Path(folder)) as (port, pid, seconds):
            starts.append(seconds)
            if number == STARTS - 1:
                over_http = requests(port, (*bare[:WARM_UP], *bare))[WARM_UP:]
                memory = resident_megabytes(pid)
    return [
        Row(
            "POST /classify, decision kept in SQLite (fsync) before the answer, p50 / p95",
            "POST /classify,决定先写入 SQLite(fsync)再应答,p50 / p95",
            percentiles(over_http),
        ),
        Row(
            f"start of `fenzhen serve` to /readyz, median of {STARTS}",
            f"`fenzhen serve` 启动到 /readyz,{STARTS} 次中位",
            f"{median(starts):.1f} s",
        ),
        Row(f"resident memory after {len(bare)} requests", f"处理 {len(bare)} 个请求后的常驻内存", f"{memory:.0f} MB"),
    ]


@contextmanager
def served(model: Path, folder: Path) -> Iterator[tuple[int, int, float]]:
    """`fenzhen serve` in its own process: port, process id, and seconds until /readyz said 200."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "fenzhen.cli", "serve", "--port", str(port), "--model", str(model.resolve())]
    plain = {name: value for name, value in os.environ.items() if not name.startswith("FENZHEN_")}
    start = time.perf_counter()
    server = subprocess.Popen(command, cwd=folder, env=plain, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not ready(port):
            if server.poll() is not None or time.perf_counter() - start > 60:
                raise SystemExit(f"the service did not get ready: {' '.join(command)}")
            time.sleep(0.01)
        yield port, server.pid, time.perf_counter() - start
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=60)


def ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except ConnectionError:
        return False
    finally:
        connection.close()


def requests(port: int, chosen: Sequence[Message]) -> list[float]:
    """Seconds of each request on one connection. Raises SystemExit for an answer that was not recorded."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    times = []
    for message in chosen:
        body = json.dumps({"text": message.text}).encode()
        start = time.perf_counter()
        connection.request("POST", "/classify", body, {"Content-Type": "application/json"})
        content = connection.getresponse().read()
        times.append(time.perf_counter() - start)
        if json.loads(content).get("recorded") is not True:
            raise SystemExit(f"expected a recorded answer, found {content.decode()}")
    connection.close()
    return times


def resident_megabytes(pid: int) -> float:
    """VmRSS of a process, in MB of 1,000,000 bytes."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    [kilobytes] = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(kilobytes) * 1024 / 1e6


def install_megabytes() -> float:
    """Size of a fresh venv after `pip install .`, in MB of 1,000,000 bytes, the venv's own pip included."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([Path(folder) / "bin" / "pip", "install", "-q", str(PROJECT)], check=True)
        files = (path for path in Path(folder).rglob("*") if path.is_file() and not path.is_symlink())
        return sum(path.stat().st_size for path in files) / 1e6


def percentiles(seconds: Sequence[float]) -> str:
    low, high = (float(np.percentile(seconds, q)) * 1000 for q in (50, 95))
    return f"{low:.2f} / {high:.2f} ms"


def machine() -> str:
    """Processor, cores that are ours, the load that was there before, and the versions that matter."""
    info = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.split(":", 1)[1].strip() for line in info if line.startswith("model name")]
    cores = len(os.sched_getaffinity(0))
    processor = names[0] if names else platform.machine()
    load = f"load {os.getloadavg()[0]:.1f} before"
    return f"{cores} cores of {processor}, {load}, Python {platform.python_version()}, onnxruntime {ort.__version__}"


def markdown(rows: Sequence[Row]) -> str:
    return "\n".join(["| what | measured |", "| --- | --- |", *(f"| {row.english} | {row.value} |" for row in rows)])


if __name__ == "__main__":
    main()
