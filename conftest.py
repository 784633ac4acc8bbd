"""What holds for the tests and for the doctests of the package alike."""

pytest_plugins = ["tests.absences"]
