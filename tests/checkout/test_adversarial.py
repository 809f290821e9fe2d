"""The adversarial cases over HTTP, on both engines; tests/pricing/cases/adversarial.yaml explains them."""

from __future__ import annotations

import json

from tests.checkout.cases import Case
from tests.checkout.shop import Shop
from tests.pricing.adversarial import cases, differences


async def test_every_adversarial_case_comes_out_over_http_as_worked_by_hand(shop: Shop) -> None:
    wrong = {}
    for case in cases():
        run = Case(case, shop)
        answers = await run.run()
        found = [differences(*pair) for pair in zip(answers, case["expect"]["steps"], strict=True)]
        final = await run.final()
        found += [differences(final[name], own) for name, own in case["expect"]["final"].items()]
        if any(found):
            wrong[case["id"]] = found
    assert wrong == {}, json.dumps(wrong, indent=1)
