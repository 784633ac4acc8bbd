"""What each command may be asked: a module each, which imports no more than a parser.

So `--help` and a mistake are answered at once, while Keras takes seconds.
"""
