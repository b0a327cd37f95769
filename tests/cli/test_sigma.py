"""The shipped rules hold to the schemas of Sigma 2.1, and other tools can read them as they are.

The schemas are written down here from the specification's: what a document must have, of which type
and form (https://github.com/SigmaHQ/sigma-specification, rules, correlations and filters).
"""
import copy
import glob
import unittest
import uuid

import jsonschema
import yaml

import postcard

DAY = {"type": "string", "pattern": r"^\d{4}-(0[1-9]|1[012])-(0[1-9]|[12]\d|3[01])$"}
NAME = {"type": "string", "maxLength": 256}
WORDS = {"type": "array", "uniqueItems": True, "items": {"type": "string"}}
COMMON = {
    "title": NAME, "name": NAME, "taxonomy": NAME,
    "id": {"type": "string", "format": "uuid"},
    "description": {"type": "string", "maxLength": 65535},
    "status": {"enum": ["stable", "test", "experimental", "deprecated", "unsupported"]},
    "level": {"enum": ["informational", "low", "medium", "high", "critical"]},
    "author": {"type": "string"}, "license": {"type": "string"},
    "date": DAY, "modified": DAY, "references": WORDS, "fields": WORDS,
    "falsepositives": {"type": "array", "uniqueItems": True, "items": {"type": "string", "minLength": 2}},
    "tags": {"type": "array", "uniqueItems": True,
             "items": {"type": "string", "pattern": r"^[a-z0-9_-]+\.[a-z0-9._-]+$"}},
    "logsource": {"type": "object", "additionalProperties": False,
                  "properties": {k: {"type": "string"} for k in ("category", "product", "service", "definition")}},
}
SEARCH = {"anyOf": [{"type": "object"},
                    {"type": "array", "items": {"anyOf": [{"type": t} for t in ("string", "integer", "object")]}}]}


def document(section, required, schema):
    """The schema of a document that has `section`."""
    return {"type": "object", "required": ["title", section] + required, "properties": {**COMMON, section: schema}}


RULE = document("detection", ["logsource"], {
    "type": "object", "required": ["condition"], "properties": {"condition": {"type": "string"}},
    "additionalProperties": SEARCH})
FILTER = document("filter", ["logsource"], {
    "type": "object", "required": ["rules", "selection", "condition"], "additionalProperties": SEARCH,
    "properties": {"condition": {"type": "string"},
                   "rules": {"anyOf": [{"const": "any"}, {**WORDS, "minItems": 1}]}}})
NEEDS = {"event_count": ["group-by"], "value_count": ["group-by", "field"],
         "temporal": ["group-by"], "temporal_ordered": ["group-by"]}
CORRELATION = document("correlation", [], {
    "type": "object", "required": ["type", "rules", "timespan", "condition"],
    "properties": {
        "type": {"enum": list(NEEDS)}, "rules": {**WORDS, "items": {"type": "string", "minLength": 2}},
        "group-by": WORDS, "aliases": {"type": "object", "additionalProperties": {"type": "object"}},
        "timespan": {"type": "string", "maxLength": 10, "pattern": r"^\d+[smhdMy]$"}, "field": {"type": "string"},
        "condition": {"type": "object", "minProperties": 1, "additionalProperties": False, "properties": {
            **{k: {"type": "integer"} for k in ("gt", "gte", "lt", "lte", "eq")}, "field": {"type": "string"}}}},
    "allOf": [{"if": {"properties": {"type": {"const": k}}}, "then": {"required": v}} for k, v in NEEDS.items()]})
SCHEMAS = {"detection": RULE, "filter": FILTER, "correlation": CORRELATION}

TACTICS = {"collection", "credential-access", "discovery", "initial-access", "defense-evasion", "exfiltration",
           "command-and-control"}


class Loader(yaml.SafeLoader):
    """A day is the text that it is, as in JSON."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}


def documents(pattern):
    """(file, document) of all the files that match."""
    for path in sorted(glob.glob(pattern)):
        with open(path, encoding="utf-8") as f:
            for doc in yaml.load_all(f, Loader):
                yield path, doc


def faults(doc):
    """What the schema for its kind finds wrong with a document."""
    kinds = [k for k in SCHEMAS if k in doc]
    if len(kinds) != 1:
        return ["it has the sections %s" % kinds]
    checker = jsonschema.Draft202012Validator(SCHEMAS[kinds[0]], format_checker=jsonschema.FormatChecker())
    return [e.message for e in checker.iter_errors(doc)]


class Sigma(unittest.TestCase):
    def setUp(self):
        self.rules = list(documents("rules/*.yml"))
        self.assertGreaterEqual(len(self.rules), 30)

    def test_schemas_hold(self):
        for path, doc in self.rules + list(documents("tests/rules/exceptions/*.yml")):
            self.assertEqual(faults(doc), [], path)

    def test_schemas_refuse(self):
        """A schema that takes everything would prove nothing."""
        def without(key, *inside):
            def change(doc):
                for k in inside:
                    doc = doc[k]
                del doc[key]
            return change

        def with_value(value, *keys):
            def change(doc):
                for k in keys[:-1]:
                    doc = doc[k]
                doc[keys[-1]] = value
            return change
        rule = next(d for _, d in self.rules if "detection" in d)
        count = next(d for _, d in self.rules if d.get("correlation", {}).get("type") == "value_count")
        for doc, change in ((rule, without("title")), (rule, without("logsource")),
                            (rule, without("condition", "detection")), (rule, with_value("23.11.2026", "date")),
                            (rule, with_value("bad", "level")), (rule, with_value(["a tag"], "tags")),
                            (rule, with_value(["cwe.1", "cwe.1"], "tags")), (rule, with_value(7, "detection", "x")),
                            (count, without("group-by", "correlation")), (count, without("field", "correlation")),
                            (count, without("condition", "correlation")),
                            (count, with_value("1 day", "correlation", "timespan")),
                            (count, with_value({}, "correlation", "condition"))):
            broken = copy.deepcopy(doc)
            self.assertEqual(faults(broken), [])
            change(broken)
            self.assertNotEqual(faults(broken), [], broken)

    def test_names_and_ids_are_unique(self):
        for key in ("id", "name"):
            values = [doc[key] for _, doc in self.rules]
            self.assertEqual(sorted(values), sorted(set(values)))
        for path, doc in self.rules:
            self.assertEqual(uuid.UUID(doc["id"]).version, 4, path)

    def test_what_every_rule_says_of_itself(self):
        for path, doc in self.rules:
            self.assertEqual(doc["taxonomy"], "ecs", path)
            self.assertEqual((doc["author"], doc["status"]), ("postcard", "stable"), path)
            if "detection" in doc:
                self.assertEqual(doc["logsource"]["product"], "postcard", path)
                self.assertIn(doc["logsource"].get("service"), (None, "session", "message"), path)

    def test_tags(self):
        """ATT&CK techniques and tactics, and CWE, in the form that other tools look for."""
        tagged = 0
        for path, doc in self.rules:
            for tag in doc.get("tags", []):
                space, _, value = tag.partition(".")
                self.assertIn(space, ("attack", "cwe"), path)
                if space == "attack" and value not in TACTICS:
                    self.assertRegex(value, r"^t\d{4}(\.\d{3})?$", path)
                if space == "cwe":
                    self.assertRegex(value, r"^[1-9]\d*$", path)
                tagged += 1
        self.assertGreater(tagged, 40)

    def test_fields_are_those_of_the_records(self):
        """Of the detections; what `postcard --fields` lists is what a SIEM has."""
        listed = postcard.run(postcard.binary(), ["--fields"]).stdout.decode()
        known = {line.split()[0] for line in listed.splitlines() if line[:1].isalpha() or line[:3].strip()}
        for path, doc in self.rules:
            for search in doc.get("detection", {}).values():
                for item in search if isinstance(search, list) else [search]:
                    for key in item if isinstance(item, dict) else []:
                        self.assertIn(key.split("|")[0], known, path)


if __name__ == "__main__":
    unittest.main()
