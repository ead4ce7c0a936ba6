"""Reads a compose file as the Compose Specification says, variables filled in, and checks that all it refers to is there."""

import re
import sys

from compose_spec import PyCompose


def filled_in(text: str, variables: dict[str, str]) -> str:
    """Replaces `${NAME}` and `${NAME:-default}`; a variable that is neither given nor has a default is an error."""

    def value(match: re.Match[str]) -> str:
        name, default = match.groups()
        if name not in variables and default is None:
            sys.exit(f"{name} is given nowhere and has no default")
        return variables.get(name) or default

    return re.sub(r"\$\{(\w+)(?::-([^}]*))?\}", value, text)


def variables_of(path: str) -> dict[str, str]:
    with open(path, encoding="utf-8") as lines:
        pairs = (line.strip().split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
        return dict(pairs)


def main() -> None:
    compose_path, variables_path = sys.argv[1:]
    with open(compose_path, encoding="utf-8") as file:
        text = file.read()
    for variables in ({}, variables_of(variables_path)):
        compose = PyCompose.from_yaml(filled_in(text, variables))
        for validate in (compose.validate, compose.validate_networks, compose.validate_volumes):
            validate()
    print(compose_path, "is sound:", ", ".join(sorted(compose.service_names())))


main()
