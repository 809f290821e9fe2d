"""The calls of Segment's Public API that create the destination, as a POSIX shell script with curl.

Calls: `POST /destinations`, in version 1, and `POST /destinations/{id}/subscriptions`, which is in the alpha
version alone (docs.segmentapis.com).
"""

from __future__ import annotations

import shlex

from adapter.files.starters import FOLDER
from adapter.model.encoding import encode
from adapter.services.authoring.connect_segment import ACTION_ID, METADATA_ID, SegmentSetup


def script(destination: SegmentSetup, api: str) -> str:
    """Return the script; token and secrets come from its environment, and it has no value of them.

    `api` is the address of the Public API, without a slash at its end.
    """
    values = {
        "name": destination.name, "metadata_id": METADATA_ID, "action_id": ACTION_ID,
        "url": destination.url, "trigger": destination.trigger,
        "enable_batching": destination.batch_size > 0, "batch_size": destination.batch_size or 100,
    }  # fmt: skip
    as_json = [f"{name}={shlex.quote(encode(value).decode())}" for name, value in values.items()]
    rest = (FOLDER / "connect" / "segment-destination.sh").read_text(encoding="utf-8")
    return "\n".join([_HEAD, f"api={shlex.quote(api)}", *as_json, rest])


_HEAD = """\
#!/bin/sh
# Written by `adapter connect segment --script`: creates the destination Webhooks (Actions) and its
# subscription, and prints their ids. Set in the environment: PUBLIC_API_TOKEN (of a Workspace Owner),
# SOURCE_ID (the source at Segment), SHARED_SECRET (one of ADAPTER_SEGMENT_SHARED_SECRETS), and AUTHORIZATION
# (one of ADAPTER_SEGMENT_AUTHORIZATIONS, whole: Bearer abc). With DESTINATION_ID it adds the subscription to
# that destination, and creates no other.

# The address of the API, and JSON values of its calls."""
