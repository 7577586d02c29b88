"""What can be wrong in a packetdrill script, one thing at a time: each function here takes the text of one event and gives the
altered texts, each with the name of its kind. None of them is a script that a right runner could pass; what is no change, or may be
none, is left out, and said where it is."""
import re

COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)
EVENT = re.compile(r"^[ \t]*(?:\+?[ \t]*(?:\d*\.\d+|\d+)(?:~\+?(?:\d*\.\d+|\d+)|\.\.\.\+?(?:\d*\.\d+|\d+))?|\*)[ \t]+(?=[<>%`a-z])", re.M)
PACKET = re.compile(r"^(?P<time>\s*\S+\s+)>(?P<ip>\s*[\[(][^\])]*[\])])?(?P<ports>\s*\d+\s*>\s*\d+\s)?\s*"
                    r"(?P<flags>[SFRPUEWA.0-7]+|-)\s+(?P<from>\d+):(?P<to>\d+)\((?P<len>\d+)\)(?P<rest>.*)$", re.S)


def blank(match):
    return re.sub(r"[^\n]", " ", match.group())


def events(text):
    """[(start, end)] of the events, without the comments behind them."""
    quoted = re.compile(r"`[^`]*`|%\{.*?\}%|\"[^\"\n]*\"|//[^\n]*|/\*.*?\*/", re.S)
    code = quoted.sub(lambda m: blank(m) if m[0][0] == "/" else m[0], text)
    plain = quoted.sub(lambda m: blank(m) if m[0][0] == "/" else m[0][0] + blank(m)[1:], text)
    starts = [m.start() for m in EVENT.finditer(plain)]
    return [(start, start + len(code[start:end].rstrip())) for start, end in zip(starts, starts[1:] + [len(text)])]


def instead(text, match, group, new):
    return text[:match.start(group)] + str(new) + text[match.end(group):]


def more(text, match, group, by=1):
    now = match.group(group)
    value = int(now, 0) + by
    return instead(text, match, group, hex(value) if now.lower().startswith("0x") else value)


# ---- outbound packets ----

def flags(text, m):
    now = m["flags"]
    if re.search("[0-7]", now):
        ace = re.search("[0-7]", now)[0]
        for digit in "01234567":
            if digit != ace:
                yield "ACE " + digit, instead(text, m, "flags", now.replace(ace, digit))
        letters = "SFRPU."
    else:
        letters = "SFRPUEWA."
    for letter in letters:
        if letter in now:
            new = now.replace(letter, "") or "-"
        elif letter == ".":
            new = now.replace("-", "") + "."
        else:
            new = letter + now.replace("-", "")
        yield "flag " + letter, instead(text, m, "flags", new)


def ip(text, m, known_label):
    now = m["ip"] or ""
    ecn = re.search(r"\b(ect01|ect0|ect1|ce|noecn)\b", now)
    others = {"ect0": ["noecn", "ect1", "ce"], "ect1": ["noecn", "ect0", "ce"], "ce": ["noecn", "ect0", "ect1", "ect01"],
              "noecn": ["ect0", "ect1", "ce", "ect01"], "ect01": ["noecn", "ce"]}
    if ecn:
        for other in others[ecn[1]]:
            yield "ecn " + other, text.replace(now, now.replace(ecn[1], other), 1)
    tos, ttl = re.search(r"\btos (\w+)", now), re.search(r"\bttl (\w+)", now)
    label = re.search(r"\bflowlabel (\w+)", now)
    if label and known_label == label[1]:
        yield "flow label", text.replace(now, now.replace(label[0], "flowlabel 0x%x" % (int(label[1], 0) ^ 0x40)), 1)
    if tos:
        for by in (1, 4):
            yield "tos", text.replace(now, now.replace(tos[0], "tos 0x%x" % (int(tos[1], 0) ^ by)), 1)
    if ttl:
        yield "ttl", text.replace(now, now.replace(ttl[0], "ttl %d" % (int(ttl[1], 0) ^ 1)), 1)
    if not now:
        yield "ttl that is wrong", text.replace(">", "> [ttl 3]", 1)
        yield "tos that is wrong", text.replace(">", "> [tos 0xe4]", 1)


def window_and_pointers(text, m):
    for word in ("ack", "win", "urg"):
        n = re.search(r"\b%s (\w+)" % word, text)
        if n:
            yield word, more(text, n, 1, -1 if n[1] == "65535" or int(n[1], 0) > 1 and len(text) % 2 else 1)
    if not re.search(r"\burg ", text):
        head, bracket, options = text.partition("<")
        yield "urg where none is", "%s urg 1 %s%s" % (head, bracket, options)
    n = re.search(r"\back \d+", text)
    if n and n[0] != "ack 0":
        yield "ack left out", text.replace(n[0], "", 1)
    if not n:
        yield "ack where none is", text.replace("(%s)" % m["len"], "(%s) ack 77" % m["len"], 1)


def ranges(text, m):
    first, last, length = int(m["from"]), int(m["to"]), int(m["len"])

    def put(a, n):
        return text[:m.start("from")] + "%d:%d(%d)" % (a, a + n, n) + text[m.end("len") + 1:]
    if "S" not in m["flags"]:  # whatever a SYN has, it is what the script calls the stack's ISN
        yield "seq", put(first + 1, length)
        if first:
            yield "seq", put(first - 1, length)
    yield "length", put(first, length + 1)
    if length:
        yield "length", put(first, length - 1)
    yield "range", text[:m.start("from")] + "%d:%d(%d)" % (first, last + 1, length) + text[m.end("len") + 1:]


def option_length(option):
    words = option.split()
    if words[0] in ("FO", "FOEXP", "md5"):
        size = len(words[1]) // 2 if len(words) > 1 else 0
        if len(words) > 1 and words[1].startswith("TFO_"):
            size = 8
        return size + (4 if words[0] == "FOEXP" else 2)
    if words[0] == "sack":
        return 2 + 8 * (len(words) - 1)
    if words[0] == "ECN":
        return 2 + 3 * (len(words) // 2)
    return {"nop": 1, "eol": 1, "mss": 4, "wscale": 3, "sackOK": 2, "TS": 10}[words[0]]


def options(text, m, first_ts):
    found = re.search(r"<([^>.]*)>\s*$", text)
    if not found:
        if not text.rstrip().endswith("...>"):
            yield "option where none is", text.rstrip() + " <nop,nop,nop,nop>"
        return
    now = [" ".join(o.split()) for o in found[1].split(",") if o.strip()]

    def put(new):
        return text[:found.start(1)] + ",".join(new) + text[found.end(1):]
    yield "all options left out", text[:found.start()]
    yield "more nops", put(now + ["nop"] * 4)
    for i, option in enumerate(now):
        words = option.split()
        rest = now[i + 1:]
        if words[0] != "nop":
            yield "option %s as nops" % words[0], put(now[:i] + ["nop"] * option_length(option) + rest)
            yield "option %s left out" % words[0], put(now[:i] + rest)
        else:
            yield "nop as eol", put(now[:i] + ["eol"] + rest)
        if rest and rest[0] != option:
            yield "options in another order", put(now[:i] + [rest[0], option] + rest[1:])
        if words[0] in ("mss", "wscale"):
            for by in (1, -1):
                yield words[0], put(now[:i] + ["%s %d" % (words[0], int(words[1]) + by)] + rest)
        elif words[0] == "TS":
            if not first_ts:
                yield "TS val", put(now[:i] + ["TS val %d ecr %s" % ((int(words[2]) + 100000000) % 2 ** 32, words[4])] + rest)
            if words[4].isdigit():
                yield "TS ecr", put(now[:i] + ["TS val %s ecr %d" % (words[2], int(words[4]) ^ 1)] + rest)
        elif words[0] == "sack":
            blocks = words[1:]
            for b, block in enumerate(blocks):
                left, right = map(int, block.split(":"))
                for new in ((left + 1, right), (left, right + 1), (left, right - 1)):
                    yield "sack edge", put(now[:i] + [" ".join(["sack"] + blocks[:b] + ["%d:%d" % new] + blocks[b + 1:])] + rest)
                if len(blocks) > 1:
                    yield "sack block left out", put(now[:i] + [" ".join(["sack"] + blocks[:b] + blocks[b + 1:])] + ["nop"] * 8 + rest)
                if b and blocks[b] != blocks[b - 1]:
                    swapped = blocks[:b - 1] + [blocks[b], blocks[b - 1]] + blocks[b + 1:]
                    yield "sack blocks in another order", put(now[:i] + [" ".join(["sack"] + swapped)] + rest)
        elif words[0] in ("FO", "FOEXP", "md5"):
            other = "FOEXP" if words[0] == "FO" else "FO"
            if len(words) > 1 and re.fullmatch("[0-9a-fA-F]+", words[1]):
                last = "0" if words[1][-1] != "0" else "1"
                yield words[0], put(now[:i] + ["%s %s" % (words[0], words[1][:-1] + last)] + rest)
                yield words[0] + " without cookie", put(now[:i] + [words[0]] + ["nop"] * (len(words[1]) // 2) + rest)
            yield "%s of the other kind" % words[0], put(now[:i] + [" ".join([other] + words[1:])] + rest)
        elif words[0] == "ECN":
            for w in range(2, len(words), 2):
                yield "AccECN counter", put(now[:i] + [" ".join(words[:w] + [str(int(words[w]) + 1)] + words[w + 1:])] + rest)
            if len(words) > 3:
                yield "AccECN counter left out", put(now[:i] + [" ".join(words[:-2])] + ["nop"] * 3 + rest)
            turned = {"e0b": "e1b", "e1b": "e0b", "ceb": "ceb"}
            yield "AccECN order", put(now[:i] + [" ".join(turned.get(w, w) for w in words)] + rest)


def seconds(text):
    """(match, seconds) of the time that the event begins with."""
    m = re.match(r"\s*(\+?)(\d*\.\d+|\d+)", text)
    return (m, float(m[2])) if m else (None, 0)


def packet_time(text, m):
    window = re.match(r"\s*(\+?)(\d*\.?\d+)~\+?(\d*\.?\d+)", text)
    t, now = seconds(text)
    if window:
        size = float(window[3]) - float(window[2])
        late = float(window[3]) * 1.25 + 0.03
        yield "later", text[:window.start(1)] + "%s%.6f~%s%.6f" % (window[1], late, window[1], late + size) + text[window.end():]
        if float(window[2]) > 0.1:
            early = max(0, float(window[2]) * 0.7 - 0.03 - size)
            yield "earlier", text[:window.start(1)] + "%s%.6f~%s%.6f" % (window[1], early, window[1],
                                                                       float(window[2]) * 0.7 - 0.03) + text[window.end():]
    elif t and t[1]:
        yield "later", text[:t.start(1)] + "+%.6f" % (now * 1.25 + 0.03) + text[t.end():]
        if now > 0.05:
            yield "earlier", text[:t.start(1)] + "+%.6f" % (now * 0.8 - 0.01) + text[t.end():]


def outbound_tcp(text, first_ts, known_label):
    m = PACKET.match(text)
    if not m:
        return
    for kind in (flags(text, m), ip(text, m, known_label), window_and_pointers(text, m), ranges(text, m), options(text, m, first_ts),
                 packet_time(text, m)):
        yield from kind


def outbound_other(text):
    m = re.search(r">.*\budp(?: \d+ > \d+)? ?\((\d+)\)", text)
    if m:
        yield "UDP length", more(text, m, 1)
        yield "UDP length", more(text, m, 1, -1 if m[1] != "0" else 2)
        yield "UDP as ICMP", text[:text.index("udp")] + "icmp type_3"
        yield "UDP as TCP", text[:text.index("udp")] + ". 1:1(0) ack 1"
    m = re.search(r"> *(?:\[[^\]]*\] *)?icmp (\w+)( (?!mtu|id)[a-z_]\w*)?", text)
    if m:
        yield "ICMP type", instead(text, m, 1, "type_77")
        yield "ICMP code", text[:m.end(1)] + " code_9" + text[m.end(2) if m[2] else m.end(1):]
        if m[2] and m[2] != " code_0":
            yield "ICMP code left out", text[:m.start(2)] + text[m.end(2):]
        for word in ("id", "mtu"):
            n = re.search(r"\b%s (\w+)" % word, text)
            if n:
                yield "ICMP " + word, more(text, n, 1)
        n = re.search(r"\[(udp|raw)? ?(?:(\d+):(\d+))? ?\((\d+)\)\]", text[m.end():])
        if n:
            tail = text[m.end():]
            if n[2]:
                yield "quoted seq", text[:m.end()] + "[%d:%d(%s)]" % (int(n[2]) + 1, int(n[3]) + 1, n[4]) + tail[n.end():]
            else:
                yield "quoted length", text[:m.end()] + " [%s (%d)]" % (n[1], int(n[4]) + 1) + tail[n.end():]
                yield "quoted protocol", text[:m.end()] + " [%s (%s)]" % ("raw" if n[1] == "udp" else "udp", n[4]) + tail[n.end():]
    yield from packet_time(text, None)


# ---- calls ----

NEW_FD = re.compile(r"\s(socket|accept4?|open|epoll_create1?)\(")


def calls(text):
    yield from results(text)
    m = re.match(r"(\s*\+?)(\d*\.\d+|\d+)\.\.\.\+?(\d*\.\d+|\d+)", text)
    if m:
        yield "return later", text[:m.start(3)] + "%.6f" % (float(m[3]) * 1.25 + 0.03) + text[m.end(3):]
        begin, end = float(m[2]), float(m[3])
        if end - (end - begin) * 0.2 - 0.01 > begin:
            yield "return earlier", text[:m.start(3)] + "%.6f" % (end - (end - begin) * 0.2 - 0.01) + text[m.end(3):]
    for alter in (outputs, messages):
        yield from alter(text)


def results(text):
    m = re.search(r"\)\s*=\s*(-?\w+)(?:\s+(E[A-Z0-9]+))?\s*(\([^()]*\))?\s*$", text)
    if not m:
        return
    if m[1] == "-1":
        if m[2]:
            for other in ("EPIPE", "EAGAIN", "EINVAL"):
                if m[2] not in (other, "EWOULDBLOCK" if other == "EAGAIN" else other):
                    yield "errno", instead(text, m, 2, other)
        yield "success for failure", text[:m.start(1)] + "0" + text[m.end(2) if m[2] else m.end(1):]
    else:
        yield "failure for success", text[:m.start(1)] + "-1 EBADF" + text[m.end(1):]
        if not NEW_FD.search(text):
            yield "result", text[:m.start(1)] + str(int(m[1], 0) + 1) + text[m.end(1):]
            if m[1] != "0":
                yield "result", text[:m.start(1)] + str(int(m[1], 0) - 1) + text[m.end(1):]
        if not m[2]:
            yield "errno of a success", text[:m.end(1)] + " EAGAIN" + text[m.end(1):]


def outputs(text):
    if re.search(r"=\s*-1", text):
        return
    m = re.search(r"\bgetsockopt\([^\[{\"]*(?:\[([^\]]*)\]|\{([^}]*)\}|\"([^\"]*)\"), \[(\w+)\]\)", text)
    if m:
        for n in re.finditer(r"(?<![\w.])(0x[0-9a-fA-F]+|\d+)(?!\w)", m[1] or ""):
            at = m.start(1) + n.start()
            yield "option's value", text[:at] + str(int(n[0], 0) ^ 1) + text[at + len(n[0]):]
        for n in re.finditer(r"=\s*(\d+)", m[2] or ""):
            at = m.start(2) + n.start(1)
            yield "option's member", text[:at] + str(int(n[1]) + 1) + text[at + len(n[1]):]
        if m[3]:
            yield "option's text", instead(text, m, 3, m[3][:-1] + ("x" if m[3][-1] != "x" else "y"))
            yield "option's text", instead(text, m, 3, m[3][:-1])
            yield "option's text", instead(text, m, 3, m[3] + "x")
        if int(m[4], 0) > 0 and m[3] is None:  # a text may well have a larger buffer
            yield "option's length", more(text, m, 4)
    m = re.search(r"\bioctl\([^\[]*\[(\w+)\]\)", text)
    if m and re.match(r"0x|\d", m[1]):
        yield "ioctl's value", more(text, m, 1)
    if "poll(" in text and "epoll" not in text:
        for n in re.finditer(r"\brevents\s*=\s*([\w|]+)", text):
            bits = [b for b in n[1].split("|") if b != "0"]
            for bit in bits:
                yield "revents less " + bit, instead(text, n, 1, "|".join(b for b in bits if b != bit) or "0")
            for bit in ("POLLIN", "POLLOUT", "POLLPRI", "POLLERR", "POLLHUP", "POLLRDHUP"):
                if bit not in bits:
                    yield "revents with " + bit, instead(text, n, 1, "|".join(bits + [bit]))
            if bits:
                yield "revents left out", re.sub(r",\s*$", "", text[:n.start()]) + text[n.end():]
    yield from names(text)
    m = re.search(r"\bepoll_p?wait\(\w+, \[?\{events\s*=\s*([\w|]+), (fd|ptr|u32|u64)\s*=\s*(\w+)\}", text)
    if m and not re.search(r"=\s*0\s*$", text):
        bits = m[1].split("|")
        for bit in bits:
            yield "events less " + bit, instead(text, m, 1, "|".join(b for b in bits if b != bit) or "0")
        for bit in ("EPOLLIN", "EPOLLOUT", "EPOLLERR", "EPOLLHUP", "EPOLLRDHUP"):
            if bit not in bits:
                yield "events with " + bit, instead(text, m, 1, "|".join(bits + [bit]))
        yield "epoll data", instead(text, m, 3, str(int(m[3], 0) + 1))


def names(text):
    """Addresses that come back, and their lengths."""
    if not re.search(r"\b(getsockname|getpeername|accept4?|recvfrom|recvmsg)\(", text):
        return
    for n in re.finditer(r"\bhtons\((\d+)\)", text):
        yield "name's port", more(text, n, 1)
    for n in re.finditer(r'\binet6?_(?:addr|pton)\([^"]*"([^"]*)"', text):
        yield "name's address", instead(text, n, 1, n[1][:-1] + ("2" if n[1][-1] == "1" else "1"))
    for n in re.finditer(r"\[(?:(\d+) => )?(\d+)\]\)", text):
        yield "name's length", more(text, n, 2)


def messages(text):
    if "recvmsg(" not in text or re.search(r"=\s*-1", text):
        return
    m = re.search(r"\bmsg_flags\s*=\s*([\w|]+)", text)
    if m:
        bits = [b for b in m[1].split("|") if b != "0"]
        for bit in bits:
            yield "msg_flags less " + bit, instead(text, m, 1, "|".join(b for b in bits if b != bit) or "0")
        for bit in ("MSG_TRUNC", "MSG_CTRUNC", "MSG_ERRQUEUE", "MSG_OOB", "MSG_EOR"):
            if bit not in bits:
                yield "msg_flags with " + bit, instead(text, m, 1, "|".join(bits + [bit]))
    m = re.search(r"\bmsg_control\s*=\s*\[(.*)\]\s*\}\s*,", text, re.S)
    if not m:
        return
    inside = m[1].strip()
    if inside and inside != "...":
        yield "no control messages", instead(text, m, 1, "")
        for n in re.finditer(r"\b(cmsg_level|cmsg_type)\s*=\s*(\w+)", text):
            yield n[1], instead(text, n, 2, "77")
        for n in re.finditer(r"\b(cmsg_data|ee_\w+|TCP_NLA_\w+)\s*=\s*(\w+)", text):
            yield n[1], instead(text, n, 2, int(n[2]) ^ 1 if n[2].isdigit() else "77")
        for n in re.finditer(r"\bscm_sec\s*=\s*(\d+)", text):
            yield "scm_sec", more(text, n, 1, 3600)
        yield "another control message", instead(text, m, 1, inside.rstrip(", ") + ", {cmsg_level=SOL_TCP, cmsg_type=TCP_CM_INQ, cmsg_data=0}")
    elif not inside:
        yield "a control message where none is", instead(text, m, 1, "{cmsg_level=SOL_TCP, cmsg_type=TCP_CM_INQ, cmsg_data=0}")


# ---- assertions ----

OPPOSITE = {"==": "!=", "!=": "==", "<=": ">", ">=": "<", "<": ">=", ">": "<="}


def assertions(text):
    """Only what is certain to be false then: no `or`, `not`, `if`, and no names that the script gives values."""
    for m in re.finditer(r"\bassert\b([^\n;]*)", text):
        condition, depth = m[1].split("}%")[0], 0
        for i, c in enumerate(condition):
            depth += (c in "([") - (c in ")]")
            if c == "," and depth == 0 or c == "#":
                condition = condition[:i]
                break
        if re.search(r"\b(or|not|if|else|in|is|for)\b|['\"\\]", condition) or condition.count("(") != condition.count(")"):
            continue
        start = m.start(1)
        for n in re.finditer(r"(?<![<>=!])(==|!=|<=|>=|<|>)(?![<>=])", condition):
            at = start + n.start()
            yield "operator " + n[0], text[:at] + OPPOSITE[n[0]] + text[at + len(n[0]):]
        for n in re.finditer(r"==\s*(0x[0-9a-fA-F]+|\d+)(?![\w.]|\s*[-+*/&|<>%])", condition):
            at = start + n.start(1)
            yield "asserted value", text[:at] + str(int(n[1], 0) + 1) + text[at + len(n[1]):]


def commands(text):
    """What a last grep looks for."""
    m = re.search(r"\|\s*grep\s+((?:-[qwEF]+\s+)*)(\"[^\"$]+\"|'[^']+'|\w+)\s*`$", text)
    if m and not re.search(r"\|\||!|\bif\b|;", text):
        yield "pattern", instead(text, m, 2, "NoSuchThing")


# ---- a script ----

def spared(text, end):
    """The kinds that the comment behind an event takes out."""
    m = re.match(r"[ \t]*//[ \t]*any:([^\n]*)", text[end:])
    return [s.strip() for s in m[1].split("(")[0].split(",")] if m else []


def said(event):
    return " ".join(event.split(">", 1)[1].split())


def alterations(text):
    """(kind, line, the altered script) of everything in a script."""
    found, packets, seen_ts, label = events(text), [], False, None
    for start, end in found:
        event, skip = text[start:end], spared(text, end)
        body = EVENT.sub("", event, count=1)
        if body.startswith(">"):
            packets.append((start, end, event))
            # where a connection's clock begins for the script: anything goes
            first_ts = "TS val" in event and (not seen_ts or "ecr 0>" in event.replace(" >", ">") or "ecr 0," in event.replace(" ,", ","))
            seen_ts = seen_ts or "TS val" in event
            known_label, label = label, re.search(r"\bflowlabel (\w+)", event)
            label = label and label[1]
            new = outbound_other(event) if re.search(r"\b(udp|icmp)\b", event) else outbound_tcp(event, first_ts, known_label)
        elif body.startswith("%{"):
            new = assertions(event)
        elif body.startswith("`"):
            new = commands(event)
        elif re.match(r"[a-z]", body):
            if re.match(r"socket\(", body):
                seen_ts = False
            new = calls(event)
        else:
            continue
        for kind, altered in new:
            if kind.split()[0] in skip or kind in skip or altered == event:
                continue
            yield kind, text.count("\n", 0, start) + 1, event, altered, text[:start] + altered + text[end:]
    for (start, end, event), after in zip(packets, packets[1:] + [None]):
        line, time = text.count("\n", 0, start) + 1, event.split(">", 1)[0]
        yield "twice", line, event, event + "\n+0 > " + said(event), text[:end] + "\n+0 > " + said(event) + text[end:]
        if not after or "removed" in spared(text, end) or said(event) == said(after[2]):
            continue  # what comes behind the last packet is not looked at, and an equal one takes its place
        instead_of = time + "%{ assert 1 == 1 }%"
        left = re.search(r"\bsocket\(|AF_UNSPEC", text[end:after[0]])  # nor is what belongs to the connection before
        ports = re.search(r">\s*(udp )?\d+\s*>", event)  # others look for other packets
        if not left and not ports and "*" not in time and "~" not in time:
            yield "removed", line, event, instead_of, text[:start] + instead_of + text[end:]
        between = text[end:after[0]]
        if not COMMENT.sub("", between).strip() and re.match(r"\s*\+0\s", after[2]):
            swapped = time + "> " + said(after[2]) + "\n+0 > " + said(event)
            yield "in another order", line, event, swapped, text[:start] + swapped + text[after[1]:]
