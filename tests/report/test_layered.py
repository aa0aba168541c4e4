"""Layered drawings: what holds for the drawing of any graph."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from session_lint.report.layered import Drawing, draw

SIZES = st.tuples(st.sampled_from([20.0, 90.0, 200.0]), st.sampled_from([20.0, 75.0]))


@st.composite
def graphs(draw_: st.DrawFn) -> tuple[list[tuple[float, float]], list[tuple[int, int]]]:
    """Boxes, and edges between them, loops and several alike among them."""
    boxes = draw_(st.lists(SIZES, min_size=1, max_size=12))
    nodes = st.integers(0, len(boxes) - 1)
    return boxes, draw_(st.lists(st.tuples(nodes, nodes), max_size=24))


def box(drawing: Drawing, sizes: list[tuple[float, float]], node: int) -> tuple[float, float, float, float]:
    """Left, top, right, bottom."""
    (x, y), (width, height) = drawing.places[node], sizes[node]
    return x, y, x + width, y + height


@given(graphs())
def test_boxes_lie_apart_inside_of_the_drawing(graph: tuple[list[tuple[float, float]], list[tuple[int, int]]]) -> None:
    """No two of them touch."""
    sizes, edges = graph
    drawing = draw(sizes, edges)
    boxes = [box(drawing, sizes, node) for node in range(len(sizes))]
    for number, (left, top, right, bottom) in enumerate(boxes):
        assert left >= -1e-6
        assert right <= drawing.width + 1e-6
        assert 0 < top < bottom < drawing.height
        for other in boxes[number + 1 :]:
            assert right < other[0] or other[2] < left or bottom < other[1] or other[3] < top


@given(graphs())
def test_lines_join_their_boxes_and_cross_no_other(
    graph: tuple[list[tuple[float, float]], list[tuple[int, int]]],
) -> None:
    """A line begins at the lower side of its source, ends at the upper side of its target, and passes the rest."""
    sizes, edges = graph
    drawing = draw(sizes, edges)
    for (source, target), line in zip(edges, drawing.lines, strict=True):
        left, _, right, bottom = box(drawing, sizes, source)
        assert left <= line[0][0] <= right
        assert line[0][1] == bottom
        left, top, right, _ = box(drawing, sizes, target)
        assert left <= line[-1][0] <= right
        assert line[-1][1] == top
        for start, end in pairwise(line):
            for node in range(len(sizes)):
                assert not crosses(start, end, box(drawing, sizes, node)), (source, target, node, line)


def crosses(start: tuple[float, float], end: tuple[float, float], area: tuple[float, float, float, float]) -> bool:
    """Whether a piece of a line is inside of a box, at one of many points of it."""
    left, top, right, bottom = area
    for step in range(1, 40):
        x, y = (a + (b - a) * step / 40 for a, b in zip(start, end, strict=True))
        if left + 0.01 < x < right - 0.01 and top + 0.01 < y < bottom - 0.01:
            return True
    return False


def test_a_sequence_stands_in_a_column() -> None:
    """Each below the other, with a straight line between."""
    drawing = draw([(40.0, 20.0), (80.0, 20.0), (60.0, 20.0)], [(0, 1), (1, 2)])
    assert [place[0] for place in drawing.places] == [20.0, 0.0, 10.0]
    assert [{x for x, _ in line} for line in drawing.lines] == [{40.0}, {40.0}]


def test_a_loop_goes_up_beside_its_boxes() -> None:
    """From the lower side of the last one around to the upper side of the first one."""
    sizes = [(40.0, 20.0), (40.0, 20.0)]
    drawing = draw(sizes, [(0, 1), (1, 0)])
    assert drawing.places[0][1] < drawing.places[1][1]
    back = drawing.lines[1]
    assert (back[0][1], back[-1][1]) == (drawing.places[1][1] + 20, drawing.places[0][1])
    assert max(x for x, _ in back) > 40


def test_ways_that_part_do_not_cross() -> None:
    """The row below is put in the order of the row above, whatever the order of the nodes."""
    sizes = [(40.0, 20.0)] * 6
    drawing = draw(sizes, [(0, 1), (0, 2), (0, 3), (1, 5), (2, 4)])
    assert sorted((1, 2, 3), key=lambda n: drawing.places[n][0]) == [1, 2, 3]
    assert drawing.places[5][0] < drawing.places[4][0]
