/* Looking back line by line from the record in question. Lines are dismissed by their text before they are
 * read: a log is long, and what is looked for is mostly near. */
#include "lab/diff/diff_cause.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/diff/diff_record.h"

/* ---- lines ---- */

static size_t line_len(const DiffPlace *p)
{
    const char *end = memchr(p->text + p->at, '\n', p->len - p->at);

    return end ? (size_t)(end - p->text) - p->at : p->len - p->at;
}

EventlogMember *diff_cause_read(const DiffPlace *p)
{
    return p->at < p->len ? eventlog_json_read(p->text + p->at, line_len(p), NULL) : NULL;
}

static bool go_back(DiffPlace *p)
{
    const char *before;

    if (p->at == 0)
        return false;
    before = p->at > 1 ? memrchr(p->text, '\n', p->at - 1) : NULL;
    p->at = before ? (size_t)(before - p->text) + 1 : 0;
    return true;
}

static bool go_on(DiffPlace *p)
{
    p->at += line_len(p) + 1;
    return p->at < p->len;
}

static bool line_has(const DiffPlace *p, const char *text)
{
    return memmem(p->text + p->at, line_len(p), text, strlen(text)) != NULL;
}

/* ---- what is looked for ---- */

typedef struct Wanted {
    const char *member; /* text that the line must have, "\"birth\":\"client/7\"" */
    bool (*fits)(const void *user, const EventlogMember *m);
    bool (*is_over)(const void *user, const EventlogMember *m); /* it cannot come any more; NULL: it can */
    const void *user;
} Wanted;

static bool find_back(const DiffPlace *of, const Wanted *w, DiffPlace *found)
{
    DiffPlace p = *of;

    while (go_back(&p)) {
        EventlogMember *m;
        bool fits, is_over;

        if (!line_has(&p, w->member) || !(m = diff_cause_read(&p)))
            continue;
        fits = w->fits(w->user, m);
        is_over = w->is_over && w->is_over(w->user, m);
        g_free(m);
        if (is_over)
            return false;
        if (fits) {
            *found = p;
            return true;
        }
    }
    return false;
}

static bool is(const EventlogMember *m, const char *name, const char *text)
{
    const char *value = diff_record_member(m, name);
    size_t n = strlen(text);

    return value && *value == '"' && strlen(value) == n + 2 && !memcmp(value + 1, text, n);
}

static char *json_member(const char *name, const EventlogMember *m, const char *of)
{
    return g_strdup_printf("\"%s\":%s", name, diff_record_member(m, of));
}

static bool same_member(const EventlogMember *a, const EventlogMember *b, const char *name)
{
    return g_strcmp0(diff_record_member(a, name), diff_record_member(b, name)) == 0;
}

/* ---- frames ---- */

static bool is_sending(const void *user, const EventlogMember *m)
{
    return is(m, "event", "frame.tx");
}

static bool is_arrival_here(const void *user, const EventlogMember *m)
{
    return is(m, "event", "frame.rx") && same_member(m, user, "node");
}

static bool is_here(const void *user, const EventlogMember *m)
{
    return same_member(m, user, "node");
}

/* Births are "NODE/NUMBER". */
static bool is_born_here(const EventlogMember *m)
{
    g_autofree char *node = diff_record_text(m, "node"), *birth = diff_record_text(m, "frame.birth");
    size_t n = strlen(node);

    return !strncmp(birth, node, n) && birth[n] == '/';
}

static const char *why_of(const DiffPlace *cause)
{
    EventlogMember *m = diff_cause_read(cause);
    const char *why = "it was made here";

    if (is(m, "event", "frame.tx"))
        why = "it was sent";
    else if (is(m, "event", "frame.rx"))
        why = "it had arrived";
    g_free(m);
    return why;
}

/* What happened before to the packet: an arrival is a sending at the other end's, a frame lost on the way was
 * sent here; all else goes back to its arrival, or to where it was made. */
static bool find_by_birth(const DiffPlace *of, const EventlogMember *m, DiffPlace *cause, const char **why)
{
    g_autofree char *birth = json_member("birth", m, "frame.birth");
    Wanted w = {.member = birth, .user = m};

    if (is(m, "event", "frame.rx"))
        w.fits = is_sending;
    else if (is(m, "event", "frame.drop") || is_born_here(m))
        w.fits = is_here;
    else
        w.fits = is_arrival_here;
    if (!find_back(of, &w, cause))
        return false;
    *why = why_of(cause);
    return true;
}

/* Sequence number of a TCP segment's summary ("…, seq 17:18, …", "…, seq 17, …"). */
static bool summary_seq(const EventlogMember *m, uint32_t *seq)
{
    g_autofree char *summary = diff_record_text(m, "frame.summary");
    const char *at = strstr(summary, ", seq ");

    if (at)
        *seq = (uint32_t)g_ascii_strtoull(at + 6, NULL, 10);
    return at != NULL;
}

static bool is_send_of(const void *user, const EventlogMember *m)
{
    uint32_t seq, first, len;

    if (!same_member(m, user, "node") || !(is(m, "event", "tcp.send") || is(m, "event", "tcp.retransmit")))
        return false;
    if (!summary_seq(user, &seq))
        return true;
    first = (uint32_t)strtoull(diff_record_member(m, "seq"), NULL, 10);
    len = (uint32_t)strtoull(diff_record_member(m, "length_bytes"), NULL, 10);
    return seq - first < HS_MAX(len, 1);
}

static bool is_datagram(const void *user, const EventlogMember *m)
{
    return same_member(m, user, "node") && is(m, "event", "udp.send");
}

/* A packet that came into being here: by which socket? A super packet's frames get their births late. */
static bool find_maker(const DiffPlace *of, const EventlogMember *m, DiffPlace *cause, const char **why)
{
    g_autofree char *summary = diff_record_text(m, "frame.summary");
    Wanted w = {.user = m};

    *why = "its socket sent it";
    if (strstr(summary, ": Flags [")) {
        w.member = "\"event\":\"tcp.";
        w.fits = is_send_of;
        return find_back(of, &w, cause);
    }
    if (strstr(summary, ": UDP, ")) {
        w.member = "\"event\":\"udp.send\"";
        w.fits = is_datagram;
        return find_back(of, &w, cause);
    }
    return false;
}

/* ---- the same instant ---- */

static bool is_earlier(const void *user, const EventlogMember *m)
{
    return same_member(m, user, "node") && diff_record_time(m) < diff_record_time(user);
}

static bool is_trigger(const void *user, const EventlogMember *m)
{
    if (!same_member(m, user, "node") || diff_record_time(m) != diff_record_time(user))
        return false;
    return is(m, "event", "frame.rx") || (is(m, "event", "tcp.timer") && is(m, "what", "fired"));
}

static bool is_setting(const void *user, const EventlogMember *m)
{
    return is(m, "event", "tcp.timer") && is(m, "what", "armed") && same_member(m, user, "node") &&
           same_member(m, user, "conn") && same_member(m, user, "timer");
}

static bool find_trigger(const DiffPlace *of, const EventlogMember *m, DiffPlace *cause, const char **why)
{
    g_autofree char *node = json_member("node", m, "node");
    Wanted w = {.member = node, .user = m};

    if (is(m, "event", "tcp.timer") && is(m, "what", "fired")) {
        *why = "the timer had been set";
        w.fits = is_setting;
        return find_back(of, &w, cause);
    }
    *why = "this happened at the same instant";
    w.fits = is_trigger;
    w.is_over = is_earlier;
    return find_back(of, &w, cause);
}

bool diff_cause_find(const DiffPlace *of, DiffPlace *cause, const char **why)
{
    EventlogMember *m = diff_cause_read(of);
    bool found;

    if (!m)
        return false;
    found = diff_record_member(m, "frame.birth") &&
            (find_by_birth(of, m, cause, why) || (is_born_here(m) && find_maker(of, m, cause, why)));
    found = found || (!is(m, "event", "frame.rx") && find_trigger(of, m, cause, why));
    g_free(m);
    return found;
}

/* ---- the same, elsewhere ---- */

static bool says_the_same(const EventlogMember *a, const EventlogMember *b)
{
    for (const EventlogMember *e = a; e->name; e++)
        if (strcmp(e->name, "time") && !same_member(a, b, e->name))
            return false;
    for (const EventlogMember *e = b; e->name; e++)
        if (!diff_record_member(a, e->name))
            return false;
    return true;
}

bool diff_cause_find_packet(const DiffPlace *from, const EventlogMember *m, DiffPlace *next)
{
    g_autofree char *birth = NULL;
    DiffPlace p = *from;

    if (!diff_record_member(m, "frame.birth") || p.at >= p.len)
        return false;
    birth = json_member("birth", m, "frame.birth");
    do {
        if (line_has(&p, birth)) {
            *next = p;
            return true;
        }
    } while (go_on(&p));
    return false;
}

bool diff_cause_find_same(const DiffPlace *from, const EventlogMember *m, DiffPlace *same)
{
    bool has_birth = diff_record_member(m, "frame.birth") != NULL;
    g_autofree char *text =
        has_birth ? json_member("birth", m, "frame.birth") : json_member("event", m, "event");
    DiffPlace p = *from;

    if (p.at >= p.len)
        return false;
    do {
        EventlogMember *other = line_has(&p, text) ? diff_cause_read(&p) : NULL;
        bool found = other && says_the_same(m, other);

        g_free(other);
        if (found) {
            *same = p;
            return true;
        }
    } while (go_on(&p));
    return false;
}
