"""Characters that are later than the Unicode of TensorFlow, for which they are none.

Ranges for a class of a regular expression. Between characters that matter they hold
others, which make no difference.
"""

LATER_CAPITALS = (
    "\u1c89\u2c2f\ua7c0\ua7cb-\ua7f4\uab6c\uab6d\U00010570-\U000105bf"
    "\U00010d50-\U00010d65\U00016ea0-\U00016eb8\U0001df40-\U0001df7e"
)
"""Capitals later than Unicode 13, by which TensorFlow lower-cases."""

LATER_LETTERS = (
    "\u0558\u058b-\u058c\u05c8-\u05c9\u088f\u0897\u0b53-\u0b54\u0c5c\u0cdc"
    "\u1acf-\u1af0\u1c89-\u1c8a\u208f\u209d-\u209f\ua7cb-\ua7cf\ua7d2\ua7d4"
    "\ua7da-\ua7f1\uab6c-\uab6d\U000105c0-\U000105f3\U000107bb-\U000107bf"
    "\U00010940-\U00010959\U00010d40-\U00010d85\U00010ec2-\U00010efc"
    "\U00011380-\U000113e2\U000116d0-\U000116e3\U00011b0a-\U00011bf9"
    "\U00011db0-\U00011df1\U00011f5a\U0001246f-\U0001247f\U00012550-\U00012686"
    "\U00013460-\U000143fa\U00016100-\U00016139\U00016d40-\U00016d79"
    "\U00016ea0-\U00016ed3\U00016ff2-\U00016ff6\U000187f8-\U000187ff"
    "\U00018cd6-\U00018cff\U00018d09-\U000191d2\U0001b123-\U0001b128\U0001b168"
    "\U0001ccf0-\U0001ccf9\U0001d127-\U0001d128\U0001d250-\U0001d281\U0001d6a6"
    "\U0001df1f-\U0001df24\U0001df2b-\U0001dfff\U0001e5d0-\U0001e6ff"
    "\U0002b73a-\U0002b73f\U0002b81e\U0002cea2-\U0002cead\U0002ebf0-\U0002ee5d"
    "\U000323b0-\U0003fc3f"
)
"""Letters, digits and accents later than Unicode 15, which RE2 knows."""
