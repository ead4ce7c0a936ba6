"""Writes environment documents and identities as JSON lines, the same ones for the same seed.

    generate.py SEED DOCUMENTS IDENTITIES_PER_DOCUMENT     random documents, rich in everything an engine can meet
    generate.py grid                                       every operator x trait x condition value
    generate.py regexes SEED DOCUMENTS                     random regexes x random texts
    generate.py boundaries                                 percentages at their very limits (needs flag-engine)

A line is {"document": …, "identities": [{"identifier", "traits": [{"trait_key", "trait_value"}]}]}.
"""

import json
import random
import sys

import grid
import regexes
from documents import random_document
from identities import random_identities


def cases(seed, documents, identities_per_document):
    for number in range(documents):
        rng = random.Random(f"{seed}/{number}")
        document = random_document(rng)
        yield rng, {
            "document": document,
            "identities": random_identities(rng, document, identities_per_document),
        }


def main(arguments):
    if arguments == ["grid"]:
        for case in grid.cases():
            print(json.dumps(case))
        return
    if arguments == ["boundaries"]:
        import boundaries

        for case in boundaries.cases():
            print(json.dumps(case))
        return
    if arguments[0] == "regexes":
        for case in regexes.cases(*map(int, arguments[1:])):
            print(json.dumps(case))
        return
    seed, documents, identities_per_document = map(int, arguments)
    for rng, case in cases(seed, documents, identities_per_document):
        print(json.dumps(case, ensure_ascii=rng.random() < 0.5))


if __name__ == "__main__":
    main(sys.argv[1:])
