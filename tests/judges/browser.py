#!/usr/bin/env python3
"""Shows pages to Chromium in light and dark, wide and on a phone, and lets axe-core judge each.

usage: browser.py CHROMIUM AXE.JS FOLDER NAME=URL...

Writes FOLDER/NAME-SCHEME-WIDTH.png, and one JSON document with what is wrong to standard output: rules of axe-core that are
broken, what the browser's console says, and pages that are wider than the window. Talks to the browser through a pipe, so it
needs nothing beside Python.
"""

import base64
import json
import os
import subprocess
import sys
import tempfile

SCHEMES = ["light", "dark"]
WINDOWS = {"wide": (1280, 800, 1, False), "phone": (390, 844, 1, True)}


class Browser:
    def __init__(self, program, profile):
        # The browser reads from 3 and writes to 4.
        theirs_in, self.out = os.pipe()
        self.into, theirs_out = os.pipe()

        def place():
            # Above both places first: one may be where the other has to go.
            high_in, high_out = os.dup2(theirs_in, 103), os.dup2(theirs_out, 104)
            os.dup2(high_in, 3)
            os.dup2(high_out, 4)

        command = [
            program, "--headless", "--remote-debugging-pipe", f"--user-data-dir={profile}", "--no-sandbox",
            "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run", "--no-proxy-server",
            "--font-render-hinting=none", "about:blank",
        ]
        self.process = subprocess.Popen(
            command, preexec_fn=place, close_fds=False, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self.rest = b""
        self.last = 0
        self.events = []
        self.session = None

    def read(self):
        message = bytearray()
        while True:
            data, self.rest = self.rest or os.read(self.into, 65536), b""
            if not data:
                raise RuntimeError("the browser has ended")
            part, end, self.rest = data.partition(b"\0")
            message += part
            if end:
                return json.loads(message)

    def call(self, method, **parameters):
        self.last += 1
        message = {"id": self.last, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.out, data):]
        while True:
            answer = self.read()
            if answer.get("id") == self.last:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def wait(self, method):
        while not any(event.get("method") == method for event in self.events):
            self.events.append(self.read())

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"])
        return result["result"].get("value")

    def end(self):
        self.process.kill()
        self.process.wait()


def look(browser, axe, url, scheme, window, picture):
    width, height, scale, is_mobile = WINDOWS[window]
    metrics = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": is_mobile}
    browser.call("Emulation.setDeviceMetricsOverride", **metrics)
    media = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.call("Emulation.setEmulatedMedia", features=media)
    browser.events = []
    browser.call("Page.navigate", url=url)
    browser.wait("Page.loadEventFired")
    whole = browser.evaluate("Math.min(document.documentElement.scrollHeight, 3000)")
    clip = {"x": 0, "y": 0, "width": width, "height": max(height, whole), "scale": 1}
    image = browser.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
    with open(picture, "wb") as file:
        file.write(base64.b64decode(image["data"]))
    problems = []
    overflow = browser.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    if overflow > 0:
        problems.append(f"the page is {overflow} pixels wider than the window")
    if browser.evaluate("getComputedStyle(document.body).marginTop") != "0px":
        problems.append("the style does not apply")
    browser.evaluate(axe + "; 0")
    found = browser.evaluate(
        "axe.run(document, {runOnly: {type: 'tag', values: "
        "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}})"
        ".then(r => ({passes: r.passes.length, violations: r.violations.map(v => "
        "({id: v.id, help: v.help, nodes: v.nodes.slice(0, 3).map(n => n.html + ': ' + n.failureSummary)}))}))"
    )
    if found["passes"] < 10:
        problems.append(f"axe-core has looked at next to nothing: {found}")
    for violation in found["violations"]:
        problems.append(f"axe-core: {violation['id']}: {violation['help']}: {violation['nodes']}")
    for event in browser.events:
        if event.get("method") == "Log.entryAdded":
            entry = event["params"]["entry"]
            # Nobody has an icon.
            if not entry.get("url", "").endswith("/favicon.ico"):
                problems.append(f"console: {entry['text']}")
        if event.get("method") in ("Page.javascriptDialogOpening", "Runtime.exceptionThrown"):
            problems.append(f"{event['method']}: {event['params']}")
    return problems


def main():
    program, axe, folder, *pages = sys.argv[1:]
    with open(axe, encoding="utf-8") as file:
        axe = file.read()
    os.makedirs(folder, exist_ok=True)
    document = {"looks": 0, "problems": []}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(program, profile)
        try:
            target = browser.call("Target.createTarget", url="about:blank")["targetId"]
            session = browser.call("Target.attachToTarget", targetId=target, flatten=True)
            browser.session = session["sessionId"]
            for domain in ("Page", "Log", "Runtime"):
                browser.call(f"{domain}.enable")
            for page in pages:
                name, _, url = page.partition("=")
                for scheme in SCHEMES:
                    for window in WINDOWS:
                        look_name = f"{name}-{scheme}-{window}"
                        problems = look(browser, axe, url, scheme, window, f"{folder}/{look_name}.png")
                        document["looks"] += 1
                        document["problems"] += [f"{look_name}: {problem}" for problem in problems]
        finally:
            browser.end()
    print(json.dumps(document, indent=2))


if __name__ == "__main__":
    main()
