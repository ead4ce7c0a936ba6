"""Random identities, whose traits are those that a document's conditions read."""

import values

NESTED_TRAITS = [
    [],
    ["a", 1],
    {},
    {"a": [1.0, None, True]},
    [["x"], "it's"],
    {"k": "é"},
    ["a\n", 'q"q'],
    [1e16, -0.0],
]


def random_trait_value(rng, key):
    choice = rng.random()
    if choice < 0.15:
        return rng.choice(values.TRAITS)
    if choice < 0.18:
        return rng.choice(NESTED_TRAITS)
    if choice < 0.21:
        return {"value": rng.choice(values.TRAITS), "type": "string"}
    if key in ("age", "score"):
        return rng.choice(
            [rng.randint(-5, 60), rng.randint(0, 600) / 10, str(rng.randint(0, 60)), "18.50", "042"]
        )
    if key in ("plan", "country"):
        return rng.choice(["free", "premium", "premium plan", "enterprise", "Free", "é", ""])
    if key == "version":
        return ".".join(str(rng.randint(0, 3)) for _ in range(3)) + rng.choice(
            ["", "", "-rc.1", "-beta", "+build"]
        )
    if key == "beta":
        return rng.choice([True, False, "true", "false", 1, 0, 1.0])
    return rng.choice(values.TRAITS)


def random_identities(rng, document, count):
    properties = properties_of(document["project"]["segments"])
    overridden = [override["identifier"] for override in document["identity_overrides"]]
    identities = []
    for _ in range(count):
        identifier = rng.choice(overridden) if overridden and rng.random() < 0.4 else random_identifier(rng)
        if rng.random() < 0.04:
            identifier = rng.choice([" ", "  ", "\t"]) + identifier + rng.choice(["", " ", "\n"])
        traits = []
        for key in properties:
            if rng.random() < (0.75 if not key.startswith("$.") else 0.08):
                traits.append({"trait_key": key, "trait_value": random_trait_value(rng, key)})
        if traits and rng.random() < 0.1:
            key = rng.choice(traits)["trait_key"]
            traits.append({"trait_key": key, "trait_value": random_trait_value(rng, key)})
        rng.shuffle(traits)
        if traits and rng.random() < 0.1:
            # A null behind a value leaves it; a key's outer blanks are no part of it.
            key = rng.choice(traits)["trait_key"]
            traits.append(rng.choice([{"trait_key": key, "trait_value": None}, {"trait_key": f" {key}\t"}]))
        if traits and rng.random() < 0.05:
            trait = rng.choice(traits)
            trait["trait_key"] = f"  {trait['trait_key']}\n"
        identities.append({"identifier": identifier, "traits": traits})
    return identities


def random_identifier(rng):
    if rng.random() < 0.5:
        return rng.choice(values.IDENTIFIERS)
    return f"identity-{rng.randint(0, 10**6)}"


def properties_of(segments):
    """The keys of `traits` that conditions read, in order of first mention."""
    found = {}

    def walk(rules):
        for rule in rules:
            for condition in rule.get("conditions", []):
                name = condition.get("property_") or ""
                found[name] = None
                if name.startswith("$.identity.traits."):
                    found[name.removeprefix("$.identity.traits.")] = None
            walk(rule.get("rules", []))

    for segment in segments:
        walk(segment["rules"])
    return list(found)
