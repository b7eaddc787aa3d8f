"""Keys, tokens and private keys, by their published formats, and generic ones where something is assigned.

Each detector looks at a bounded stretch about its anchor, so that the cost is that of the anchors: linear in the text.
What a service publishes itself (publishable keys, ids, public keys) is not found: it is nobody's secret.
"""

from starloom.privacy.detector import Detector
from starloom.privacy.keys import assigned, carried, named, private_keys, providers

DETECTORS: tuple[Detector, ...] = (
    *providers.DETECTORS,
    *private_keys.DETECTORS,
    *carried.DETECTORS,
    *named.DETECTORS,
    *assigned.DETECTORS,
)
