"""Markup inside of a text, and what must come through."""

import pytest

from keras_attention.documents.html_pages import INLINE as HTML
from keras_attention.documents.inline import find_protected, put_marks
from keras_attention.documents.markdown import INLINE as MARKDOWN
from keras_attention.documents.protected import NUMBERS, PROTECTED, keeps_protected
from keras_attention.documents.segments import PLAIN
from keras_attention.documents.sentences import split_clauses, split_sentences
from keras_attention.documents.unmarked import (
    Mark,
    UnmarkedText,
    take_marks,
    write_marks,
)

WRITTEN = [
    (
        PLAIN,
        "Say {name}, %s and %(n)d to a.b@c.de.",
        "Say {name}, %s and %(n)d t",
    ),
    (HTML, "A &amp; <b>bold <i>x</i></b><br> <code>a&lt;b</code>!", "A & bold x a<b!"),
    (HTML, "<a href='x'>See</a> http://a.b/?c&amp;d.", "See http://a.b/?c&d."),
    (
        MARKDOWN,
        "**See** `` a`b `` [this](http://x/(y)), ~~not~~ \\*",
        "See a`b this",
    ),
    (
        MARKDOWN,
        "![A view](p.png) of snake_case_names, _yes_",
        "A view of snake_ca",
    ),
    (MARKDOWN, "<http://a.b> and [^1] [one][two] 2 * 3", "http://a.b and one 2 * 3"),
]


@pytest.mark.parametrize(("inline", "text", "read"), WRITTEN)
def test_markup_is_taken_out_and_put_back(inline, text, read):
    unmarked = take_marks(text, inline)
    assert unmarked.text.startswith(read)
    assert write_marks(unmarked, inline) == text
    for names in (
        ["x"] * len(unmarked.protected),
        [name.text * 2 for name in unmarked.protected],
    ):
        other = unmarked.with_protected(names)
        assert write_marks(other, inline) == text
        assert [
            other.text[one.start : one.start + len(one.text)] for one in other.protected
        ] == names
    for place in range(len(unmarked.text)):
        if any(
            one.start < place < one.start + len(one.text) for one in unmarked.protected
        ):
            continue
        parts = unmarked.cut([place])
        assert "".join(write_marks(part, inline) for part in parts) == text
        for part in parts:
            around = "".join(write_marks(one, inline) for one in part.around())
            assert around == write_marks(part, inline)
    pieces = [
        piece if isinstance(piece, str) else write_marks(piece, inline)
        for piece in unmarked.pieces()
    ]
    assert "".join(pieces) == text


@pytest.mark.parametrize(
    ("text", "inner"),
    [
        ("<b>All of it</b>", "All of it"),
        (" <p><b>One</b> two</p> ", "<b>One</b> two"),
        ("<img>One <b>two</b>", "One <b>two</b>"),
        ("One<br/>", "One"),
        ("<b><i>x</b>", "x"),
        ("<a><b>x</b> y</a>", "<b>x</b> y"),
    ],
)
def test_markup_around_a_text_stays_outside(text, inner):
    _, body, _ = take_marks(text, HTML).around()
    assert write_marks(body, HTML) == inner


SAME = [(0, 0), (1, 1), (2, 2), (3, 3)]
ORDER = [(0, 0), (2, 1), (1, 2)]
KEPT = [
    (HTML, "H<sub>2</sub>O is <b>here</b>", ["H2O"]),
    (HTML, "<b>고양이</b>를 봐요", []),
    (HTML, '<i translate="no">A <i>B</i> C</i> d', ["A B C"]),
    (HTML, "a<br>b", []),
    (MARKDOWN, "&lt;x&gt; &#42; AT&T", ["<", ">", "*"]),
    (MARKDOWN, "**W**orld `a`", ["World", "a"]),
]


@pytest.mark.parametrize(("inline", "text", "names"), KEPT)
def test_what_stays_as_it_is(inline, text, names):
    unmarked = take_marks(text, inline)
    assert [one.text for one in unmarked.protected] == names
    assert write_marks(unmarked, inline) == text


def test_a_reference_without_its_end_takes_no_text_with_it():
    unmarked = take_marks("A &copy B. 12 34. C &amp; D", HTML)
    assert unmarked.text == "A © B. 12 34. C & D"
    assert (
        "".join(write_marks(part, HTML) for part in unmarked.cut([7, 14]))
        == "A &copy B. 12 34. C &amp; D"
    )


def test_a_mark_that_stands_by_itself_takes_a_blank_with_it():
    unmarked = take_marks("a <img> b", HTML)
    assert unmarked.text == "a b"
    found = put_marks(unmarked, "x y", [(0, 0), (1, 1)], HTML)
    assert found == "x <img> y"


@pytest.mark.parametrize(
    ("text", "translation", "expected"),
    [
        ("%s has %d", "%d of %s", False),
        ("%1$s has %2$d", "%2$d of %1$s", True),
        ("{a} has {b}", "{b} of {a}", True),
        ("{a}", "{a} {a}", False),
        ("one", "one %s", False),
        ("at a@b.de", "a@b.de", True),
    ],
)
def test_names_are_the_same_and_in_order_where_that_counts(text, translation, expected):
    assert keeps_protected(text, translation) == expected


CASES = [
    (
        "The <b>red</b> cat",
        "Le chat rouge",
        [(0, 0), (2, 1), (1, 2)],
        "chat <b>rouge</b>",
    ),
    (
        "The <b>red cat</b>",
        "Le chat rouge",
        [(0, 0), (2, 1), (1, 2)],
        "<b>chat rouge</b>",
    ),
    ("A <b>cat</b>.", "Un chat.", [(0, 0), (1, 1)], "Un <b>chat</b>."),
    ("A <b>cat.</b>", "Un chat.", [(0, 0), (1, 1)], "Un <b>chat.</b>"),
    ("A cat<img> sits", "Un chat assis", SAME, "chat<img> assis"),
    (
        "A <b>x &amp; y</b>",
        "Un x & y",
        [(0, 0), (1, 1), (2, 2), (3, 3)],
        "<b>x &amp; y</b>",
    ),
]


@pytest.mark.parametrize(("source", "translation", "words", "expected"), CASES)
def test_marks_go_with_their_words(source, translation, words, expected):
    found = put_marks(take_marks(source, HTML), translation, words, HTML)
    assert found is not None
    assert expected in found


@pytest.mark.parametrize(
    ("source", "translation", "words"),
    [
        # They would come in another order,
        ("<a>one</a> <b>two</b>", "zwei eins", [(1, 0), (0, 1)]),
        # cross each other,
        ("<a>one two</a> <b>three</b>", "a b c", [(0, 0), (2, 1), (1, 2)]),
        # belong to no word,
        ("<a>one</a> two", "zwei", [(1, 0)]),
        # or a name is missing.
        ("one {name}", "eins name", []),
        ("{a} {a}", "{a}", []),
    ],
)
def test_what_cannot_be_kept_is_said(source, translation, words):
    assert put_marks(take_marks(source, HTML), translation, words, HTML) is None


def test_names_are_found_as_words_before_parts_of_words():
    names = take_marks("`step` of {a} {ab}", MARKDOWN).protected
    found = find_protected(names, "steps {ab} step {a}")
    assert [(one.start, one.raw) for one in found] == [
        (6, "{ab}"),
        (11, "`step`"),
        (16, "{a}"),
    ]


@pytest.mark.whole
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "{name} {0:.2f} {} {{ x }} ${HOME}",
            ["{name}", "{0:.2f}", "{}", "{{ x }}", "${HOME}"],
        ),
        ("%s %1$s %(n)d %-5.2f %@ %lu", ["%s", "%1$s", "%(n)d", "%-5.2f", "%@", "%lu"]),
        ("100% sure, 5% of", []),
        (
            "see https://a.b/c?d=e#f, (http://x.y).",
            ["https://a.b/c?d=e#f", "http://x.y"],
        ),
        ("www.a.de. me+x@a-b.co.kr!", ["www.a.de", "me+x@a-b.co.kr"]),
        ("https://a.b/c를 보세요", ["https://a.b/c"]),
        ("{ not one }", []),
    ],
)
def test_names_of_programs_and_addresses(text, expected):
    assert PROTECTED.findall(text) == expected
    assert [one.text for one in take_marks(text, PLAIN).protected] == expected


def test_numbers_with_their_signs():
    found = NUMBERS.findall("In 2024, 3.5 of 1,000 at 12:30; x2 and 2nd 7.")
    assert found == ["2024", "3.5", "1,000", "12:30", "7"]


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Dr. Smith left. He said.", "en", ["Dr. Smith left. ", "He said."]),
        (
            "나는 간다.너는 온다! 정말?그래요.",
            "ko",
            ["나는 간다.", "너는 온다! ", "정말?", "그래요."],
        ),
        ("今日は雨。明日は晴れ。", "ja", ["今日は雨。", "明日は晴れ。"]),
        ("", "en", []),
        ("  ", "xx", ["  "]),
    ],
)
def test_sentences_together_are_the_text(text, language, expected):
    assert split_sentences(text, language) == expected
    halves = [sentence.replace("e", "\udc80") for sentence in expected]
    assert split_sentences("".join(halves), language) == halves


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one two, three four", ["one two,", " three four"]),
        ("one, two three four five", ["one, two three", " four five"]),
        ("one two; three, four", ["one two;", " three, four"]),
        ("一二三、四五六", ["一二三、", "四五六"]),
        ("onetwothree", ["onetwothree"]),
        ("", [""]),
    ],
)
def test_long_sentences_are_cut_at_clauses(text, expected):
    assert split_clauses(text) == expected


def test_a_mark_is_never_inside_a_name():
    unmarked = UnmarkedText("a b", [Mark(2, "<x>")], take_marks("{b}", PLAIN).protected)
    found = put_marks(unmarked._replace(protected=[]), "a {b}", [(0, 0), (1, 1)], HTML)
    assert found == "a <x>{b}"
