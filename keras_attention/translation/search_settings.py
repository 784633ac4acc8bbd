"""A search as data, for what does without Keras."""

from typing import Any, NamedTuple, Self

# What the constructors of all searches take, with its defaults.
_COMMON: dict[str, Any] = {
    "min_length": 0,
    "max_length_ratio": None,
    "min_length_ratio": 0.0,
    "no_repeat_ngram_size": 0,
    "repetition_penalty": 1.0,
    "suppressed_ids": [],
    "renormalize": False,
    "jit_compile": None,
}
# What else those of one kind take.
_OWN: dict[str, dict[str, Any]] = {
    "Greedy": {},
    "BeamSearch": {
        "num_beams": 4,
        "length_penalty": 0.6,
        "coverage_penalty": 0.0,
        "normalization": "gnmt",
        "num_hypotheses": None,
        "num_groups": 1,
        "diversity": 0.5,
        "finished": "keep",
        "stopping": "exact",
        "patience": 1.0,
        "force_end": False,
    },
    "Sampling": {
        "temperature": 1.0,
        "top_k": None,
        "top_p": None,
        "seed": None,
        "min_p": 0.0,
        "num_samples": 1,
    },
}


class SearchSettings(NamedTuple):
    """What a search of this package is made of.

    Attributes:
        kind: the name of its class.
        config: the arguments of its constructor, all of them.
    """

    kind: str
    config: dict[str, Any]

    @classmethod
    def of(cls, search: Any) -> Self:
        """Those of a `Search`, or of what stands for one.

        Raises:
            ValueError: for another search than those of this package.
        """
        if isinstance(search, cls):
            return search
        kind = type(search)
        if kind.__name__ not in _OWN or not _is_ours(kind):
            raise ValueError(
                f"`search` must be one of {', '.join(_OWN)}. "
                f"Received: search={search!r}"
            )
        return cls(kind.__name__, search.get_config())

    @classmethod
    def read(cls, document: Any, path: Any) -> Self:
        """Those of a search that Keras has serialized into the file at `path`.

        Raises:
            ValueError: for anything else.
        """
        if isinstance(document, dict) and document.get("class_name") in _OWN:
            kind, config = document["class_name"], document["config"]
            return cls(kind, {**_COMMON, **_OWN[kind], **config})
        raise ValueError(f"{str(path)!r} names an unknown search: {document!r}")

    def changed(self, kind: str | None = None, **config: Any) -> Self:
        """The same but for what is given; another kind keeps what all kinds have."""
        kind = kind or self.kind
        known = {"max_length": 0, **_COMMON, **_OWN[kind]}
        kept = {name: self.config.get(name, value) for name, value in known.items()}
        return type(self)(kind, {**kept, **config})

    def make(self) -> Any:
        """The `Search` itself.

        Raises:
            ValueError: for an option that is out of range.
        """
        from keras_attention import decoding

        return getattr(decoding, self.kind)(**self.config)


def _is_ours(kind: type) -> bool:
    return kind.__module__.startswith("keras_attention.decoding.")
