"""Tests and doctests of what is not installed are skipped, and counted."""

import doctest
import sys

import pytest

from keras_attention.optional_packages import MissingExtraError, is_installed

# What a test may import and an environment may lack.
OPTIONAL = {
    "ai_edge_litert",
    "ctranslate2",
    "gensim",
    "jax",
    "keras_hub",
    "markdown_it",
    "matplotlib",
    "nltk",
    "onnx",
    "onnxruntime",
    "regex",
    "sacrebleu",
    "sentencepiece",
    "sentencex",
    "shtab",
    "tensorflow",
    "tensorflow_serving",
    "tensorflow_text",
    "tf2onnx",
}


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """Skip files, and say so, that import what is not installed."""
    known = set(sys.modules)
    report = yield
    error = report.call.excinfo and report.call.excinfo.value
    if report.failed and (missing := _missing_module(error)):
        # Python forgets modules whose import failed; pytest keeps them, half made.
        for name in set(sys.modules) - known:
            if name.startswith(("keras_attention.", "tests.")):
                del sys.modules[name]
        report.outcome = "skipped"
        report.longrepr = str(collector.path), 0, f"{missing} is not installed"
    return report


def _missing_module(error):
    while error is not None:
        name = (getattr(error, "name", None) or "").partition(".")[0]
        if isinstance(error, MissingExtraError):
            return name
        if isinstance(error, ImportError) and name in OPTIONAL:
            return None if is_installed(name) else name
        error = error.__cause__ or error.__context__
    return None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Skip tests that meet what needs an extra that is not installed."""
    try:
        return (yield)
    except MissingExtraError as error:
        pytest.skip(str(error))
    except doctest.UnexpectedException as error:
        if isinstance(error.exc_info[1], MissingExtraError):
            pytest.skip(str(error.exc_info[1]))
        raise
