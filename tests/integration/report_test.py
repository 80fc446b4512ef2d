"""`pnfslab report`: the ladder of the badiomode scenario, read from its page in a real browser and from its text."""
import os
import pathlib
import re
import tempfile
import unittest

from browser import Browser
from lab import free_base_port, run

CONTRAST = """
  const rgb = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const light = (c) => { const [r, g, b] = rgb(c).map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
                         return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const back = light(getComputedStyle(document.body).backgroundColor);
  return arguments[0].map((selector) => {
    const text = light(getComputedStyle(document.querySelector(selector)).color);
    return (Math.max(text, back) + 0.05) / (Math.min(text, back) + 0.05);
  });"""
BAD = ".row.failed[data-op=LAYOUTGET]"


class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        done = run("run", "--base-port", free_base_port(), "--keep", "badiomode", "modern",
                   env={**os.environ, "TMPDIR": folder.name}, timeout=300)
        if done.returncode != 0:
            raise AssertionError(done.stdout + done.stderr)
        cls.state, cls.page = cls.report("badiomode")
        _, cls.modern = cls.report("modern")
        browser = Browser()
        cls.browser = browser.__enter__()
        cls.addClassCleanup(browser.__exit__)

    @classmethod
    def report(cls, scenario):
        """(its state folder, its page)"""
        state, page = next(cls.folder.glob(f"pnfslab-{scenario}-*")), cls.folder / f"{scenario}.html"
        done = run("report", "--state", state, "-o", page, "--title", "a <title> & more")
        if done.returncode != 0:
            raise AssertionError(done.stdout + done.stderr)
        return state, page

    def setUp(self):
        self.browser.open(self.page.as_uri())
        self.browser.wait("document.documentElement.dataset.ready === 'yes'")

    def test_which_server_got_the_failed_layoutget_and_why(self):
        row = self.browser.run(f"return {{...document.querySelector('{BAD}').dataset}}")
        self.assertEqual((row["to"], row["node"], row["status"]), ("mds", "mds", "NFS4ERR_BADIOMODE"))
        self.assertRegex(row["reason"], "READ")
        role, name = self.browser.spoken(BAD)
        self.assertEqual(role, "button")
        self.assertRegex(name, r"seconds, \S+ to mds: error, LAYOUTGET RW .*NFS4ERR_BADIOMODE: .*\[RFC 8881 15\.1\.10\.1\]")
        failures = self.browser.run("return document.getElementById('failures').innerText")
        self.assertRegex(failures, r"\d+\s+mds\s+LAYOUTGET\s+NFS4ERR_BADIOMODE\s+\S+")
        fallback = self.browser.run("return document.getElementById('fallbacks').innerText")
        self.assertRegex(fallback, "mds refused LAYOUTGET RW of .* with NFS4ERR_BADIOMODE")
        self.assertRegex(fallback, "no WRITE reached any server afterwards")
        traffic = self.browser.run("return [...document.querySelectorAll('#traffic tbody tr')].map((r) => r.innerText)")
        self.assertTrue(any(re.search(r"\bds\d\b", line) and "64.0 KiB" in line or "32.0 KiB" in line for line in traffic), traffic)

    def test_it_needs_nothing_but_itself(self):
        self.assertEqual(self.browser.problems(), [])
        self.assertEqual(self.browser.run("return performance.getEntriesByType('resource').map((e) => e.name)"), [])
        self.assertEqual(self.browser.run("return document.querySelector('h1').textContent"), "a <title> & more")
        # What is not the page's own is refused by its policy.
        self.browser.run("const s = document.createElement('script'); s.textContent = 'window.foreign = 1'; document.body.append(s)")
        self.assertIsNone(self.browser.run("return window.foreign ?? null"))
        self.assertTrue(any("Content Security Policy" in line for line in self.browser.problems()))

    def test_lanes_and_lifetimes(self):
        heads = self.browser.run("return [...document.querySelectorAll('#heads .lanes span')].map((s) => s.textContent)")
        self.assertEqual(heads[-4:], ["mds", "ds1", "ds2", "target"])
        self.assertEqual(len(heads), 5)
        kinds = self.browser.run("return [...document.querySelectorAll('#time [role=listitem]')].map((g) => g.dataset.kind)")
        self.assertLessEqual({"session", "open", "layout"}, set(kinds))
        role, name = self.browser.spoken("#time [data-kind=layout]")
        self.assertRegex(name, r"layout: READ layout of \S+, \S+, from [\d.]+ s to ")

    def test_filter_and_checkboxes(self):
        shown = "document.querySelectorAll('.row').length"
        self.browser.press("#filter", "op=LAYOUTGET status=BADIOMODE")
        rows = self.browser.run("return [...document.querySelectorAll('.row')].map((r) => r.dataset.status)")
        self.assertTrue(rows)
        self.assertEqual(set(rows), {"NFS4ERR_BADIOMODE"})
        self.browser.run("const f = document.getElementById('filter'); f.value = ''; f.dispatchEvent(new Event('input'))")
        before = self.browser.run("return " + shown)
        self.browser.click("#plumbing")
        self.assertGreater(self.browser.run("return " + shown), before)
        self.browser.click("#scsi")
        self.assertGreater(self.browser.run("return document.querySelectorAll('.row.scsi').length"), 0)

    def test_keys_zoom_and_all_fields(self):
        whole = self.browser.run("return document.getElementById('window').textContent")
        self.browser.press("#time", "+", "+")
        zoomed = self.browser.run("return document.getElementById('window').textContent")
        self.assertNotEqual(zoomed, whole)
        fewer = self.browser.run("return document.querySelectorAll('.row').length")
        self.browser.press("#time", "0")
        self.assertEqual(self.browser.run("return document.getElementById('window').textContent"), whole)
        self.assertGreater(self.browser.run("return document.querySelectorAll('.row').length"), fewer)
        # From the first row to the next error, its fields, and back.
        self.browser.press(".row[tabindex='0']", "n")
        self.assertTrue(self.browser.run("return document.activeElement.classList.contains('failed')"))
        op = self.browser.run("return document.activeElement.dataset.op")
        self.assertEqual(op, "LAYOUTGET")
        self.browser.press(".row:focus", "Enter")
        self.assertFalse(self.browser.run("return document.getElementById('details').hidden"))
        fields = self.browser.run("return document.getElementById('fields').innerText")
        for field in ("status", "reason", "section", "args", "client", "client_addr", "call", "session", "xid", op):
            self.assertRegex(fields, rf"(?m)^{field}$" if field != op else op)
        self.browser.press("#details", "Escape")
        self.assertTrue(self.browser.run("return document.getElementById('details').hidden"))
        self.assertEqual(self.browser.run("return document.activeElement.dataset.op"), op)

    def test_from_a_scsi_command_to_the_request_that_caused_it(self):
        self.browser.open(self.modern.as_uri())
        self.browser.wait("document.documentElement.dataset.ready === 'yes'")
        self.browser.click("#scsi")
        # The first write of a data server: it needed a grant, and its commands touch the file's bytes.
        cause = self.browser.run("""const rows = [...document.querySelectorAll('.row')].map((r) => r.run.e);
                                    const grant = rows.find((e) => e.op === 'GRANT' && /GRANT_EX/.test(e.args));
                                    const row = [...document.querySelectorAll('.row.scsi')].find(
                                      (r) => r.run.e.op.startsWith('WRITE(') && r.run.e.cause === grant.cause);
                                    row.click(); return row.run.e.cause""")
        self.assertRegex(cause, r"^ds\d:\d+$")
        self.browser.click("#details-cause button:last-of-type")
        rows = self.browser.run("return [...document.querySelectorAll('.row')].map((r) => r.dataset)")
        chain = {(row["kind"], row["from"], row["to"], row["op"].split("(")[0]) for row in rows}
        ds = cause.split(":")[0]
        self.assertLessEqual({("op", "client1", ds, "WRITE"), ("control", ds, "mds", "GRANT"), ("scsi", ds, "target", "WRITE")},
                             chain)

    def test_light_and_dark_can_be_read(self):
        colours = set()
        for scheme in ("light", "dark"):
            self.browser.chrome("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
            colours.add(self.browser.run("return getComputedStyle(document.body).backgroundColor"))
            for ratio in self.browser.run(CONTRAST, ["body", "#facts", ".row .t", ".row .w", BAD + " .w", ".hint", "thead th"]):
                self.assertGreaterEqual(ratio, 4.5, scheme)
        self.assertEqual(len(colours), 2)

    def test_the_same_as_text(self):
        done = run("report", "--state", self.state, "--text")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"\n +[\d.]+ +\|-+x\| +\| +\| +\|  +LAYOUTGET RW .*NFS4ERR_BADIOMODE: .*\[RFC 8881 15\.1\.10\.1\]")
        self.assertIn("no WRITE reached any server afterwards", done.stdout)
        everything = run("report", "--state", self.state, "--text", "--all").stdout
        for routine in ("SEQUENCE  NFS4_OK", "INQUIRY  GOOD"):
            self.assertNotIn(routine, done.stdout)
            self.assertIn(routine, everything)
        self.assertNotIn("UNIT ATTENTION", done.stdout)
        self.assertIn("INQUIRY  GOOD", run("report", "--state", self.state, "--text", "kind=scsi").stdout)

    def test_what_cannot_be_drawn_is_said_so(self):
        done = run("report", "--state", self.folder / "none", "-o", self.folder / "none.html")
        self.assertEqual(done.returncode, 1)
        self.assertIn("pnfslab up", done.stderr)
        self.assertFalse((self.folder / "none.html").exists())
        self.assertEqual(run("report", "--state", self.state, "colour=red").returncode, 2)


if __name__ == "__main__":
    unittest.main()
