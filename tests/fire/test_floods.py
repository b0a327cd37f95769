"""Floods of every kind (flood_kinds.c): bounded memory, the same cost for each packet, and the honest keep their verdicts.

In `make test` a flood takes a second or two; in `make test-long` (POSTCARD_LONG=1) it is of the size that fire.ROWS names, with
three sizes of --memory; each run adds a row to fire.txt in the build folder.  What does not fit a machine's time is scaled by POSTCARD_FIRE (1).
"""
import os
import sys
import unittest

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "tools")]
import fire  # noqa: E402
import postcard  # noqa: E402

HONEST = 200
MIB = 1 << 20
PARENT = 96 * MIB  # what the parent remembers has bounds of its own: cards, alerts, memory across connections
LONG = os.environ.get("POSTCARD_LONG", "") == "1"
SCALE = float(os.environ.get("POSTCARD_FIRE", "1"))


def is_steady(r):
    """The tables are full by the second part; a cost that grew with what came before would make the last one 7/3 of it."""
    return r.parts_s[3] < 1.7 * r.parts_s[1] + 0.2


class Floods(unittest.TestCase):
    def flood(self, kind, count, memory="64M", floor=1.0, steady=True, parts=4):
        r = fire.run(kind, max(int(count * SCALE), 1), memory, HONEST, parts=parts)
        fire.note(kind, count, memory, r)
        said = "%s %d --memory %s: %r" % (kind, count, memory, r._replace(summary=r.summary.get("evicted")))
        self.assertEqual(r.status, 0, said)
        self.assertEqual(r.wrong, 0, said)
        self.assertGreaterEqual(r.right, floor * HONEST, said)
        self.assertEqual(r.records["summary"], 1, said)
        if not postcard.sanitized():
            self.assertLess(r.worker, int(memory[:-1]) * MIB << (10 if memory.endswith("G") else 0), said)
            self.assertLess(r.parent, PARENT, said)
            self.assertEqual(len(r.parts_s), parts, said)
            if LONG and steady and not is_steady(r):  # a cost that grows does so again; what else the machine does, hardly
                again = fire.run(kind, max(int(count * SCALE), 1), memory, HONEST, parts=parts)
                self.assertTrue(is_steady(again), "%s, and again %r" % (said, again.parts_s))
            elif not LONG:
                self.assertLess(r.parts_s[3], 3 * max(r.parts_s[1:3]) + 0.5, said)

    def kind(self, name):
        row = fire.ROWS[name]
        if not LONG:
            self.flood(name, row.few // (10 if postcard.sanitized() else 1), "64M")
            return
        for i, memory in enumerate(fire.SIZES):
            # the whole of it with the least memory, which is the hardest case; less shows what more memory saves
            self.flood(name, row.many if i == 0 else min(row.many, 1_000_000), memory, row.floor[i], steady=i == 0)

    def test_chosen_addresses_cost_no_more_than_others(self):
        """CPU time of the last half, against that of random addresses: chains in a table would make it grow with its size."""
        if postcard.sanitized():
            self.skipTest("times mean little under sanitizers")
        count = 2_000_000 if LONG else 60_000
        any_s = min(sum(fire.run("any", count, "64M", 0).parts_s) for _ in range(2))
        for name in ("hash-xor", "hash-sum", "hash-ports", "hash-stride"):
            chosen_s = min(sum(fire.run(name, count, "64M", 0).parts_s) for _ in range(2))
            self.assertLess(chosen_s, 1.6 * any_s + 0.2, name)

    def test_all_recipients_are_counted(self):
        r = fire.run("recipients", 100_000, "64M", 3)
        self.assertEqual((r.status, r.records["message"], r.right), (0, 3, 3))  # two honest mails, and that one
        message = r.first["message"]
        self.assertEqual(message["postcard"]["recipients"], 100_000)
        self.assertLessEqual(len(message["email"]["to"]["address"]), 500)

    def test_a_mail_of_multiparts_has_its_verdict(self):
        for kind in ("multiparts", "attached", "headers", "long-header", "long-body"):
            r = fire.run(kind, 10_000, "64M", 0)
            self.assertEqual((r.status, r.records["message"], r.first["message"]["postcard"]["outcome"]), (0, 1, "cleartext"), kind)


def _add(name):
    def test(self):
        self.kind(name)
    setattr(Floods, "test_" + name.replace("-", "_"), test)


for _name in fire.ROWS:
    _add(_name)


if __name__ == "__main__":
    unittest.main()
