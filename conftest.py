"""What holds for the tests and for the doctests of the package alike."""

pytest_plugins = ["tests.absences"]
# They warn at their import that they have moved.
collect_ignore = ["keras_attention/recurrent.py", "keras_attention/translator.py"]
