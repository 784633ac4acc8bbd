"""Train a translator of your own text, measure it, use it, and export it.

    python -m keras_attention train --pairs FILE.tsv        # source TAB target
    python -m keras_attention train --source FILE --target FILE
    python -m keras_attention translate FOLDER < lines
    python -m keras_attention evaluate FOLDER --source FILE --target FILE
    python -m keras_attention score FOLDER --source FILE --target FILE
    python -m keras_attention export FOLDER --output FOLDER --beams 4 --int8

`--help` after any of them lists its options; `train` may be left out. A training that
was killed continues with the same command and `--resume`, as long as its options and
the lines of its files are the same.

`translate` writes a line for each line, in UTF-8, as soon as it is translated: it may
stand between two pipes or be kept open by a program. A mistake in files or options is
one line on standard error, and exit status 2. What is cut or left out is said there
too, with its number.
"""
