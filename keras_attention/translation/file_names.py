"""Files that saved and exported translators have."""

SOURCE, TARGET = "source_tokenizer.json", "target_tokenizer.json"
MARKER = "translator.json"  # of what is saved
