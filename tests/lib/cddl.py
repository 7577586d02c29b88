"""CDDL (RFC 8610) as far as docs/qlog-tcp.cddl uses it: maps, arrays, choices, literals, and names of other rules."""
import re

TOKEN = re.compile(r'\s*(?:;[^\n]*)?(?:("[^"]*")|(\$\$?[\w-]+|[A-Za-z_][\w-]*)|(\d+\*\d+|\d+|/=|[{}\[\]=:/?*+]))')
PRELUDE = {"text": lambda v: isinstance(v, str), "bool": lambda v: isinstance(v, bool),
           "uint": lambda v: type(v) is int and v >= 0, "float64": lambda v: type(v) is float}


class Cddl:
    def __init__(self, text):
        text = re.sub(r";[^\n]*", "", text)
        self.tokens = []
        at = 0
        while text[at:].strip():
            m = TOKEN.match(text, at)
            if not m:
                raise ValueError("cddl: what is this: %r" % text[at:at + 40].strip())
            self.tokens.append(m.group().strip())
            at = m.end()
        self.at = 0
        self.rules = {}
        while self.at < len(self.tokens):
            name = self.take()
            if self.take() not in ("=", "/="):
                raise ValueError("cddl: no rule: " + name)
            self.rules[name] = self.choice()

    def take(self, wanted=None):
        token = self.tokens[self.at]
        if wanted and token != wanted:
            raise ValueError("cddl: expected %s, got %s" % (wanted, token))
        self.at += 1
        return token

    def next_is(self, token):
        return self.at < len(self.tokens) and self.tokens[self.at] == token

    def choice(self):
        found = [self.single()]
        while self.next_is("/"):
            self.take()
            found.append(self.single())
        return ("choice", found)

    def single(self):
        token = self.take()
        if token == "{":
            members = {}
            while not self.next_is("}"):
                if self.next_is("*"):  # room for extensions, of which there are none
                    self.take()
                    self.take()
                    continue
                optional = self.next_is("?") and bool(self.take())
                name = self.take()
                self.take(":")
                members[name] = (optional, self.choice())
            self.take("}")
            return ("map", members)
        if token == "[":
            low, high = 1, 1
            if self.next_is("*") or self.next_is("+"):
                low, high = (0 if self.take() == "*" else 1), None
            elif "*" in self.tokens[self.at]:
                low, high = (int(n) for n in self.take().split("*"))
            inner = self.choice()
            self.take("]")
            return ("array", (low, high, inner))
        if token.startswith('"'):
            return ("is", token[1:-1])
        if token.isdigit():
            return ("is", int(token))
        return ("name", token)

    def violations(self, where, value, rule):
        """What is wrong with the value, as sentences; rule: a name, or what choice() gave."""
        kind, what = ("name", rule) if isinstance(rule, str) else rule
        if kind == "choice":
            tried = [self.violations(where, value, one) for one in what]
            return [] if not all(tried) else min(tried, key=len) if len(tried) == 1 else \
                min(tried, key=lambda t: (len(t), t)) + ["%s: none of %d choices" % (where, len(tried))]
        if kind == "name":
            if what in PRELUDE:
                return [] if PRELUDE[what](value) else ["%s: %r is no %s" % (where, value, what)]
            return self.violations(where, value, self.rules[what])
        if kind == "is":
            return [] if value == what and type(value) is type(what) else ["%s: %r is not %r" % (where, value, what)]
        if kind == "array":
            low, high, inner = what
            if not isinstance(value, list) or len(value) < low or (high is not None and len(value) > high):
                return ["%s: %r is no array of %s to %s" % (where, value, low, high)]
            return [w for i, v in enumerate(value) for w in self.violations("%s[%d]" % (where, i), v, inner)]
        if not isinstance(value, dict):
            return ["%s: %r is no object" % (where, value)]
        found = ["%s: unexpected member %s" % (where, n) for n in value if n not in what]
        for name, (optional, inner) in what.items():
            if name in value:
                found += self.violations(where + "." + name, value[name], inner)
            elif not optional:
                found.append("%s: no %s" % (where, name))
        return found
