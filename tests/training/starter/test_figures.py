"""Scores come with intervals that no second asking of the same question makes narrower."""

import math

import pytest

from training.starter.figures import over, ratio, share


def test_the_interval_of_a_share_is_wilsons() -> None:
    # 5 of 98: the figure that stood on the card, by R's binom.confint(5, 98, methods="wilson").
    figure = share((at, at < 5) for at in range(98))
    assert figure.value == pytest.approx(5 / 98)
    assert (figure.low, figure.high) == pytest.approx((0.0220, 0.1139), abs=1e-4)
    assert (figure.n, figure.of) == (98, 98)


def test_asking_again_is_no_new_question() -> None:
    once = share((at, at % 2 == 0) for at in range(20))
    thrice = share((at, at % 2 == 0) for at in range(20) for _ in range(3))
    assert (thrice.low, thrice.high) == (once.low, once.high)
    assert (thrice.n, thrice.of) == (60, 20)


def test_a_share_of_all_or_of_none_has_an_interval_too() -> None:
    assert share((at, True) for at in range(10)).low == pytest.approx(0.722, abs=1e-3)
    assert share((at, False) for at in range(10)).high == pytest.approx(0.278, abs=1e-3)


def test_nothing_is_not_zero() -> None:
    for figure in (share([]), over([]), ratio([])):
        assert math.isnan(figure.value)
        assert figure.n == 0
        assert figure.as_json()["value"] is None
        assert str(figure) == "not measured"


def test_a_mean_has_the_interval_of_a_bootstrap_over_names() -> None:
    spread = over((at, float(at % 2)) for at in range(100))
    assert spread.value == 0.5
    # Of 100 throws of a coin: 0.5 +- 1.96 * 0.05.
    assert (spread.low, spread.high) == pytest.approx((0.402, 0.598), abs=0.02)
    same = over((at // 50, float(at % 2)) for at in range(100))
    assert (same.low, same.high) == (0.5, 0.5)


def test_a_ratio_is_of_sums() -> None:
    assert ratio([("a", 1.0, 10.0), ("b", 0.0, 1.0)]).value == pytest.approx(1 / 11)
