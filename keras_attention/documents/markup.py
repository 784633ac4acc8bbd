"""Patterns of markup that several formats have."""

import re

# A tag, whose attributes may hold a sign that ends others.
TAG = r"""</?[A-Za-z](?:[^<>"']|"[^"]{0,500}"|'[^']{0,500}')*+>"""
COMMENT = r"<!--.*?-->"
BREAK = re.compile(r"<br\b[^<>]*>", re.I)
