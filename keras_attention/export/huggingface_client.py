"""Ask a model of Hugging Face, in a process that knows nothing of this package.

python huggingface_client.py FOLDER < texts.json > answers.json
"""

import json
import sys


def main(folder: str) -> None:
    """Cut texts, write outputs greedily, and say how probable their ids are."""
    import torch
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    given = json.load(sys.stdin)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSeq2SeqLM.from_pretrained(folder, dtype=torch.float32).eval()
    limits = {"truncation": True, "max_length": tokenizer.model_max_length}
    rows = [tokenizer(text, **limits)["input_ids"] for text in given["texts"]]
    written, log_probs = [], []
    with torch.no_grad():
        for row in rows:
            inputs = torch.tensor([row])
            (ids,) = model.generate(
                input_ids=inputs,
                attention_mask=torch.ones_like(inputs),
                num_beams=1,
                num_return_sequences=1,
                do_sample=False,
                max_new_tokens=given["length"],
            )
            logits = model(input_ids=inputs, decoder_input_ids=ids[None, :-1]).logits
            shares = logits[0].double().log_softmax(-1)
            written.append(ids[1:].tolist())
            log_probs.append(shares.gather(1, ids[1:, None])[:, 0].tolist())
    print(json.dumps({"rows": rows, "written": written, "log_probs": log_probs}))


if __name__ == "__main__":
    main(sys.argv[1])
