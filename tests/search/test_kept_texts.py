"""Texts at hand: as many as fit, those that are asked for most."""

from functools import partial

from starloom.search.shard import KeptTexts


def test_what_does_not_fit_drives_none_out_until_it_is_asked_for_more_often():
    kept, read = KeptTexts(100), []

    def asked(number):
        def text():
            read.append(number)
            return bytes([number]) * 10

        assert kept.get((0, number), text) == bytes([number]) * 10

    for _ in range(2):
        for number in range(15):  # a question that goes through more than fits
            asked(number)
    assert read == [*range(15), *range(10, 15)]
    asked(14)
    read.clear()
    asked(14)
    assert read == []


def test_a_text_larger_than_all_the_room_is_not_kept():
    kept = KeptTexts(100)
    assert kept.get((0, 1), partial(bytes, 101)) == bytes(101)
    assert kept.get((0, 1), partial(bytes, 1)) == bytes(1)
