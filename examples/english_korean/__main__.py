"""Runs `english_korean.main`: ``python -m english_korean``."""

from . import main

main()
