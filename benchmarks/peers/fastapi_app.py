"""FastAPI, SQLAlchemy and rule-engine: one transaction for each request, in FastAPI's thread pool."""

from __future__ import annotations

import json
import os
import secrets
from datetime import UTC, datetime
from typing import Any

import rule_engine
from fastapi import FastAPI
from sqlalchemy import JSON, DateTime, Engine, String, create_engine, event, func, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

URL = os.environ["PEER_STORE"]
SQLITE = URL.startswith("sqlite")
insert: Any = sqlite_insert if SQLITE else postgres_insert


class Base(DeclarativeBase):
    """The tables."""


class Message(Base):
    """A dedupe key, with what was answered."""

    __tablename__ = "messages"
    id: Mapped[str] = mapped_column(String, primary_key=True)
    answer: Mapped[Any] = mapped_column(JSON, default=list)


class Customer(Base):
    """A customer with the traits last seen."""

    __tablename__ = "customers"
    id: Mapped[str] = mapped_column(String, primary_key=True)
    traits: Mapped[Any] = mapped_column(JSON, default=dict)


class Event(Base):
    """An event of a customer."""

    __tablename__ = "events"
    customer: Mapped[str] = mapped_column(String, primary_key=True)
    id: Mapped[str] = mapped_column(String, primary_key=True)
    name: Mapped[str] = mapped_column(String)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    attributes: Mapped[Any] = mapped_column(JSON)


class Counter(Base):
    """How often a rule was used: by everybody in a day, or by one customer."""

    __tablename__ = "counters"
    key: Mapped[str] = mapped_column(String, primary_key=True)
    used: Mapped[int] = mapped_column(default=0)


class Discount(Base):
    """An issued discount."""

    __tablename__ = "discounts"
    code: Mapped[str] = mapped_column(String, primary_key=True)
    customer: Mapped[str] = mapped_column(String, index=True)
    rule: Mapped[str] = mapped_column(String)
    action: Mapped[Any] = mapped_column(JSON)
    status: Mapped[str] = mapped_column(String, default="issued")


with open(os.environ["PEER_RULES"], encoding="utf-8") as file:  # noqa: PTH123 - as such a service would
    RULES = [(rule, rule_engine.Rule(rule["when"])) for rule in json.load(file)]


def connected() -> Engine:
    """Return an engine whose commits are on the disk when they return."""
    if not SQLITE:
        return create_engine(URL, pool_size=20, max_overflow=0)
    engine = create_engine(URL, connect_args={"timeout": 30, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


engine = connected()
Base.metadata.create_all(engine)
app = FastAPI()


@app.post("/webhooks/segment")
def receive(message: dict[str, Any]) -> dict[str, Any]:
    """Take one track call; answer its discounts once they are durable."""
    with Session(engine) as session, session.begin():
        key = message["messageId"]
        taken = session.execute(insert(Message).values(id=key, answer=[]).on_conflict_do_nothing())
        if not taken.rowcount:
            return {"results": [{"message_id": key, "outcome": "duplicate"}]}
        issued = settle(session, message)
        if issued:
            session.execute(update(Message).where(Message.id == key).values(answer=issued))
    return {"results": [{"message_id": key, "outcome": "processed", "discounts": issued}]}


def settle(session: Session, message: dict[str, Any]) -> list[dict[str, Any]]:
    """Keep the customer and the event, and issue what the rules give."""
    user, properties = message["userId"], message["properties"]
    name = message["event"].lower().replace(" ", "_")
    traits = (message.get("context") or {}).get("traits") or {}
    session.execute(insert(Customer).values(id=user, traits=traits).on_conflict_do_nothing())
    orders = session.scalar(
        select(func.count()).where(Event.customer == user, Event.name == "order_completed")
    )
    happened = datetime.fromisoformat(message["timestamp"])
    session.execute(
        insert(Event)
        .values(customer=user, id=message["messageId"], name=name, at=happened, attributes=properties)
        .on_conflict_do_nothing()
    )
    facts = {
        "event": name,
        "cart_value": float(properties.get("value") or 0),
        "country": properties.get("shipping_country") or "",
        "coupon": properties.get("coupon") or "",
        "orders": orders,
    }
    return [
        given for rule, matcher in RULES if matcher.matches(facts) and (given := issue(session, rule, user))
    ]


def issue(session: Session, rule: dict[str, Any], user: str) -> dict[str, Any] | None:
    """Issue a rule's discount within its limits; None where one is reached."""
    day = datetime.now(UTC).date().isoformat()
    if not within(session, f"{rule['name']}|{user}", rule["per_user"]):
        return None
    if not within(session, f"{rule['name']}|{day}", rule["daily"]):
        return None
    code = rule["prefix"] + secrets.token_hex(4).upper()
    session.add(Discount(code=code, customer=user, rule=rule["name"], action=rule["action"]))
    return {"code": code, "action": rule["action"], "status": "issued"}


def within(session: Session, key: str, most: int) -> bool:
    """Count one use, unless the limit is reached."""
    session.execute(insert(Counter).values(key=key, used=0).on_conflict_do_nothing())
    counted: Any = session.execute(
        update(Counter).where(Counter.key == key, Counter.used < most).values(used=Counter.used + 1)
    )
    return bool(counted.rowcount)
