"""Pack files and their indexes as they should not be: whatever is put in is written down, checksums included."""

import hashlib
import struct
import zlib
from binascii import crc32

COMMIT, TREE, BLOB, REF_DELTA = 1, 2, 3, 7


def blob_id(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def header(kind, size):
    """Type and size of an entry: four bits of the size, then seven a byte."""
    first, size = (kind << 4) | (size & 15), size >> 4
    out = bytearray()
    while size:
        out.append(first | 128)
        first, size = size & 127, size >> 7
    out.append(first)
    return bytes(out)


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def copy(offset, size):
    """Delta instruction: `size` bytes of the base from `offset` on, at most 0xffffff."""
    return bytes([0xFF]) + struct.pack("<I", offset) + struct.pack("<I", size)[:3]


def delta(base_size, result_size, *instructions):
    return varint(base_size) + varint(result_size) + b"".join(instructions)


def entry(kind, data, size=None, base=""):
    """An entry of `data`, said to have `size`; of a delta: upon the object `base`."""
    return header(kind, len(data) if size is None else size) + bytes.fromhex(base) + zlib.compress(data, 1)


def zeros(kind, count, size=None):
    """An entry of so many NULs, made without holding them."""
    packer, some = zlib.compressobj(1), bytes(1 << 20)
    pieces = [packer.compress(some) for _ in range(count >> 20)]
    return header(kind, count if size is None else size) + b"".join(pieces) + packer.flush()


def write(git, objects):
    """A pack of {id: entry} with an index that names them so."""
    body = b"PACK" + struct.pack(">II", 2, len(objects))
    offsets = {}
    for name, data in objects.items():
        offsets[name] = len(body)
        body += data
    checksum = hashlib.sha1(body).digest()
    names = sorted(objects)
    fanout = [sum(int(name[:2], 16) <= byte for name in names) for byte in range(256)]
    index = b"\377tOc" + struct.pack(">I", 2) + struct.pack(">256I", *fanout)
    index += b"".join(map(bytes.fromhex, names))
    index += b"".join(struct.pack(">I", crc32(objects[name])) for name in names)
    index += b"".join(struct.pack(">I", offsets[name]) for name in names) + checksum
    index += hashlib.sha1(index).digest()
    folder = git.path / ".git/objects/pack"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"pack-{checksum.hex()}"
    path.with_suffix(".pack").write_bytes(body + checksum)
    path.with_suffix(".idx").write_bytes(index)
    return path.with_suffix(".pack")
