"""Room for bodies: within its size at any time, in turn, given back whatever happens."""

import asyncio

import pytest
from fastapi import Request

from starloom.server.refusal import RefusedError
from starloom.server.room import Room


def request(pieces, declared=None, pause=None):
    """A request whose body comes in these pieces; before each, `pause` is waited for."""
    rest = list(pieces)

    async def receive():
        if pause:
            await pause()
        return {"type": "http.request", "body": rest.pop(0), "more_body": bool(rest)}

    headers = [] if declared is None else [(b"content-length", str(declared).encode())]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)


def test_bodies_are_held_within_the_room():
    async def scene():
        room = Room(size=100)
        held = most = 0

        async def client(size):
            nonlocal held, most
            async with room.body(request([b"x" * size], size), 100) as body:
                held += len(body)
                most = max(most, held)
                await asyncio.sleep(0.001)
                held -= len(body)

        await asyncio.gather(*(client(size) for size in [60, 30, 60, 10, 100, 1, 1, 99, 40] * 4))
        return most

    assert 60 < asyncio.run(scene()) <= 100


def test_a_large_one_is_not_overtaken_for_ever():
    async def scene():
        room = Room(size=100)
        done = []

        async def client(name, size):
            async with room.body(request([b"x" * size], size), 100):
                await asyncio.sleep(0)
                done.append(name)

        async with room.body(request([b"x" * 50], 50), 100):
            tasks = [asyncio.create_task(client("large", 90))]
            await asyncio.sleep(0)
            tasks += [asyncio.create_task(client("small", 10)) for _ in range(3)]
            await asyncio.sleep(0.01)
            assert done == []  # the small ones stand behind it
        await asyncio.gather(*tasks)
        return done

    assert asyncio.run(scene()) == ["large", "small", "small", "small"]


def test_too_large_is_refused_and_its_room_given_back():
    async def scene():
        room = Room(size=100)
        for declared, pieces in ((1_000, [b""]), (None, [b"x" * 60, b"x" * 60]), ("nonsense", [b"x" * 101])):
            with pytest.raises(RefusedError) as told:
                async with room.body(request(pieces, declared), 100):
                    raise AssertionError
            assert told.value.status == 413
        async with room.body(request([b"x" * 100], 100), 100) as body:
            return len(body)

    assert asyncio.run(scene()) == 100


def test_a_body_larger_than_the_room_has_it_alone():
    async def scene():
        async with Room(size=10).body(request([b"x" * 50], 50), 100) as body:
            return len(body)

    assert asyncio.run(scene()) == 50


def test_too_many_wait():
    async def scene():
        room = Room(size=10, most_waiting=2)

        async def client():
            async with room.body(request([b"x"], 10), 10):
                return 200

        async with room.body(request([b"x"], 10), 10):
            tasks = [asyncio.create_task(client()) for _ in range(2)]
            await asyncio.sleep(0.01)
            with pytest.raises(RefusedError) as told:
                await client()
            assert (told.value.status, told.value.code) == (429, "busy")
        return await asyncio.gather(*tasks)

    assert asyncio.run(scene()) == [200, 200]


def test_turns_without_a_body():
    async def scene():
        room = Room(size=2, most_waiting=3)
        held = most = 0

        async def client():
            nonlocal held, most
            async with room.turn():
                held += 1
                most = max(most, held)
                await asyncio.sleep(0.001)
                held -= 1

        told = await asyncio.gather(*(client() for _ in range(9)), return_exceptions=True)
        await client()  # the room was given back
        return most, [getattr(one, "status", 200) for one in told]

    assert asyncio.run(scene()) == (2, [200] * 5 + [429] * 4)


def test_a_body_that_never_comes():
    async def scene():
        room = Room(size=10, seconds=0.01)
        with pytest.raises(RefusedError) as told:
            async with room.body(request([b"x"], 10, pause=asyncio.Event().wait), 10):
                raise AssertionError
        async with room.body(request([b"x" * 10], 10), 10):
            return told.value.status

    assert asyncio.run(scene()) == 408


def test_who_goes_away_while_waiting_leaves_no_trace():
    async def scene():
        room = Room(size=10, most_waiting=1)

        async def client():
            async with room.body(request([b"x"], 10), 10):
                return 200

        async with room.body(request([b"x"], 10), 10):
            gone = asyncio.create_task(client())
            await asyncio.sleep(0.01)
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)
            waits = asyncio.create_task(client())
            await asyncio.sleep(0.01)
        return await waits

    assert asyncio.run(scene()) == 200
