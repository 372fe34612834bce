"""One stream to several threads: all get everything, nobody waits for ever, and errors end all of them."""

import threading
from collections.abc import Iterator

import pytest

from musicgen.fan_out import ITEMS_WAITING, Abandoned, fan_out


def nothing() -> None:
    pass


def collect(items: Iterator[int]) -> list[int]:
    return list(items)


def n_threads() -> int:
    return sum(thread.name.startswith("fan-out") for thread in threading.enumerate())


@pytest.mark.parametrize("n_items", [0, 1, ITEMS_WAITING, 1000])
def test_every_worker_gets_every_item_in_order(n_items: int) -> None:
    assert fan_out(range(n_items), [collect, sum, collect], nothing) == [
        list(range(n_items)),
        sum(range(n_items)),
        list(range(n_items)),
    ]
    assert n_threads() == 0


def test_items_are_taken_no_faster_than_the_slowest_worker_takes_them() -> None:
    n_taken, may_go_on = [0], threading.Event()
    behind = []

    def items() -> Iterator[int]:
        for item in range(20):
            n_taken[0] += 1
            # One is in the making, one in the worker's hands.
            if n_taken[0] == ITEMS_WAITING + 2:
                may_go_on.set()
            yield item

    def slow(items: Iterator[int]) -> None:
        for item in items:
            assert may_go_on.wait(10)
            behind.append(n_taken[0] - item)

    fan_out(items(), [slow, collect], nothing)
    assert max(behind) <= ITEMS_WAITING + 2


def test_the_end_is_told_before_the_workers_are_awaited() -> None:
    told = threading.Event()

    def worker(items: Iterator[int]) -> bool:
        list(items)
        return told.wait(10)

    assert fan_out([1], [worker], told.set) == [True]


class Broken(BaseException):
    """Not even an Exception, as KeyboardInterrupt is none."""


def ends(items: Iterator[int], seen: list[str]) -> None:
    try:
        for _ in items:
            pass
        seen.append("complete")
    except Abandoned:
        seen.append("abandoned")
        raise


@pytest.mark.parametrize("error", [ValueError("no more"), Broken()])
def test_an_error_of_the_items_ends_the_workers(error: BaseException) -> None:
    def items() -> Iterator[int]:
        yield 1
        raise error

    seen: list[str] = []
    with pytest.raises(type(error)) as caught:
        fan_out(items(), [lambda items: ends(items, seen)] * 2, nothing)
    assert caught.value is error
    assert seen == ["abandoned"] * 2
    assert n_threads() == 0


def test_an_error_at_the_end_of_the_items_ends_the_workers() -> None:
    def stop() -> None:
        raise ValueError("enough")

    seen: list[str] = []
    with pytest.raises(ValueError, match="enough"):
        fan_out([1, 2], [lambda items: ends(items, seen)], stop)
    assert seen == ["abandoned"]


def test_an_error_of_a_worker_stops_the_items_and_the_others() -> None:
    failed = threading.Event()

    def fails(items: Iterator[int]) -> None:
        next(items)
        failed.set()
        raise OSError(28, "No space left on device")

    def endless() -> Iterator[int]:
        yield 1
        assert failed.wait(10)
        while True:
            yield 2

    seen: list[str] = []
    with pytest.raises(OSError, match="No space"):
        fan_out(endless(), [lambda items: ends(items, seen), fails], nothing)
    assert seen == ["abandoned"]
    assert n_threads() == 0


def test_a_worker_that_fails_after_the_last_item_fails_the_whole() -> None:
    def fails(items: Iterator[int]) -> None:
        list(items)
        raise ValueError("the tail broke")

    with pytest.raises(ValueError, match="the tail broke"):
        fan_out([1, 2, 3], [collect, fails], nothing)
