"""Running scenarios from the test scripts: finding them, their header comments, one run, and what tshark says."""
import os
import re
import subprocess

TSHARK_OPTIONS = [
    "-n",
    "-o", "ip.check_checksum:TRUE",
    "-o", "udp.check_checksum:TRUE",
    "-o", "tcp.check_checksum:TRUE",
    "-o", "eth.check_fcs:TRUE",
]


def find_scenarios(folder):
    found = []
    for where, folders, files in os.walk(folder):
        folders.sort()
        # lib/ holds modules that scenarios require, not scenarios.
        folders[:] = [f for f in folders if f != "lib"]
        found += [os.path.join(where, f) for f in sorted(files) if f.endswith(".lua")]
    return sorted(found)


class Header:
    """What a scenario says about its own test, in comment lines before the first line of code."""

    def __init__(self, path):
        self.exit = 0
        self.arguments = []
        self.allowed = []  # (text of a tshark remark, reason)
        self.wrong = []
        with open(path, encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                if line.strip() and not line.startswith("--"):
                    break
                match = re.match(r"--\s*(expect-exit|run-args|tshark-allow):\s*(.*?)\s*$", line)
                if not match:
                    continue
                key, value = match.groups()
                if key == "expect-exit" and re.fullmatch(r"[0-3]", value):
                    self.exit = int(value)
                elif key == "run-args" and value:
                    self.arguments += value.split()
                elif key == "tshark-allow" and re.fullmatch(r".+ \(.+\)", value):
                    text, _, reason = value.partition(" (")
                    self.allowed.append((text, reason.rstrip(")")))
                else:
                    self.wrong.append("line %d: cannot read '%s'" % (number, line.strip()))


class Run:
    """One finished run of the command."""

    def __init__(self, command, cwd=None, env=None, timeout=300):
        self.command = command
        full = dict(os.environ, **(env or {}))
        try:
            done = subprocess.run(command, cwd=cwd, env=full, capture_output=True, timeout=timeout, stdin=subprocess.DEVNULL)
            self.exit, out, err = done.returncode, done.stdout, done.stderr
        except subprocess.TimeoutExpired as late:
            self.exit, out, err = "none within %d s" % timeout, late.stdout or b"", late.stderr or b""
        self.out = out.decode("utf-8", "replace")
        self.err = err.decode("utf-8", "replace")

    def witness(self):
        """The digest and unseed lines: what must be the same on every axis."""
        return [line.strip() for line in self.out.splitlines() if re.match(r"\s*(digest|unseed)\b", line)]

    def said(self, lines=25):
        text = ["exit status %s: %s" % (self.exit, " ".join(self.command))]
        for name, stream in (("stdout", self.out), ("stderr", self.err)):
            tail = stream.splitlines()[-lines:]
            text += ["%s| %s" % (name, line) for line in tail]
        return text


def tshark_remarks(path):
    """What tshark finds wrong in a capture: expert remarks of severity warning and above, and unreadable files."""
    run = subprocess.run(["tshark", *TSHARK_OPTIONS, "-r", path, "-q", "-z", "expert,warn"], capture_output=True, text=True)
    remarks = []
    severity = None
    for line in run.stdout.splitlines():
        heading = re.match(r"(Errors|Warns) \(\d+\)", line)
        if heading:
            severity = heading.group(1)
        elif severity and re.match(r"\s+\d+\s", line):
            remarks.append("%s: %s" % (severity, re.sub(r"\s+", " ", line.strip())))
    if run.returncode:
        remarks.append("tshark: exit status %d: %s" % (run.returncode, run.stderr.strip()))
    return remarks
