"""The destination at Segment that sends here, as code: Terraform's HCL, and a Destination Function.

Ids of the catalog: segment-docs `src/_data/catalog/destinations.yml`. Resources: the provider
`segmentio/segment` 1.6 (`segment_destination`, `segment_destination_subscription`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from adapter.files.starters import FOLDER
from adapter.mapping.files.mapping_file import Mapping
from adapter.mapping.subscriptions import Condition, Group, SubscriptionError, parse
from adapter.mapping.subscriptions.satisfiable import types_of, ways
from adapter.model.encoding import encode
from adapter.model.sources import SEGMENT

#: Webhooks (Actions) in Segment's catalog, and its action "Send".
METADATA_ID = "614a3c7d791c91c41bae7599"
ACTION_ID = "nFPnRozhz1mh4Gbx4MLvT5"
#: The types of calls that Webhooks (Actions) can send; deletions it never sends.
_SENT = ("identify", "track", "page", "screen", "group", "alias")


class SegmentSetup(Struct, frozen=True):
    """What the destination is: where it sends, its trigger, and the size of its batches (0 for none)."""

    url: str
    trigger: str
    batch_size: int = 0
    name: str = "Behaviour Discounts adapter"


def trigger(mappings: Sequence[Mapping]) -> str:
    """Return the FQL that is true of the messages which a mapping's subscription takes; empty without any.

    `events` beside a subscription match in any spelling, which FQL cannot: they are left out of it. Of a
    subscription that FQL cannot join with others, all messages of its types are taken.
    """
    read = {text: parse(text) for text in dict.fromkeys(each.subscribe.strip() for each in mappings)}
    kinds = {text: _kinds(ast) for text, ast in read.items()}
    plain = {kind for ast in read.values() if (kind := _plain_type(ast)) in _SENT}
    rest = [text for text in read if not kinds[text] <= plain]
    if not plain and len(rest) == 1:
        return rest[0]
    grouped = [(text, _grouped(text, read[text])) for text in rest]
    plain |= {kind for text, group in grouped if group is None for kind in kinds[text]}
    parts = [f'type = "{kind}"' for kind in _SENT if kind in plain]
    return " or ".join([*parts, *(group for text, group in grouped if group and not kinds[text] <= plain)])


def _kinds(ast: Group | Condition) -> set[str]:
    return {kind for way in ways(ast) for kind in types_of(SEGMENT.name, way)} & {*_SENT}


def _grouped(text: str, ast: Group | Condition) -> str | None:
    """Return a subscription as one part of an `or`; None where FQL cannot group it, as with functions."""
    if _is_simple(ast):
        return text
    try:
        parse(f"({text})")
    except SubscriptionError:
        return None
    return f"({text})"


def hcl(destination: SegmentSetup) -> str:
    """Return the Terraform configuration; secrets are variables, which it never has as values."""
    batching = "true" if destination.batch_size else "false"
    size = destination.batch_size or 100
    return _HCL.format(
        name=_quoted(destination.name), url=_quoted(destination.url), trigger=_quoted(destination.trigger),
        metadata=METADATA_ID, action=ACTION_ID, batching=batching, size=size,
    )  # fmt: skip


def function() -> str:
    """Return the source of the Destination Function."""
    return Path(FOLDER / "connect" / "segment-function.js").read_text(encoding="utf-8")


def _plain_type(ast: Group | Condition) -> str:
    """Return the type of which a subscription takes every message, empty where it asks for more."""
    if isinstance(ast, Group):
        return _plain_type(ast.children[0]) if len(ast.children) == 1 else ""
    return str(ast.value) if (ast.field, ast.operator) == ("type", "=") else ""


def _is_simple(ast: Group | Condition) -> bool:
    return not isinstance(ast, Group) or len(ast.children) == 1


def _quoted(text: str) -> str:
    """Return a text as HCL, which would otherwise read `${` and `%{` as templates."""
    return encode(text).decode().replace("${", "$${").replace("%{", "%%{")


_HCL = """\
# Written by `adapter connect segment`. Secrets come from variables: set TF_VAR_shared_secret and
# TF_VAR_authorization, and PUBLIC_API_TOKEN for the provider. `terraform import` takes over what is there.
terraform {{
  required_providers {{
    segment = {{
      source  = "segmentio/segment"
      version = "~> 1.6"
    }}
  }}
}}

variable "source_id" {{
  type        = string
  description = "The id of the source at Segment whose messages are sent."
}}

variable "shared_secret" {{
  type        = string
  sensitive   = true
  description = "One of ADAPTER_SEGMENT_SHARED_SECRETS."
}}

variable "authorization" {{
  type        = string
  sensitive   = true
  description = "One of ADAPTER_SEGMENT_AUTHORIZATIONS, whole: Bearer abc."
}}

resource "segment_destination" "adapter" {{
  name      = {name}
  enabled   = true
  source_id = var.source_id
  metadata  = {{ id = "{metadata}" }}
  settings  = jsonencode({{ sharedSecret = var.shared_secret }})
}}

resource "segment_destination_subscription" "adapter" {{
  destination_id = segment_destination.adapter.id
  name           = {name}
  enabled        = true
  action_id      = "{action}"
  trigger        = {trigger}
  settings = jsonencode({{
    url             = {url}
    method          = "POST"
    headers         = {{ Authorization = var.authorization }}
    data            = {{ "@path" = "$." }}
    enable_batching = {batching}
    batch_size      = {size}
    batch_keys      = ["url", "method", "headers"]
  }})
}}
"""
