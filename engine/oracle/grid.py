"""Every operator x trait x condition value: one document an operator, one segment a condition value."""

import values

# The property all conditions of the grid read, and the ways an identity can come by it.
TRAIT = "t"


def condition_values(operator):
    return values.VALUES + values.VALUES_BY_OPERATOR[operator]


def identities():
    yield {"identifier": "missing", "traits": []}
    for number, value in enumerate(values.TRAITS):
        yield {"identifier": f"identity-{number}", "traits": [{"trait_key": TRAIT, "trait_value": value}]}


def condition_document(operator, condition_values, condition_property=TRAIT):
    segments = []
    for number, value in enumerate(condition_values):
        condition = {"operator": operator, "value": value, "property_": condition_property}
        segments.append(
            {
                "id": number,
                "name": str(number),
                "rules": [{"type": "ALL", "rules": [], "conditions": [condition]}],
            }
        )
    return {
        "id": 1,
        "name": "grid",
        "api_key": "grid",
        "feature_states": [],
        "identity_overrides": [],
        "project": {"id": 1, "name": "grid", "hide_disabled_flags": False, "segments": segments},
    }


def cases():
    for operator in values.VALUES_BY_OPERATOR:
        yield {
            "document": condition_document(operator, condition_values(operator)),
            "identities": list(identities()),
        }
    # The same for the other way to a value: the identifier, read by JSONPath.
    for operator in values.VALUES_BY_OPERATOR:
        yield {
            "document": condition_document(operator, condition_values(operator), "$.identity.identifier"),
            "identities": [{"identifier": identifier, "traits": []} for identifier in values.IDENTIFIERS],
        }
    # A split without a property: by identity key.
    yield {
        "document": condition_document("PERCENTAGE_SPLIT", condition_values("PERCENTAGE_SPLIT"), ""),
        "identities": list(identities()),
    }
