"""Answers what Flagsmith's own Python pipeline says for a document and identities.

Reads JSON lines {"document", "identities"} as generate.py writes them, and writes one JSON line for each:

    {"defaults": [flag, …], "default_rules": [rule, …],
     "identities": [{"flags": [flag, …], "segments": [name, …], "rules": [rule, …]}, …]}

A flag is [name, feature id, type, enabled, value, variant, server-key-only, reason, metadata]. `rules` names the deliberate differences
(rules.py) between the pipeline as it is and the result given here; most results need none.
"""

import json
import sys

from flag_engine.engine import get_evaluation_result
from flagsmith.mappers import map_context_and_identity_data_to_context, map_environment_document_to_context

import rules


def evaluate(document, identity):
    """The pipeline's flags and segment names under the rules in force, or what it raised."""
    try:
        context = map_environment_document_to_context(rules.document_for(document))
        if identity is None:
            rules.apply_identity_overrides(context, document, None)
            rules.drop_segments_without_identity(context)
        else:
            identifier = rules.identifier_for(identity["identifier"])
            rules.apply_identity_overrides(context, document, identifier)
            context = map_context_and_identity_data_to_context(context, identifier, traits_of(identity))
        result = get_evaluation_result(context)
    except Exception as error:
        return {"raised": type(error).__name__}
    return {
        "flags": visible_flags(document, result["flags"].values()),
        "segments": [
            segment["name"]
            for segment in result["segments"]
            if segment["metadata"].get("source") != "identity_overrides"
        ],
    }


def traits_of(identity):
    """The traits as the HTTP surface hands them over: the last of a key that has a value, lists and objects as text."""
    traits = {}
    for trait in identity["traits"]:
        value = trait.get("trait_value")
        if isinstance(value, dict) and value.keys() == {"value", "type"}:
            value = value["value"]
        if value is not None:
            key = str(trait["trait_key"]).strip()
            traits[key] = str(value) if isinstance(value, (list, dict)) else value
    return traits


def visible_flags(document, flags):
    """What the surface adds to the engine's flags: type, hidden disabled flags, server-key-only features."""
    project = document["project"]
    types = {
        state["feature"]["id"]: state["feature"]["type"] for state in reversed(document["feature_states"])
    }
    hidden = set(project.get("server_key_only_feature_ids") or [])
    environment_ids = {}
    for state in document["feature_states"]:
        environment_ids.setdefault(state["feature"]["name"], set()).add(state["feature"]["id"])
    hide_disabled = document.get("hide_disabled_flags")
    if hide_disabled is None:
        hide_disabled = project["hide_disabled_flags"]
    rows = []
    for flag in flags:
        feature_id = flag["metadata"]["id"]
        server_only = bool(hidden & {feature_id, *environment_ids[flag["name"]]})
        row = [
            flag["name"],
            feature_id,
            types.get(feature_id, "STANDARD"),
            flag["enabled"],
            flag["value"],
            flag["variant"],
            server_only,
            flag["reason"],
            rules.passed_through(flag["metadata"]),
        ]
        if flag["enabled"] or not hide_disabled:
            rows.append(row)
    return rows


def answer(document, identity):
    """The result under all rules, and the names of those that it took to get there from the pipeline as it is."""
    with rules.in_force(()):
        plain = evaluate(document, identity)
    with rules.in_force(rules.ALL):
        expected = evaluate(document, identity)
    needed = []
    if not same(plain, expected):
        before = plain
        for count in range(1, len(rules.ALL) + 1):
            with rules.in_force(rules.ALL[:count]):
                now = evaluate(document, identity)
            if not same(before, now):
                needed.append(rules.ALL[count - 1])
            before = now
    return expected, needed


def same(first, second):
    # As text, because 1, 1.0 and True are not the same answer.
    return json.dumps(first) == json.dumps(second)


def answers(case):
    """The line to print for a case."""
    document = case["document"]
    defaults, default_rules = answer(document, None)
    identities = []
    for identity in case["identities"]:
        expected, needed = answer(document, identity)
        identities.append({**expected, "rules": needed})
    # Where the pipeline raised and no rule covers it, there is "raised" instead of flags.
    return {"defaults": defaults.get("flags"), "default_rules": default_rules, "identities": identities}


def main():
    for line in sys.stdin:
        print(json.dumps(answers(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
