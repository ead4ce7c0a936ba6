"""JSONPaths as properties of conditions."""

# Paths beyond the usual: what RFC 9535 allows, what finds no scalar, and what is no path. None goes over all of
# `$.flags`: what that finds depends on which flags were read before, and only `$.flags.NAME…` is part of the contract.
OTHER_PATHS = [
    "$.", "$.[", "$.0", "$..", "$.identity..", "$.identity.traits[", "$.identity.traits.7up",
    "$. environment.name", "$.environment .name", "$.environment.name ", "$.environment.name.x",
    "$.environment['name']", "$['environment'].name", "$.nothing", "$.identity.nothing.at.all", "$.environment",
    "$.identity", "$.identity.traits", "$.features", "$.flags", "$.identity.traits[?length(@)]",
    "$.identity.traits[?nofunction(@.a)]", "$.identity.traits[?@ == 'free']", "$.identity.traits.*",
    "$.identity.traits[*]", "$.identity.*", "$.*.name", "$..name", "$..identifier", "$.environment..*",
    "$.identity['nothing', 'identifier']", "$.identity['key','identifier']", "$.identity[0]", "$.features.*.name",
    "$.features.*.value", "$.features[?@.enabled == true].name", "$.features[?@.enabled && @.value].value",
    "$.features[?@.name == $.environment.name].value", "$.features..metadata.id",
    "$.features[?match(@.name, 'f.*')].name", "$.features[?search(@.name, '[0-9]')].key",
    "$.features[?count(@.variants[*]) > 1].variants[-1].weight", "$.features[?length(@.name) > 3].name",
    "$.features.*.variants[0].priority", "$.features.*.variants[1:].weight", "$.features.*.variants[::-1].key",
    "$.features[?@.value > 1].value", "$.features[?!@.variants].value", "$.segments.*.name", "$.segments.*.key",
    "$.segments.*.rules[0].type", "$.segments.*.rules[0].conditions[0].value", "$.segments.*.overrides[0].name",
    "$.segments.*.overrides[*].priority", "$.segments.*.metadata.source", "$.identity.traits.x-",
    "$.identity.traits.-x", "$.identity.traits.x.y", "$.identity.traits.größe", "$.identity.traits['']",
    "$.identity.traits['\\u0061ge']", '$.identity.traits["age"]', "$.identity.traits['age'",
    "$['identity']['traits']['age']", "$.identity.traits.age\n", "$.identity\n.traits.age",
    "$.identity.traits[ 'age' ]", "$.IDENTITY.identifier", "$.identity.Key",
]
