"""Which network addresses a destination may have.

The default is to refuse: an IPv6 address must be global unicast (2000::/3), and none of the special-purpose
blocks of the IANA registries (RFC 6890 and its updates) is allowed. An address that contains an IPv4
address is checked as both.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)


#: Cloud metadata services: they return the machine's own credentials, so no setting allows them.
METADATA: Final = _networks(
    "169.254.169.254/32",  # AWS, Google, Azure, DigitalOcean, OpenStack
    "169.254.170.0/24",  # AWS: credentials of containers (ECS, EKS)
    "100.100.100.200/32",  # Alibaba
    "192.0.0.192/32",  # Oracle
    "168.63.129.16/32",  # Azure's wire server: a public address of an internal service
    "fd00:ec2::/32",  # AWS
    "fd20:ce::254/128",  # Google
)

#: Private networks and the machine itself: allowed with `allow_private`.
PRIVATE: Final = _networks(
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "127.0.0.0/8",
    "100.64.0.0/10",  # carrier-grade NAT, also used inside clouds
    "::1/128",
    "fc00::/7",  # unique local
)

#: Never a destination.
SPECIAL: Final = _networks(
    "0.0.0.0/8",  # this host: Linux connects it to loopback
    "169.254.0.0/16",  # link-local
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",  # 6to4 relays
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",  # multicast
    "240.0.0.0/4",  # reserved, and the broadcast address
    "2001::/23",  # IETF protocols, among them Teredo
    "2001:db8::/32",
    "2002::/16",  # 6to4: an IPv4 address inside
    "3fff::/20",
)

_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
_MAPPED: Final = IPv6Network("::ffff:0:0/96")
#: RFC 6052, and the local-use block of RFC 8215: the last 32 bits are an IPv4 address behind the translator.
_TRANSLATED: Final = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/96"))


def refusal(address: str, *, allow_private: bool = False) -> str | None:
    """Return why nothing may be sent to an address, a phrase such as `a private address`; None if it may.

    `allow_private` allows loopback and private networks, also behind NAT64, but never metadata services,
    link-local, multicast or reserved addresses. A text that is not an address is refused.
    """
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return "not an address"
    return _refusal(parsed, allow_private=allow_private)


def _refusal(address: Address, *, allow_private: bool) -> str | None:
    inner = _carried(address)
    if inner is not None:
        translated = address not in _MAPPED
        if translated and not allow_private:
            return "an IPv4 address behind NAT64"
        return _refusal(inner, allow_private=allow_private)
    if _within(address, METADATA):
        return "a metadata service"
    if _within(address, PRIVATE):
        return None if allow_private else "a private address"
    if _within(address, SPECIAL):
        return "a reserved address"
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return "a reserved address"
    return None


def _carried(address: Address) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 address contains."""
    if isinstance(address, IPv6Address) and any(address in block for block in (_MAPPED, *_TRANSLATED)):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return None


def _within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)
