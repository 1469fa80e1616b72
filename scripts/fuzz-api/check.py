"""Validates an OpenAPI document (read from a file), and every example in it against its schema.

Usage: check.py FILE
"""

import json
import sys

from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

ROOT = "urn:document"


def holders(part, path=()):
    """Every place that has a schema and an example, or is a schema with an example."""
    if isinstance(part, dict):
        yield path, part
        for name, inner in part.items():
            if name not in ("example", "examples"):
                yield from holders(inner, (*path, name))
    elif isinstance(part, list):
        for n, inner in enumerate(part):
            yield from holders(inner, (*path, n))


def examples(part):
    """The values that a place shows."""
    if "example" in part:
        yield part["example"]
    shown = part.get("examples", [])
    if isinstance(shown, dict):
        yield from (example["value"] for example in shown.values() if isinstance(example, dict) and "value" in example)
    elif isinstance(shown, list):
        yield from shown


def main():
    with open(sys.argv[1]) as file:
        document = json.load(file)
    validate(document)
    registry = Registry().with_resource(ROOT, Resource.from_contents(document, default_specification=DRAFT202012))
    wrong, checked = [], 0
    for path, part in holders(document):
        pointer = "/".join(str(p).replace("~", "~0").replace("/", "~1") for p in path)
        pointer += "/schema" if "schema" in part else ""
        validator = Draft202012Validator(
            {"$ref": f"{ROOT}#/{pointer}"}, registry=registry, format_checker=Draft202012Validator.FORMAT_CHECKER
        )
        for example in examples(part):
            checked += 1
            wrong += [f"{pointer}: {error.message}" for error in validator.iter_errors(example)]
    print(f"the document is valid OpenAPI {document['openapi']}; {checked} examples checked")
    sys.exit("\n".join(wrong) or 0)


if __name__ == "__main__":
    main()
