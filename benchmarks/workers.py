"""Measurements in processes of their own: the times of engines in turns, and memory."""

import json
import os
import resource
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def run_worker(script: str, job: str, *options: str) -> Any:
    """Do a job by `script --worker JOB` on TensorFlow; its last line is JSON."""
    output = subprocess.run(
        [sys.executable, script, "--worker", job, *options],
        check=True,
        stdout=subprocess.PIPE,
        env={**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"},
        text=True,
    ).stdout
    return json.loads(output.splitlines()[-1])


def start_worker(
    script: str, *options: str, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """A process of a script that answers questions, a line of JSON each."""
    return subprocess.Popen(
        [sys.executable, script, *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **(environment or {})},
        text=True,
    )


def ask(worker: Any, question: Any) -> Any:
    """What a worker answers; until it is asked again it stands still.

    Otherwise those threads of it that wait actively would take the cores from others.
    """
    worker.send_signal(signal.SIGCONT)
    worker.stdin.write(json.dumps(question) + "\n")
    worker.stdin.flush()
    answer = worker.stdout.readline()
    worker.send_signal(signal.SIGSTOP)
    return json.loads(answer)


def end(worker: Any) -> None:
    """Let a worker come to its end."""
    worker.send_signal(signal.SIGCONT)
    worker.communicate()


def medians(steps: Mapping[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """The seconds of each step, which take turns; the first turn does not count."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(repeats + 1):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(found[1:]) for name, found in times.items()}


def peak_mib() -> int:
    """The most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def processor() -> str:
    """The name of the processor."""
    return next(iter(_cpu_info("model name")), "an unknown processor")


def instruction_sets() -> list[str]:
    """Those of its instruction sets that products of matrices are made of."""
    known = {flag for line in _cpu_info("flags") for flag in line.split()}
    wanted = ("avx2", "avx512f", "avx512_bf16", "avx512_vnni", "avx_vnni", "amx_bf16")
    return [name for name in wanted if name in known]


def _cpu_info(name):
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return [value.strip() for key, value in pairs if key.strip() == name]
