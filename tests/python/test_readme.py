"""The programs of the package's README.md, as they stand there. `# text` behind a print() is what it prints."""
import os
import pathlib
import re
import subprocess
import sys
import unittest

import umem

from daemon import PATIENCE, DaemonTest, main

README = pathlib.Path(umem.__file__).resolve().parents[1] / "README.md"


class Readme(DaemonTest):
    def blocks(self, kind):
        text = README.read_text(encoding="utf-8")
        return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)

    def run_program(self, program):
        environment = dict(os.environ, UMEM_PIPE=self.server.pipe)
        return subprocess.run([sys.executable, "-X", "dev", "-W", "error", "-B", "-c", program], env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=PATIENCE, check=False)  # fmt: skip

    def test_each_prints_what_it_says(self):
        programs = self.blocks("python")
        self.assertGreaterEqual(len(programs), 5)
        for program in programs:
            with self.subTest(program=program):
                wanted = re.findall(r"^ *print\(.*\)  # (.*)$", program, re.MULTILINE)
                self.assertEqual(len(wanted), program.count("print("))
                done = self.run_program(program)
                self.assertEqual((done.returncode, done.stdout.splitlines(), done.stderr), (0, wanted, ""))
        self.assertEqual(self.daemon.stats()["blocks"], 0)

    @unittest.skipIf("EXAMPLE" not in os.environ, "the C example was not built")
    def test_a_c_program_gets_what_is_written_here(self):
        (program,) = self.blocks("python table")
        waiting = subprocess.Popen([os.environ["EXAMPLE"], "wait", self.server.pipe], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True)  # fmt: skip
        try:
            while self.daemon.stats()["waits"] == 0 and waiting.poll() is None:
                pass
            done = self.run_program(program)
            output, _ = waiting.communicate(timeout=PATIENCE)
        finally:
            waiting.kill()
            waiting.wait()
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn(str(sum(i * i for i in range(1000))), output)
        self.assertEqual(waiting.returncode, 0)


if __name__ == "__main__":
    main()
