"""Attention maps: what they show, that it can be read, and the files they go to."""

import itertools
import sys
import warnings

import keras
import matplotlib
import numpy as np
import pytest

from keras_attention.visualization import attention_plot, plot_attention

ENGLISH = ["▁My", "▁name", "▁is", "▁Doo", "li", ".", "</s>"]
KOREAN = ["▁내", "▁이름은", "▁둘리", "입니다", "</s>"]


def some_weights(*shape):
    logits = np.random.default_rng(11).normal(size=shape)
    return np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)


def maps_of(figure):
    return [axes for axes in figure.axes if axes.get_label() != "color bar"]


def names(axes):
    return (
        [label.get_text() for label in axes.get_xticklabels()],
        [label.get_text() for label in axes.get_yticklabels()],
    )


def pixels(figure):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def texts(figure):
    """All text of a figure that is drawn, as matplotlib's own objects."""
    found = figure.findobj(matplotlib.text.Text)
    return [text for text in found if text.get_visible() and text.get_text()]


def test_one_map_shows_the_weights_with_names_at_its_edges():
    weights = some_weights(5, 7)
    figure = plot_attention(weights, ENGLISH, KOREAN, title="one")
    (axes,) = maps_of(figure)
    np.testing.assert_allclose(axes.collections[0].get_array(), weights, rtol=1e-6)
    source, target = names(axes)
    assert source == ["My", "name", "is", "Doo", "li", ".", "</s>"]
    assert target == ["내", "이름은", "둘리", "입니다", "</s>"]
    assert figure.get_suptitle() == "one"
    # The first target stands at the top, and the source above the map.
    positions = [label.get_window_extent() for label in axes.get_yticklabels()]
    assert positions[0].y0 > positions[-1].y1
    assert axes.get_xticklabels()[0].get_window_extent().y0 > axes.bbox.y1


def test_fields_get_the_color_of_their_weight():
    weights = np.array([[0.0, 1.0, 0.25]])
    figure = plot_attention(weights, ["a", "b", "c"], ["d"])
    image, axes = pixels(figure), maps_of(figure)[0]
    for column, weight in enumerate(weights[0]):
        x, y = axes.transData.transform((column + 0.5, 0.5))
        drawn = image[image.shape[0] - int(y), int(x)]
        np.testing.assert_array_equal(
            drawn, np.round(np.array(matplotlib.colormaps["Blues"](weight)) * 255)
        )


def test_each_head_gets_a_map_on_one_color_scale_and_the_mean_another():
    weights = some_weights(3, 5, 7) * np.array([0.1, 0.5, 1.0])[:, None, None]
    figure = plot_attention(weights, ENGLISH, KOREAN, show_mean=True)
    maps = maps_of(figure)
    assert [axes.get_xlabel() for axes in maps] == [
        "head 1",
        "head 2",
        "head 3",
        "mean",
    ]
    expected = [*weights, weights.sum(axis=0) / 3]
    for axes, values in zip(maps, expected, strict=True):
        np.testing.assert_allclose(axes.collections[0].get_array(), values, rtol=1e-5)
        assert axes.collections[0].get_clim() == (0, 1)
    frames = [axes.bbox for axes in maps]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(frames, 2))


def test_heads_can_be_named():
    figure = plot_attention(
        some_weights(2, 3, 3), list("abc"), list("def"), head_names=["left", "right"]
    )
    assert [axes.get_xlabel() for axes in maps_of(figure)] == ["left", "right"]


@pytest.mark.parametrize(
    ("shape", "token"),
    [
        ((3, 3), "▁둘리"),
        ((1, 1), "a"),
        ((2, 29), "word"),
        ((60, 60), "단어"),
        ((41, 7), "internationalization"),
        ((8, 6, 7), "▁token"),
        ((5, 23, 23), "word"),
    ],
)
def test_all_text_lies_inside_and_no_two_names_overlap(shape, token):
    source = [f"{token}{i}" for i in range(shape[-1])]
    target = [f"{token}{i}" for i in range(shape[-2])]
    figure = plot_attention(some_weights(*shape), source, target, title="Title" * 5)
    figure.draw_without_rendering()
    width, height = figure.bbox.width, figure.bbox.height
    for text in texts(figure):
        box = text.get_window_extent()
        assert -1 <= box.x0 <= box.x1 <= width + 1, text
        assert -1 <= box.y0 <= box.y1 <= height + 1, text
        assert text.get_fontsize() >= 7
    labels = maps_of(figure)[0].get_yticklabels()
    for above, below in itertools.pairwise(labels):
        assert above.get_window_extent().y0 >= below.get_window_extent().y1
    labels = maps_of(figure)[0].get_xticklabels()
    for one, other in itertools.pairwise(labels):
        one, other = one.get_window_extent(), other.get_window_extent()
        # Tilted names are parallel lines, whose frames overlap.
        assert one.x0 < other.x0
        if labels[0].get_rotation() in (0, 90):
            assert one.x1 <= other.x0


def test_hangul_is_drawn_and_not_boxes():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one, other = (
            pixels(plot_attention(np.eye(1), [syllable], ["▁"]))
            for syllable in ("한", "글")
        )
    assert one.shape == other.shape
    assert (one != other).any()


@pytest.fixture
def no_korean_font(monkeypatch):
    """Matplotlib as it is where it was never told of a Korean font."""
    from matplotlib.font_manager import fontManager

    from keras_attention.visualization import fonts

    others = [entry for entry in fontManager.ttflist if entry.name != fonts.KOREAN]
    monkeypatch.setattr(fontManager, "ttflist", others)
    return fonts, others


def test_the_korean_font_is_found_without_its_package_being_imported(no_korean_font):
    fonts, known = no_korean_font
    assert fonts.label_font(9).get_family()[:2] == [fonts.KOREAN, fonts.EVERYWHERE]
    assert [entry.name for entry in known].count(fonts.KOREAN) == 1
    fonts.label_font(9)
    assert [entry.name for entry in known].count(fonts.KOREAN) == 1
    assert "koreanize_matplotlib" not in sys.modules


def test_without_the_korean_font_others_are_used(no_korean_font, monkeypatch):
    fonts, _ = no_korean_font
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert fonts.label_font(9).get_family()[0] == fonts.EVERYWHERE
    pixels(plot_attention(np.eye(2), ["a", "b"], ["c", "d"]))


def test_tokens_are_never_read_as_formulas():
    tokens = ["$\\frac{$", "$5$", "a_b^c", "\\alpha", "%"]
    with matplotlib.rc_context({"text.usetex": True}):
        figure = plot_attention(np.eye(5), tokens, tokens, title="$\\frac{$")
        pixels(figure)
    assert names(maps_of(figure)[0])[0] == tokens


def test_settings_of_matplotlib_are_neither_changed_nor_in_the_way():
    before = dict(matplotlib.rcParams)
    weights = some_weights(2, 5, 7)
    plain = plot_attention(weights, ENGLISH, KOREAN)
    assert dict(matplotlib.rcParams) == before
    odd = {"figure.constrained_layout.use": True, "axes.grid": True, "font.size": 31}
    with matplotlib.rc_context(odd):
        other = plot_attention(weights, ENGLISH, KOREAN)
        pixels(other)
    pixels(plain)
    np.testing.assert_array_equal(plain.get_size_inches(), other.get_size_inches())
    for axes, same in zip(plain.axes, other.axes, strict=True):
        np.testing.assert_allclose(
            axes.get_position().bounds, same.get_position().bounds
        )


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_tensors_are_taken(dtype):
    weights = some_weights(5, 7)
    tensor = keras.ops.cast(keras.ops.convert_to_tensor(weights), dtype)
    figure = plot_attention(tensor, np.array(ENGLISH), tuple(KOREAN))
    drawn = maps_of(figure)[0].collections[0].get_array()
    np.testing.assert_allclose(drawn, weights, atol=1e-2)


def test_string_tensors_are_taken():
    import tensorflow as tf

    figure = plot_attention(some_weights(5, 7), tf.constant(ENGLISH), KOREAN)
    assert names(maps_of(figure)[0])[0][:2] == ["My", "name"]


@pytest.mark.parametrize(
    ("ending", "beginning"),
    [("png", b"\x89PNG"), ("SVG", b"<?xml"), ("pdf", b"%PDF")],
)
def test_a_file_is_written_and_replaced(tmp_path, ending, beginning):
    path = tmp_path / f"map.{ending}"
    path.write_text("old")
    plot_attention(some_weights(5, 7), ENGLISH, KOREAN, path=str(path))
    assert path.read_bytes().startswith(beginning)
    assert list(tmp_path.iterdir()) == [path]


def test_dots_per_inch_are_those_of_the_file(tmp_path):
    path = tmp_path / "map.png"
    figure = plot_attention(some_weights(5, 7), ENGLISH, KOREAN, path=path, dpi=53)
    height, width, _ = matplotlib.image.imread(path).shape
    np.testing.assert_allclose(figure.get_size_inches() * 53, [width, height], atol=1)


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "map.png"
    path.write_text("old")

    def fail(self, beside, **options):
        beside.write_text("half")
        raise OSError("no space")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", fail)
    with pytest.raises(OSError, match="no space"):
        plot_attention(some_weights(5, 7), ENGLISH, KOREAN, path=path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


GOOD = some_weights(5, 7)


@pytest.mark.parametrize(
    ("weights", "options", "message"),
    [
        (GOOD[0], {}, r"`weights` must be of shape .*\(7,\)"),
        (GOOD[:0], {}, r"`weights` must be of shape .*\(0, 7\)"),
        (GOOD * 3, {}, r"`weights` must lie between 0 and 1.* to [12]\."),
        (GOOD - 1, {}, r"`weights` must lie between 0 and 1.*from -"),
        (GOOD * np.nan, {}, r"`weights` must lie between 0 and 1.*nan"),
        (GOOD[:, :5], {}, r"`source_tokens`.*7 tokens for 5 columns"),
        (GOOD[:3], {}, r"`target_tokens`.*5 tokens for 3 rows"),
        (GOOD, {"head_names": ["a"]}, r"`head_names`.*\(5, 7\).*\['a'\]"),
        (GOOD, {"show_mean": True}, r"`show_mean` need.*show_mean=True"),
        (GOOD[None], {"head_names": ["a", "b"]}, r"`head_names`.*for 1 heads"),
        (GOOD[None], {"head_names": "a"}, r"`head_names` must name.*'a'"),
        (GOOD, {"path": "map.docx"}, r"`path` must end in.*map\.docx"),
        (GOOD, {"path": "map"}, r"`path` must end in.*'map'"),
        (GOOD, {"path": "absent/map.png"}, r"`path` must name a file.*absent"),
    ],
)
def test_what_cannot_be_drawn_is_refused(weights, options, message):
    with pytest.raises(ValueError, match=message):
        plot_attention(weights, ENGLISH, KOREAN, **options)


def test_without_matplotlib_the_error_names_the_extra(monkeypatch):
    package = "keras_attention.visualization"
    for name in ("fonts", "maps"):
        monkeypatch.delitem(sys.modules, f"{package}.{name}", raising=False)
        monkeypatch.delattr(f"{package}.{name}", raising=False)
    for name in [name for name in sys.modules if name.startswith("matplotlib")]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"keras-attention-layers\[plot\]"):
        attention_plot.plot_attention(GOOD, ENGLISH, KOREAN)
