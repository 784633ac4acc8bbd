"""The one name that annotations have for tensors."""

from typing import Any, TypeAlias

Tensor: TypeAlias = Any
"""A tensor of Keras's backend, symbolic, traced or eager, or what
`keras.ops.convert_to_tensor` makes one of. Keras has no type that says so; shapes and
dtypes stand in the docstrings. `int | Tensor` is a size, a length or an index, which a
graph may know as a scalar alone.
"""
