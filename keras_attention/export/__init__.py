"""What other programs run: one module for each format.

A `Translator` writes itself by its `export`; what is named here may be imported to
write other functions likewise.
"""

from keras_attention.optional_packages import needs

with needs("tensorflow", extra="text", by="keras_attention.export"):
    from keras_attention.export.ctranslate2 import write_ctranslate2
    from keras_attention.export.formats import write_translator
    from keras_attention.export.fresh_process import (
        export_in_fresh_process,
        translate_in_fresh_process,
    )
    from keras_attention.export.functions import (
        custom_operations,
        export_saved_model,
        write_metadata,
    )
    from keras_attention.export.saved_model import write_saved_model
    from keras_attention.export.warm_up import write_warm_up

__all__ = [
    "custom_operations",
    "export_in_fresh_process",
    "export_saved_model",
    "translate_in_fresh_process",
    "write_ctranslate2",
    "write_metadata",
    "write_saved_model",
    "write_translator",
    "write_warm_up",
]
