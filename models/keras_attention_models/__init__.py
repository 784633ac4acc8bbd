"""Translators in folders, which `keras_attention.Translator.from_preset` loads."""
