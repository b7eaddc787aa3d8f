"""`detected`: what some of the detectors find in a text, through the gate as `find` does it."""

import pytest

from starloom.kernels.automaton import Anchor, Automaton
from starloom.privacy.find import disjoint


@pytest.fixture(scope="session")
def detected():
    gates = {}

    def detected(text, detectors):
        if detectors not in gates:
            anchors = [(Anchor(anchor, one.near), one) for one in detectors for anchor in one.anchors]
            gates[detectors] = Automaton([anchor for anchor, _ in anchors]), [one for _, one in anchors]
        automaton, owners = gates[detectors]
        return disjoint([found for at, number in automaton.walk(text) for found in owners[number].find(text, at)])

    return detected
