"""How much memory a run needs on each device, and beside them, before anyone rents one. Torch-free.

Counted is what the loop allocates, tensor by tensor, in the three moments of a step that can be the fullest: the end of
the pass forward (all activations), the end of the pass backward (all gradients), and the update. Within a step one
grows as the other shrinks, so the fullest moment is one of these.

Checked on a CPU, in float32 and bfloat16, against every allocation that PyTorch makes in a step
(tests/training/test_footprint.py). On GPUs and sharded it is the same reckoning, unverified: kernels differ in what
they keep and NCCL has buffers of its own, so a part of the device is left free.
"""

from dataclasses import dataclass, replace
from typing import Final

from starloom.starcoder2.config import StarCoder2Config
from starloom.training.settings import TrainSettings

GIB: Final = 1 << 30
_FLOAT: Final = 4  # bytes of float32: weights, gradients, moments, and the stream that layers add to
_FREE_SHARE: Final = 0.05  # of a device, for what its allocator cannot use
_FREE: Final = {"cuda": 2 * GIB, "cpu": GIB // 2}  # and for the driver, kernels and NCCL; for Python and its libraries
_IN_A_MACHINE: Final = 8  # devices
_BAND: Final = 256  # queries at once in banded attention (starcoder2.attention.CHUNK)
_LOGITS: Final = {"cpu": 256, "cuda": 4096}  # positions at once in the head (starcoder2.loss)


@dataclass(frozen=True)
class Footprint:
    """Bytes on one device. What is there always, what one step needs, and the most at once."""

    weights: int
    gradients: int  # all of them, as at the end of the pass backward
    moments: int  # of the optimizer
    average: int  # of the weights (`ema`)
    gathered: (
        int  # weights and gradients of the layers at work, whole, where they are sharded; else their copies in bf16
    )
    activations: int  # that the pass backward needs, of one micro-batch
    head: int  # of the vocabulary: a piece of the logits, and the gradients of its weight
    most: int
    when: str  # is the fullest moment
    host: int  # main memory of the first process, beside its device; on a CPU it is the same memory, and in `most`


@dataclass(frozen=True)
class Setup:
    """Where a run is: on how many devices, of which kind, in which precision of products."""

    settings: TrainSettings
    config: StarCoder2Config
    devices: int = 1
    kind: str = "cuda"  # or "cpu"
    half: bool = True  # bfloat16

    @property
    def samples(self) -> int:
        """That a device computes at once."""
        share = -(-self.settings.batch // self.devices)
        return min(self.settings.micro_batch or share, share)

    def has_room(self, memory: int) -> bool:
        """Whether the run fits on devices of `memory` bytes each."""
        return footprint(self).most <= int(memory * (1 - _FREE_SHARE)) - _FREE[self.kind]

    @property
    def accumulates(self) -> bool:
        return self.samples * self.devices < self.settings.batch

    @property
    def groups(self) -> int:
        """Of devices, that hold all weights together: one a machine, of 8 devices, where `hybrid` does not say."""
        if self.settings.sharding == "none":
            return self.devices
        if self.settings.sharding == "hybrid":
            return self.settings.replicas or -(-self.devices // _IN_A_MACHINE)
        return 1

    @property
    def shards(self) -> int:
        """Devices that share one copy of the weights."""
        return max(self.devices // self.groups, 1)


def footprint(setup: Setup) -> Footprint:
    """Of one device, at the fullest."""
    settings, config = setup.settings, setup.config
    width = 2 if setup.half else _FLOAT
    parameters, shards = config.parameters(), setup.shards
    by_muon = config.num_hidden_layers * _matrices(config) if settings.optimizer == "muon" else 0
    weights = gradients = _FLOAT * parameters // shards
    moments = _FLOAT * (2 * parameters - by_muon) // shards
    average = weights if settings.ema else 0
    static = weights + moments + average

    stream = _FLOAT * config.hidden_size * setup.samples * settings.sequence  # what goes from layer to layer
    inside = _inside_layer(setup, width)
    again = settings.activation_checkpointing == "layers"
    kept = config.num_hidden_layers * (stream if again else stream + inside) + stream + _for_all_layers(setup)
    # Hidden states and their gradients; on a CPU, which leaves out what does not count, what is left of them besides.
    hidden = (3 if setup.kind == "cpu" else 2) * stream
    whole = _FLOAT * config.vocab_size * config.hidden_size  # an embedding, or its gradient
    head = whole + _head(setup, width)
    copies, going_back = _gathered(setup, width, whole)
    own = width * _matrices(config) if setup.half and setup.devices == 1 else 0  # one layer's copies
    at_work = inside + 2 * stream + width * config.intermediate_size * setup.samples * settings.sequence

    # One after the other: the head, the last layer, the first one, and the embedding, whose gradient meets the head's
    # where they are one.
    forward = kept + hidden + head + copies
    last = (kept if again else kept - inside) - stream + at_work + whole
    last += going_back + (own if again and setup.devices == 1 else copies)
    of_layer = _FLOAT * _layer(config) // shards
    sharded = copies + going_back if setup.devices > 1 else 0
    first = gradients - of_layer + stream + at_work + own + sharded
    embedding = gradients + stream + (whole if config.tie_word_embeddings else 0) + sharded
    # Gradients of the micro-batches before this one; and the embedding's, to be added to them.
    before, added = (gradients, whole) if setup.accumulates else (0, 0)
    step = {
        "at the end of the pass forward": before + forward,
        "as the pass backward begins": before + last,
        "at the end of the pass backward": added + max(first, embedding),
        "in the update": gradients + (_muon_scratch(config, width) if by_muon else 0),
    }
    # A checkpoint copies what it writes, while the run goes on; on a CPU, in the same memory.
    copied = static if setup.kind == "cpu" else 0
    sizes = {name: static + copied + size for name, size in step.items()}
    if setup.devices > 1:
        sizes["before it is sharded"] = _FLOAT * parameters
    when = max(sizes, key=lambda name: sizes[name])
    return Footprint(
        weights=weights,
        gradients=gradients,
        moments=moments,
        average=average,
        gathered=copies + going_back,
        activations=kept + hidden,
        head=head,
        most=sizes[when],
        when=when,
        host=max(static, _FLOAT * parameters),  # at the end the first process gathers the whole model
    )


def _gathered(setup: Setup, width: int, embedding: int) -> tuple[int, int]:
    """Bytes of weights as the layers compute with them, and of the gradients of these on their way to the others."""
    config = setup.config
    if setup.devices > 1:  # FSDP: this layer and the next, and what is in no layer, whole
        root = embedding if config.tie_word_embeddings else 2 * embedding
        return 2 * width * _layer(config) + root, (width + _FLOAT) * _layer(config) + 2 * root
    if setup.half:  # autocast keeps what it converts
        return width * config.num_hidden_layers * _matrices(config), 0
    return 0, 0


def _head(setup: Setup, width: int) -> int:
    """Bytes that the vocabulary's head needs beside the gradient of its weight: see starcoder2.loss."""
    vocabulary, wide = setup.config.vocab_size, setup.config.hidden_size
    tokens, piece = setup.samples * setup.settings.sequence, _LOGITS[setup.kind]
    logits = min(piece, tokens) * vocabulary
    of_weight = vocabulary * wide
    if not setup.half:
        return _FLOAT * logits * (2 if tokens > piece else 1)  # the next piece is computed while the last is there
    # Logits, the same in float32, and their gradient; a piece before this one has left its own gradient. Then the
    # gradient alone, with the piece's share of the weight's in both precisions.
    judged = (2 * width + _FLOAT + (width if tokens > piece else 0)) * logits
    added = width * logits + (width + _FLOAT) * of_weight
    return width * of_weight + max(judged, added)


def _inside_layer(setup: Setup, width: int) -> int:
    """Bytes that the pass backward needs of one layer, beside its input: see network.Layer and Attention."""
    config, tokens = setup.config, setup.samples * setup.settings.sequence
    wide, narrow = config.hidden_size, config.num_key_value_heads * config.head_dim
    # Queries, attention's result (the input of o_proj) and the feed-forward's input; the input of q, k and v, which
    # under autocast is three copies in half precision.
    of_width = wide * (6 if width < _FLOAT else 4)
    each = width * (of_width + 2 * narrow + 2 * config.intermediate_size)
    each += _FLOAT * (wide + config.num_attention_heads + 4)  # the stream between the halves, softmax's sums, norms'
    return tokens * each + _bands(setup, width)


def _for_all_layers(setup: Setup) -> int:
    """Bytes that are made once: cosines and sines of the rotation, and the masks of bands."""
    return 2 * _FLOAT * setup.settings.sequence * setup.config.head_dim + _masked(setup)


def _bands(setup: Setup, width: int) -> int:
    """Bytes of one layer for banded attention: its parts before they are one, and masks in the products' precision."""
    length = setup.settings.sequence
    parts = setup.samples * length * setup.config.hidden_size if length > _BAND and is_banded(setup) else 0
    return width * (_masked(setup) + parts)


def _masked(setup: Setup) -> int:
    """How many pairs of query and key the masks of bands tell of."""
    settings, config = setup.settings, setup.config
    if not is_banded(setup):
        return 0
    length, reach = settings.sequence, min(config.sliding_window or settings.sequence, settings.sequence)
    chunks = [(min(_BAND, length - first), min(first, reach - 1)) for first in range(0, length, _BAND)]
    sizes = [queries * (queries + before) for queries, before in chunks]
    # Without documents, chunks that look alike share a mask, which all rows share.
    return setup.samples * sum(sizes) if settings.document_mask else sum(set(sizes))


def is_banded(setup: Setup) -> bool:
    """Whether attention is computed in bands, as starcoder2.attention chooses."""
    settings, config = setup.settings, setup.config
    if settings.attention != "auto":
        return settings.attention == "banded"
    plain = not settings.document_mask and (config.sliding_window or settings.sequence) >= settings.sequence
    return not plain and not (setup.kind == "cuda" and setup.half)


def _matrices(config: StarCoder2Config) -> int:
    """Parameters of one layer, without norms and biases."""
    narrow = config.num_key_value_heads * config.head_dim
    return 2 * config.hidden_size * (config.hidden_size + narrow + config.intermediate_size)


def _layer(config: StarCoder2Config) -> int:
    """Parameters of one layer."""
    one = replace(config, num_hidden_layers=1)
    two = replace(config, num_hidden_layers=2)
    return two.parameters() - one.parameters()


def _muon_scratch(config: StarCoder2Config, width: int) -> int:
    """Bytes while the largest matrix becomes orthogonal: it, its momentum and the iteration's."""
    return (2 * _FLOAT + 3 * width) * config.hidden_size * config.intermediate_size
