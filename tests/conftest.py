"""Every test begins from one seed and one dtype policy."""

import gc
import os
import tempfile
from pathlib import Path

# Of tests in several processes each gets a core, before a library counts them: threads
# of one would only wait for those of another.
if "PYTEST_XDIST_WORKER" in os.environ and hasattr(os, "sched_setaffinity"):
    _cores = sorted(os.sched_getaffinity(0))
    _worker = int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw"))
    os.sched_setaffinity(0, {_cores[_worker % len(_cores)]})

import keras
import pytest
from hypothesis import settings

from keras_attention.decoding import compiled
from tests.selection import SLOW, SLOWLY, name_to_draw, seed_of_commit, select

BACKEND = keras.backend.backend()

# The first example of a test compiles, so none has a deadline; where every operation
# compiles by itself, there are fewer of them.
_FEW = 8 if BACKEND == "jax" else 25
for _profile, _count in {"tests": _FEW, "many": 2 * _FEW}.items():
    settings.register_profile(
        _profile, deadline=None, derandomize=True, max_examples=_count
    )
# pytest --hypothesis-profile thousands
settings.register_profile("thousands", deadline=None, max_examples=2000)
settings.load_profile("tests")


@pytest.fixture(autouse=True)
def _fixed_seed_and_policy():
    keras.utils.set_random_seed(1789)
    keras.config.set_dtype_policy("float32")
    yield
    keras.config.set_dtype_policy("float32")


@pytest.fixture(autouse=True)
def _no_programs_unasked(monkeypatch):
    """What leaves it open is not compiled: each program would take seconds."""
    monkeypatch.setattr(compiled, "COMPILES", False)


@pytest.fixture(autouse=True)
def _room_for_programs():
    """JAX's programs keep memory, and maps of it: a process may have some 65,000."""
    yield
    maps = Path("/proc/self/maps")
    if BACKEND == "jax" and maps.exists() and maps.read_bytes().count(b"\n") > 5_000:
        import jax

        jax.clear_caches()


@pytest.fixture
def frozen_heap():
    """What there is, left alone by the garbage collector.

    Keras's `quantize` collects garbage once for every kernel, which takes up to a
    second each, the longer the more other tests have left.
    """
    gc.freeze()
    yield
    gc.unfreeze()
    _leave_alone_what_there_is()


def _leave_alone_what_there_is():
    """Of the libraries nothing becomes garbage, and looking for it there takes time."""
    gc.collect()
    gc.freeze()


def pytest_addoption(parser):
    parser.addoption(
        "--every",
        type=int,
        default=8,
        metavar="N",
        help="of the parameters of a test take one in N, and of all slow tests one in "
        f"{SLOWLY} N (1 for all; the default is 8); of a test marked `whole`, all",
    )
    parser.addoption(
        "--seed",
        type=int,
        help="of the parameters that are taken (by default it follows the commit)",
    )


def pytest_report_header(config):
    every, seed = config.getoption("every"), config.getoption("seed")
    return f"one in {every} of parameters: --every {every} --seed {seed}"


def pytest_collection_modifyitems(config, items):
    every, seed = config.getoption("every"), config.getoption("seed")
    names = {item: name_to_draw(item) for item in items}
    slow = {name for name in names.values() if name.startswith(SLOW)}
    rarely = SLOWLY * every if every > 1 else 1
    taken = select({*names.values()} - slow, every, seed) | select(slow, rarely, seed)
    kept, left_out = [], []
    for item in items:
        is_taken = names[item] in taken
        if whole := item.get_closest_marker("whole"):
            is_taken = is_taken or BACKEND in (whole.args or [BACKEND])
        (kept if is_taken else left_out).append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=left_out)


def pytest_collection_finish():
    _leave_alone_what_there_is()


def pytest_configure(config):
    if config.option.every == 1 and not config.getoption("hypothesis_profile"):
        settings.load_profile("many")
    if config.option.seed is None:  # Processes beside this one take over its options.
        config.option.seed = seed_of_commit(config.rootpath)
    # TensorFlow's variables, written to a file by Keras, do not know NumPy 2 yet.
    config.addinivalue_line(
        "filterwarnings",
        "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning",
    )
    if BACKEND == "torch":  # of what Keras does there
        message = "The use of `x.T` on tensors of dimension other than 2"
        config.addinivalue_line("filterwarnings", f"ignore:{message}:UserWarning")
    if BACKEND == "tensorflow":
        _compile_quickly_on_tensorflow(is_quick=config.option.every > 1)
    if BACKEND == "jax":
        _compile_quickly_on_jax(config)


def _compile_quickly_on_tensorflow(is_quick):
    """What is made of a test's small model runs but once: it need not be fast."""
    import tensorflow as tf

    if is_quick:  # Graphs run as they are written.
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    # XLA ends a process that names a flag which it does not know.
    if "XLA_FLAGS" not in os.environ and tf.__version__.startswith("2.21."):
        os.environ["XLA_FLAGS"] = (
            "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false"
        )


def _compile_quickly_on_jax(config):
    """JAX compiles every operation that it meets; most of a test would be that."""
    import jax

    folder = tempfile.TemporaryDirectory()
    config.add_cleanup(folder.cleanup)
    jax.config.update("jax_disable_most_optimizations", True)
    jax.config.update("jax_compilation_cache_dir", folder.name)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
