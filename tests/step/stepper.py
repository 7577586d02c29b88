"""Sessions of `hopscope step`: from a file of commands, and in a pseudo-terminal (type a line, read what comes until the
next prompt)."""
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import tempfile
import termios
import time

PROMPT = re.compile(r"(?:^|[\r\n])(\d+\.\d{9} (?:#\d+(?:\.\d+)?|end))> $")
SCRIPT_PROMPT = re.compile(r"^(\d+\.\d{9} (?:#\d+(?:\.\d+)?|end))> (.*)$")
ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Stepper:
    def __init__(self, program, *args, timeout=60):
        self.timeout = timeout
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm"
            os.execv(program, [program, "step", *args])
        self.raw = ""
        self.place = None

    def read_until_prompt(self):
        """What was printed before the prompt, without escape sequences. None: the session is over."""
        text, end = "", time.monotonic() + self.timeout
        while time.monotonic() < end:
            ready, _, _ = select.select([self.fd], [], [], 0.05)
            if not ready:
                continue
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                data = b""
            if not data:
                self.place = None
                return text
            self.raw += data.decode("utf-8", "replace")
            text = ESCAPES.sub("", self.raw)
            found = PROMPT.search(text)
            if found:
                self.place = found.group(1)
                self.raw = ""
                return text[:found.start()].replace("\r\n", "\n")
        raise TimeoutError("no prompt; so far: %r" % self.raw[-400:])

    def type(self, keys):
        os.write(self.fd, keys.encode())

    def do(self, line):
        """The answer to a line. The line editor draws the prompt again behind every key: the echo of the line ends
        with its line end."""
        self.type(line + "\r")
        text = ""
        while True:  # prompts that are drawn while typing
            part = self.read_after(line)
            text += part
            return text

    def read_after(self, line):
        text, end = "", time.monotonic() + self.timeout
        while time.monotonic() < end:
            ready, _, _ = select.select([self.fd], [], [], 0.05)
            if not ready:
                continue
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                data = b""
            if not data:
                self.place = None
                return ESCAPES.sub("", self.raw)
            self.raw += data.decode("utf-8", "replace")
            text = ESCAPES.sub("", self.raw)
            at = text.rfind("> " + line + "\r\n") if line else text.find("\n")
            if at < 0:
                continue
            answer = text[at:].split("\n", 1)[1]
            found = PROMPT.search("\n" + answer)
            if found:
                self.place = found.group(1)
                self.raw = ""
                return ("\n" + answer)[1:found.start()].replace("\r\n", "\n")
        raise TimeoutError("no answer to %r; so far: %r" % (line, self.raw[-400:]))

    def drain(self, quiet=0.4):
        """What comes until nothing does for a while."""
        text = ""
        while select.select([self.fd], [], [], quiet)[0]:
            data = os.read(self.fd, 65536)
            if not data:
                break
            text += data.decode("utf-8", "replace")
        return text

    def resize(self, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def wait(self):
        """The exit status."""
        while True:
            try:
                if not os.read(self.fd, 65536):
                    break
            except OSError:
                break
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


class Script:
    """A session that takes its commands from a file: [(prompt's place, command, answer)]."""

    hopscope = scenario = None  # the program, and what is stepped through unless it is said

    def __init__(self, commands, *args, scenario=None, cwd=None):
        with tempfile.NamedTemporaryFile("w", suffix=".txt", delete=False) as f:
            f.write("\n".join(commands) + "\n")
        self.path = f.name
        run = subprocess.run([self.hopscope, "step", scenario or self.scenario, "--commands", f.name, *args], capture_output=True, text=True,
                             timeout=300, cwd=cwd, stdin=subprocess.DEVNULL)
        os.unlink(f.name)
        self.exit, self.out, self.err = run.returncode, run.stdout, run.stderr
        self.steps = []
        for line in run.stdout.splitlines():
            found = SCRIPT_PROMPT.match(line)
            if found:
                self.steps.append([found.group(1), found.group(2), []])
            elif self.steps:
                self.steps[-1][2].append(line)

    def answer(self, n):
        """To the n-th command, from 0."""
        return "\n".join(self.steps[n][2])

    def place(self, n):
        """Where the n-th command was typed."""
        return self.steps[n][0]

    def said(self):
        return ("exit %s\n" % self.exit + self.out[-3000:] + self.err).splitlines()
