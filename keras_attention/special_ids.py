"""The ids that mean the same in every vocabulary."""

PAD = 0
UNKNOWN = 1
START = 2
END = 3
