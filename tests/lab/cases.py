"""The table of the cases of live.py."""

ALL = {}


class Case:
    def __init__(self, run, note, long, tools, prepare):
        self.run, self.note, self.long, self.tools, self.prepare = run, note, long, tools, prepare


def case(note, long=False, tools=(), prepare=None):
    """Makes a function a case.  It raises sensor.Wrong, or returns what it measured, or nothing; `prepare` runs before,
    outside of the namespaces."""
    def add(function):
        ALL[function.__name__.replace("_", "-")] = Case(function, note, long, tools, prepare)
        return function
    return add
