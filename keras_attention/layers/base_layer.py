"""What every layer of the package keeps, whatever Keras wraps around it."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import keras

from keras_attention import functional

_NOT_REVERSIBLE = (
    "`keras.layers.Bidirectional` cannot wrap a {name}, which does not read a sequence "
    "step by step in one direction; wrap a `CellRNN` or a `keras.layers.RNN`, or use "
    "`RecurrentEncoder(..., bidirectional=True)`. Received: go_backwards={value}"
)


class BaseLayer(keras.layers.Layer):
    """A layer whose `compute_output_spec` says all of what it returns.

    In a compiled graph, an integer mask of others than 0 and 1 makes its outputs NaN.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        outputs = super().__call__(*args, **kwargs)
        named = dict(zip(_argument_names(type(self).call), args, strict=False)) | kwargs
        masks = [
            mask
            for name, mask in named.items()
            if name.endswith("mask") and functional.hides_integers(mask)
        ]
        if not masks:
            return outputs

        def spoil(part):
            is_float = part is not None and keras.backend.is_float_dtype(part.dtype)
            return functional.spoiled(part, *masks) if is_float else part

        return keras.tree.map_structure(spoil, outputs)

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """The shapes of what `call` returns, from those of its tensor arguments.

        Args:
            *args: shapes, or nested structures of them, in the order of the call.
            **kwargs: likewise, named `<argument of the call>_shape`.
        """
        named = {name.removesuffix("_shape"): shape for name, shape in kwargs.items()}
        given = inspect.signature(self.call).bind_partial(*args, **named).arguments
        outputs = self.compute_output_spec(
            **{name: self._symbols(name, shape) for name, shape in given.items()}
        )
        return keras.tree.map_structure(lambda output: tuple(output.shape), outputs)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make the layer of its configuration.

        Raises:
            ValueError: for `go_backwards`, which `keras.layers.Bidirectional` adds, in
                the configuration of a layer that has no such argument.
        """
        known = inspect.signature(cls.__init__).parameters
        if "go_backwards" in config and "go_backwards" not in known:
            raise ValueError(
                _NOT_REVERSIBLE.format(name=cls.__name__, value=config["go_backwards"])
            )
        if isinstance(dtype := config.get("dtype"), dict):
            # Files of before 0.3 may call the policies of two layers one object.
            own = {key: dtype[key] for key in dtype if key != "shared_object_id"}
            config = {**config, "dtype": own}
        return super().from_config(config)

    def _symbols(self, name: str, shapes: Any) -> Any:
        if shapes is None:
            return None
        dtype = "bool" if name.endswith("mask") else self.compute_dtype
        return keras.tree.map_shape_structure(
            lambda shape: keras.KerasTensor(shape, dtype), shapes
        )


@functools.cache
def _argument_names(call: Callable[..., Any]) -> list[str]:
    """Names of what a method takes, in order, without `self`."""
    return [*inspect.signature(call).parameters][1:]
