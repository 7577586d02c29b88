#include "tests/interop/stimuli_text.h"

#include <stdio.h>
#include <string.h>

#include "packetdrill/pd_format.h"
#include "packetdrill/pd_symbols.h"

#define US_PER_MS 1000

static int64_t to_ms(int64_t us)
{
    return (us + US_PER_MS / 2) / US_PER_MS;
}

/* ---- the script's own text ---- */

static size_t line_start(const PdScript *s, unsigned line)
{
    size_t pos = 0;
    for (unsigned l = 1; l < line && pos < s->text_len; l++) {
        const char *nl = memchr(s->text + pos, '\n', s->text_len - pos);
        pos = nl ? (size_t)(nl - s->text) + 1 : s->text_len;
    }
    return pos;
}

static size_t offset(const PdScript *s, PdLoc loc)
{
    size_t pos = line_start(s, loc.line) + loc.col - 1;
    return pos < s->text_len ? pos : s->text_len;
}

/* Behind the event's last line, or where the next event on that line begins. */
static size_t event_end(const PdScript *s, const PdEvent *e)
{
    size_t end = line_start(s, e->end_line + 1);
    if (e + 1 < s->events + s->n_events && offset(s, e[1].loc) < end)
        end = offset(s, e[1].loc);
    else if (s->cleanup && offset(s, s->cleanup_loc) < end)
        end = offset(s, s->cleanup_loc);
    return end;
}

static void append_slice(GString *out, const PdScript *s, size_t from, size_t to)
{
    while (to > from && g_ascii_isspace(s->text[to - 1]))
        to--;
    g_string_append_len(out, s->text + from, (gssize)(to - from));
}

/* Comments and empty lines in front of event `to` that have not been written yet. */
static void append_gaps(GString *out, const PdScript *s, unsigned *from, unsigned to)
{
    for (; *from <= to; ++*from) {
        if (*from == 0)
            continue;
        size_t begin = event_end(s, &s->events[*from - 1]);
        size_t end = *from < s->n_events ? offset(s, s->events[*from].loc)
                     : s->cleanup        ? offset(s, s->cleanup_loc)
                                         : s->text_len;
        if (end > begin) {
            /* Up to the line of the event: what is in front of its time is indentation. */
            while (end > begin && s->text[end - 1] != '\n')
                end--;
            g_string_append_len(out, s->text + begin, (gssize)(end - begin));
        }
    }
}

/* ---- packets and results ---- */

static void append_packet(GString *out, const PdSeen *seen, bool v6, bool with_ports)
{
    PdPacket p;
    pd_format_from_seen(&p, seen, (seen->tos & 3) != 0);
    p.has_ports = with_ports;
    p.src_port = seen->tuple.src_port;
    p.dst_port = seen->tuple.dst_port;
    pd_format_packet(out, &p, v6, false);
}

static bool is_label(const PdSyscall *s)
{
    return strcmp(s->name, "socket") == 0 || g_str_has_prefix(s->name, "accept") ||
           strcmp(s->name, "open") == 0 || g_str_has_prefix(s->name, "epoll_create");
}

static void append_result(GString *out, const StimuliItem *i)
{
    g_string_append_printf(out, "%" G_GINT64_FORMAT, i->result.ret);
    if (i->result.ret >= 0)
        return;
    const char *name = pd_errno_name(i->result.err);
    if (name)
        g_string_append_printf(out, " %s (%s)", name, g_strerror(i->result.err));
    else
        g_string_append_printf(out, " (errno %d)", i->result.err);
}

/* The first line only: mismatches explain themselves at length. */
static void append_note(GString *out, const char *note)
{
    if (note)
        g_string_append_printf(out, "  // %.*s", (int)strcspn(note, "\n"), note);
}

/* getsockopt's and ioctl's [1] become what the kernel said. */
static bool fixed_option(GString *out, const PdScript *s, const StimuliItem *i, size_t from)
{
    size_t end = event_end(s, i->event);
    const char *open, *shut;
    int32_t value;

    bool is_ioctl = strcmp(i->event->syscall->name, "ioctl") == 0;

    if (i->is_as_written || i->result.ret != 0)
        return false;
    if (!is_ioctl &&
        (strcmp(i->event->syscall->name, "getsockopt") != 0 || i->result.n_bytes != sizeof(value)))
        return false;
    open = memchr(s->text + from, '[', end - from);
    shut = open ? memchr(open, ']', (size_t)(s->text + end - open)) : NULL;
    if (!shut)
        return false;
    if (is_ioctl)
        value = (int32_t)i->result.out;
    else
        memcpy(&value, i->result.bytes, sizeof(value));
    g_string_append_len(out, s->text + from, (gssize)(open + 1 - (s->text + from)));
    g_string_append_printf(out, "%d", value);
    append_slice(out, s, (size_t)(shut - s->text), end);
    return true;
}

/* ---- what came back by pointer: recvmsg's flags and control messages, poll's and epoll_wait's events ----
 */

typedef struct BitName {
    const char *name;
    uint32_t value;
} BitName;

static void append_bits(GString *out, uint32_t value, const BitName *names, size_t n)
{
    const char *sep = "";

    for (size_t k = 0; k < n && value; k++) {
        if (!(value & names[k].value))
            continue;
        g_string_append_printf(out, "%s%s", sep, names[k].name);
        value &= ~names[k].value;
        sep = "|";
    }
    if (value || !*sep)
        g_string_append_printf(out, "%s%u", sep, value);
}

static const BitName event_names[] = {{"IN", 1},       {"PRI", 2},       {"OUT", 4},      {"ERR", 8},
                                      {"HUP", 16},     {"RDNORM", 64},   {"RDBAND", 128}, {"WRNORM", 256},
                                      {"WRBAND", 512}, {"RDHUP", 0x2000}};
static const BitName msg_flag_names[] = {
    {"MSG_OOB", 1}, {"MSG_CTRUNC", 8}, {"MSG_TRUNC", 32}, {"MSG_EOR", 128}, {"MSG_ERRQUEUE", 8192}};

static void append_events(GString *out, const char *prefix, uint32_t value)
{
    GString *bare = g_string_new(NULL);
    char **bits;

    append_bits(bare, value, event_names, G_N_ELEMENTS(event_names));
    bits = g_strsplit(bare->str, "|", -1);
    for (char **b = bits; *b; b++)
        g_string_append_printf(out, "%s%s%s", b == bits ? "" : "|", g_ascii_isdigit(**b) ? "" : prefix, *b);
    g_strfreev(bits);
    g_string_free(bare, TRUE);
}

static uint64_t le(const uint8_t *p, size_t n)
{
    uint64_t v = 0;

    for (size_t k = 0; k < n; k++)
        v |= (uint64_t)p[k] << (8 * k);
    return v;
}

/* NULL: a measured time or rate, different each time. */
static const char *statistic_name(unsigned type)
{
    static const char *measured[] = {"BUSY", "_LIMITED", "_RATE", "_RTT", "SRTT", "EDT"};
    const char *name;
    int64_t value;

    for (size_t k = 0; (name = pd_symbol_at(k)) != NULL; k++) {
        if (!g_str_has_prefix(name, "TCP_NLA_") || !pd_symbol_find(name, &value) || value != type)
            continue;
        for (size_t m = 0; m < G_N_ELEMENTS(measured); m++) {
            if (g_str_has_suffix(name, measured[m]))
                return NULL;
        }
        return name;
    }
    return NULL;
}

static void append_statistics(GString *out, const PdCmsg *m)
{
    const char *sep = "";
    size_t at = 0;

    g_string_append(out, "{");
    while (at + 4 <= m->len) {
        size_t len = (size_t)le(m->data + at, 2);
        unsigned type = (unsigned)le(m->data + at + 2, 2);
        const char *name;

        if (len < 4 || at + len > m->len)
            break;
        name = statistic_name(type);
        if (name) {
            g_string_append_printf(out, "%s%s=%" G_GUINT64_FORMAT, sep, name,
                                   le(m->data + at + 4, MIN(len - 4, 8)));
            sep = ", ";
        }
        at += (len + 3) & ~(size_t)3;
    }
    g_string_append(out, "}");
}

static void append_cmsg(GString *out, const PdCmsg *m)
{
    bool is_error = (m->level == 0 && m->type == 11) || (m->level == 41 && m->type == 25);

    if (is_error && m->len >= 16) {
        g_string_append_printf(
            out,
            "{cmsg_level=CMSG_LEVEL_IP, cmsg_type=CMSG_TYPE_RECVERR, "
            "cmsg_data={ee_errno=%u, ee_origin=%u, ee_type=%u, ee_code=%u, ee_info=%u, ee_data=%u}}",
            (unsigned)le(m->data, 4), m->data[4], m->data[5], m->data[6], (unsigned)le(m->data + 8, 4),
            (unsigned)le(m->data + 12, 4));
        return;
    }
    if (m->level == 1 && (m->type == 37 || m->type == 35) && m->len >= 16) {
        g_string_append_printf(out,
                               "{cmsg_level=SOL_SOCKET, cmsg_type=%s, cmsg_data={scm_sec=%u, scm_nsec=%u}}",
                               m->type == 37 ? "SCM_TIMESTAMPING" : "SCM_TIMESTAMPNS",
                               (unsigned)le(m->data, 8), (unsigned)(le(m->data + 8, 8) / 1000000 * 1000000));
        return;
    }
    g_string_append_printf(out, "{cmsg_level=%d, cmsg_type=%d, cmsg_data=", m->level, m->type);
    if (m->level == 1 && m->type == 54)
        append_statistics(out, m);
    else if (m->len <= 4)
        g_string_append_printf(out, "%d", (int)le(m->data, m->len));
    else
        g_string_append(out, "...");
    g_string_append(out, "}");
}

/* The text with what came back in the place of what was expected. */
static bool fixed_pointers(GString *out, const PdScript *s, const StimuliItem *i, size_t from)
{
    size_t len = event_end(s, i->event) - from;
    char *text = g_strndup(s->text + from, len), *at, *end;
    bool done = false;

    if (i->is_as_written || i->result.ret < 0 || i->is_asleep)
        goto out;
    if (strcmp(i->event->syscall->name, "recvmsg") == 0 && (at = strstr(text, "msg_flags")) != NULL &&
        (end = strrchr(text, '}')) != NULL && end > at) {
        g_string_append_len(out, text, at - text);
        g_string_append(out, "msg_flags=");
        append_bits(out, (uint32_t)i->result.msg_flags, msg_flag_names, G_N_ELEMENTS(msg_flag_names));
        if (strstr(at, "msg_control")) {
            g_string_append(out, ", msg_control=[");
            for (unsigned k = 0; k < i->result.n_control; k++) {
                g_string_append(out, k ? ", " : "");
                append_cmsg(out, &i->result.control[k]);
            }
            g_string_append(out, "]");
        }
        at = strchr(end, '=');
        done = at != NULL;
        if (done)
            g_string_append_printf(out, "%.*s= %" G_GINT64_FORMAT, (int)(at - end), end, i->result.ret);
    } else if (strcmp(i->event->syscall->name, "poll") == 0 && i->result.n_poll == 1 &&
               (at = strstr(text, "revents")) != NULL && (end = strchr(at, '}')) != NULL) {
        g_string_append_len(out, text, at - text);
        g_string_append(out, "revents=");
        append_events(out, "POLL", i->result.poll[0].revents);
        at = strchr(end, '=');
        done = at != NULL;
        if (done)
            g_string_append_printf(out, "%.*s= %" G_GINT64_FORMAT, (int)(at - end), end, i->result.ret);
    } else if (strcmp(i->event->syscall->name, "epoll_wait") == 0 && i->result.n_epoll &&
               (at = strstr(text, "events")) != NULL && (end = strpbrk(at, ",}")) != NULL) {
        g_string_append_len(out, text, at - text);
        g_string_append(out, "events=");
        append_events(out, "EPOLL", i->result.epoll[0].events);
        at = strrchr(end, '=');
        done = at != NULL;
        if (done)
            g_string_append_printf(out, "%.*s= %" G_GINT64_FORMAT, (int)(at - end), end, i->result.ret);
    }
out:
    g_free(text);
    return done;
}

static void append_call(GString *out, const PdScript *s, const StimuliItem *i)
{
    const PdEvent *e = i->event;
    size_t from = offset(s, e->action_loc), result = offset(s, e->syscall->result->loc);
    bool same_number = is_label(e->syscall) ? i->result.ret >= 0 && e->syscall->result->value >= 0
                                            : i->result.ret == e->syscall->result->value;
    if (fixed_option(out, s, i, from) || fixed_pointers(out, s, i, from))
        return;
    if (i->is_as_written || i->is_asleep || (same_number && i->result.ret >= 0)) {
        append_slice(out, s, from, event_end(s, e));
        append_note(out, i->is_as_written ? NULL : i->note);
        return;
    }
    g_string_append_len(out, s->text + from, (gssize)(result - from));
    append_result(out, i);
}

/* print(a, b) asks for a and b: the answer is an assertion. And what was answered before is asked again. */
static bool is_question(const char *text)
{
    return g_regex_match_simple("^(print *\\([^\\n;]*\\)|(assert \\w+ == \\d+(; )?)+)$", text, 0, 0);
}

static void append_code(GString *out, const PdScript *s, const StimuliItem *i)
{
    if (i->facts && i->facts->len && is_question(i->event->text)) {
        g_string_append(out, "%{ ");
        for (guint k = 0; k + 1 < i->facts->len; k += 2)
            g_string_append_printf(out, "%sassert %s == %s", k ? "; " : "", (char *)i->facts->pdata[k],
                                   (char *)i->facts->pdata[k + 1]);
        g_string_append(out, " }%");
        return;
    }
    append_slice(out, s, offset(s, i->event->action_loc), event_end(s, i->event));
    append_note(out, i->note);
    for (guint k = 0; i->facts && k + 1 < i->facts->len; k += 2)
        g_string_append_printf(out, "\n     // %s is %s", (char *)i->facts->pdata[k],
                               (char *)i->facts->pdata[k + 1]);
}

/* Written as "+0" and a millisecond late: the machine's doing, not the script's. */
static bool is_at_once(const StimuliItem *i, int64_t late_ms)
{
    return late_ms == 0 || (i->event && i->event->kind != PD_EVENT_PACKET &&
                            i->event->time == PD_TIME_RELATIVE && i->event->time_us == 0 && late_ms <= 2);
}

void stimuli_format_script(GString *out, const PdScript *script, const GPtrArray *items)
{
    bool v6 = script->ip_version == PD_IPV6;
    int64_t last_ms = 0;
    unsigned gaps = 0;
    if (script->n_events)
        g_string_append_len(out, script->text, (gssize)line_start(script, script->events[0].loc.line));
    for (guint n = 0; n < items->len; n++) {
        const StimuliItem *i = items->pdata[n];
        int64_t ms = MAX(to_ms(i->at_us), last_ms);
        if (i->event)
            append_gaps(out, script, &gaps, (unsigned)(i->event - script->events));
        char *time = g_strdup_printf("+%" G_GINT64_FORMAT ".%03d", (ms - last_ms) / 1000,
                                     (int)((ms - last_ms) % 1000));
        GString *line = g_string_new(is_at_once(i, ms - last_ms) ? "+0" : time);
        if (i->end_us >= 0) {
            int64_t end_ms = MAX(to_ms(i->end_us), ms) - last_ms;
            g_string_append_printf(line, "...%d.%03d", (int)(end_ms / 1000), (int)(end_ms % 1000));
        }
        g_free(time);
        g_string_append_printf(out, "%*s%s ", (int)MAX(0, 6 - (int)line->len), "", line->str);
        g_string_free(line, TRUE);
        last_ms = ms;
        if (!i->event)
            append_packet(out, &i->seen, v6, i->with_ports);
        else if (i->event->kind == PD_EVENT_SYSCALL)
            append_call(out, script, i);
        else if (i->event->kind == PD_EVENT_CODE)
            append_code(out, script, i);
        else
            append_slice(out, script, offset(script, i->event->action_loc), event_end(script, i->event));
        g_string_append_c(out, '\n');
    }
    append_gaps(out, script, &gaps, script->n_events);
    if (script->cleanup)
        append_slice(out, script, offset(script, script->cleanup_loc), script->text_len);
    if (out->len && out->str[out->len - 1] != '\n')
        g_string_append_c(out, '\n');
}

/* ---- traces ---- */

static void trace_segment(GString *out, const PdSeen *seen, bool v6, bool with_ports, int64_t at_us)
{
    PdSeen s = *seen;
    for (unsigned i = 0; i < s.n_options; i++) {
        if (s.options[i].kind == TCP_OPT_TIMESTAMPS)
            s.options[i].ts_val = 0;
    }
    g_string_append_printf(out, "%d.%03d ", (int)(to_ms(at_us) / 1000), (int)(to_ms(at_us) % 1000));
    append_packet(out, &s, v6, with_ports);
    g_string_append_c(out, '\n');
}

static void trace_packet(GString *out, const StimuliItem *i, bool v6)
{
    PdSeen s = i->seen;
    uint32_t left = s.payload_len, size = s.gso_size ? s.gso_size : left;
    if (s.ip_proto != 6 || left <= size) {
        trace_segment(out, &s, v6, i->with_ports, i->at_us);
        return;
    }
    uint16_t last_flags = s.tcp.flags;
    for (uint32_t sent = 0; left; left -= s.payload_len, sent += s.payload_len) {
        s.payload_len = MIN(left, size);
        s.tcp.seq = i->seen.tcp.seq + sent;
        s.tcp.flags = left > size ? last_flags & (uint16_t) ~(TCP_PSH | TCP_FIN) : last_flags;
        if (sent)
            s.tcp.flags &= (uint16_t)~TCP_CWR;
        trace_segment(out, &s, v6, i->with_ports, i->at_us);
    }
}

/* What TCP and ICMP have counted, as nstat prints it: name, value, rate. */
static void trace_counters(GString *out, const StimuliItem *i, int64_t ms)
{
    char **lines = i->output ? g_strsplit(i->output, "\n", -1) : NULL;

    for (char **l = lines; l && *l; l++) {
        char name[64];
        unsigned long long value;

        if ((g_str_has_prefix(*l, "Tcp") || g_str_has_prefix(*l, "Icmp")) &&
            sscanf(*l, "%63s %llu", name, &value) == 2)
            g_string_append_printf(out, "%d.%03d line %u %s %llu\n", (int)(ms / 1000), (int)(ms % 1000),
                                   i->event->loc.line, name, value);
    }
    g_strfreev(lines);
}

void stimuli_format_trace(GString *out, const PdScript *script, const GPtrArray *items)
{
    bool v6 = script->ip_version == PD_IPV6;
    for (guint n = 0; n < items->len; n++) {
        const StimuliItem *i = items->pdata[n];
        if (!i->event) {
            trace_packet(out, i, v6);
            continue;
        }
        int64_t ms = to_ms(i->end_us >= 0 ? i->end_us : i->at_us);
        if (i->event->kind == PD_EVENT_PACKET) {
            g_string_append_printf(out, "%d.%03d ", (int)(ms / 1000), (int)(ms % 1000));
            pd_format_packet(out, i->event->packet, v6, false);
            g_string_append_c(out, '\n');
        }
        if (i->event->kind == PD_EVENT_SYSCALL) {
            g_string_append_printf(out, "%d.%03d line %u %s = ", (int)(ms / 1000), (int)(ms % 1000),
                                   i->event->loc.line, i->event->syscall->name);
            if (is_label(i->event->syscall) && i->result.ret >= 0)
                g_string_append(out, "descriptor");
            else
                append_result(out, i);
            append_note(out, i->note);
            g_string_append_c(out, '\n');
        }
        trace_counters(out, i, ms);
        for (guint k = 0; i->facts && k + 1 < i->facts->len; k += 2)
            g_string_append_printf(out, "%d.%03d line %u %s = %s\n", (int)(ms / 1000), (int)(ms % 1000),
                                   i->event->loc.line, (char *)i->facts->pdata[k],
                                   (char *)i->facts->pdata[k + 1]);
    }
}
