"""GPUs by the names that drivers and people give them."""

import pytest

from starloom.errors import UserError
from starloom.training.gpus import GPUS, named, peak


@pytest.mark.parametrize(
    ("name", "teraflops"),
    [
        ("NVIDIA H200", 989),
        ("NVIDIA H200 NVL", 835),
        ("NVIDIA H100 80GB HBM3", 989),
        ("NVIDIA H100 PCIe", 756),
        ("NVIDIA H100 NVL", 835),
        ("NVIDIA A100-SXM4-40GB", 312),
        ("NVIDIA A100 80GB PCIe", 312),
        ("NVIDIA B200", 2250),
        ("NVIDIA L4", 121),
        ("NVIDIA L40S", 362),
        ("NVIDIA GeForce RTX 4090", 165),
        ("AMD Instinct MI300X", 1307),
    ],
)
def test_a_driver_s_name_has_its_peak(name: str, teraflops: float) -> None:
    assert peak(name) == teraflops * 1e12


@pytest.mark.parametrize(
    "name",
    ["NVIDIA GeForce RTX 4090 Laptop GPU", "NVIDIA GeForce RTX 4090 D", "NVIDIA H200 MIG 1g.18gb", "Tesla T4", ""],
)
def test_a_lesser_or_unknown_device_has_none(name: str) -> None:
    """No utilisation is better than a wrong one."""
    assert peak(name) is None


def test_memory_tells_apart_what_one_name_has() -> None:
    assert named("a100-40gb").memory == 39
    assert named("a100").memory == named("A100-SXM4-80GB").memory == 79


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UserError, match="no GPU 'H300' is known") as caught:
        named("H300")
    assert "H200" in str(caught.value.hint)


def test_each_name_finds_itself_and_no_price_is_without_its_source() -> None:
    for gpu in GPUS:
        assert named(gpu.name) is gpu
        assert (gpu.price is None) == (not gpu.priced)
