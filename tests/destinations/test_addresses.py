"""Nothing is sent to an address that it must not reach."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from adapter.settings.destinations.addresses import refusal

CASES = yaml.safe_load(Path(__file__).with_name("addresses.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['address']}: {case['why']}")
def test_each_address_gets_its_verdict(case: dict[str, str]) -> None:
    assert (refusal(case["address"]) or "-") == case["verdict"]
    assert (refusal(case["address"], allow_private=True) or "-") == case["private"]


@given(st.ip_addresses())
def test_addresses_that_are_not_global_are_refused(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    """Python keeps its own list of the same registries: ours must not be more open than that."""
    if refusal(str(address)) is None:
        assert address.is_global
        assert not address.is_multicast


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_never_more_welcome_in_ipv6_clothes(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    for prefix in (0xFFFF << 32, 0x64FF9B << 96, 0x64FF9B0001 << 80):
        for allow_private in (False, True):
            dressed = str(ipaddress.IPv6Address(prefix | number))
            if refusal(str(address), allow_private=allow_private) is not None:
                assert refusal(dressed, allow_private=allow_private) is not None
