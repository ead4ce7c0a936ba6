"""Percentage splits and allocations exactly at an identity's own percentage, and identities that first hash to 100."""

import hashlib

from flag_engine.utils.hashing import get_hashed_percentage_for_object_ids

import grid

KEY = "environment-key"


def option(number, allocation):
    return {
        "id": number,
        "percentage_allocation": allocation,
        "mv_fs_value_uuid": f"00000000-0000-4000-8000-{number:012}",
        "multivariate_feature_option": {"id": number, "key": f"variant-{number}", "value": number},
    }


def document(segment_id, split, feature_key, allocations):
    document = grid.condition_document("PERCENTAGE_SPLIT", [split], "")
    document["project"]["segments"][0]["id"] = segment_id
    feature = {"id": 1, "name": "split", "type": "MULTIVARIATE"}
    document["api_key"] = KEY
    document["feature_states"] = [
        {
            "feature": feature,
            "enabled": True,
            "django_id": feature_key,
            "featurestate_uuid": "00000000-0000-4000-8000-000000000000",
            "feature_state_value": "control value",
            "multivariate_feature_state_values": [option(n + 1, a) for n, a in enumerate(allocations)],
        }
    ]
    return document


def hashes_to_100(first, second):
    return int(hashlib.md5(f"{first},{second}".encode()).hexdigest(), 16) % 9999 == 9998


def cases():
    for number in range(150):
        identifier = f"boundary-{number}"
        percentage = get_hashed_percentage_for_object_ids([9, f"{KEY}_{identifier}"])
        for split in (percentage, percentage - 1e-9, percentage + 1e-9):
            rest = [percentage / 2, percentage - percentage / 2] if number % 2 else [split]
            yield {
                "document": document(9, repr(split), 9, [*rest, 100 - split]),
                "identities": [{"identifier": identifier, "traits": []}],
            }
    found = [number for number in range(60000) if hashes_to_100(7, f"{KEY}_{number}")]
    assert found, "no identity hashes to 100: the search is broken"
    for number in found:
        percentage = get_hashed_percentage_for_object_ids([7, f"{KEY}_{number}"])
        yield {
            "document": document(7, repr(percentage), 7, [percentage, 100 - percentage]),
            "identities": [{"identifier": str(number), "traits": []}],
        }
        yield {
            "document": document(7, "99.999", 7, [99.99, 0.01]),
            "identities": [{"identifier": str(number), "traits": []}],
        }
