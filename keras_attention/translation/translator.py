"""Strings in, strings out; or vectors in, strings out."""

import warnings
from collections.abc import Iterable, Sequence
from os import PathLike
from typing import Any, Self

import keras

from keras_attention.argument_checks import check_choice, check_positive
from keras_attention.decoding import Greedy
from keras_attention.decoding.up_to_date import UpToDate
from keras_attention.models import Ensemble, LanguageModel, Seq2Seq
from keras_attention.saved_folders import check_free
from keras_attention.translation.base_translator import (
    BaseTranslator,
    Engine,
    check_process,
)
from keras_attention.translation.batches import check_strings
from keras_attention.translation.engines import (
    ENGINES,
    as_tokenizer,
    load_ctranslate2,
    make_engine,
)
from keras_attention.translation.file_names import MARKER
from keras_attention.translation.folder import read_translator, write_translator
from keras_attention.translation.list_tokenizer import as_lists
from keras_attention.translation.parts import (
    check_lists_ids,
    check_search,
    check_short_list,
    check_source,
    check_special_ids,
    check_vocabulary,
)
from keras_attention.translation.shipped import find_preset
from keras_attention.translation.short_list import ShortList

DEFAULT_LENGTH = 128


class Translator(BaseTranslator):
    """A model between two tokenizers.

    Any string gives a result: empty ones, bytes that are not UTF-8, unknown characters.
    Rows do not influence each other, but for what `Sampling` draws. Tokenizers in
    Python stand around programs of the model, on every backend; what it exports is one
    graph from strings to strings, which gives the same.

    Its model may be changed: quantized, adapted, trained further. Workers load it each
    by itself, since TensorFlow does not outlive the fork of a process.

    Args:
        model: a `Seq2Seq` or an `Ensemble` whose vocabularies are those of the
            tokenizers; or a `LanguageModel`, which continues the texts, with one
            tokenizer given twice: the search's `max_length` counts what it continues
            too, and an empty text stays empty.
        source_tokenizer: of `keras_attention.text`; a `keras.layers.TextVectorization`;
            or one with the methods of ours, which is exported but not saved. `None`
            for a model with a `source_dim`: wherever texts are asked for, it takes
            arrays of vectors `(length, source_dim)`.
        target_tokenizer: likewise.
        search: how the translation is found; `Greedy(max_length=128)` when left out,
            or less where the model's own limit is lower.
        max_source_length: the most source tokens, the end included; what is longer is
            cut. The model's own limit holds where it is lower.
        batch_size: the most texts that are translated at once, `stream` apart.
        replace_unknown: whether an unknown word is replaced by the source word that it
            attended to most (Luong et al. 2015), which suits names and numbers.
        short_list: the ids that a translation may be made of, by its source, in place
            of all; of `with_short_list`. Greedy and beam searches of small models are
            up to twice as fast by it. What is drawn by lot is drawn from all.

    Raises:
        ValueError: for a tokenizer with more ids than the model has, a search that
            writes more of them than the model has positions for; and at the first
            translation, when unknown words are to be replaced without attention.
        RuntimeError: when something is to be translated in a process forked from the
            one that made it.

    Example:
    >>> from keras_attention.models import transformer
    >>> from keras_attention.text import CharacterTokenizer
    >>> letters = CharacterTokenizer.train(["ab"])
    >>> size = letters.vocabulary_size
    >>> model = transformer(size, size, num_layers=1, num_heads=2, embedding_dim=8)
    >>> translator = Translator(model, letters, letters, Greedy(max_length=5))
    >>> len(translator(["ab", "b"]))
    2
    """

    def __init__(
        self,
        model: Any,
        source_tokenizer: Any,
        target_tokenizer: Any,
        search: Any = None,
        max_source_length: int = 256,
        batch_size: int = 64,
        replace_unknown: bool = False,
        short_list: ShortList | None = None,
    ) -> None:
        super().__init__()
        check_positive(max_source_length=max_source_length, batch_size=batch_size)
        if not isinstance(model, Seq2Seq | LanguageModel | Ensemble):
            raise ValueError(
                "`model` must be a `Seq2Seq`, a `LanguageModel` or an `Ensemble`. "
                f"Received: model={model!r}"
            )
        source_tokenizer = as_tokenizer(source_tokenizer)
        target_tokenizer = as_tokenizer(target_tokenizer)
        check_source(source_tokenizer, model)
        check_vocabulary("target_tokenizer", target_tokenizer, model.target_embedding)
        check_special_ids(target_tokenizer, model)
        longest = model.target_embedding.max_length or DEFAULT_LENGTH
        if search is None:
            search = Greedy(max_length=min(DEFAULT_LENGTH, longest))
        check_search(search, model.target_embedding.max_length)
        self.model = model
        self.source_tokenizer = source_tokenizer
        self.target_tokenizer = target_tokenizer
        self.search = search
        self.max_source_length = max_source_length
        self.batch_size = batch_size
        self.replace_unknown = replace_unknown
        check_short_list(short_list, model)
        self.short_list = short_list
        self._engines = UpToDate(make_engine)

    @property
    def source_limit(self) -> int:
        """The most source tokens that are read, the end included."""
        limit = getattr(self.model.source_embedding, "max_length", None)
        return min(self.max_source_length, limit or self.max_source_length)

    @property
    def target_limit(self) -> int:
        """The most target tokens that a translation has, the end included."""
        limit: int = self.search.max_length
        return limit

    @property
    def engine(self) -> Engine:
        """What finds the translations: made again where the model has changed."""
        check_process(self._process)
        engine: Engine = self._engines(
            self.model,
            self.source_tokenizer,
            self.target_tokenizer,
            self.search,
            self.source_limit,
            self.batch_size,
            self.replace_unknown,
            self.short_list,
        )
        return engine

    def save(
        self,
        path: str | PathLike[str],
        overwrite: bool = False,
        include_optimizer: bool = False,
        *,
        quantization: str | None = None,
    ) -> None:
        """Write the model, the tokenizers and the search into one folder.

        Args:
            path: the folder to write; it appears when it is complete.
            overwrite: whether a saved `Translator` there may be replaced.
            include_optimizer: whether to write what the model was compiled with too,
                which may take twice the room of the model. `load` leaves it alone;
                `keras.models.load_model` of the folder's `model.keras` reads it.
            quantization: `"float16"` stores the weights in half the room, each rounded
                to one part in 2,000. They are read as what they were, so that speed
                stays the same and training can go on.

        Raises:
            FileExistsError: when something stands at `path` that may not be replaced.
            ValueError: for a tokenizer that is not of `keras_attention.text`, and a
                weight above 65,504 for float16.
        """
        write_translator(self, path, overwrite, include_optimizer, quantization)

    @classmethod
    def load(cls, path: str | PathLike[str], engine: str = "tensorflow") -> Any:
        """Read what `save` wrote.

        Args:
            path: the folder.
            engine: what translates: `"tensorflow"`, the model itself, on Keras's
                backend; or `"ctranslate2"`, which reads what `export` wrote for it, or
                makes that of a saved Transformer, and takes the same calls.

        Returns:
            A `Translator`, or a `CTranslate2Translator`.

        Raises:
            FileNotFoundError: when a file of the folder is missing.
            ValueError: for a file that is truncated, altered or of something else.
            ImportError: without the extra `ctranslate2`, for that engine.
        """
        check_choice(ENGINES, engine=engine)
        if engine == "ctranslate2":
            return load_ctranslate2(path, lambda: cls._read(path))
        return cls._read(path)

    @classmethod
    def _read(cls, path):
        arguments = read_translator(path)
        temperature = arguments.pop("confidence_temperature")
        translator = cls(**arguments)
        translator.confidence_temperature = temperature
        return translator

    @classmethod
    def from_preset(cls, name: str, engine: str = "tensorflow") -> Any:
        """Load a trained translator that comes along, without a network.

        They lie in the folder `models` of a checkout, and in the distribution
        `keras-attention-models`. Each has a page that says what it was trained on, how
        well it does, and what its licence is.

        Args:
            name: such as `"tatoeba_en_fr"`.
            engine: as in `load`.

        Returns:
            What `load` returns.

        Raises:
            FileNotFoundError: where none is installed.
            ValueError: for a name that none of them has.
        """
        return cls.load(find_preset(name), engine)

    @classmethod
    def from_marian(cls, folder: str | PathLike[str]) -> Self:
        """Read the folder of a `MarianMTModel`, such as those of OPUS-MT.

        Args:
            folder: its path, or the name of a model such as `"opus-mt-en-fr"`, which is
                downloaded from the Hugging Face Hub.

        Raises:
            FileNotFoundError: when a file of the folder is missing, or the model cannot
                be downloaded.
            ValueError: for a file that is damaged, or asks for what we lack.
        """
        from keras_attention.convert import read_marian

        return cls(**read_marian(folder))

    def export(
        self,
        path: str | PathLike[str],
        overwrite: bool = False,
        check: bool | Sequence[str] = True,
        *,
        format: str = "saved_model",
        quantization: str | None = None,
    ) -> None:
        """Write it for other programs.

        - `format="saved_model"`: a SavedModel that takes strings and returns strings,
          for TensorFlow and TensorFlow Serving; see `export.write_saved_model`.
        - `format="ctranslate2"`: a Transformer as a model of CTranslate2, with the
          tokenizers beside it; see `export.write_ctranslate2`.
        - `format="huggingface"`: likewise as a model of `transformers`, to be shared;
          see `export.write_huggingface`.
        - `format="onnx"` and `format="litert"`: the model and its search in one file
          from ids to ids, with the tokenizers beside it; see `export.write_onnx` and
          `export.write_litert`.

        Args:
            path: the folder to write; it appears when it is complete.
            overwrite: whether a model of this format there may be replaced.
            check: whether to load it in a fresh process and compare some translations;
                a list of texts says which.
            format: see above.
            quantization: of the weights for CTranslate2, such as `"int8"`, or for
                Hugging Face, `"float16"`; what a SavedModel holds is quantized by
                `quantize`.

        Raises:
            ValueError: for what the format cannot hold, before a file is written.
            FileExistsError: when something stands at `path` that may not be replaced.
            RuntimeError: when the fresh process fails or translates otherwise.
            ImportError: without the extra of the format.
        """
        from keras_attention.export import write_translator

        write_translator(self, path, overwrite, check, format, quantization)

    def with_tokenizers(self, source_tokenizer: Any, target_tokenizer: Any) -> Self:
        """A translator of other vocabularies that begins with what this one knows.

        Pieces that both vocabularies have keep their vectors, and new ones begin with
        the mean of their parts; see `convert.change_vocabularies`. It is to be trained
        then. This one stays as it is.

        Args:
            source_tokenizer: the new one, or that of this translator, whose table is
                kept.
            target_tokenizer: likewise.

        Raises:
            ValueError: for a model that is quantized, an ensemble, or made of ends that
                are not the builders'.
        """
        from keras_attention.convert import change_vocabularies

        new = as_tokenizer(source_tokenizer), as_tokenizer(target_tokenizer)
        old = self.source_tokenizer, self.target_tokenizer
        return self._with(change_vocabularies(self.model, old, new), *new)

    def with_precision(self, dtype: Any) -> Self:
        """A translator with the same weights that computes in another precision.

        Such as in float32, for processors without bfloat16, what was trained in
        `"mixed_bfloat16"`; see `convert.change_precision`. This one stays as it is.

        Args:
            dtype: a policy of floats, such as `"float32"`.

        Raises:
            ValueError: for a model that is quantized, and an ensemble.
        """
        from keras_attention.convert import change_precision

        model = change_precision(self.model, dtype)
        tokenizers = self.source_tokenizer, self.target_tokenizer
        return self._with(model, *tokenizers, self.short_list)

    def with_short_list(
        self, sources: Sequence[str], targets: Sequence[str], **sizes: int
    ) -> Self:
        """A translator whose translations are made of what their sources ask for.

        Of each source id, the target ids by which it is translated most are learned
        from pairs, and a search chooses from these and from the most common ones,
        instead of the whole vocabulary (L'Hostis et al. 2016). With vocabularies of
        thousands, that is faster, and about as good. This one stays as it is, and
        shares the model.

        Args:
            sources: texts such as will be translated; those of the training.
            targets: their translations.
            **sizes: of `ShortList.learn`.

        Raises:
            ValueError: for texts that are not as many, a model that reads vectors or
                continues texts, and one whose logits are not of a dense layer or of the
                target embedding.
        """
        check_strings("sources", sources)
        check_strings("targets", targets)
        check_lists_ids(self.model)
        tokenizers = self.source_tokenizer, self.target_tokenizer
        read = self.source.rows(sources)
        written = as_lists(self.target_tokenizer).tokenize(targets)
        short_list = ShortList.learn(read, written, **sizes)
        return self._with(self.model, *tokenizers, short_list)

    def without_short_list(self) -> Self:
        """A translator that chooses from all ids; this one stays as it is."""
        return self._with(self.model, self.source_tokenizer, self.target_tokenizer)

    def _with(self, model, source_tokenizer, target_tokenizer, short_list=None):
        translator = type(self)(
            model,
            source_tokenizer,
            target_tokenizer,
            self.search,
            self.max_source_length,
            self.batch_size,
            self.replace_unknown,
            short_list,
        )
        translator.confidence_temperature = self.confidence_temperature
        return translator

    def quantize(self) -> None:
        """Store and multiply the kernels of the model as 8-bit integers, as Keras does.

        To be done after the training and before `save` or `export`: what is exported
        takes a quarter of the room, its graphs apart. Batches are a sixth faster where
        there is no short list, and single texts slower. The model changes for good, as
        by `keras.Model.quantize`.

        Raises:
            ValueError: for a model that is quantized already.
        """
        with warnings.catch_warnings():
            # it names every layer that has no kernel, or counts them
            warnings.filterwarnings("ignore", "Layer .* `quantize` method")
            warnings.filterwarnings("ignore", r"`model.quantize\(\)`: .* skipped")
            self.model.quantize("int8")

    def warm_up(
        self, rows: Iterable[int] | None = None, lengths: Iterable[int] | None = None
    ) -> None:
        """Compile what the first calls would else wait for.

        A search that XLA compiles has a program for each shape of a batch, to which
        others are padded; a search with `jit_compile=False` has one for all.

        Args:
            rows: numbers of texts that are to be expected at once; any up to
                `batch_size` when left out.
            lengths: of their sources in tokens; any up to `max_source_length` when left
                out.

        Raises:
            ValueError: for one integer in place of many.
        """
        for name, numbers in {"rows": rows, "lengths": lengths}.items():
            if isinstance(numbers, int):
                raise ValueError(
                    f"`{name}` must be a list of integers. Received: {name}={numbers}"
                )
        self(self.source.examples()[:1])
        engine = self.engine
        shapes = engine.shapes(rows, lengths)
        progress = keras.utils.Progbar(len(shapes), unit_name="program")
        for count, shape in enumerate(shapes):
            engine.warm_up(*shape)
            progress.update(count + 1)

    @staticmethod
    def check_free(path: str | PathLike[str], overwrite: bool = False) -> None:
        """Raise now what `save` would raise later for this path."""
        check_free(path, MARKER, overwrite)
