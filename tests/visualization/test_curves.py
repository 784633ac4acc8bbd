"""Curves of trainings."""

import math

import pytest

from keras_attention.visualization import plot_training

HISTORY = {
    "loss": [3.0, 2.0, 1.5],
    "val_loss": [2.5, 2.2, 2.1],
    "val_bleu": [0.0, 4, 9],
}


def lines(figure):
    return [
        {line.get_label(): list(line.get_ydata()) for line in axes.get_lines()}
        for axes in figure.axes
    ]


def test_training_and_validation_stand_side_by_side(tmp_path):
    figure = plot_training(HISTORY, title="a title", path=tmp_path / "curves.png")
    assert lines(figure) == [
        {"training": HISTORY["loss"], "validation": HISTORY["val_loss"]},
        {"validation": HISTORY["val_bleu"]},
    ]
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss in nats", "BLEU"]
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    chosen = plot_training(HISTORY, names=["bleu"])
    assert lines(chosen) == [{"validation": HISTORY["val_bleu"]}]


def test_a_file_that_was_gone_on_with(tmp_path):
    file = tmp_path / "history.csv"
    file.write_text("epoch,loss,val_loss\n0,3.0,4\n1,2.0,3\n1,1.5,2.5\n2,1.0,2\n")
    assert lines(plot_training(file)) == [
        {"training": [3.0, 1.5, 1.0], "validation": [4.0, 2.5, 2.0]}
    ]
    file.write_text("epoch,loss\n0,3.0\n2,1.0\n")
    (line,) = plot_training(file).axes[0].get_lines()
    assert line.get_xydata().tolist() == [[1, 3], [3, 1]]


def test_perplexity_has_a_logarithmic_axis_with_plain_numbers():
    history = {"loss": [3.0, 2.0], "perplexity": [8.0, 6.5]}
    figure = plot_training(history)
    figure.draw_without_rendering()
    loss, perplexity = figure.axes
    assert (loss.get_yscale(), perplexity.get_yscale()) == ("linear", "log")
    names = {text.get_text() for text in perplexity.get_yticklabels(minor=True)}
    assert {"7", "8"} <= names


def test_rows_that_are_not_whole_are_left_out(tmp_path):
    file = tmp_path / "history.csv"
    broken = ["1,2.0", "1,2.01,1.5,2.5", "epoch,loss,val_loss", "\0\0", ""]
    rows = ["epoch,loss,val_loss", *broken, "0,3.0,4", *broken, "2,1.0,2"]
    file.write_text("\n".join(rows))
    ((training, validation),) = (axes.get_lines() for axes in plot_training(file).axes)
    assert training.get_xydata().tolist() == [[1, 3], [3, 1]]
    assert validation.get_xydata().tolist() == [[1, 4], [3, 2]]


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("", r"whose columns are \[\]"),
        ("epoch;loss\n0;1\n", "epoch;loss"),
        ("epoch,loss\n", "a figure of at least one epoch"),
        ("epoch,loss\n0,nan\n", "a figure of at least one epoch"),
    ],
    ids=repr,
)
def test_a_file_of_another_kind_is_refused(tmp_path, content, named):
    (tmp_path / "history.csv").write_text(content)
    with pytest.raises(ValueError, match=named):
        plot_training(tmp_path / "history.csv")


def test_epochs_without_a_figure_are_left_out(tmp_path):
    keras_file = tmp_path / "history.csv"
    keras_file.write_text("epoch,loss,val_bleu,val_loss\n0,3,nan,NA\n1,2,7.5,NA\n")
    logs = {"loss": [3, 2], "val_bleu": [math.nan, 7.5]}
    for history in (keras_file, logs):
        loss, bleu = plot_training(history).axes
        assert loss.get_lines()[0].get_xydata().tolist() == [[1, 3], [2, 2]]
        assert bleu.get_lines()[0].get_xydata().tolist() == [[2, 7.5]]


@pytest.mark.parametrize(
    ("history", "options", "named"),
    [
        ({}, {}, "a figure of at least one epoch"),
        ({"loss": []}, {}, "a figure of at least one epoch"),
        ({"loss": [3, 2], "val_loss": [2]}, {}, "{'loss': 2, 'val_loss': 1}"),
        (HISTORY, {"names": ["accuracy"]}, "accuracy"),
        (HISTORY, {"path": "nowhere/curves.png"}, "nowhere"),
        (HISTORY, {"path": "curves.doc"}, "curves.doc"),
    ],
    ids=str,
)
def test_what_cannot_be_drawn(history, options, named):
    with pytest.raises(ValueError, match=named):
        plot_training(history, **options)
