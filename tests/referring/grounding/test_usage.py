from ris.referring.grounding.usage import CALL_OUTCOMES, VlmUsage


def test_every_outcome_is_there_from_the_start():
    assert VlmUsage().calls == dict.fromkeys(CALL_OUTCOMES, 0)


def test_calls_tokens_and_lookups_are_added():
    usage = VlmUsage()
    usage.count_call("answered", seconds=1.5)
    usage.count_call("answered", seconds=0.5)
    usage.count_tokens(10, 3)
    usage.count_lookup(is_hit=True)

    assert (usage.calls["answered"], usage.seconds, usage.tokens, usage.lookups) == (
        2, 2.0, {"in": 10, "out": 3}, {"hit": 1, "miss": 0},
    )  # fmt: skip
