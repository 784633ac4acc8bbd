"""What a built model does with masks and attention, without changing it."""

from keras_attention.inspection.attention_maps import attention_maps
from keras_attention.inspection.mask_report import MaskRow, mask_report

__all__ = ["MaskRow", "attention_maps", "mask_report"]
