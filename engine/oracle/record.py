"""Records cases and the pipeline's answers for engine/tests/recorded.rs, which needs no Python.

    make oracle && target/oracle-venv/bin/python engine/oracle/record.py > engine/tests/fixtures/recorded-cases.jsonl

A line is {"document", "identities", "answer"}: as generate.py writes cases and oracle.py answers them.
"""

import json
import sys

import boundaries
import generate
import grid
import oracle

SEED = 2
DOCUMENTS = 600
IDENTITIES_PER_DOCUMENT = 5
# Larger documents say nothing more, and make the file large.
LONGEST_DOCUMENT = 5000
# So many generated documents are taken as they come, and later ones only for a difference met less often than this.
PLAIN_DOCUMENTS = 80
LEAST_OF_A_RULE = 4
# Of the grid, every so many condition values and traits of an operator; another offset for each.
STEP = 4


def generated_cases(met):
    for number, (_, case) in enumerate(generate.cases(SEED, DOCUMENTS, IDENTITIES_PER_DOCUMENT)):
        if len(json.dumps(case["document"])) > LONGEST_DOCUMENT:
            continue
        if number < PLAIN_DOCUMENTS or any(
            met.get(rule, 0) < LEAST_OF_A_RULE for rule in rules_of(oracle.answers(case))
        ):
            yield case


def grid_cases():
    for number, case in enumerate(grid.cases()):
        project = case["document"]["project"]
        project["segments"] = project["segments"][number % STEP :: STEP]
        case["identities"] = case["identities"][number % STEP :: STEP]
        for segment in project["segments"]:
            # The least that is a segment; the whole grid runs live.
            segment["rules"] = [{"type": "ALL", "conditions": segment["rules"][0]["conditions"]}]
        yield case


def boundary_cases():
    cases = list(boundaries.cases())
    return cases[:12] + cases[-6:]


def rules_of(answer):
    return [
        *answer["default_rules"],
        *(rule for identity in answer["identities"] for rule in identity["rules"]),
    ]


def main():
    met = {}
    pairs = 0
    for cases in (generated_cases(met), grid_cases(), boundary_cases()):
        for case in cases:
            answer = oracle.answers(case)
            for rule in rules_of(answer):
                met[rule] = met.get(rule, 0) + 1
            pairs += len(case["identities"])
            print(json.dumps({**case, "answer": answer}, ensure_ascii=False, separators=(",", ":")))
    print(f"{pairs} pairs; {met}", file=sys.stderr)


if __name__ == "__main__":
    main()
