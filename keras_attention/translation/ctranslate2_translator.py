"""A `Translator` whose model is CTranslate2's."""

import json
import os
from os import PathLike
from pathlib import Path
from typing import Any, Self

from keras_attention.argument_checks import check_positive
from keras_attention.optional_packages import needs
from keras_attention.saved_folders import read_manifest
from keras_attention.text.plain import load_tokenizer
from keras_attention.translation.base_translator import BaseTranslator, Engine
from keras_attention.translation.ctranslate2_engine import CTranslate2Engine, Sides
from keras_attention.translation.file_names import SOURCE, TARGET
from keras_attention.translation.search_settings import SearchSettings

FORMAT = "keras_attention.CTranslate2"
VERSION = 1
MODEL = "model.bin"
SETTINGS = "keras_attention.json"


class CTranslate2Translator(BaseTranslator):
    """A model of CTranslate2 between two tokenizers, with the calls of a `Translator`.

    It needs neither TensorFlow nor Keras's backend. `Translator.load(folder,
    engine="ctranslate2")` makes it; `search` may be assigned.

    Args:
        model: a `ctranslate2.Translator`.
        sides: its tokenizers, and the names of their ids.
        search: how translations are found: a `Search`, or what stands for it.
        max_source_length: the most source tokens, the end included.
        batch_size: the most texts that are handed over at once.
    """

    def __init__(
        self,
        model: Any,
        sides: Sides,
        search: Any,
        max_source_length: int = 256,
        batch_size: int = 4096,
    ) -> None:
        super().__init__()
        check_positive(max_source_length=max_source_length, batch_size=batch_size)
        self.model = model
        self.source_tokenizer = sides.source_tokenizer
        self.target_tokenizer = sides.target_tokenizer
        self._search = search
        self.max_source_length = max_source_length
        self.batch_size = batch_size
        self._sides = sides
        self._engine: Any = None

    @property
    def source_limit(self) -> int:
        """The most source tokens that are read, the end included."""
        return self.max_source_length

    @property
    def search(self) -> Any:
        """How translations are found, one of `decoding`."""
        if isinstance(self._search, SearchSettings):
            self._search = self._search.make()
        return self._search

    @search.setter
    def search(self, search: Any) -> None:
        self._search = search

    @property
    def search_settings(self) -> SearchSettings:
        """What `search` is made of."""
        return SearchSettings.of(self._search)

    @property
    def target_limit(self) -> int:
        """The most target tokens that a translation has, the end included."""
        limit: int = self.search_settings.config["max_length"]
        return limit

    @property
    def engine(self) -> Engine:
        """What finds the translations."""
        settings = self.search_settings, self.max_source_length
        if self._engine is None or self._engine[0] != settings:
            engine = CTranslate2Engine(self.model, self._sides, *settings)
            self._engine = settings, engine
        found: Engine = self._engine[1]
        return found

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read what `Translator.export(format="ctranslate2")` wrote.

        Raises:
            FileNotFoundError: when a file of the folder is missing.
            ValueError: for a file that is truncated, altered or of something else.
            ImportError: without the extra `ctranslate2`.
        """
        with needs("ctranslate2", extra="ctranslate2", by="engine='ctranslate2'"):
            import ctranslate2
        folder = Path(path)
        settings = read_manifest(
            folder, SETTINGS, FORMAT, VERSION, (MODEL, SOURCE, TARGET)
        )
        if settings["kind"] != "translator":
            raise ValueError(
                f"{str(folder)!r} holds a language model, which is loaded by "
                "ctranslate2.Generator"
            )
        sides = Sides(
            load_tokenizer(folder / SOURCE),
            load_tokenizer(folder / TARGET),
            _read_names(folder, "source"),
            _read_names(folder, "target"),
        )
        # Batches side by side, a thread each, are faster than one after the other.
        threads = len(os.sched_getaffinity(0)) if _counts() else os.cpu_count() or 1
        model = ctranslate2.Translator(
            str(folder), inter_threads=threads, intra_threads=1
        )
        search = SearchSettings.read(settings["search"], folder / SETTINGS)
        translator = cls(model, sides, search, settings["max_source_length"])
        temperature = settings.get("confidence_temperature", 1.0)
        translator.confidence_temperature = temperature
        return translator


def _counts() -> bool:
    """Whether the processors that a process may use can be asked for."""
    return hasattr(os, "sched_getaffinity")


def _read_names(folder: Path, side: str) -> list[str]:
    """The vocabulary of a side, as CTranslate2 wrote it."""
    path = folder / f"{side}_vocabulary.json"
    if not path.exists():
        path = folder / "shared_vocabulary.json"
    names: list[str] = json.loads(path.read_text("utf-8"))
    return names
