"""The command `keras-attention`: train, translate, measure, align, export.

`main` reads a command line by the parsers of `options`, and hands it to one of
`commands`. Until then nothing is imported that takes time.
"""
