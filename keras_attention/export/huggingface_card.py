"""What the page of a model on the Hugging Face Hub says to begin with."""

CARD = """\
---
library_name: transformers
tags:
- translation
- keras
---

# A translator of keras_attention

A `{architecture}` of {count:,} weights, trained with `keras_attention` and written by
its version {version}. It needs `transformers` from version 5 on, `torch` and
`sentencepiece`:

```python
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

folder = "."  # or the name that it has on the Hub
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForSeq2SeqLM.from_pretrained(folder)
inputs = tokenizer(["..."], return_tensors="pt", padding=True, truncation=True)
print(tokenizer.batch_decode(model.generate(**inputs), skip_special_tokens=True))
```

Add here what it translates from and into, the data and their licence, and its scores.
"""
