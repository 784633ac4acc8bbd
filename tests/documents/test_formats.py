"""Which parts of documents are text, and what stands in their places."""

import json
import xml.etree.ElementTree as ElementTree

import pytest

from keras_attention.documents import FORMATS, fill, format_of
from keras_attention.documents.unmarked import take_marks

PLAIN = """\
A paragraph of text that was broken
into lines of about one width, since
it is long.
A line of its own.

* an item of a list
* and one that goes on in another line
  below it
> a quotation that
> goes on
======
한국어로 된 문장입니다.

12:30
"""
MARKDOWN = """\
---
title: not text
---
# Title #

Setext
======

A *paragraph* of [text](http://a.b/c "t")
that goes on with `code`.\x20\x20

- item
  - nested **item**
    goes on

> quoted

| head | other |
| --- | ---: |
| cell | `x` |

    indented code

```python
fenced = "code"
```

<div>raw</div>

[text]: http://a.b
"""
HTML = """\
<!DOCTYPE html>
<html><head><title>A page</title><style>p { color: red }</style>
<script>var text = "<p>no</p>";</script></head>
<body><!-- no text --><h1>A &amp; B</h1>
<p>Some <b>bold
text</b> and <code>x &lt; 1</code>.<br>Another line</p>
<ul><li>one<li>two</ul>
<pre>no text</pre><p translate="no">no text</p>
<p>Say <span translate=no>Keras</span> now</p>
<p>3 &gt; 2</p></body></html>
"""
SRT = """\
1
00:00:01,000 --> 00:00:02,500
<i>Hello there,
my friend.</i>

2
00:00:03,000 --> 00:00:04,000
- Who is it?
- Me.

3
00:00:05,000 --> 00:00:06,000
...
"""
VTT = """\
WEBVTT

NOTE not
text

STYLE
::cue { color: red }

first
00:01.000 --> 00:02.000 align:start
<v Bob>Rock &amp; roll
"""
PO = r"""msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\n"

#: a.c:3
#, c-format
msgid "Hello \"%s\"\n"
msgstr ""

#| msgid "Open it"
msgctxt "menu"
msgid "Open"
msgstr ""

msgid "done"
msgstr "fertig"

#, fuzzy
msgid ""
"One "
"file"
msgid_plural "%d files"
msgstr[0] ""
msgstr[1] ""
msgstr[2] ""

#~ msgid "old"
#~ msgstr ""
"""
XLIFF = """\
<?xml version="1.0" encoding="UTF-8"?>
<xliff version="1.2"><file original="é"><body>
  <trans-unit id="1">
    <source>Hello <g id="1">you</g> &amp; me<x id="2"/></source>
  </trans-unit>
  <trans-unit id="2"><source>Two</source><target/></trans-unit>
  <trans-unit id="3" translate="no"><source>Three</source></trans-unit>
  <trans-unit id="4"><source>Four</source><target>Vier</target></trans-unit>
  <trans-unit id="5"><source>Five</source><target state="new"></target></trans-unit>
  <trans-unit id="6"><source>Six</source><alt-trans><target>6</target></alt-trans>
  </trans-unit>
</body></file></xliff>
"""
JSON = '{"key": "A \\"value\\"", "n": [1, "two\\u00e9", {"x": "3"}], "e": ""}'
PROPERTIES = """\
# comment
key.one = A value
key2: Long \\
   continued {0}
! comment
plain value here
unicode=caf\\u00e9 \\ud83d\\ude00
number=3
"""

TEXTS = {
    "text": (
        PLAIN,
        [
            "A paragraph of text that was broken into lines of about one width, "
            "since it is long.",
            "A line of its own.",
            "an item of a list",
            "and one that goes on in another line below it",
            "a quotation that goes on",
            "한국어로 된 문장입니다.",
        ],
    ),
    "markdown": (
        MARKDOWN,
        [
            "Title",
            "Setext",
            'A *paragraph* of [text](http://a.b/c "t") that goes on with `code`.',
            "item",
            "nested **item** goes on",
            "quoted",
            "head",
            "other",
            "cell",
            "`x`",
        ],
    ),
    "html": (
        HTML,
        [
            "A page",
            "A &amp; B",
            "Some <b>bold text</b> and <code>x &lt; 1</code>.",
            "Another line",
            "one",
            "two",
            "Say <span translate=no>Keras</span> now",
        ],
    ),
    "srt": (SRT, ["<i>Hello there, my friend.</i>", "Who is it?", "Me."]),
    "vtt": (VTT, ["<v Bob>Rock &amp; roll"]),
    "po": (PO, ['Hello "%s"\n', "Open", "One file", "%d files"]),
    "xliff": (
        XLIFF,
        ['Hello <g id="1">you</g> &amp; me<x id="2"/>', "Two", "Five", "Six"],
    ),
    "json": (JSON, ['A "value"', "twoé"]),
    "properties": (
        PROPERTIES,
        ["A value", "Long continued {0}", "value here", "café 😀"],
    ),
}


@pytest.mark.whole
@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["unix", "dos"])
def test_text_is_found_and_the_rest_stays(name, ending):
    document, expected = TEXTS[name]
    document = document.replace("\n", ending)
    segments = [*FORMATS[name](document)]
    assert [one.text for one in segments] == expected
    assert fill(document, segments, [None] * len(segments)) == document
    if not any(one.is_new for one in segments):
        assert fill(document, segments, expected) == document
    ends = [0, *(one.end for one in segments)]
    assert all(one.start >= end for one, end in zip(segments, ends, strict=False))


def translated(name, translate=str.upper):
    document, _ = TEXTS[name]
    segments = [*FORMATS[name](document)]
    return fill(document, segments, [translate(one.text) for one in segments])


def test_every_format_is_tested():
    assert TEXTS.keys() == FORMATS.keys()


def test_paragraphs_are_broken_as_they_were():
    lines = translated("text", lambda text: f"{text} MORE").splitlines()
    assert lines[:3] == [
        "A paragraph of text that was broken",
        "into lines of about one width, since",
        "it is long. MORE",
    ]
    assert "* an item of a list MORE" in lines
    at = lines.index("* and one that goes on in another line")
    assert lines[at + 1] == "  below it MORE"


def test_lines_of_a_subtitle_are_of_about_one_width():
    text = "one two three four five six seven eight"
    found = translated("srt", lambda _: text)
    assert "\none two three four\nfive six seven eight\n\n2\n" in found
    assert f"\n- {text}\n- {text}\n" in found


def test_strings_are_quoted_as_they_must_be():
    def rude(text):
        return f'{text}"\\\n한😀'

    found = json.loads(translated("json", rude))
    assert found == {
        "key": rude('A "value"'),
        "n": [1, rude("twoé"), {"x": "3"}],
        "e": "",
    }
    assert translated("json", rude).isascii()
    lines = translated("properties", rude).splitlines()
    assert lines[1] == 'key.one = A value"\\\\\\n\\ud55c\\ud83d\\ude00'
    assert 'Hello \\"%s\\"\\n"\n"\\"\\\\\\n"\n"한😀"' in translated("po", rude)


def test_messages_get_their_translation_and_a_flag():
    found = translated("po")
    assert '#, fuzzy, c-format\nmsgid "Hello \\"%s\\"\\n"\n' in found
    assert (
        '#, fuzzy\n#| msgid "Open it"\nmsgctxt "menu"\nmsgid "Open"\nmsgstr "OPEN"\n'
        in (found)
    )
    assert 'msgid "done"\nmsgstr "fertig"\n' in found
    assert found.count("fuzzy") == 3
    assert 'msgstr[0] "ONE FILE"\nmsgstr[1] "%D FILES"\nmsgstr[2] "%D FILES"\n' in found
    assert found.endswith('#~ msgid "old"\n#~ msgstr ""\n')


def test_units_get_a_target_and_a_state():
    found = translated("xliff", lambda text: text.replace("Two", "Zwei"))
    units = ElementTree.fromstring(found.encode()).iter("trans-unit")
    targets = {one.get("id"): one.find("target") for one in units}
    assert targets["3"] is None
    assert targets["4"].text == "Vier"
    assert targets["2"].text == "Zwei"
    assert "".join(targets["1"].itertext()) == "Hello you & me"
    states = {
        name: one.get("state") for name, one in targets.items() if one is not None
    }
    new = "needs-review-translation"
    assert states == {"1": new, "2": new, "4": None, "5": new, "6": new}
    assert '</source>\n    <target state="needs-review-translation">Hello' in found


# A document, and what becomes of it in capital letters.
CAPITALS = [
    # Of a language that has one form there is one translation for any number.
    (
        "po",
        'msgid "One file"\nmsgid_plural "%d files"\nmsgstr[0] ""\n',
        '#, fuzzy\nmsgid "One file"\nmsgid_plural "%d files"\nmsgstr[0] "%D FILES"\n',
    ),
    # What is said of others stays, and what selects one of several texts.
    ("json", '{"@@locale": "en", "@a": {"x": "int"}}', None),
    ("json", '{"a": "{n, plural, one {item} other {items}}"}', None),
    (
        "xliff",
        "<x><trans-unit><source><![CDATA[a <b>b</b> &]]></source></trans-unit></x>",
        "<x><trans-unit><source><![CDATA[a <b>b</b> &]]></source>"
        '<target state="needs-review-translation"><![CDATA[A <B>B</B> &]]></target>'
        "</trans-unit></x>",
    ),
    (
        "xliff",
        '<x><segment><source a="1>2">a</source><target l="x"/></segment></x>',
        '<x><segment><source a="1>2">a</source><target l="x">A</target></segment></x>',
    ),
    (
        "xliff",
        '<x translate="no"><segment translate="yes"><source>a</source></segment></x>',
        '<x translate="no"><segment translate="yes"><source>a</source>'
        "<target>A</target></segment></x>",
    ),
    ("markdown", "one  \ntwo\\\nthree\n", "ONE  \nTWO\\\nTHREE\n"),
    ("markdown", "> [!NOTE]\n> text\n", "> [!NOTE]\n> TEXT\n"),
    ("markdown", "[^1]: some text\n", "[^1]: SOME TEXT\n"),
    ("markdown", "- [x] task\n", "- [x] TASK\n"),
    ("markdown", "+++\na = 1\n+++\ntext\n", "+++\na = 1\n+++\nTEXT\n"),
    ("markdown", "| a |\n| --- |\n| x\\|y |\n", "| A |\n| --- |\n| X\\|Y |\n"),
    ("html", "<ul><li translate=no>a<li>b</ul>", "<ul><li translate=no>a<li>B</ul>"),
    ("html", "<p>a<code>x <p>b</p>", "<p>A<CODE>X <p>B</p>"),
    (
        "srt",
        "1\n00:01,0 --> 00:02,0\na\n2\n00:03,0 --> 00:04,0\nb\n",
        "1\n00:01,0 --> 00:02,0\nA\n2\n00:03,0 --> 00:04,0\nB\n",
    ),
    ("text", "Title\n=====\nName:\tJoe\n", "TITLE\n=====\nNAME:\tJOE\n"),
    # Numbers may hold letters.
    ("text", "1e-05 2.5E+3\n640x480\n", None),
    ("text", "the 1st of 3\n", "THE 1ST OF 3\n"),
    # Of the headers of an e-mail and of its parts, the subject is text.
    (
        "text",
        "From: me <a@b.c>\nSubject: some text\n  that goes on\nX-Own: one\n two\n\n"
        "text\n",
        "From: me <a@b.c>\nSubject: SOME TEXT\n  THAT GOES ON\nX-Own: one\n two\n\n"
        "TEXT\n",
    ),
    (
        "text",
        "text\n--=_x\nContent-Type: text/plain\n\ntext\n--=_x--\n",
        "TEXT\n--=_x\nContent-Type: text/plain\n\nTEXT\n--=_x--\n",
    ),
    ("text", "Subject: =?utf-8?q?a?=\nTo: a\n", None),
    ("text", "Name: one\nTo: two\n", "NAME: ONE\nTO: TWO\n"),
    ("text", "--\nName\n--help\n", "--\nNAME\n--help\n"),
]


@pytest.mark.whole
@pytest.mark.parametrize(("name", "document", "expected"), CAPITALS)
def test_what_is_text_alone_changes(name, document, expected):
    segments = [*FORMATS[name](document)]
    found = fill(document, segments, [one.text.upper() for one in segments])
    assert found == (document if expected is None else expected)


def test_no_line_begins_another_block_of_markdown():
    document = "A fine year + some fun and more of it\nand then\n"
    (segment,) = FORMATS["markdown"](document)
    text = "A very fine year with all kinds of it + some fun"
    lines = fill(document, [segment], [text]).splitlines()
    assert not any(line.startswith("+") for line in lines)


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("text", "a" * 20_000),
        ("text", "a" + " " * 20_000 + "b"),
        ("text", "http://" + "." * 20_000),
        ("html", "<code>" * 2000),
        ("html", "&amp " * 20_000),
        ("markdown", "` a " * 3000),
        ("markdown", "[" * 10_000),
        ("po", "# x\n" * 20_000),
    ],
    ids=lambda value: value[:8],
)
def test_nothing_takes_for_ever(name, document):
    segments = [*FORMATS[name](document)]
    for segment in segments:
        take_marks(segment.text, segment.inline)
    assert fill(document, segments, [None] * len(segments)) == document


@pytest.mark.parametrize("name", ["json", "xliff"])
def test_what_is_not_of_a_format_is_said(name):
    with pytest.raises(ValueError, match="The document is not"):
        [*FORMATS[name]("{<")]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.md", "markdown"),
        ("a/b.PO", "po"),
        ("a.html.gz", "html"),
        ("a.b.xlf.xz", "xliff"),
        ("a", None),
        (".gz", None),
        ("a.docx", None),
    ],
)
def test_names_say_a_format(path, expected):
    assert format_of(path) == expected
