"""A browser without JavaScript, for the demo: opens a page, presses buttons by their words, keeps cookies, follows redirects.

usage: browser.py URL [BUTTON]...
Prints the address, without its query, and the text of the page that it ends at. Ends with 1 if a button is not there or the
page it ends at is an error.
"""

import html.parser
import http.cookiejar
import sys
import urllib.error
import urllib.parse
import urllib.request


class Page(html.parser.HTMLParser):
    """The forms and the text of a page."""

    def __init__(self, text):
        super().__init__()
        self.forms, self.words, self.button, self.silent = [], [], None, 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag in ("style", "title"):
            self.silent += 1
        if tag == "form":
            self.forms.append({"action": attributes.get("action", ""), "method": attributes.get("method", "get"), "fields": [], "buttons": {}})
        if tag == "input" and self.forms and "name" in attributes:
            kind = attributes.get("type", "text")
            if kind not in ("checkbox", "radio") or "checked" in attributes:
                self.forms[-1]["fields"].append((attributes["name"], attributes.get("value", "on")))
        if tag == "button" and self.forms:
            self.button = (attributes, [])

    def handle_endtag(self, tag):
        if tag in ("style", "title"):
            self.silent -= 1
        if tag == "button" and self.button:
            attributes, words = self.button
            field = [(attributes["name"], attributes.get("value", ""))] if "name" in attributes else []
            self.forms[-1]["buttons"][" ".join("".join(words).split())] = field
            self.button = None

    def handle_data(self, text):
        if self.button:
            self.button[1].append(text)
        elif not self.silent and text.strip():
            self.words.append(" ".join(text.split()))


def main():
    url, presses = sys.argv[1], sys.argv[2:]
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def ask(url, data=None):
        try:
            answer = opener.open(urllib.request.Request(url, data=data), timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        return answer.status, answer.geturl(), Page(answer.read().decode())

    status, url, page = ask(url)
    for press in presses:
        form = next((f for f in page.forms if press in f["buttons"]), None)
        if form is None:
            print(f"there is no button {press!r} on the page: {' | '.join(page.words)}", file=sys.stderr)
            return 1
        fields = urllib.parse.urlencode(form["fields"] + form["buttons"][press])
        target = urllib.parse.urljoin(url, form["action"])
        if form["method"].lower() == "post":
            status, url, page = ask(target, fields.encode())
        else:
            status, url, page = ask(target.split("?")[0] + "?" + fields)
    print(url.split("?")[0])
    print("\n".join(page.words))
    return 0 if status < 400 else 1


sys.exit(main())
