"""Functions and their variables as models for other programs."""

from keras_attention.extras import needs

with needs("tensorflow", extra="text", by="keras_attention.export"):
    from keras_attention.export.fresh_process import (
        export_in_fresh_process,
        translate_in_fresh_process,
    )
    from keras_attention.export.saved_model import (
        custom_operations,
        export_saved_model,
        write_metadata,
    )
    from keras_attention.export.warm_up import write_warm_up

__all__ = [
    "custom_operations",
    "export_in_fresh_process",
    "export_saved_model",
    "translate_in_fresh_process",
    "write_metadata",
    "write_warm_up",
]
