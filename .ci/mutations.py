"""Draw mutants of the package by a seed, and see which the quick run's tests kill.

    python -m pip install ".[test,mutation]"
    python .ci/mutations.py FOLDER --count 200 --seed 1 --jobs 2

Cosmic Ray lists every mutant; a sample of them is drawn and tried, each in a copy of
the tree, in a process forked from one that has imported TensorFlow. The tests nearest
to the mutated module come first, and the first failure ends a run. Mutants that do not
parse, and those that change nothing but annotations, are left out.

FOLDER/results.jsonl gets a line per mutant: `mutant` (module, operator, occurrence),
`outcome` (`killed`, `survived` or `timeout`), `test` (the first to fail, or the import
of the package), `seconds` and `diff`. A second call continues where the first ended,
with the sources of the first; a larger count adds to it. The share that was killed and
every survivor are printed at the end, and by `--count 0` alone.
"""

import argparse
import ast
import contextlib
import difflib
import importlib
import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
MUTATED = ("functional", "layers", "decoding")
TESTED = (*MUTATED, "models", "inspection", "training")


class FirstFailure:
    """A plugin of pytest that writes down the first test to fail."""

    def __init__(self, path: Path):
        self.path = path

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Of a test."""
        if report.failed:
            self.path.write_text(report.nodeid, "utf-8")

    def pytest_collectreport(self, report: Any) -> None:
        """Of a file that cannot be collected."""
        self.pytest_runtest_logreport(report)


def copy_sources(folder: Path) -> Path:
    """The sources as they are at the first call, which later calls keep."""
    sources = folder / "sources"
    if not sources.exists():
        ignore = shutil.ignore_patterns("__pycache__", ".git", ".*_cache", "*-run")
        shutil.copytree(ROOT, folder / "copying", ignore=ignore)
        (folder / "copying").rename(sources)
    return sources


def draw(sources: Path, count: int, seed: int) -> list[dict[str, Any]]:
    """The first `count` of all mutants, in an order that the seed makes."""
    from cosmic_ray.commands import init
    from cosmic_ray.work_db import use_db

    package = sources / "keras_attention"
    modules = sorted(
        path for name in MUTATED for path in (package / name).rglob("*.py")
    )
    with use_db(":memory:") as database:
        init(modules, database, {})
        specs = [item.mutations[0] for item in database.work_items]
    mutants = [
        {
            "module": spec.module_path.relative_to(sources).as_posix(),
            "operator": spec.operator_name,
            "occurrence": spec.occurrence,
        }
        for spec in specs
    ]
    mutants.sort(key=lambda mutant: tuple(mutant.values()))
    random.Random(seed).shuffle(mutants)
    drawn = []
    for mutant in mutants:
        if len(drawn) == count:
            break
        code = (sources / mutant["module"]).read_text("utf-8")
        if _meaning(_mutate(code, mutant)) not in (None, _meaning(code)):
            drawn.append(mutant)
    return drawn


def _mutate(code, mutant):
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    operator = get_operator(mutant["operator"])()
    return mutate_code(code, operator, mutant["occurrence"])


class _WithoutAnnotations(ast.NodeTransformer):
    def visit_arg(self, node):
        node.annotation = None
        return node

    def visit_FunctionDef(self, node):
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node):
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)


def _meaning(code):
    try:
        tree = ast.parse(code)
    except SyntaxError:  # of two stars before a dictionary it makes an operator
        return None
    return ast.dump(_WithoutAnnotations().visit(tree))


def nearest_tests(sources: Path, module: str) -> list[str]:
    """Test files and folders, those of the module and of its folder first."""
    _, folder, *rooms, name = module.split("/")
    mirror = "/".join(["tests", folder, *rooms, f"test_{name}"])
    nearest = [mirror] if (sources / mirror).exists() else []
    return [
        *nearest,
        *(
            f"tests/{part}"
            for part in sorted(
                TESTED, key=lambda part: (part != folder, TESTED.index(part))
            )
        ),
    ]


def try_mutant(tree: Path, mutant: dict[str, Any], seed: int, limit: float) -> dict:
    """Run the tests on a mutant in a forked process, and say how that ended."""
    path, log = tree / mutant["module"], tree.with_suffix(".log")
    failure = tree.with_suffix(".failure")
    code, begin = path.read_text("utf-8"), time.monotonic()
    mutated = _mutate(code, mutant)
    failure.write_text("", "utf-8")
    path.write_text(mutated, "utf-8")
    try:
        status = _wait(_fork_tests(tree, mutant, seed, log, failure), limit)
    finally:
        path.write_text(code, "utf-8")
    outcome = {None: "timeout", 0: "survived"}.get(status, "killed")
    if outcome == "killed" and status > 0 and not failure.read_text("utf-8"):
        raise RuntimeError(f"no test failed, and yet pytest: see {log}")
    lines = [text.splitlines(keepends=True) for text in (code, mutated)]
    return {
        "mutant": mutant,
        "outcome": outcome,
        "test": failure.read_text("utf-8"),
        "seconds": round(time.monotonic() - begin),
        "diff": "".join(difflib.unified_diff(*lines, *[mutant["module"]] * 2, n=2)),
    }


def _fork_tests(tree, mutant, seed, log, failure):
    import pytest

    process = os.fork()
    if process:
        return process
    with _ends_here() as status:
        os.setsid()  # so that a timeout ends what the tests started too
        with log.open("w") as output:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
        os.chdir(tree)
        sys.path.insert(0, str(tree))
        failure.write_text("import keras_attention", "utf-8")
        importlib.import_module("keras_attention")
        failure.write_text("", "utf-8")
        options = ["-x", "-q", "-p", "no:cacheprovider", f"--seed={seed}"]
        paths = nearest_tests(tree, mutant["module"])
        status.append(pytest.main([*options, *paths], [FirstFailure(failure)]))


@contextlib.contextmanager
def _ends_here():
    """A forked process, which ends with the status that is appended, or 1."""
    status: list[int] = []
    try:
        yield status
    except BaseException:
        traceback.print_exc()
        status.append(1)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(status[-1]) if status else 0)


def _wait(process, limit):
    """The exit status of a process, or none where it was ended at the limit."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.2)
    os.killpg(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return None


def work(job: int, mutants: list[dict], options: argparse.Namespace) -> None:
    """Try one mutant after the other in a tree of this job's own."""
    tree = options.folder / f"tree-{job}"
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(options.folder / "sources", tree)
    for mutant in mutants:
        result = try_mutant(tree, mutant, options.seed, options.limit)
        with (options.folder / "results.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(result) + "\n")
        print(f"{result['outcome']:8} {result['seconds']:5} s  {mutant}", flush=True)


def results(folder: Path) -> list[dict[str, Any]]:
    """What earlier calls and this one found."""
    path = folder / "results.jsonl"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


def report(found: list[dict[str, Any]]) -> None:
    """Print the survivors, and how many of how many were killed."""
    survivors = [result for result in found if result["outcome"] == "survived"]
    for result in survivors:
        print(result["mutant"], result["diff"], sep="\n")
    share = 1 - len(survivors) / max(1, len(found))
    print(f"{len(found) - len(survivors)} of {len(found)} killed: {share:.1%}")


def main() -> None:
    """Draw and try mutants as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="of copies and results")
    parser.add_argument("--count", type=int, default=200, help="how many mutants")
    parser.add_argument("--seed", type=int, default=1, help="of mutants and parameters")
    parser.add_argument("--jobs", type=int, default=1, help="processes side by side")
    parser.add_argument("--limit", type=float, default=3600, help="seconds for each")
    options = parser.parse_args()
    options.folder = options.folder.resolve()
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.count:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        sys.dont_write_bytecode = True  # a mutant may be as old and long as the last
        # What every run imports; nothing of it computes before a process is forked.
        import keras  # noqa: F401

        mutants = draw(copy_sources(options.folder), options.count, options.seed)
        known = [result["mutant"] for result in results(options.folder)]
        mutants = [mutant for mutant in mutants if mutant not in known]
        jobs = []
        for job in range(options.jobs):
            jobs.append(os.fork())
            if not jobs[-1]:
                with _ends_here():
                    work(job, mutants[job :: options.jobs], options)
        for process in jobs:
            os.waitpid(process, 0)
    report(results(options.folder))


if __name__ == "__main__":
    main()
