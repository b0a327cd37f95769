"""The kernel filter lets pass what decode finds, however the network and the mirror port wrap it.

The captures of pcaps/ after each transform of tests/metamorphic are files for engine_kernel_test,
which compares frame by frame, and the records with the filter and without.
"""
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, os.pardir, x) for x in ("tools", "metamorphic")]
import check  # noqa: E402
import frames as F  # noqa: E402
import transforms as T  # noqa: E402


class KernelFilter(unittest.TestCase):
    def test_whatever_the_wrapping(self):
        program = os.path.join(os.environ.get("POSTCARD_BUILD", "build"), "tests", "unit", "engine_kernel_test")
        captures, _ = check.load(["pcaps"])
        with tempfile.TemporaryDirectory() as folder:
            for n, (name, transform) in enumerate({**T.SAME, **T.LESS}.items()):
                octets = check.make(captures, transform, name, 1, T.LINKS.get(name, F.ETHERNET), T.SNAP.get(name, 0))
                with open(os.path.join(folder, "%02d-%s.pcap" % (n, "".join(c if c.isalnum() else "-" for c in name))), "wb") as f:
                    f.write(octets)
            done = subprocess.run([program], env=dict(os.environ, POSTCARD_CAPTURES=folder, CMOCKA_MESSAGE_OUTPUT="TAP"),
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=280, check=False)
        self.assertEqual(done.returncode, 0, done.stdout.decode("utf-8", "replace")[-4000:])


if __name__ == "__main__":
    unittest.main()
