"""What runs where little is installed, and what is said of the rest."""

import configparser
import importlib.util
import json
import re

import pytest

from keras_attention.optional_packages import is_installed, needs, warn_of_namesake
from tests.backends import BACKEND, ROOT, run_in_fresh_process

# A backend that is not TensorFlow.
OTHER = next(name for name in (BACKEND, "jax") if name != "tensorflow")
# What needs an extra, by the extra.
USES = {
    "text": (
        "keras_attention.text.translation_dataset",
        "from keras_attention.text import translation_dataset",
        "keras_attention.text.WordTokenizer.train(['a'])",
        "from keras_attention.export import export_saved_model",
    ),
    "bleu": ("training.BleuCallback(list, ['a'], ['a'])",),
    "plot": (
        "visualization.plot_attention([[1.0]], ['a'], ['b'])",
        "visualization.plot_training({'loss': [1.0]})",
    ),
}
SCRIPT = """
import json
import sys
from importlib.abc import MetaPathFinder
import keras  # before: it imports matplotlib, and PyTorch asks for TensorFlow

ABSENT = "tensorflow", "tensorflow_text", "sentencepiece", "sacrebleu", "matplotlib"

class Absent(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ABSENT:
            raise ModuleNotFoundError(name, name=name)

def imported():
    return [name for name in sys.modules if name.split(".")[0] in ABSENT]

for name in imported():
    del sys.modules[name]
sys.meta_path.insert(0, Absent())
import numpy as np
import keras_attention
from keras_attention import decoding, functional, inspection, layers, models, training
from keras_attention import translation, visualization

from keras_attention import *
assert "Translator" not in globals() and "text" not in globals()

model = models.transformer(
    11, 13, num_layers=1, num_heads=2, embedding_dim=8, intermediate_dim=16
)
found = decoding.Greedy(max_length=3)(model, np.array([[4, 5, 3]]))
for cls in vars(layers).values():
    if isinstance(cls, type) and issubclass(cls, keras.layers.Layer):
        name = keras.saving.get_registered_name(cls)
        assert keras.saving.get_registered_object(name) is cls, cls
said = []
for use in json.loads(sys.argv[1]):
    try:
        exec(use)
    except ImportError as error:
        said.append(str(error))
    else:
        said.append("")
print(json.dumps([list(found.ids.shape), imported(), said]))
"""


@pytest.mark.skipif(not importlib.util.find_spec(OTHER), reason="TensorFlow is alone")
def test_layers_models_and_search_need_no_extra_and_the_rest_names_its_own():
    uses = [(extra, use) for extra, statements in USES.items() for use in statements]
    printed = run_in_fresh_process(
        SCRIPT, json.dumps([use for _, use in uses]), backend=OTHER
    )
    shape, imported, said = json.loads(printed.splitlines()[-1])
    assert (shape, imported) == ([1, 1, 3], [])
    for (extra, use), message in zip(uses, said, strict=True):
        command = f'pip install "keras-attention-layers[{extra}]"'
        assert command in message, (use, message)
        assert "\n" not in message


def test_all_is_imported_that_is_installed():
    names = {}
    exec("from keras_attention import *", names)
    expected = {"layers", "models"}
    if is_installed("tensorflow"):
        expected |= {"Translator", "text", "export"}
    if is_installed("matplotlib"):
        expected |= {"visualization"}
    assert set(names) >= expected


IMPORTS = """
import sys
import keras_attention
from keras_attention import decoding, functional, layers, models, training
print([name for name in sys.modules if name.startswith("tensorflow_text")])
"""


def test_importing_the_package_leaves_its_text_alone():
    assert run_in_fresh_process(IMPORTS).strip() == "[]"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("raise ImportError('undefined symbol: x')", ImportError),
        ("raise OSError('undefined symbol: x')", OSError),
        ("import absent_part_of_it  # undefined symbol: x", ModuleNotFoundError),
    ],
)
def test_an_installed_module_that_fails_is_heard_itself(
    fault, kind, tmp_path, monkeypatch
):
    (tmp_path / "broken_module.py").write_text(fault, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with (
        pytest.raises(kind, match=r"^undefined symbol: x|'absent_part_of_it'"),
        needs("broken_module", extra="text", by="a test"),
    ):
        import broken_module  # noqa: F401


def test_what_is_installed():
    assert is_installed("numpy")
    assert is_installed("json")
    assert not is_installed("numpy_of_mars")


def _pretend_installed(folder, name, version):
    information = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    information.mkdir()
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    (information / "METADATA").write_text(text, "utf-8")


def test_a_namesake_beside_the_package_is_warned_of(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    warn_of_namesake()  # warnings are errors
    _pretend_installed(tmp_path, "keras-attention", "1.0.0")
    _pretend_installed(tmp_path, "keras-attention-layers", "0.2.0")
    importlib.invalidate_caches()
    with pytest.warns(UserWarning, match="keras-attention 1.0.0 and keras-attention-l"):
        warn_of_namesake()


def _requirements():
    """Of the bare package, and of each extra, without versions."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", "utf-8")
    return (
        _names(setup["options"]["install_requires"]),
        {
            name: _names(lines)
            for name, lines in setup["options.extras_require"].items()
        },
    )


def _names(lines):
    return {re.match(r"[\w.-]+", line)[0] for line in lines.splitlines() if line}


def test_requirements():
    bare, extras = _requirements()
    assert bare == {"keras", "numpy"}
    texts = {"regex", "sentencepiece"}
    assert extras["text"] == {"tensorflow", "tensorflow-text", *texts}
    assert extras["ctranslate2"] == {"ctranslate2", *texts}
    assert extras["tf-serving"] == {"tensorflow-serving-api"}
    for extra in set(extras) - {"comet", "formats", "mutation", "test"}:
        assert extras[extra] <= extras["test"]


def test_every_extra_that_a_message_names_is_there():
    _, extras = _requirements()
    named = set(USES)
    for path in (ROOT / "keras_attention").rglob("*.py"):
        named |= set(
            re.findall(r'needs\([^)]*extra="([\w-]+)"', path.read_text("utf-8"))
        )
    assert named >= {"text", "bleu", "plot", "tf-serving"}
    assert named <= set(extras)


def test_nothing_is_imported_that_keras_keeps_to_itself():
    private = re.compile(r"^\s*(from|import) keras\.src", re.MULTILINE)
    for folder in ("keras_attention", "tests", "examples", "benchmarks", "docs"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".md"):
                assert not private.search(path.read_text("utf-8")), path
