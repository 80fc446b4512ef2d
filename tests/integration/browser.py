"""Headless Chromium through ChromeDriver's WebDriver protocol, as far as tests of pages need it."""
import json
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1300,1000"]
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {"Enter": "\ue007", "Escape": "\ue00c", "Up": "\ue013", "Down": "\ue015", "Right": "\ue014", "Tab": "\ue004"}


class Browser:
    """`with Browser() as page: page.open("file:///...")`"""

    def __enter__(self):
        self.profile = tempfile.mkdtemp(prefix="pnfslab-chromium-")
        self.driver = subprocess.Popen(["chromedriver", "--port=0", "--log-level=SEVERE"], stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, text=True)
        try:
            for line in self.driver.stdout:
                if "successfully on port" in line:
                    self.base = "http://127.0.0.1:" + line.rsplit("port", 1)[1].strip().rstrip(".")
                    break
            options = {"binary": shutil.which("chromium"), "args": FLAGS + [f"--user-data-dir={self.profile}"]}
            made = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": {
                "browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}}})
            self.session = "/session/" + made["sessionId"]
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if hasattr(self, "session"):
            try:
                self.ask("DELETE", self.session)
            except (OSError, AssertionError):
                pass
        self.driver.terminate()
        self.driver.wait(30)
        self.driver.stdout.close()
        shutil.rmtree(self.profile, ignore_errors=True)

    def ask(self, method, path, body=None):
        data = json.dumps(body if body is not None else {}).encode() if method == "POST" else None
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as problem:
            raise AssertionError(f"{method} {path}: {problem.read().decode()[:400]}") from None

    def open(self, url):
        self.ask("POST", self.session + "/url", {"url": url})

    def run(self, script, *arguments):
        return self.ask("POST", self.session + "/execute/sync", {"script": script, "args": list(arguments)})

    def wait(self, condition, seconds=60):
        deadline = time.monotonic() + seconds
        while not self.run("return " + condition):
            if time.monotonic() > deadline:
                raise AssertionError("not in time: " + condition)
            time.sleep(0.1)

    def find(self, selector):
        return self.ask("POST", self.session + "/element", {"using": "css selector", "value": selector})[ELEMENT]

    def press(self, selector, *keys):
        text = "".join(KEYS.get(key, key) for key in keys)
        self.ask("POST", f"{self.session}/element/{self.find(selector)}/value", {"text": text})

    def click(self, selector):
        self.ask("POST", f"{self.session}/element/{self.find(selector)}/click")

    def spoken(self, selector):
        """(role, name) that a screen reader is told. The browser makes what it tells behind the page's back, a moment later."""
        element = f"{self.session}/element/{self.find(selector)}"
        deadline = time.monotonic() + 20
        while (role := self.ask("GET", element + "/computedrole")) == "none" and time.monotonic() < deadline:
            time.sleep(0.1)
        return role, self.ask("GET", element + "/computedlabel")

    def chrome(self, command, **parameters):
        return self.ask("POST", self.session + "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def problems(self):
        """What the page's console has, refused loads and broken policies included."""
        messages = [entry["message"] for entry in self.ask("POST", self.session + "/se/log", {"type": "browser"})]
        return [text for text in messages if not text.startswith("chrome://")]  # the browser's own start page
