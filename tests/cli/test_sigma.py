"""The shipped rules hold to the schemas of Sigma 2.1, and other tools can read them as they are.

The schemas are written down here from the specification's: what a document must have, of which type
and form (https://github.com/SigmaHQ/sigma-specification, rules, correlations and filters). Where a
copy of the specification is at hand, SIGMA_SPECIFICATION=FOLDER has its own schemas and documents tried.
"""
import copy
import glob
import json
import os
import re
import tempfile
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
                   "rules": {"anyOf": [{"const": "any"}, {**WORDS, "minItems": 1}]}}})  # "any": since 2.2
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
        for path, doc in self.rules + self.readme():
            self.assertEqual(faults(doc), [], path)
        self.assertEqual({k for _, d in self.rules + self.readme() for k in SCHEMAS if k in d}, set(SCHEMAS))

    def readme(self):
        """The rule and the exception that the README shows."""
        with open("README.md", encoding="utf-8") as f:
            blocks = re.findall(r"```yaml\n# (\S+)\n(.*?)```", f.read(), re.S)
        return [(name, yaml.load(text, Loader)) for name, text in blocks if name.startswith("my-rules/")]

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
        accepted = next(d for _, d in self.readme() if "filter" in d)
        for doc, change in ((rule, without("title")), (rule, without("logsource")),
                            (rule, without("condition", "detection")), (rule, with_value("23.11.2026", "date")),
                            (rule, with_value("bad", "level")), (rule, with_value(["a tag"], "tags")),
                            (rule, with_value(["cwe.1", "cwe.1"], "tags")), (rule, with_value(7, "detection", "x")),
                            (count, without("group-by", "correlation")), (count, without("field", "correlation")),
                            (count, without("condition", "correlation")),
                            (count, with_value("1 day", "correlation", "timespan")),
                            (count, with_value({}, "correlation", "condition")),
                            (accepted, without("selection", "filter")), (accepted, without("logsource")),
                            (accepted, with_value([], "filter", "rules")), (accepted, with_value("all", "filter", "rules"))):
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
                self.assertIn(doc["logsource"].get("service"), (None, "session", "message", "sensor"), path)

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


HEAD = "title: T\nid: 6e5a5c06-9f3c-4f0e-a0a5-0a1d1c3f8b11\nstatus: test\ndescription: d\nauthor: A\ndate: 2017-05-09\n"
EVENTS = "---\n".join(HEAD.replace("id: 6e5a5c06-9f3c-4f0e-a0a5-0a1d1c3f8b11", "name: cmd_%s\nid: 6e5a5c06-9f3c-4f0e-a0a5-%012d" % (c, i))
                      + "taxonomy: ecs\nlevel: low\nlogsource: {product: postcard}\n"
                        "detection: {selection: {postcard.helo: %s}, condition: selection}\n" % c
                      for i, c in enumerate("abc", 1))


def counts(kind, rules, group, condition, more=""):
    return "title: C\n%scorrelation:\n    type: %s\n    rules: [%s]\n    group-by: [%s]\n    timespan: 1h\n%s" % (
        more, kind, rules, group, "    condition: %s\n" % condition if condition else "")


class Specification(unittest.TestCase):
    """Documents such as the specification's own tests have: those about our records are taken, those about the logs
    and fields of others are refused with a reason that names line and column."""

    def check(self, text, place=None, reason=None):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "x.yml")
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
            done = postcard.run(postcard.binary(), ["-T", "--rules", path])
        if place is None:
            self.assertEqual((done.code, done.stderr), (0, b""), text)
        else:
            self.assertEqual((done.code, done.stdout), (2, b""), text)
            self.assertTrue(done.stderr.decode().startswith("postcard: %s:%s: " % (path, place)), done.stderr)
            self.assertIn(reason, done.stderr.decode())

    def test_rules(self):
        related = "related:\n    - id: 0e95725d-7320-415d-80f7-004da920fc11\n      type: similar\n"
        others = related + "references:\n    - https://a.example\ntags:\n    - attack.defense-evasion\n    - attack.t1562.001\n" \
                           "falsepositives:\n    - a string\nlevel: high\n"
        detection = "detection:\n    selection:\n        %s: 'x'\n    condition: selection\n"
        windows = "logsource:\n    product: windows\n    service: application\n" + detection % "Provider_Name"
        self.check(HEAD + others + "taxonomy: sigma\n" + windows, "18:11", "taxonomy 'sigma'")
        self.check(HEAD + others + windows, "19:14", "the logs of 'windows'")
        self.check(HEAD + "taxonomy: ecs\nlevel: high\nlogsource:\n    category: network\n    service: dns\n"
                   + detection % "dns.question.name", "10:5", "no category")
        ours = "taxonomy: ecs\nlogsource:\n    product: postcard\n    service: session\n"
        self.check(HEAD + others + ours + detection % "postcard.helo")
        self.check(HEAD + others + ours + detection % "Provider_Name", "24:9", "'Provider_Name' is no field")

    def test_filters(self):
        names = "filter:\n    rules:\n        - %s # this one\n        - cmd_b\n    selection:\n" \
                "        %s|startswith: 'adm_'\n    condition: selection\n"
        ours = "title: F\ndescription: d\nlogsource:\n    product: postcard\n" + names
        self.check(EVENTS + "---\n" + ours % ("cmd_a", "postcard.helo"))
        self.check(EVENTS + "---\n" + ours % ("6e5a5c06-9f3c-4f0e-a0a5-000000000003", "postcard.helo"))
        at = EVENTS.count("\n") + 1
        self.check(EVENTS + "---\n" + ours % ("6f3e2987-db24-4c78-a860-b4f4095a7095", "postcard.helo"), "%d:11" % (at + 7),
                   "there is no rule '6f3e2987")
        self.check(EVENTS + "---\n" + ours % ("cmd_a", "User"), "%d:9" % (at + 10), "'User' is no field")
        self.check("title: F\nlogsource:\n    category: process_creation\n    product: windows\n" + names % ("a", "User"),
                   "3:5", "no category")

    def test_correlations(self):
        """Each type with fields of ours, with one of others, and with a rule that is not there."""
        at = EVENTS.count("\n") + 1
        whole = "cmd_a AND cmd_b AND cmd_c"
        for kind, rules, condition in (
                ("event_count", "cmd_a", "{gte: 100}"), ("value_count", "cmd_a", "{field: postcard.helo, gte: 100}"),
                ("value_sum", "cmd_a", "{field: source.bytes, gt: 1000000}"), ("value_avg", "cmd_a", "{field: source.bytes, gt: 500}"),
                ("value_max", "cmd_a", "{field: source.bytes, gte: 100}"), ("value_min", "cmd_a", "{field: source.bytes, lt: 100}"),
                ("temporal", "cmd_a, cmd_b, cmd_c", ""), ("temporal", "cmd_a, cmd_b, cmd_c", whole),
                ("temporal_ordered", "cmd_a, cmd_b, cmd_c", ""), ("temporal_ordered", "cmd_a, cmd_b, cmd_c", whole)):
            for more in ("", "taxonomy: ecs\nid: 0e95725d-7320-415d-80f7-004da920fc11\n"):
                self.check(EVENTS + "---\n" + counts(kind, rules, "source.ip, postcard.helo", condition, more))
            self.check(EVENTS + "---\n" + counts(kind, rules, "SourceIP", condition), "%d:15" % (at + 5),
                       "'SourceIP' is no field of the records; did you mean 'source.ip'?")
            self.check(counts(kind, rules, "source.ip", condition), "4:13", "there is no rule 'cmd_a'")
        # the specification does not say which percentile
        self.check(EVENTS + "---\n" + counts("value_percentile", "cmd_a", "source.ip", "{field: source.bytes, lte: 1}"),
                   "%d:11" % (at + 3), "'percentile' is missing")
        self.check(EVENTS + "---\n" + counts("near", "cmd_a", "source.ip", "{gte: 1}"), "%d:11" % (at + 3), "type of correlation")

    @unittest.skipUnless(os.environ.get("SIGMA_SPECIFICATION"), "SIGMA_SPECIFICATION names no copy of the specification")
    def test_a_copy_of_the_specification(self):
        folder = os.environ["SIGMA_SPECIFICATION"]
        paths = glob.glob(os.path.join(folder, "tests", "**", "*.yml"), recursive=True)
        self.assertGreater(len(paths), 0)
        for path in paths:
            done = postcard.run(postcard.binary(), ["-T", "--rules", path])
            if done.code != 0:
                self.assertRegex(done.stderr.decode(), r"\Apostcard: %s:\d+:\d+: [^\n]+\n\Z" % re.escape(path))
                self.assertEqual(done.code, 2)
        for kind, name in (("detection", "detection-rule"), ("correlation", "correlation-rules"), ("filter", "filters")):
            path = os.path.join(folder, "json-schema", "sigma-%s-schema.json" % name)
            with open(path, encoding="utf-8") as f:
                checker = jsonschema.Draft202012Validator(json.load(f), format_checker=jsonschema.FormatChecker())
            for where, doc in documents("rules/*.yml"):
                if kind in doc:
                    self.assertEqual([e.message for e in checker.iter_errors(doc)], [], where)


if __name__ == "__main__":
    unittest.main()
