"""Translators into one of the languages of a model of several."""

from collections.abc import Iterable, Sequence
from typing import Any

from keras_attention.translation.alignments import Alignment
from keras_attention.translation.base_translator import BaseTranslator, Engine
from keras_attention.translation.glossary import Forms
from keras_attention.translation.language_tags import add_tag, find_tags
from keras_attention.translation.results import Hypothesis, Score


class Direction(BaseTranslator):
    """A translator into one of the languages of another one, which it stands for.

    Args:
        translator: of several languages, whose engine and settings it shares.
        language: one of its `languages`.

    Raises:
        ValueError: for another one.
    """

    def __init__(self, translator: BaseTranslator, language: str) -> None:
        super().__init__()
        tags = find_tags(translator.source_tokenizer)
        if language not in tags:
            known = ", ".join(tags) or "none by name"
            raise ValueError(
                f"`language` must be one that the model was trained for: {known}. "
                f"Received: language={language!r}"
            )
        self.translator = translator
        self.language = language
        self.source_tokenizer = translator.source_tokenizer
        self.target_tokenizer = translator.target_tokenizer
        self.batch_size = translator.batch_size
        self.confidence_temperature = translator.confidence_temperature
        self._tag = tags[language]

    def to(self, language: str) -> "Direction":
        """Another direction of the same model."""
        return Direction(self.translator, language)

    @property
    def source_limit(self) -> int:
        """The most source tokens that are read, the tag and the end included."""
        return self.translator.source_limit

    @property
    def target_limit(self) -> int:
        """As of the other one."""
        return self.translator.target_limit

    @property
    def engine(self) -> Engine:
        """That of the other one, which it hands texts with their tag."""
        return _TaggingEngine(self.translator.engine, self._tag)


class _TaggingEngine:
    """An `Engine` before another one, which gives each text its tag."""

    def __init__(self, engine: Engine, tag: str) -> None:
        self._engine = engine
        self._tag = tag
        self.source = _TaggedSource(engine.source, tag)
        self.cuts_batches = engine.cuts_batches

    def translate(self, sources: Sequence[Any]) -> list[tuple[str, bool]]:
        """As of every engine."""
        return self._engine.translate(self._tagged(sources))

    def hypotheses(
        self,
        sources: Sequence[Any],
        terms: Sequence[Sequence[Forms]] | None = None,
        prefixes: Sequence[str] | None = None,
        *,
        with_attention: bool = True,
    ) -> list[list[Hypothesis]]:
        """As of every engine, of the text alone."""
        found = self._engine.hypotheses(
            self._tagged(sources), terms, prefixes, with_attention=with_attention
        )
        count = self.source.tag_length
        return [
            [
                one._replace(
                    source_tokens=one.source_tokens[count:],
                    attention=(
                        None if one.attention is None else one.attention[:, count:]
                    ),
                )
                if source.strip()
                else one  # which has no tag
                for one in ranked
            ]
            for source, ranked in zip(sources, found, strict=True)
        ]

    def scores(self, sources: Sequence[Any], references: Sequence[str]) -> list[Score]:
        """As of every engine."""
        return self._engine.scores(self._tagged(sources), references)

    def alignments(
        self, sources: Sequence[Any], references: Sequence[str]
    ) -> list[Alignment]:
        """As of every engine, of the text alone."""
        found = self._engine.alignments(self._tagged(sources), references)
        count = self.source.tag_length
        return [
            one._replace(
                source_tokens=one.source_tokens[count:],
                source_words=[word - 1 for word in one.source_words[count:]],
                attention=one.attention[:, count:],
            )
            if source.strip()
            else one
            for source, one in zip(sources, found, strict=True)
        ]

    def shapes(
        self, rows: Iterable[int] | None, lengths: Iterable[int] | None
    ) -> list[tuple[int, int]]:
        """As of every engine."""
        return self._engine.shapes(rows, lengths)

    def warm_up(self, rows: int, length: int) -> None:
        """As of every engine."""
        self._engine.warm_up(rows, length)

    def _tagged(self, sources):
        return [add_tag(source, self._tag) for source in sources]


class _TaggedSource:
    """What an engine reads, with a tag before it.

    Attributes:
        tag_length: how many tokens the tag has.
    """

    def __init__(self, source: Any, tag: str) -> None:
        self._source = source
        self._tag = tag
        self.tag_length = int(source.lengths([tag])[0]) - 1

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def lengths(self, texts: Sequence[Any]) -> Any:
        """How many ids each text has, before any is cut."""
        return self._source.lengths([add_tag(text, self._tag) for text in texts])
