"""The command as its users meet it, for the black-box tests: one call, and what it must have said."""
import os
import re
import subprocess


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def said(self):
        return ["exit status %s" % self.code] + ["stdout| " + line for line in self.out.splitlines()[-20:]] + \
               ["stderr| " + line for line in self.err.splitlines()[-20:]]


class Command:
    def __init__(self, path, tap):
        self.path, self.tap = os.path.abspath(path), tap

    def __call__(self, *args, env=None, cwd=None, stdin=b"", timeout=60):
        done = subprocess.run([self.path, *args], input=stdin, capture_output=True, timeout=timeout, cwd=cwd,
                              env=dict(os.environ, **(env or {})))
        return Result(done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8"))

    def check(self, name, result, code, out=None, err=None, also=True):
        """Exit status, and texts (str: contained; regular expression: found) in stdout and stderr, which is silent
        otherwise if all went well."""
        def fits(wanted, text):
            for w in [wanted] if isinstance(wanted, (str, re.Pattern)) else wanted or []:
                if not (w.search(text) if isinstance(w, re.Pattern) else w in text):
                    return False
            return True
        quiet = err is not None or code != 0 or not result.err
        ok = result.code == code and fits(out, result.out) and fits(err, result.err) and quiet and bool(also)
        self.tap.point(ok, name, ["expected status %s, stdout %r, stderr %r" % (code, out, err)] + result.said())


def write(name, text):
    folder = os.path.dirname(name)
    if folder:
        os.makedirs(folder, exist_ok=True)
    with open(name, "w", encoding="utf-8") as f:
        f.write(text)
    return name
