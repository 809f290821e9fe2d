"""Where each case of a destination is tested: its text is in `cases/*.jsonl`, this table names its tests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
CDP, VOUCHERIFY, WEBHOOK, CORE = (
    f"destinations/test_{name}.py" for name in ("cdp_cases", "voucherify_cases", "webhook_cases", "core")
)
PAUSES, ORDER, FORWARDING = (
    "services/test_dispatcher_pauses.py",
    "services/test_order_limit.py",
    "core/test_forwarding.py",
)
#: Functions by file, of each case. Those of `CDP` are what its `test_case` runs.
SHOWN: dict[str, dict[str, tuple[str, ...]]] = {
    "D02": {CDP: ("_the_region_is_asked_for",)},
    "D03": {CDP: ("_the_incoming_id_is_never_used",)},
    "D04": {CDP: ("_a_call_that_is_too_large_costs_nothing_else",)},
    "D05": {CDP: ("_a_batch_is_split_before_and_after",)},
    "D07": {CDP: ("_what_segment_would_drop_is_not_sent",)},
    "D08": {CDP: ("_a_batch_has_all_members",)},
    "D09": {CDP: ("_the_time_of_sending_is_of_the_attempt",)},
    "D10": {CDP: ("_a_429_pauses_and_is_no_attempt",)},
    "D11": {CDP: ("_a_batch_is_formed_anew",)},
    "D12": {CDP: ("_each_batch_is_checked_before",)},
    "D13": {CDP: ("_no_two_contents_share_a_request_id",)},
    "D14": {CDP: ("_only_known_identities_are_sent",)},
    "D16": {CDP: ("_pods_and_refused_keys",)},
    "D19": {
        CDP: ("_development_traffic_is_mirrored",),
        "services/test_development_traffic.py": ("test_a_checkout_of_a_test_discount_is_a_test",),
    },
    "D20": {
        CDP: ("_our_own_events_are_recognised",),
        "services/test_own_events_return.py": (
            "test_what_segment_forwards_back_is_counted_and_earns_nothing",
            "test_what_mparticle_forwards_back_is_counted_and_earns_nothing",
        ),
    },
    "D22": {CDP: ("_an_event_that_names_our_code_counts",)},
    "D23": {VOUCHERIFY: ("test_d23_a_repeated_creation_is_success_only_if_the_voucher_is_ours",)},
    "D24": {VOUCHERIFY: ("test_d24_publishing_again",)},
    "D25": {
        VOUCHERIFY: ("test_d25_a_used_up_quota_pauses_and_burns_no_attempt",),
        "services/test_combining.py": (
            "test_moves_are_combined_to_the_last_state_and_an_issue_is_always_sent",
            "test_of_a_customer_the_last_state_is_sent",
        ),
        "services/test_quota.py": ("test_a_used_up_month_pauses_until_the_next_one_and_no_attempt_is_lost",),
    },
    "D26": {VOUCHERIFY: ("test_d26_amounts_are_times_100_whatever_the_currency",)},
    "D28": {VOUCHERIFY: ("test_d28_customers_are_upserted_under_their_source_id",)},
    "D29": {VOUCHERIFY: ("test_d29_an_event_whose_answer_was_lost",)},
    "D31": {WEBHOOK: ("test_d31_a_secret_in_wrong_clothes_is_refused_at_the_start",)},
    "D33": {
        WEBHOOK: (
            "test_d33_over_retries_the_id_and_the_body_are_constant_and_the_time_is_that_of_the_attempt",
            "test_d33_a_replay_by_hand_has_the_same_id",
        )
    },
    "D34": {
        CORE: ("test_retry_after_is_honoured_in_all_its_forms",),
        PAUSES: ("test_a_pause_that_is_cut_to_a_day_is_counted_and_shown",),
        "destinations/test_schedule.py": ("test_retry_after_puts_an_attempt_off_but_never_forward",),
        "destinations/test_webhook.py": (
            "test_retry_after_is_read_in_both_forms",
            "test_a_pause_of_more_than_a_day_is_cut_and_the_error_says_so",
        ),
    },
    "D35": {
        PAUSES: (
            "test_an_endpoint_with_status_410_is_paused_for_an_hour_and_loses_nothing",
            "test_a_pause_is_in_readiness_and_an_error_in_the_log",
        ),
        "destinations/test_segment_destination.py": (
            "test_each_answer_means_what_segments_own_clients_take_it_for",
        ),
    },
    "D37": {WEBHOOK: ("test_d37_the_status_decides_and_at_most_16_kb_are_read",)},
    "D38": {
        WEBHOOK: (
            "test_d38_a_dead_destination_holds_little_in_memory_and_drains_at_its_rate",
            "test_d38_new_deliveries_go_beside_the_retries_of_a_backlog",
        ),
        "services/test_dispatcher.py": ("test_a_slow_endpoint_does_not_delay_another",),
    },
    "D39": {
        ORDER: (
            "test_a_poison_delivery_holds_back_its_customer_alone_until_it_is_dead",
            "test_beyond_the_limit_a_customers_deliveries_need_not_wait",
        ),
        FORWARDING: (
            "test_operations_of_one_customer_are_decided_in_their_order",
            "test_pushes_of_what_the_core_returned_have_the_versions_of_the_core",
        ),
        "core/test_versions.py": (
            "test_each_move_of_a_code_has_the_next_version",
            "test_moves_at_a_checkout_have_the_next_version_too",
            "test_a_hold_and_what_becomes_of_it_have_rising_versions",
            "test_an_operation_that_comes_again_has_the_version_of_the_first_time",
        ),
        "services/test_forwarding.py": (
            "test_the_version_of_a_customer_rises_with_each_change_that_is_forwarded",
        ),
    },
    "D40": {
        FORWARDING: ("test_an_answer_that_is_lost_costs_no_discount_and_doubles_none",),
        "core/test_evaluate.py": (
            "test_operations_that_come_again_get_the_same_discounts_and_decisions",
            "test_another_operation_under_a_known_id_is_refused_and_the_others_go_on",
        ),
    },
    "D41": {
        CORE: ("test_each_operation_is_settled_by_its_own_result",),
        "core/test_evaluate.py": ("test_each_operation_has_its_own_outcome",),
    },
    "D44": {
        PAUSES: ("test_after_a_destination_was_away_one_request_finds_out_whether_it_is_back",),
        FORWARDING: (
            "test_while_the_core_is_away_messages_are_taken_and_decided_when_it_is_back",
            "test_beyond_the_bound_senders_are_told_to_come_again",
        ),
        "core/test_day_away.py": (
            "test_a_core_that_is_away_for_a_day_loses_nothing",
            "test_rules_are_evaluated_as_of_the_time_of_receipt",
        ),
        "store/test_breakers_and_pace.py": (
            "test_callers_together_lease_no_more_than_a_destination_is_sent_in_a_second",
            "test_a_destination_that_starts_slowly_is_leased_ever_more_after_its_pause",
        ),
    },
    "D45": {
        "services/test_quota.py": ("test_d45_two_dispatchers_send_at_most_the_quota_in_any_minute",),
        "store/test_breakers_and_pace.py": (
            "test_two_callers_make_one_probe",
            "test_a_probe_whose_process_was_killed_is_followed_by_another",
            "test_an_open_breaker_stays_open_for_another_program_and_is_closed_by_resume",
        ),
    },
}


def test_every_case_has_a_test() -> None:
    files = ("cdp", "voucherify", "webhook", "core")
    lines = [(FOLDER / "cases" / f"{name}.jsonl").read_text("utf-8").splitlines() for name in files]
    assert {json.loads(line)["id"] for each in lines for line in each} == SHOWN.keys()


@pytest.mark.parametrize("case", SHOWN)
def test_the_tests_of_a_case_are_there(case: str) -> None:
    for file, names in SHOWN[case].items():
        text = (FOLDER.parent / file).read_text("utf-8")
        assert [name for name in names if f"def {name}(" not in text] == []
