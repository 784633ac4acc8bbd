"""`python -m keras_attention`: the command that `keras_attention.cli` describes."""

from keras_attention.cli.main import main

if __name__ == "__main__":
    main()
