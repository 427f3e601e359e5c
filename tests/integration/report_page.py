#!/usr/bin/env python3
"""A page of umem report, read as a browser does.

Usage: report_page.py UMEMD UMEM

A daemon with names that would be markup, and the page that is written of it: its elements are closed in order, tables have heads,
nothing is loaded from anywhere, no attribute runs a script, and the script that there is is the one that the page's own policy allows.
"""
import base64
import hashlib
import html.parser
import json
import os
import subprocess
import sys
import tempfile

VOID = {"meta", "br", "hr", "img", "input", "link"}
ELEMENTS = set("html head meta title style body svg defs pattern path rect header h1 h2 h3 p span main dl div dt dd section table thead tbody"
               " tfoot tr th td caption figure figcaption strong i bdi code ul li footer script".split())
HOSTILE = ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "&lt;b&gt;", "'onmouseover='alert(1)", "\u202eright to left",
           "</title><h1>", "<!--{heaps}-->"]


class Page(html.parser.HTMLParser):
    """Collects what a page has, and complains."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.complaints, self.text, self.scripts, self.tables, self.policy = [], [], [], [], [], ""

    def handle_starttag(self, tag, attributes):
        if tag not in ELEMENTS:
            self.complaints.append(f"the element {tag}")
        for name, value in attributes:
            if name.startswith("on") or name in ("src", "href", "action", "xlink:href", "srcset", "formaction"):
                self.complaints.append(f"the attribute {name}={value}")
        attributes = dict(attributes)
        if attributes.get("http-equiv") == "Content-Security-Policy":
            self.policy = attributes["content"]
        if tag == "table":
            self.tables.append(0)
        if tag == "th" and attributes.get("scope") not in ("col", "row"):
            self.complaints.append("a head of a table without a scope")
        if tag == "th" and attributes["scope"] == "col":
            self.tables[-1] += 1
        if tag == "svg" and attributes.get("aria-hidden") != "true" and not attributes.get("aria-label"):
            self.complaints.append("a picture without a text")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.complaints.append(f"</{tag}> within {self.open[-3:]}")
        else:
            self.open.pop()

    def handle_comment(self, data):
        self.complaints.append(f"the comment {data}")

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)
        elif self.open and self.open[-1] == "style":
            if "url(" in data or "@import" in data:
                self.complaints.append("a style that loads something")
        else:
            self.text.append(data)


def start_daemon(umemd, pipe):
    process = subprocess.Popen([umemd, "--pipe", pipe], stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if "listening on" in line:
            return process
    raise SystemExit(f"umemd ended with {process.wait()} before it listened")


def fill(umem, environment):
    requests = []
    for number, name in enumerate(HOSTILE):
        kind = "shared" if number % 2 == 0 else "private"
        requests.append({"method": "heap.create", "params": {"name": name, "kind": kind, "maximum_size": 1 << 20}})
        requests.append({"method": "block.alloc", "params": {"size": 1000 * number, "heap": ":" + name}})
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    answers = subprocess.run([umem, "call", "-"], input=lines, env=environment, text=True, check=True, stdout=subprocess.PIPE).stdout
    if "error" in answers:
        raise SystemExit(answers)


def check(text):
    page = Page()
    page.feed(text)
    page.close()
    complaints = page.complaints + [f"{element} is not closed" for element in page.open]
    words = "".join(page.text)
    complaints += [f"the name {name!r} is not there as text" for name in HOSTILE if name not in words]
    if "http:" in text or "https:" in text or "//" in text.split("<body>")[1].split("<script>")[0]:
        complaints.append("an address")
    if not page.tables or 0 in page.tables:
        complaints.append("a table without heads")
    if len(page.scripts) != 1:
        complaints.append(f"{len(page.scripts)} scripts")
    allowed = "sha256-" + base64.b64encode(hashlib.sha256("".join(page.scripts).encode()).digest()).decode()
    if f"script-src '{allowed}'" not in page.policy or "default-src 'none'" not in page.policy:
        complaints.append(f"report.html: the policy does not allow the script; it would have to be '{allowed}'")
    return complaints


def main():
    umemd, umem = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="umemd-report-") as folder:
        pipe = os.path.join(folder, "umemd.sock")
        environment = {**os.environ, "UMEM_PIPE": pipe}
        daemon = start_daemon(umemd, pipe)
        try:
            fill(umem, environment)
            file = os.path.join(folder, "page.html")
            subprocess.run([umem, "report", file], env=environment, check=True)
            with open(file, encoding="utf-8") as stream:
                complaints = check(stream.read())
        finally:
            daemon.terminate()
            status = daemon.wait()
    for complaint in complaints:
        print("in the page:", complaint)
    return 1 if complaints or status != 0 else 0


sys.exit(main())
