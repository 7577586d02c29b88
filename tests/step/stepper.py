"""A session of `hopscope step` in a pseudo-terminal: type a line, read what comes until the next prompt."""
import os
import pty
import re
import select
import time

PROMPT = re.compile(r"(?:^|[\r\n])(\d+\.\d{9} (?:#\d+(?:\.\d+)?|end))> $")
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

    def wait(self):
        """The exit status."""
        while True:
            try:
                if not os.read(self.fd, 65536):
                    break
            except OSError:
                break
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
