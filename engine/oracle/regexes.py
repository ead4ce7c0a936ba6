"""Random regexes and texts: what the grid's hand-written ones do not think of."""

import random

import grid

ATOMS = [
    *[
        "a",
        "b",
        "c",
        "A",
        "é",
        "ß",
        "ſ",
        "K",
        "1",
        "_",
        "-",
        " ",
        ".",
        r"\d",
        r"\D",
        r"\w",
        r"\W",
        r"\s",
        r"\S",
        r"\n",
        r"\t",
    ],
    *["[ab]", "[^a]", "[a-c]", "[^a-c1]", r"[\d_]", r"[^\W\d]", "[]a]", "[a-]", r"[\]b]", "[à-ü]", "[A-Z]", "[.]"],
    *[
        r"\.",
        r"\x61",
        r"\u00e9",
        r"\061",
        r"\b",
        r"\B",
        "^",
        "$",
        r"\A",
        r"\Z",
        "日",
        "\U0001f600",
        r"\\",
        r"\-",
        "#",
    ],
]
QUANTIFIERS = [
    "*",
    "+",
    "?",
    "*?",
    "+?",
    "??",
    "{2}",
    "{1,2}",
    "{,2}",
    "{1,}",
    "{0}",
    "{1,2}?",
    "*+",
    "++",
    "?+",
    "{1,2}+",
]
GROUPS = [
    *[
        "({})",
        "({})",
        "(?:{})",
        "(?:{})",
        "(?i:{})",
        "(?s:{})",
        "(?m:{})",
        "(?-i:{})",
        "(?={})",
        "(?!{})",
        "(?>{})",
    ],
    *["(?<={})", "(?<!{})"],
]
FLAGS = ["", "", "", "", "", "", "(?i)", "(?s)", "(?m)", "(?x)", "(?a)", "(?is)", "(?u)"]
TEXTS = [
    "a",
    "b",
    "c",
    "A",
    "B",
    "é",
    "É",
    "ß",
    "ſ",
    "s",
    "S",
    "k",
    "K",
    "1",
    "٣",
    "_",
    "-",
    " ",
    "\n",
    "\t",
    "日",
    "\U0001f600",
    ".",
    "#",
]


def random_regex(rng):
    return rng.choice(FLAGS) + alternatives(rng, 2)


def alternatives(rng, depth):
    return "|".join(sequence(rng, depth) for _ in range(rng.choice([1, 1, 1, 1, 2, 3])))


def sequence(rng, depth):
    return "".join(item(rng, depth) for _ in range(rng.choice([0, 1, 1, 2, 2, 3])))


def item(rng, depth):
    choice = rng.random()
    if depth and choice < 0.3:
        part = rng.choice(GROUPS).format(alternatives(rng, depth - 1))
    elif choice < 0.35:
        part = rng.choice(
            [r"\1", r"\2", "(?P<n>a|b)(?P=n)", "(a)?(?(1)b|c)", "(?P<m>.)", "(?#comment)", "(", ")", "[", "|"]
        )
    else:
        part = rng.choice(ATOMS)
    return part + (rng.choice(QUANTIFIERS) if rng.random() < 0.3 else "")


def random_text(rng):
    return "".join(rng.choice(TEXTS[:3] if rng.random() < 0.5 else TEXTS) for _ in range(rng.randint(0, 7)))


def cases(seed, documents):
    for number in range(documents):
        rng = random.Random(f"{seed}/{number}")
        texts = [random_text(rng) for _ in range(30)]
        yield {
            "document": grid.condition_document("REGEX", [random_regex(rng) for _ in range(40)]),
            "identities": [
                {"identifier": "i", "traits": [{"trait_key": grid.TRAIT, "trait_value": text}]} for text in texts
            ],
        }
