"""Random environment documents."""

import uuid

import values
from paths import OTHER_PATHS

TRAIT_KEYS = [
    "age",
    "score",
    "plan",
    "country",
    "version",
    "beta",
    "email",
    "x-y",
    "größe",
    "",
    "$.no[path",
    "$plain",
]


class Maker:
    """Makes one document. Holds what its parts refer to: feature names and ids."""

    def __init__(self, rng):
        self.rng = rng
        self.next_id = rng.randint(1, 50)
        self.features = [self.feature(number) for number in range(rng.randint(1, 9))]
        if rng.random() < 0.08:
            self.features.append(dict(rng.choice(self.features)))
        if rng.random() < 0.08:
            self.features.append({**rng.choice(self.features), "id": self.new_id()})

    def new_id(self):
        self.next_id += self.rng.randint(1, 3)
        return self.next_id

    def feature(self, number):
        name = self.rng.choice(
            [f"feature_{number}", f"Feature-{number}", f"flag {number}", f"größe{number}", f"f{number}"]
        )
        return {"id": self.new_id(), "name": name, "type": self.rng.choice(["STANDARD", "MULTIVARIATE"])}

    def uuid(self):
        return str(uuid.UUID(int=self.rng.getrandbits(128)))

    def feature_state(self, feature, **more):
        rng = self.rng
        state = {
            "feature": feature,
            "enabled": rng.random() < 0.6,
            "django_id": rng.choice([self.new_id(), self.new_id(), None, 0]),
            "featurestate_uuid": self.uuid(),
            "feature_state_value": rng.choice(values.FEATURE_VALUES),
            **more,
        }
        if rng.random() < 0.1:
            del state["django_id"]
        if rng.random() < 0.25:
            state["metadata"] = rng.choice(values.METADATA)
        if rng.random() < (0.7 if feature["type"] == "MULTIVARIATE" else 0.1):
            state["multivariate_feature_state_values"] = self.options()
        elif rng.random() < 0.7:
            state["multivariate_feature_state_values"] = rng.choice([[], [], None])
        return state

    def options(self):
        rng = self.rng
        count = rng.randint(1, 4)
        allocations = rng.choice(
            [
                [100 / count] * count,
                [rng.randint(0, 60) for _ in range(count)],
                [33.3, 33.3, 33.4, 10.0],
                [0.0, 100.0, 0, 5],
            ]
        )
        options = []
        for number, allocation in zip(range(count), allocations):
            option = {"value": rng.choice(values.FEATURE_VALUES), "id": self.new_id()}
            if rng.random() < 0.7:
                option["key"] = rng.choice([None, f"variant-{number}", "same", "", "control"])
            value = {
                "multivariate_feature_option": option,
                "percentage_allocation": allocation,
                "mv_fs_value_uuid": self.uuid(),
            }
            if rng.random() < 0.9:
                value["id"] = rng.choice([rng.randint(1, 40), rng.randint(1, 40), 7, None, 0])
            options.append(value)
        return options

    def condition(self):
        rng = self.rng
        operator = rng.choice(
            list(values.VALUES_BY_OPERATOR) + [*values.COMPARISONS, "IN", "PERCENTAGE_SPLIT"]
        )
        if rng.random() < 0.02:
            operator = rng.choice(["", None, "equal", 7])
        condition = {"operator": operator, "value": None, "property_": self.property(operator)}
        condition["value"] = self.condition_value(operator, condition["property_"])
        if rng.random() < 0.02:
            del condition["property_"]
        return condition

    def property(self, operator):
        rng = self.rng
        if operator == "PERCENTAGE_SPLIT" and rng.random() < 0.6:
            return rng.choice(["", None])
        choice = rng.random()
        if choice < 0.72:
            return rng.choice(TRAIT_KEYS)
        if choice < 0.84:
            return rng.choice(
                ["$.identity.identifier", "$.identity.key", "$.environment.name", "$.environment.key"]
            )
        if choice < 0.90:
            key = rng.choice(["age", "plan", "x-y", "größe", "beta"])
            return rng.choice(
                [f"$.identity.traits.{key}", f"$.identity.traits['{key}']", f'$["identity"].traits["{key}"]']
            )
        if choice < 0.96:
            name = rng.choice(self.features)["name"]
            quoted = name.replace("'", "\\'")
            return rng.choice(
                [
                    f"$.flags['{quoted}'].enabled",
                    f"$.flags['{quoted}'].value",
                    f"$.flags['{quoted}'].variant",
                    f"$.flags.{name}.enabled",
                    f"$.flags['{quoted}'].reason",
                    f"$.flags['{quoted}'].metadata.id",
                    f"$.flags['{quoted}']['value']",
                    f"$.flags['{quoted}'].*",
                    f"$.flags['{quoted}']",
                    f"$.flags['{quoted}'].name",
                    f"$.features['{quoted}'].enabled",
                    f"$.features['{quoted}'].value",
                    "$.flags.no_such.enabled",
                ]
            )
        return rng.choice(OTHER_PATHS)

    def condition_value(self, operator, condition_property):
        rng = self.rng
        choice = rng.random()
        if choice < 0.12:
            return rng.choice(values.VALUES)
        if choice < 0.35 and operator in values.VALUES_BY_OPERATOR and values.VALUES_BY_OPERATOR[operator]:
            return rng.choice(values.VALUES_BY_OPERATOR[operator])
        if operator == "IN":
            return ",".join(
                rng.sample(["free", "premium", "7", "42", "alice", "bob", "é", "18", "true", "True"], 3)
            )
        if operator == "PERCENTAGE_SPLIT":
            return rng.choice([str(rng.randint(0, 100)), f"{rng.random() * 100:.3f}"])
        if operator == "MODULO":
            return f"{rng.randint(1, 5)}|{rng.randint(0, 2)}"
        if condition_property in ("age", "score", "$.identity.traits.age"):
            return rng.choice([str(rng.randint(0, 60)), "18", "18.5", "42"])
        if condition_property == "version":
            return ".".join(str(rng.randint(0, 3)) for _ in range(3)) + ":semver"
        if condition_property and condition_property.startswith("$.flags"):
            return rng.choice(["true", "false", "on", "control", "variant-0", "1"])
        if condition_property in ("$.environment.name", "$.environment.key"):
            return rng.choice(["Production", "production", "environment-key"])
        return rng.choice(["free", "premium", "plan", "e", "true", "false", "1", "alice", ""])

    def rule(self, depth):
        rng = self.rng
        kind = rng.choice(["ALL", "ANY", "ANY", "NONE"])
        if rng.random() < 0.015:
            kind = rng.choice(["XOR", "all", "", None])
        rule = {"type": kind}
        if depth == 0 and rng.random() < 0.6:
            rule.update(conditions=[], rules=[self.rule(2) for _ in range(rng.randint(1, 2))])
            return rule
        if rng.random() < 0.95:
            rule["conditions"] = [self.condition() for _ in range(rng.choice([0, 1, 1, 1, 2, 3]))]
        if depth < 2 and rng.random() < 0.5:
            rule["rules"] = [self.rule(depth + 1) for _ in range(rng.randint(0, 2))]
        return rule

    def segment(self, number):
        rng = self.rng
        segment = {
            "id": self.new_id(),
            "name": rng.choice([f"segment {number}", "twin"]),
            "rules": [self.rule(0) for _ in range(rng.choice([0, 1, 1, 1, 1, 1, 2]))],
        }
        if rng.random() < 0.9:
            segment["feature_states"] = [self.segment_override() for _ in range(rng.choice([0, 1, 1, 2, 3]))]
        elif rng.random() < 0.5:
            segment["feature_states"] = None
        return segment

    def prerequisite(self):
        """The system segment that core writes for a feature that depends on another."""
        rng = self.rng
        name = rng.choice(self.features)["name"].replace("'", "\\'")
        conditions = [
            {"operator": "NOT_EQUAL", "value": "true", "property_": f"$.flags['{name}'].enabled"},
            {"operator": "EQUAL", "value": "Production", "property_": "$.environment.name"},
        ]
        feature_state = self.feature_state(self.overridden_feature(), feature_segment={"priority": 0})
        return {
            "id": self.new_id(),
            "name": "prerequisite",
            "rules": [{"type": "ALL", "conditions": conditions[: rng.choice([1, 1, 2])]}],
            "feature_states": [{**feature_state, "enabled": rng.random() < 0.3}],
        }

    def overridden_feature(self):
        rng = self.rng
        feature = dict(rng.choice(self.features))
        if rng.random() < 0.03:
            feature["name"] = "not_in_this_environment"
        if rng.random() < 0.03:
            feature["id"] = rng.choice([self.new_id(), rng.choice(self.features)["id"]])
        return feature

    def segment_override(self):
        rng = self.rng
        feature_segment = rng.choice(
            [{"priority": rng.randint(0, 3)}] * 5 + [{"priority": 0}, {"priority": None}, None, {}]
        )
        if rng.random() < 0.1:
            return self.feature_state(self.overridden_feature())
        return self.feature_state(self.overridden_feature(), feature_segment=feature_segment)

    def identity_override(self):
        rng = self.rng
        states = [self.feature_state(self.overridden_feature()) for _ in range(rng.choice([0, 1, 1, 2]))]
        return {
            "identifier": rng.choice(values.IDENTIFIERS),
            "identity_uuid": self.uuid(),
            "environment_api_key": "environment-key",
            "identity_features": states,
        }


def random_document(rng):
    maker = Maker(rng)
    feature_states = [maker.feature_state(feature) for feature in maker.features]
    segments = [maker.segment(number) for number in range(rng.choice([0, 1, 2, 3, 4, 5, 6, 8]))]
    if segments and rng.random() < 0.1:
        segments.append({**maker.segment(99), "id": rng.choice(segments)["id"]})
    if rng.random() < 0.3:
        segments += [maker.prerequisite() for _ in range(rng.choice([1, 1, 2, 4]))]
    overrides = [maker.identity_override() for _ in range(rng.choice([0, 0, 1, 2, 4]))]
    if overrides and rng.random() < 0.3:
        twin = rng.choice(overrides)["identity_features"]
        overrides.append({**maker.identity_override(), "identity_features": twin_of(rng, twin)})
    hidden = [feature["id"] for feature in maker.features if rng.random() < 0.15]
    document = {
        "id": maker.new_id(),
        "api_key": "environment-key",
        "name": rng.choice(["Production", "production", "Größe"]),
        "updated_at": "2024-12-26T16:18:08.760000+00:00",
        "project": {
            "id": maker.new_id(),
            "name": "Project",
            "organisation": {"id": 1, "name": "Organisation", "stop_serving_flags": False},
            "hide_disabled_flags": rng.random() < 0.2,
            "segments": segments,
            "server_key_only_feature_ids": hidden,
        },
        "feature_states": feature_states,
        "identity_overrides": overrides,
    }
    if rng.random() < 0.5:
        document["hide_disabled_flags"] = rng.choice([None, None, True, False])
    if rng.random() < 0.2:
        document["use_identity_composite_key_for_hashing"] = rng.random() < 0.5
    return document


def twin_of(rng, feature_states):
    """The same feature states, their values replaced by ones that Python's `hash` or `==` may take for the same."""
    same = {"1": 1, "-1": -2}
    groups = [[1, True, 1.0], [0, False, -0.0], [-1, -2]]
    twins = []
    for state in feature_states:
        group = next((group for group in groups if state["feature_state_value"] in group), None)
        value = (
            rng.choice(group)
            if group
            else same.get(state["feature_state_value"], state["feature_state_value"])
        )
        twins.append({**state, "feature_state_value": value})
    return twins
