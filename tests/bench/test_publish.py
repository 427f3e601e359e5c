"""What ./dev figures makes of a run: tables between their marks, and pictures that are SVG."""
import json
import os
import sys
import tempfile
import unittest
import xml.etree.ElementTree

import plots
import publish
import report

PAGE = """# Page

<!-- bench: load -->
old
<!-- bench: end -->

![A picture](performance/read-by-depth.svg)

<!-- bench: durable -->
kept, as nothing was measured for it
<!-- bench: end -->
"""


def record(group, name, target, depth, value, number, **more):
    return dict({"group": group, "name": name, "target": target, "size": 64, "depth": depth, "connections": 1, "count": 0,
                 "round": number, "value": value, "unit": "requests/s"}, **more)


def run(short=False):
    records = []
    for number in range(3):
        for target, rate in (("umemd, lines, base64", 2000000.0), ("Redis", 1000000.0)):
            for depth in (1, 64):
                records.append(record("load", "read", target, depth, rate * depth / 64 + number, number, p50_us=1.0, p90_us=2.0,
                                      p99_us=3.0, p999_us=4.0, max_us=5.0))
    records.append(record("stream", "fills <64> MiB & more", "umemd", 1, 1.5, 0, p50_us=10, p99_us=900, max_us=1500, busy_us=700))
    return {"machine": "Linux 1.2.3-x, x86_64, 2 processors", "versions": ["umemd 0.1.0", "Redis v=7 sha=1 build=2"], "rounds": 3,
            "short": short, "records": records}


class Publish(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.page = os.path.join(self.folder.name, "performance.md")
        with open(self.page, "w", encoding="utf-8") as file:
            file.write(PAGE)

    def publish(self, data):
        with open(os.path.join(self.folder.name, "results.json"), "w", encoding="utf-8") as file:
            json.dump(data, file)
        sys.argv = ["publish.py", self.folder.name, self.folder.name]
        publish.main()
        with open(self.page, encoding="utf-8") as file:
            return file.read()

    def test_tables_are_replaced(self):
        text = self.publish(run())
        self.assertIn("| read 64 bytes, 64 under way, JSON lines with base64 | 2,000,001/s | 0 % | 2.00 |", text)
        self.assertNotIn("old", text)
        self.assertIn("kept, as nothing", text)
        self.assertEqual(os.listdir(os.path.join(self.folder.name, "performance")), ["read-by-depth.svg"])
        self.assertEqual(self.publish(run()), text)

    def test_a_part_is_not_published(self):
        with self.assertRaises(SystemExit):
            self.publish(run(short=True))
        with open(self.page, encoding="utf-8") as file:
            self.assertEqual(file.read(), PAGE)

    def test_a_table_that_is_not_known(self):
        with self.assertRaises(AttributeError):
            publish.fill("<!-- bench: nothing -->\n<!-- bench: end -->", publish.Page(run(), {}))

    def test_the_machine_is_not_named(self):
        page = publish.Page(run(), report.collect(run()["records"]))
        self.assertEqual(page.about(), ["Linux, x86_64, 2 processors; umemd 0.1.0, Redis v=7; 3 rounds."])
        self.assertIn("| fills <64> MiB & more | 0.01 | 0.90 | 1.50 | 0.70 |", page.streams())

    def test_pictures_are_svg(self):
        drawn = plots.draw_all(report.collect(run()["records"]))
        self.assertEqual({name for name, _, _ in drawn}, {"read-by-depth", "read-by-size", "read-by-connections", "latency", "latency-deep",
                                                          "pings"})
        for name, title, svg in drawn:
            root = xml.etree.ElementTree.fromstring(svg)
            self.assertEqual(root.tag, "{http://www.w3.org/2000/svg}svg", name)
            self.assertIn(title, "".join(root.itertext()))
            self.assertNotIn("nan", svg)


if __name__ == "__main__":
    unittest.main()
