"""A model that is changed from outside: what was compiled of it notices."""

import os
import warnings

import keras
import numpy as np
import pytest

from keras_attention import Translator
from keras_attention.decoding import BeamSearch, Greedy
from keras_attention.models import Ensemble
from keras_attention.training import MaskedCrossEntropy
from tests.backends import BACKEND, run_in_fresh_process, to_numpy
from tests.small_models import SOURCE, build
from tests.translators import ENGLISH, KOREAN, make_translator

pytestmark = pytest.mark.usefixtures("frozen_heap")
on_tensorflow = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="a Translator runs on TensorFlow only"
)


def _quantize(model, folder):
    with warnings.catch_warnings(action="ignore"):  # of layers without kernels
        model.quantize("int8")


def _adapt(model, folder):
    for layer in _projections(model):
        layer.enable_lora(2)
        layer.lora_kernel_b.assign(keras.ops.ones_like(layer.lora_kernel_b))


def _load_weights(model, folder):
    weights = model.get_weights()
    model.set_weights([2 * weight for weight in weights])
    model.save_weights(folder / "other.weights.h5")
    model.set_weights(weights)
    model.load_weights(folder / "other.weights.h5")


def _set_precision(model, folder):
    for layer in _projections(model):
        layer.dtype_policy = "mixed_bfloat16"


def _replace_layer(model, folder):
    layer = model.output_projection
    other = keras.layers.Dense(layer.units)
    other.build((None, layer.kernel.shape[0]))
    model.output_projection = other


def _projections(model):
    return [one for one in model._flatten_layers() if type(one) is keras.layers.Dense]


CHANGES = [_quantize, _adapt, _load_weights, _set_precision]


@pytest.mark.slow
@on_tensorflow
@pytest.mark.parametrize("change", CHANGES)
def test_a_translator_scores_with_the_model_as_it_is(change, tmp_path):
    translate = make_translator("transformer")

    def scores(translate):
        found = translate.score(ENGLISH, KOREAN)
        return np.array([one.log_probability for one in found])

    before, engine = scores(translate), translate.engine
    assert translate.engine is engine
    change(translate.model, tmp_path)
    tokenizers = translate.source_tokenizer, translate.target_tokenizer
    settings = translate.search, translate.max_source_length
    fresh = scores(Translator(translate.model, *tokenizers, *settings))
    np.testing.assert_allclose(scores(translate), fresh, atol=1e-5)
    assert np.abs(fresh - before).max() > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("change", [*CHANGES, _replace_layer])
@pytest.mark.parametrize("search", [Greedy(5), BeamSearch(2, 5)])
def test_a_search_reads_the_model_as_it_is(change, search, tmp_path):
    model = build("transformer", num_layers=1)
    before = search(model, SOURCE).scores
    change(model, tmp_path)
    found = search(model, SOURCE)
    fresh = type(search).from_config(search.get_config())(model, SOURCE)
    np.testing.assert_allclose(found.scores, fresh.scores, atol=1e-5)
    np.testing.assert_array_equal(found.ids, fresh.ids)
    assert np.abs(to_numpy(found.scores) - to_numpy(before)).max() > 1e-4


@pytest.mark.slow
@on_tensorflow
def test_what_a_model_was_compiled_with_is_saved_if_asked(tmp_path):
    translate = make_translator("recurrent")
    expected, model = translate(ENGLISH), translate.model
    model.compile("adam", MaskedCrossEntropy())
    ids = np.ones((2, 3), "int32")
    model.fit({"source": ids, "target": ids}, ids, verbose=0)
    optimizer, iterations = model.optimizer, int(model.optimizer.iterations)
    expected = translate(ENGLISH)
    sizes = {}
    for included in (False, True):
        folder = tmp_path / str(included)
        translate.save(folder, include_optimizer=included)
        assert Translator.load(folder)(ENGLISH) == expected
        sizes[included] = (folder / "model.keras").stat().st_size
    # Two float32 numbers for each weight are the optimizer's.
    assert sizes[True] - sizes[False] > 8 * model.count_params()
    loaded = keras.models.load_model(tmp_path / "False" / "model.keras")
    assert not loaded.compiled
    assert model.optimizer is optimizer
    model.fit({"source": ids, "target": ids}, ids, verbose=0)
    assert int(model.optimizer.iterations) == iterations + 1


@pytest.mark.slow
@on_tensorflow
def test_an_ensemble_is_saved_without_what_its_models_were_compiled_with(tmp_path):
    translate = make_translator("recurrent")
    tokenizers = translate.source_tokenizer, translate.target_tokenizer
    model = translate.model
    model.compile("adam", lambda labels, logits: keras.ops.mean(logits**2))
    both = Translator(Ensemble([model]), *tokenizers, translate.search)
    expected = both(ENGLISH)
    both.save(tmp_path / "saved")
    assert model.compiled
    assert Translator.load(tmp_path / "saved")(ENGLISH) == expected


FORK = """
import os, sys
from tests.translators import make_translator

translate = make_translator("recurrent")
translate(["one"])
for call in (
    lambda: translate("one"),
    lambda: translate.hypotheses(["one"]),
    lambda: next(translate.stream(["one"])),
    lambda: translate.score(["one"], ["하나"]),
    lambda: translate.warm_up(),
    lambda: translate.export(sys.argv[1]),
):
    child = os.fork()
    if not child:
        try:
            call()
        except RuntimeError as error:
            print(error, flush=True)
        os._exit(0)
    os.waitpid(child, 0)
print(len(translate(["one"])))
"""


@pytest.mark.slow
@on_tensorflow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes have no forks there")
def test_a_fork_gets_an_error_in_place_of_waiting_for_ever(tmp_path):
    *errors, last = run_in_fresh_process(FORK, tmp_path / "x").splitlines()
    assert last == "1"
    assert len(errors) == 6
    assert all("load it in each worker" in error for error in errors)
