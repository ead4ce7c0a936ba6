"""The deliberate differences from the Python pipeline, each a named rule that can be put in force alone.

With no rule in force the pipeline is the unchanged one of PyPI. Anything that differs beyond these rules is a defect.
"""

import contextlib
from functools import lru_cache

import jsonpath_rfc9535
from flag_engine.segments import evaluator
from flag_engine.segments.types import is_context_value
from flagsmith import mappers
from jsonpath_rfc9535.segments import JSONPathChildSegment
from jsonpath_rfc9535.selectors import NameSelector

# A segment override whose priority is null is the weakest; the pipeline cannot compare it and raises.
NULL_PRIORITY = "null priority is the weakest"
# Where the pipeline raises while it evaluates a segment, that segment does not match.
RAISING_SEGMENT = "a raising segment does not match"
# On `flags/` segments count that depend on flags, and on nothing that takes an identity; the pipeline applies all that
# hold without one.
NO_SEGMENTS_IN_FLAGS = "flags/ without segments that need an identity"
# Outer blanks of a request's identifier are no part of it.
TRIMMED_IDENTIFIER = "outer blanks of identifiers"
# A trait named like a JSONPath never replaces what the path finds.
PATH_BEFORE_TRAIT = "$. trait names"
# Identity overrides are an identity's own; the pipeline merges those whose contents Python takes for equal, or whose
# `hash` is, and orders them by that.
OWN_IDENTITY_OVERRIDES = "identity overrides merged by hash"
# Identity overrides apply to the exact identifier; the pipeline reads `007` as 7 and `1.50` as 1.5.
EXACT_IDENTIFIER = "numeric-looking identifiers"
# Identity overrides with allocations use them; the pipeline drops them.
MULTIVARIATE_IDENTITY_OVERRIDE = "multivariate identity overrides"

ALL = (
    NULL_PRIORITY,
    RAISING_SEGMENT,
    NO_SEGMENTS_IN_FLAGS,
    TRIMMED_IDENTIFIER,
    PATH_BEFORE_TRAIT,
    OWN_IDENTITY_OVERRIDES,
    EXACT_IDENTIFIER,
    MULTIVARIATE_IDENTITY_OVERRIDE,
)

_active = frozenset()


@contextlib.contextmanager
def in_force(rules):
    global _active
    before, _active = _active, frozenset(rules)
    try:
        yield
    finally:
        _active = before


def document_for(document):
    if OWN_IDENTITY_OVERRIDES in _active:
        return {**document, "identity_overrides": []}
    return document


def identifier_for(identifier):
    return identifier.strip() if TRIMMED_IDENTIFIER in _active else identifier


def drop_segments_without_identity(context):
    if NO_SEGMENTS_IN_FLAGS in _active:
        for segment in context["segments"].values():
            roots = set(_roots(segment["rules"]))
            if "flags" not in roots or not roots <= {"flags", "environment"}:
                # Without a rule it never matches; that it is there makes a reason DEFAULT.
                segment["rules"] = []


def _roots(rules):
    """What each condition's path starts with; None where it starts otherwise, or is none."""
    for rule in rules:
        for condition in rule["conditions"]:
            yield _root(condition["property"])
        yield from _roots(rule["rules"])


def _root(path):
    if not path.startswith("$."):
        return None
    try:
        names = [
            segment.selectors[0].name
            if isinstance(segment, JSONPathChildSegment)
            and len(segment.selectors) == 1
            and isinstance(segment.selectors[0], NameSelector)
            else None
            for segment in jsonpath_rfc9535.compile(path).segments
        ]
    except Exception:
        return None
    # Only `$.flags.NAME` reads a flag; a filter could read anything.
    is_plain = "?" not in path and not (names == ["flags"] or names[:2] == ["flags", None])
    return names[0] if is_plain else None


def apply_identity_overrides(context, document, identifier):
    """One segment an entry, in the form that the mapper gives them."""
    if OWN_IDENTITY_OVERRIDES not in _active:
        return
    for number, entry in enumerate(document["identity_overrides"]):
        key = f"identity override {number}"
        rule = {
            "type": "ALL",
            "conditions": [
                {"property": "$.identity.identifier", "operator": "IN", "value": [entry["identifier"]]}
            ],
        }
        found = [rule]
        if EXACT_IDENTIFIER in _active:
            # Without a rule it never matches; that it is there makes other identities' reason DEFAULT.
            found = [{"type": "ALL"}] if entry["identifier"] == identifier else []
        context["segments"][key] = {
            "key": key,
            "name": "identity_overrides",
            "rules": found,
            "overrides": list(map(_identity_override, entry["identity_features"])),
            "metadata": {"source": "identity_overrides"},
        }


def _identity_override(feature_state):
    [override] = _map_feature_states([feature_state])
    override["priority"] = float("-inf")
    if MULTIVARIATE_IDENTITY_OVERRIDE not in _active:
        override.pop("variants", None)
    return override


class _Metadata(dict):
    """A feature's metadata as the pipeline has it, `{"id"}`, with the feature state's own beside, which no path sees."""

    passed_through = None


def passed_through(metadata):
    """What a flag's feature state has as `metadata`: null where it is no object or an empty one."""
    own = getattr(metadata, "passed_through", None)
    return own if own and isinstance(own, dict) else None


_map_feature_states = mappers._map_environment_document_feature_states_to_feature_contexts


def _map_feature_states_with_metadata(feature_states):
    # The pipeline drops the metadata, which core's own answers pass through.
    for feature_state, context in zip(feature_states, _map_feature_states(feature_states)):
        context["metadata"] = _Metadata(context["metadata"])
        context["metadata"].passed_through = feature_state.get("metadata")
        yield context


_is_context_in_segment = evaluator.is_context_in_segment
_get_context_value_getter = evaluator._get_context_value_getter
_wins_over = evaluator._wins_over


def _is_context_in_segment_under_rules(context, segment_context):
    if RAISING_SEGMENT not in _active:
        return _is_context_in_segment(context, segment_context)
    try:
        return _is_context_in_segment(context, segment_context)
    except Exception:
        return False


def _get_context_value_getter_under_rules(path):
    if PATH_BEFORE_TRAIT in _active:
        return _path_before_trait_getter(path)
    return _get_context_value_getter(path)


@lru_cache(maxsize=1024)
def _path_before_trait_getter(path):
    try:
        query = jsonpath_rfc9535.compile(path)
    except jsonpath_rfc9535.JSONPathSyntaxError:
        return lambda context: evaluator._get_trait_value(context, path)

    def getter(context):
        found = query.find_one(dict(context))
        if found and is_context_value(found.value):
            return found.value
        return evaluator._get_trait_value(context, path)

    return getter


def _wins_over_under_rules(candidate, incumbent):
    if NULL_PRIORITY in _active:
        candidate, incumbent = _without_null_priority(candidate), _without_null_priority(incumbent)
    return _wins_over(candidate, incumbent)


def _without_null_priority(override):
    if override and override.get("priority", 0) is None:
        return {key: value for key, value in override.items() if key != "priority"}
    return override


evaluator.is_context_in_segment = _is_context_in_segment_under_rules
evaluator._wins_over = _wins_over_under_rules
evaluator._get_context_value_getter = _get_context_value_getter_under_rules
mappers._map_environment_document_feature_states_to_feature_contexts = _map_feature_states_with_metadata
