"""A Translator as the options of a training say."""

import argparse

from keras_attention import text
from keras_attention.cli.files import languages
from keras_attention.cli.saved import find_folder
from keras_attention.decoding import Greedy
from keras_attention.models import Seq2Seq, rnn_seq2seq, transformer
from keras_attention.translation.evaluation import evaluate
from keras_attention.translation.language_tags import find_tags, tag_of
from keras_attention.translation.tokenizers import train_tokenizers
from keras_attention.translation.translator import Translator

# A short list is worth a try of so many target ids, by so many validation sentences,
# and kept if it loses no more BLEU.
LARGE, COMPARED, TOLERANCE = 2000, 1000, 0.1


def make_tokenizers(
    options: argparse.Namespace, corpus: text.Split
) -> tuple[text.Tokenizer, text.Tokenizer]:
    """The tokenizers of both sides, given ones or trained as the options say."""
    source, target = _find_tokenizers(options, corpus)
    lacking = {*languages(options)} - {*find_tags(source)}
    if lacking:
        tags = ", ".join(sorted(map(tag_of, lacking)))
        raise ValueError(
            f"the source tokenizer has no pieces for the tags {tags}: it needs them as "
            "user symbols"
        )
    return source, target


def _find_tokenizers(options, corpus):
    if options.start_from and not options.new_vocabularies:
        begun = Translator.load(find_folder(options.start_from))
        return begun.source_tokenizer, begun.target_tokenizer
    given = options.source_tokenizer, options.target_tokenizer
    if all(given):
        return [*map(text.load_tokenizer, given)]
    choices = {"lowercase": options.lowercase}
    symbols = [*(options.user_symbols or ()), *map(tag_of, languages(options))]
    if symbols:
        choices["user_symbols"] = [*dict.fromkeys(symbols)]
    if options.tokenizer == "sentencepiece":
        choices["model_type"] = options.model_type
    trained = train_tokenizers(
        corpus.train,
        options.tokenizer,
        shared=options.tie_embeddings,
        vocabulary_size=options.vocabulary_size,
        normalizations=(options.source_normalization, options.target_normalization),
        **choices,
    )
    return [
        text.load_tokenizer(path) if path else own
        for path, own in zip(given, trained, strict=True)
    ]


def make_translator(
    options: argparse.Namespace, source: text.Tokenizer, target: text.Tokenizer
) -> Translator:
    """A Translator whose model is still to be trained."""
    if options.start_from:
        begun = Translator.load(find_folder(options.start_from))
        if options.new_vocabularies:
            begun = begun.with_tokenizers(source, target)
        return begun.without_short_list().with_precision(options.precision)
    return Translator(
        build_model(options, source.vocabulary_size, target.vocabulary_size),
        source,
        target,
        Greedy(options.max_length),
        max_source_length=max(256, options.max_length),
    )


def build_model(options: argparse.Namespace, *vocabulary_sizes: int) -> Seq2Seq:
    """The architecture that was asked for, in the sizes that were asked for."""
    attention_dropout = options.attention_dropout
    if attention_dropout is None:
        attention_dropout = options.dropout
    if options.architecture == "transformer":
        return transformer(
            *vocabulary_sizes,
            num_layers=options.num_layers or 3,
            num_heads=options.num_heads,
            embedding_dim=options.embedding_dim or 128,
            intermediate_dim=options.intermediate_dim,
            normalize_first=not options.post_norm,
            positions=options.positions,
            dropout=options.dropout,
            attention_options={"dropout": attention_dropout},
            tie_embeddings=options.tie_embeddings,
        )
    return rnn_seq2seq(
        *vocabulary_sizes,
        num_layers=options.num_layers or 1,
        embedding_dim=options.embedding_dim or 256,
        units=options.units,
        cell=options.cell,
        attention=None if options.attention == "none" else options.attention,
        order=options.order,
        peeky=options.peeky,
        bidirectional=options.bidirectional,
        input_feeding=options.input_feeding,
        dropout=options.dropout,
        recurrent_dropout=options.recurrent_dropout,
        tie_embeddings=options.tie_embeddings,
    )


def add_short_list(
    options: argparse.Namespace, translator: Translator, corpus: text.Split
) -> Translator:
    """The same with a short list, if asked for, or where that is as good."""
    vocabulary_size = translator.target_tokenizer.vocabulary_size
    if options.short_list is None and vocabulary_size < LARGE:
        return translator
    if options.short_list is False:
        return translator
    listed = translator.with_short_list(*corpus.train)
    if options.short_list:
        return listed
    validation = [side[:COMPARED] for side in corpus.validation]
    whole_bleu, listed_bleu = (
        evaluate(
            one,
            *validation,
            lowercase=options.lowercase or None,
            tokenize=options.bleu_tokenize,
        ).bleu
        for one in (translator, listed)
    )
    is_kept = listed_bleu >= whole_bleu - TOLERANCE
    print(
        f"BLEU of {len(validation[0])} validation sentences with a short list for each "
        f"{listed_bleu:.2f}, with the whole vocabulary {whole_bleu:.2f}: the "
        f"{'list is kept' if is_kept else 'vocabulary stays'}"
    )
    return listed if is_kept else translator
