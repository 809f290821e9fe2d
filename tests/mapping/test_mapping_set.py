"""A directory of mapping files, and what its messages yield."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapter import mapping as language
from adapter.errors import MappingError
from adapter.mapping import mapping_set
from adapter.mapping.mapping_set import MappingSet
from adapter.model.messages import Message
from adapter.model.operations import CustomerErase, EventOccurred
from adapter.model.sources import SOURCES

ROOT = Path(__file__).parents[2]
ORDERS = """
    source: segment
    mappings:
      - name: Ordered
        subscribe: type = "track" and event = "Order Completed"
        action: event
        fields: {source_id: {"@path": $.userId}, name: order_completed}
      - name: Big order
        subscribe: type = "track" and event = "Order Completed" and properties.total > 100
        action: event
        fields: {source_id: {"@path": $.userId}, name: big_order_completed}
"""
ERASURE = """
    source: segment
    mappings:
      - name: Erase
        subscribe: type = "delete"
        action: customer.erase
        fields: {source_id: {"@path": $.userId}}
"""
Write = Callable[..., Path]
Wrap = Callable[..., Message]

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PRODUCTS = st.lists(
    st.dictionaries(st.sampled_from(["id", "price", "quantity", "custom_attributes", "sku"]), JSON)
)


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """Return a source and a document with the members that its types have, holding anything at all."""
    source = draw(st.sampled_from(sorted(SOURCES)))
    kind = draw(st.sampled_from(sorted(SOURCES[source].types)))
    events = st.sampled_from(["Order Completed", "Coupon Applied", "purchase", "checkout", "add_to_cart"])
    members: dict[str, Any] = {
        member: draw(JSON)
        for member in SOURCES[source].types[kind]
        if member != "type" and draw(st.booleans())
    }
    if draw(st.booleans()):
        properties = {"products": draw(PRODUCTS), "coupon": draw(JSON), "total": draw(JSON)}
        members |= {"userId": "u", "event": draw(events), "properties": properties}
    return source, {**members, "type": kind}


def loaded(directory: Path) -> MappingSet:
    read, problems = mapping_set.load(directory)
    assert problems == []
    assert read is not None
    return read


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> MappingSet:
    """All mappings of ours: the starters, and every pack beside them."""
    together = tmp_path_factory.mktemp("mappings")
    for folder in (ROOT / "mappings", *(ROOT / "docs" / "packs").glob("*/mappings")):
        shutil.copytree(folder, together, dirs_exist_ok=True)
    return loaded(together)


def test_every_file_of_a_directory_is_read_but_cases_and_the_model(write_mappings: Write) -> None:
    directory = write_mappings(orders=ORDERS, erasure=ERASURE, model="traits: {}")
    (directory / "orders.test.yaml").write_text("source: segment\ncases: []\n", encoding="utf-8")
    (directory / "more").mkdir()
    (directory / "more" / "group.yml").write_text(
        ERASURE.replace("Erase", "Erase too").replace("delete", "group")
    )
    names = [str(path.relative_to(directory)) for path in mapping_set.mapping_files(directory)]
    assert names == ["erasure.yaml", "more/group.yml", "orders.yaml"]


def test_a_file_named_after_another_comes_after_it(write_mappings: Write) -> None:
    directory = write_mappings(**{"segment": ERASURE, "segment-shop": ERASURE})
    assert [path.stem for path in mapping_set.mapping_files(directory)] == ["segment", "segment-shop"]


def test_a_missing_directory_is_reported_with_its_full_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    read, [problem] = mapping_set.load(Path("nowhere"))
    assert read is None
    assert problem.message == f"there is no such directory: `{tmp_path}/nowhere`"


def test_two_mappings_of_a_source_cannot_share_a_name(write_mappings: Write) -> None:
    read, [problem] = mapping_set.load(write_mappings(one=ERASURE, two=ERASURE))
    assert read is None
    assert problem.message == "two mappings of segment are called `Erase`"


def test_the_digest_depends_on_contents_and_not_on_paths(write_mappings: Write) -> None:
    first = loaded(write_mappings(orders=ORDERS)).digest
    assert loaded(write_mappings(orders=ORDERS + "\n# a comment\n")).digest == first
    assert loaded(write_mappings(orders=ORDERS.replace("> 100", "> 101"))).digest != first


def test_files_that_are_read_again_compile_what_has_changed(
    write_mappings: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[Any] = []

    def compile_(fields: Any, **options: Any) -> Any:
        compiled.append(fields["name"])
        return language.compile(fields, **options)

    monkeypatch.setattr(mapping_set, "compile_mapping", compile_)
    mapping_set._transform.cache_clear()
    typed = ORDERS.replace("name: order_completed", "name: {'@literal': 1}")
    for text, made in (
        (ORDERS, ["order_completed", "big_order_completed"]),
        (ORDERS.replace("> 100", "> 101") + "\n# a comment\n", []),
        (typed, [{"@literal": 1}]),
        (typed.replace("1", "1.0", 1), [{"@literal": 1.0}]),
        (typed.replace("1", "true", 1), [{"@literal": True}]),
    ):
        compiled.clear()
        loaded(write_mappings(orders=text))
        assert [str(name) for name in compiled] == [str(name) for name in made]


def test_a_message_that_no_mapping_takes_yields_nothing(write_mappings: Write, message_of: Wrap) -> None:
    read = loaded(write_mappings(orders=ORDERS))
    assert read.operations(message_of({"type": "track", "event": "Other", "userId": "u"})) == ()
    assert read.operations(message_of({"type": "track", "event": "Order Completed"}, "mparticle")) == ()


def test_a_mapping_that_cannot_map_is_named_with_its_field(write_mappings: Write, message_of: Wrap) -> None:
    read = loaded(write_mappings(erasure=ERASURE))
    with pytest.raises(MappingError) as raised:
        read.operations(message_of({"type": "delete", "userId": ["u"]}))
    assert raised.value.message == "mapping `Erase`: `source_id` is a list, but must be text or a number"
    assert read.operations(message_of({"type": "delete", "userId": 5})) == (CustomerErase("5"),)


def test_events_of_one_message_have_ids_of_their_own(write_mappings: Write, message_of: Wrap) -> None:
    read = loaded(write_mappings(orders=ORDERS))
    sent = {"type": "track", "event": "Order Completed", "userId": "u", "messageId": "m-1"}
    document = {**sent, "properties": {"total": 200}}
    operations = [done for done in read.operations(message_of(document)) if isinstance(done, EventOccurred)]
    assert [(done.event.id, done.event.name) for done in operations] == [
        ("m-1", "order_completed"), ("m-1:2", "big_order_completed"),
    ]  # fmt: skip


@pytest.mark.slow
@given(documents())
def test_any_payload_maps_or_is_refused_in_words_and_is_left_as_it_was(
    ours: MappingSet, sent: tuple[str, dict[str, Any]]
) -> None:
    source, document = sent
    before = deepcopy(document)
    said = "mapping `"
    try:
        ours.operations(Message(source, "key-1", document, datetime(2026, 3, 1, tzinfo=UTC)))
    except MappingError as error:
        said = error.message
    assert said.startswith("mapping `")
    assert document == before


_SPREAD_AND_AMOUNT = {
    "type": "commerce_event", "userId": "u", "event": "Order Completed",
    "properties": {"products": [{"custom_attributes": "\U00010000"}], "coupon": None, "total": []},
}  # fmt: skip


@pytest.mark.slow
@given(documents())
@example(("mparticle", _SPREAD_AND_AMOUNT))
def test_our_mappings_compiled_do_as_the_interpreted_ones(
    ours: MappingSet, sent: tuple[str, dict[str, Any]]
) -> None:
    source, document = sent
    for mapping in ours.of(source):
        interpreted = partial(language.transform, mapping.fields, tables=mapping.tables)
        compiled = compiled_once(source, mapping.name, ours)
        assert outcome(compiled, document) == outcome(interpreted, document)


@cache
def compiled_once(source: str, name: str, ours: MappingSet) -> Callable[[dict[str, Any]], Any]:
    [mapping] = [mapping for mapping in ours.of(source) if mapping.name == name]
    return language.compile(mapping.fields, tables=mapping.tables)


def outcome(transform: Callable[[dict[str, Any]], Any], document: dict[str, Any]) -> tuple[str, Any]:
    try:
        return "mapped", transform(document)
    except MappingError as error:
        return "refused", error.message
