"""Looks at the operator's pages in headless Chromium: python3 check.py CHROMIUM SERVER FOLDER

Fails when something does not fit at a phone's or a desktop's width, when a text is hard to read in light or dark, when a
field has no label, when anything outside the server is asked for, when a browser reports a violated policy, or when the way
from link to picked ad account breaks with scripts turned off. Screenshots go to FOLDER. Standard library only: it speaks the
DevTools protocol over a pair of pipes.
"""

import base64
import json
import os
import pathlib
import re
import select
import subprocess
import sys
import tempfile
import time

SIZES = {"phone": (360, 740), "desktop": (1280, 900)}

# Runs in the page, by the debugger: pages themselves may run nothing.
LOOK = r"""
(() => {
  const bad = [];
  const name = e => e.tagName.toLowerCase() + (e.className ? "." + e.className : "") + " “" + (e.textContent || "").trim().slice(0, 30) + "”";
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) bad.push("the page scrolls sideways: " + document.documentElement.scrollWidth + " > " + width);
  for (const e of document.querySelectorAll("body *")) {
    const box = e.getBoundingClientRect();
    if (box.width && (box.right > width + 1 || box.left < -1)) bad.push("outside the window: " + name(e));
    if (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline" && e.clientWidth) bad.push("text does not fit: " + name(e));
    if (["BUTTON", "INPUT"].includes(e.tagName) && e.type !== "hidden" && box.height < 40) bad.push("too small for a finger: " + name(e));
    if (e.tagName === "INPUT" && e.type !== "hidden" && !e.labels.length) bad.push("no label: " + name(e));
    if (e.tagName === "BUTTON" && !(e.textContent.trim() || e.ariaLabel)) bad.push("a button without a name");
  }
  const parse = c => { const m = c.match(/[\d.]+/g).map(Number); return {rgb: m.slice(0, 3), a: m.length > 3 ? m[3] : 1}; };
  const light = rgb => { const [r, g, b] = rgb.map(v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.a > 0) return c.rgb; } return [255, 255, 255]; };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim()) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color).rgb), light(ground(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) bad.push("hard to read (" + ratio.toFixed(1) + " : 1): " + name(e));
  }
  if (document.querySelectorAll("h1").length !== 1) bad.push("not one h1");
  if (document.documentElement.lang !== "en") bad.push("no language");
  if (!document.title) bad.push("no title");
  if (document.querySelector("script, [onclick], [style], img, link[rel=stylesheet]")) bad.push("a script, an inline style, or something to load");
  if (getComputedStyle(document.body).marginTop !== "0px") bad.push("the style sheet was not applied");
  return [...new Set(bad)];
})()
"""


class Chromium:
    """A browser, and one page in it."""

    def __init__(self, program):
        # Its helpers may still write there for a moment after its end.
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        here_in, self.out = os.pipe()
        self.inn, here_out = os.pipe()

        def pipes():
            # The browser reads commands from descriptor 3 and writes to 4. First out of the way, lest one be overwritten.
            a, b = os.dup(here_in), os.dup(here_out)
            os.dup2(a, 3)
            os.dup2(b, 4)

        self.process = subprocess.Popen(
            [program, "--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             "--disable-background-networking", "--disable-component-update", "--no-first-run", "--disable-sync",
             "--disable-dev-shm-usage", f"--user-data-dir={self.profile.name}", "about:blank"],
            preexec_fn=pipes, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(here_in)
        os.close(here_out)
        self.buffer, self.count, self.session = b"", 0, None
        self.requests, self.reports, self.loaded = [], [], 0
        target = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime", "Audits"):
            self.call(f"{domain}.enable")
        # The pages have to work without.
        self.call("Emulation.setScriptExecutionDisabled", value=True)

    def close(self):
        try:
            os.write(self.out, b'{"id": 0, "method": "Browser.close"}\0')
            self.process.wait(timeout=5)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self.profile.cleanup()

    def receive(self, seconds):
        end = time.monotonic() + seconds
        while b"\0" not in self.buffer:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.inn], [], [], left)[0]:
                return None
            more = os.read(self.inn, 1 << 20)
            if not more:
                raise SystemExit("pages-check: chromium ended")
            self.buffer += more
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text)

    def note(self, message):
        method, params = message.get("method"), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Log.entryAdded":
            entry = params["entry"]
            # An error page of ours is meant to have its status.
            if "the server responded with a status of 4" not in entry["text"]:
                self.reports.append(f'{entry["level"]}: {entry["text"]} {entry.get("url", "")}')
        elif method == "Audits.issueAdded" and params["issue"]["code"] == "ContentSecurityPolicyIssue":
            self.reports.append(json.dumps(params["issue"]["details"])[:300])
        elif method == "Page.loadEventFired":
            self.loaded += 1

    def call(self, method, **params):
        self.count += 1
        message = {"id": self.count, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive(30)
            if answer is None:
                raise SystemExit(f"pages-check: chromium does not answer {method}")
            if answer.get("id") == self.count:
                if "error" in answer:
                    raise SystemExit(f'pages-check: {method}: {answer["error"]}')
                return answer["result"]
            self.note(answer)

    def wait_loaded(self, before):
        end = time.monotonic() + 20
        while self.loaded <= before:
            message = self.receive(max(0, end - time.monotonic()))
            if message is None:
                raise SystemExit("pages-check: a page did not load within 20 s")
            self.note(message)

    def go(self, url):
        before = self.loaded
        self.call("Page.navigate", url=url)
        self.wait_loaded(before)

    def run(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in result:
            raise SystemExit(f'pages-check: {result["exceptionDetails"]}')
        return result["result"].get("value")

    def press(self, selector):
        """Presses the first element of a selector, which loads another page. Not by the mouse: a page that does not fit is
        shown smaller, and is to be reported rather than missed."""
        before = self.loaded
        found = self.run(f"(() => {{ const e = document.querySelector({json.dumps(selector)}); if (e) e.click(); return !!e; }})()")
        if not found:
            raise SystemExit(f"pages-check: there is no {selector} on {self.where()}")
        self.wait_loaded(before)

    def where(self):
        return self.run("location.href")

    def show(self, size, scheme):
        width, height = SIZES[size]
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=size == "phone")
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, path):
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 2400), "scale": 1}
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)["data"]
        path.write_bytes(base64.b64decode(data))


def main():
    program, server, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    serving = subprocess.Popen([server], stdout=subprocess.PIPE, text=True)
    failures = []
    browser = None
    try:
        origin = re.search(r"http://[0-9.:]+", serving.stdout.readline()).group(0)
        browser = Chromium(program)
        failures = check(browser, origin, folder)
    finally:
        if browser:
            browser.close()
        serving.kill()
        serving.wait()
    for failure in failures:
        print(f"✗ {failure}", file=sys.stderr)
    if failures:
        return 1
    print(f"✓ all pages, at {', '.join(f'{w} px' for w, _ in SIZES.values())}, light and dark; pictures in {folder}")
    return 0


def check(browser, origin, folder):
    failures = []

    def expect(true, what):
        if not true:
            failures.append(what)

    # The whole way, as a person goes it, with scripts off: it also gives the browser its session.
    browser.show("phone", "light")
    browser.go(f"{origin}/connect/growth/pick?ticket=canned-ticket")
    browser.press("button")
    expect(browser.where() == f"{origin}/connect/growth/pick", f"after the approval the browser is at {browser.where()}")
    expect(browser.run("document.cookie") == "", "a script could read a cookie")
    browser.press(".list button")
    expect(browser.where() == f"{origin}/connect/growth/pick", f"after the pick the browser is at {browser.where()}")
    expect("Pick the ad account" in browser.run("document.body.textContent"), "the page of the session is shown")
    cookies = browser.call("Network.getCookies", urls=[origin])["cookies"]
    expect([c["name"] for c in cookies] == ["tiktok_ads_session"], f"cookies: {[c['name'] for c in cookies]}")
    expect(all(c["httpOnly"] and c.get("sameSite") == "Lax" for c in cookies), "cookies are HttpOnly and SameSite=Lax")
    external = [r for r in browser.requests if not r.startswith((origin, "http://127.0.0.1"))]
    expect(not external, f"asked for on the way: {external}")

    pages = {
        "how-to": "/connect/growth/a-connection-with-quite-a-long-name.of-two-parts",
        "begin": "/connect/growth/main?ticket=canned-ticket",
        "active": "/connect/growth/active",
        "read-only": "/connect/growth/read-only",
        "pick": "/connect/growth/pick",
        "pick-search": "/connect/growth/pick?q=shop&page=2",
        "pick-none": "/connect/growth/pick?q=nothing-has-this-name",
        "pending": "/connect/growth/pending",
        "hostile": "/connect/growth/hostile",
        "trouble-link": "/connect/growth/main?ticket=%3Cx",
        "trouble-refused": "/oauth/callback?state=main&auth_code=refused",
        "trouble-not-granted": "/oauth/callback?state=main&auth_code=other",
        "trouble-denied": "/oauth/callback?error=access_denied&error_description=The+user+refused",
    }
    # The callback wants the cookie of a step that has begun.
    browser.call("Network.setCookie", name="tiktok_ads_connect", value="cookie", url=origin, httpOnly=True, sameSite="Lax")
    for name, path in pages.items():
        for size in SIZES:
            for scheme in ("light", "dark"):
                browser.requests.clear()
                browser.reports.clear()
                browser.show(size, scheme)
                browser.go(origin + path)
                here = f"{name}, {size}, {scheme}"
                failures.extend(f"{here}: {what}" for what in browser.run(LOOK))
                external = [r for r in browser.requests if not r.startswith(origin + "/")]
                expect(not external, f"{here}: asks for {external}")
                expect(len(browser.requests) == 1, f"{here}: more than the page: {browser.requests}")
                expect(not browser.reports, f"{here}: {browser.reports}")
                browser.picture(folder / f"{name}-{size}-{scheme}.png")
    return failures


if __name__ == "__main__":
    sys.exit(main())
