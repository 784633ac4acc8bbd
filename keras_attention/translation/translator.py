"""Strings in, strings out; or vectors in, strings out."""

import math
import os
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from os import PathLike
from typing import Any, Self

import keras
import numpy as np

from keras_attention.argument_checks import check_number, check_positive
from keras_attention.decoding import Greedy
from keras_attention.decoding.up_to_date import UpToDate
from keras_attention.models import Ensemble, LanguageModel, Seq2Seq
from keras_attention.saved_folders import check_free
from keras_attention.text import Tokenizer
from keras_attention.text.vectorization import as_tokenizer
from keras_attention.translation.batches import (
    batch_by_length,
    check_as_many,
    check_strings,
    map_batches,
    map_texts,
)
from keras_attention.translation.folder import MARKER, read_translator, write_translator
from keras_attention.translation.graphs import Serving, make_serving
from keras_attention.translation.parts import (
    check_process,
    check_search,
    check_source,
    check_special_ids,
    check_vocabulary,
)
from keras_attention.translation.results import (
    Hypothesis,
    Score,
    rank,
    read_hypotheses,
    read_scores,
    read_translations,
)
from keras_attention.translation.sources import make_source

DEFAULT_LENGTH = 128


class Translator:
    """A model between two tokenizers.

    Any string gives a result: empty ones, bytes that are not UTF-8, unknown characters.
    Rows do not influence each other, but for what `Sampling` draws. It translates on
    Keras's TensorFlow backend, since its tokenizers are TensorFlow graphs; what was
    trained on another one is saved, loaded and exported there all the same.

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

    Raises:
        ValueError: for a tokenizer with more ids than the model has, a search that
            writes more of them than the model has positions for; and at the first
            translation, when unknown words are to be replaced without attention.
        RuntimeError: when something is to be translated on another backend than
            TensorFlow, or in a process forked from the one that made it.

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
        source_tokenizer: Tokenizer | None,
        target_tokenizer: Tokenizer,
        search: Any = None,
        max_source_length: int = 256,
        batch_size: int = 64,
        replace_unknown: bool = False,
    ) -> None:
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
        self._graphs = UpToDate(make_serving)
        self._process = os.getpid()

    @property
    def source_limit(self) -> int:
        """The most source tokens that are read, the end included."""
        limit = getattr(self.model.source_embedding, "max_length", None)
        return min(self.max_source_length, limit or self.max_source_length)

    @property
    def source(self) -> Any:
        """What it reads: a `TextSource` or a `VectorSource`."""
        return make_source(self.model, self.source_tokenizer, self.source_limit)

    @property
    def serving(self) -> Serving:
        """Its graphs: new ones where the model or a setting was replaced."""
        check_process(self._process)
        serving: Serving = self._graphs(
            self.model,
            self.source_tokenizer,
            self.target_tokenizer,
            self.search,
            self.source_limit,
            self.batch_size,
            self.replace_unknown,
        )
        return serving

    def __call__(self, texts: Any) -> Any:
        """Translate a list of texts to a list, or one text to one."""
        if isinstance(texts, str) or getattr(texts, "ndim", 1) == 2:
            return self([texts])[0]
        found = self._in_batches(self.serving.translate, read_translations, texts)
        return [translation for translation, _ in found]

    def hypotheses(self, texts: Sequence[str | bytes]) -> list[list[Hypothesis]]:
        """The translations that were found of each text, best first, one at least."""
        return self._in_batches(self.serving.hypotheses, read_hypotheses, texts)

    def stream(
        self,
        texts: Iterable[str | bytes],
        batch_tokens: int = 4096,
        window: int = 4096,
        counts: Counter[str] | None = None,
    ) -> Iterator[str]:
        """Translate any number of texts, lazily and in constant memory.

        Args:
            texts: any iterable, such as the lines of a file.
            batch_tokens: rows times source tokens that are translated at once, where
                each row counts 16 or more; a row at least.
            window: number of texts that are read ahead and sorted by length.
            counts: what is added up on the way: the `texts`, and how many of them are
                `cut_texts`, longer than `source_limit`, and how many translations are
                `cut_translations`, which the search's `max_length` ended.

        Yields:
            The translation of each text, in their order.

        Raises:
            ValueError: for one string in place of many, and, when it is reached, for
                something that is not a string.
        """
        check_process(self._process)
        check_positive(batch_tokens=batch_tokens, window=window)
        if isinstance(texts, str | bytes):
            raise ValueError(
                f"`texts` must be an iterable of strings. Received: texts={texts!r}"
            )
        counts = Counter() if counts is None else counts
        return self._stream(iter(texts), batch_tokens, window, counts)

    def _stream(self, texts, batch_tokens, window, counts):
        while ahead := list(islice(texts, window)):
            source = self.source
            source.check("texts", ahead)
            lengths = source.lengths(ahead)
            read = np.minimum(lengths, self.source_limit)
            parts = batch_by_length(read, window, batch_tokens)
            translate = self._reading(self.serving.translate, read_translations)
            found = map_batches(translate, parts, (source.batch, ahead))
            counts["texts"] += len(ahead)
            counts["cut_texts"] += int((lengths > read).sum())
            counts["cut_translations"] += sum(not whole for _, whole in found)
            yield from (translation for translation, _ in found)

    def score(self, texts: Sequence[str], references: Sequence[str]) -> list[Score]:
        """How probable given translations are.

        Args:
            texts: to translate.
            references: a translation of each. What is longer than the model's limit is
                cut; if it has none, what is longer than 256 tokens, `max_source_length`
                and the search's `max_length`.
        """
        return self._in_batches(self.serving.scores, read_scores, texts, references)

    def rerank(
        self,
        texts: Sequence[str],
        candidates: Sequence[Sequence[str]],
        length_penalty: float = 1.0,
    ) -> list[list[str]]:
        """Put translations of each text in the order of this model's scores.

        Args:
            texts: what was translated.
            candidates: some translations of each, such as those that another model
                found.
            length_penalty: log-probabilities are divided by the number of tokens to
                this power; 0 favours what is short.

        Raises:
            ValueError: unless there is a list of strings for each text.
        """
        check_strings("texts", texts)
        check_as_many("candidates", candidates, texts)
        for some in candidates:
            check_strings("candidates", some)
        check_number(0, math.inf, length_penalty=length_penalty)
        pairs = zip(texts, candidates, strict=True)
        repeated = [text for text, some in pairs for _ in some]
        scores = self.score(repeated, [one for some in candidates for one in some])
        return rank(candidates, scores, length_penalty)

    def save(
        self,
        path: str | PathLike[str],
        overwrite: bool = False,
        include_optimizer: bool = False,
    ) -> None:
        """Write the model, the tokenizers and the search into one folder.

        Args:
            path: the folder to write; it appears when it is complete.
            overwrite: whether a saved `Translator` there may be replaced.
            include_optimizer: whether to write what the model was compiled with too,
                which may take twice the room of the model. `load` leaves it alone;
                `keras.models.load_model` of the folder's `model.keras` reads it.

        Raises:
            FileExistsError: when something stands at `path` that may not be replaced.
            ValueError: for a tokenizer that is not of `keras_attention.text`.
        """
        write_translator(self, path, overwrite, include_optimizer)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read what `save` wrote.

        Raises:
            FileNotFoundError: when a file of the folder is missing.
            ValueError: for a file that is truncated, altered or of something else.
        """
        return cls(**read_translator(path))

    @classmethod
    def from_marian(cls, folder: str | PathLike[str]) -> Self:
        """Read the folder of a `MarianMTModel`, such as those of OPUS-MT.

        Raises:
            FileNotFoundError: when a file of the folder is missing.
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

        Args:
            path: the folder to write; it appears when it is complete.
            overwrite: whether a model of this format there may be replaced.
            check: whether to load it in a fresh process and compare some translations;
                a list of texts says which.
            format: see above.
            quantization: of the weights for CTranslate2, such as `"int8"`; what a
                SavedModel holds is quantized by `quantize`.

        Raises:
            ValueError: for what the format cannot hold, before a file is written.
            FileExistsError: when something stands at `path` that may not be replaced.
            RuntimeError: when the fresh process fails or translates otherwise.
            ImportError: without the extra of the format.
        """
        from keras_attention.export import write_translator

        write_translator(self, path, overwrite, check, format, quantization)

    def quantize(self) -> None:
        """Store and multiply the kernels of the model as 8-bit integers, as Keras does.

        To be done after the training and before `save` or `export`: what is exported
        takes a quarter of the room, its graphs apart, and batches are translated
        faster. The model changes for good, as by `keras.Model.quantize`.

        Raises:
            ValueError: for a model that is quantized already.
        """
        with warnings.catch_warnings():
            # it names every layer that has no kernel
            warnings.filterwarnings("ignore", "Layer .* `quantize` method")
            self.model.quantize("int8")

    def warm_up(
        self, rows: Iterable[int] | None = None, lengths: Iterable[int] | None = None
    ) -> None:
        """Compile what the first calls would else wait for.

        A search compiled by XLA (`jit_compile=True`) has a program for each shape of a
        batch, to which others are padded; any other search has one for all.

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
        shapes = self.serving.shapes(rows, lengths)
        progress = keras.utils.Progbar(len(shapes), unit_name="program")
        for count, shape in enumerate(shapes):
            self.serving.warm_up(*shape)
            progress.update(count + 1)

    @staticmethod
    def check_free(path: str | PathLike[str], overwrite: bool = False) -> None:
        """Raise now what `save` would raise later for this path."""
        check_free(path, MARKER, overwrite)

    def _in_batches(self, graph, read, texts, *references):
        check_process(self._process)
        find = self._reading(graph, read)
        return map_texts(find, self.source, self.batch_size, texts, *references)

    def _reading(self, graph, read):
        return lambda *inputs: read(graph(*inputs), self.target_tokenizer)
