"""The little of TAP that the test scripts need: points, their diagnostics, and the plan at the end."""
import sys


class Tap:
    def __init__(self, out=sys.stdout):
        self.out = out
        self.count = 0
        self.failed = 0

    def point(self, ok, name, said=""):
        """One test point; `said` (text or list of lines) follows it when it failed."""
        self.count += 1
        self.failed += not ok
        name = name.replace("#", "%23").replace("\n", " ")
        self.out.write("%sok %d - %s\n" % ("" if ok else "not ", self.count, name))
        if not ok:
            self.note(said)
        self.out.flush()

    def skip(self, name, reason):
        self.count += 1
        self.out.write("ok %d - %s # SKIP %s\n" % (self.count, name.replace("#", "%23"), reason))
        self.out.flush()

    def note(self, said):
        for text in [said] if isinstance(said, str) else said:
            for line in str(text).splitlines() or [""]:
                self.out.write("# %s\n" % line)

    def done(self, why_empty="nothing to check"):
        """Writes the plan; returns the exit status."""
        self.out.write("1..%d%s\n" % (self.count, "" if self.count else " # SKIP %s" % why_empty))
        self.out.flush()
        return 1 if self.failed else 0
