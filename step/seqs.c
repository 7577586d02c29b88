#include "step/seqs.h"

#include <inttypes.h>
#include <string.h>

#include "models/wire/ipv4.h"
#include "models/wire/ipv4_addr.h"
#include "models/wire/tcp.h"

typedef struct Key {
    uint32_t src, dst;
    uint32_t ports;
    uint32_t kind; /* KEY_FLOW; KEY_CONN: src is a node, dst the number of its connection, no ports;
                      KEY_NODE: src is the node that sends */
} Key;

enum { KEY_FLOW, KEY_CONN, KEY_NODE };

typedef struct Begin {
    Key key;
    uint32_t isn;
} Begin;

struct StepSeqs {
    GHashTable *begins; /* Begin, by its key; for look-ups only */
};

static guint key_hash(gconstpointer p)
{
    const Key *k = p;

    return k->src * 2654435761u ^ k->dst * 2246822519u ^ k->ports * 3266489917u ^ k->kind;
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(Key)) == 0;
}

StepSeqs *stepseqs_new(void)
{
    StepSeqs *s = g_new0(StepSeqs, 1);

    s->begins = g_hash_table_new_full(key_hash, key_equal, g_free, NULL);
    return s;
}

static void remember(StepSeqs *s, const Key *key, uint32_t isn)
{
    Begin *b = g_new(Begin, 1);

    *b = (Begin){*key, isn};
    g_hash_table_replace(s->begins, b, b);
}

static bool find(const StepSeqs *s, const Key *key, uint32_t *isn)
{
    const Begin *b = g_hash_table_lookup(s->begins, key);

    if (b)
        *isn = b->isn;
    return b != NULL;
}

/* The TCP header of an IPv4 packet whose headers are whole and not behind a link header that hides them;
 * NULL: something else. */
static const uint8_t *tcp_of(const Packet *p, const uint8_t **ip)
{
    *ip = p->buf + p->l3;
    if (!p->l3 || p->l3 + IPV4_MIN_HDR_LEN > p->tail || (*ip)[0] >> 4 != 4 || ipv4_proto(*ip) != IP_PROTO_TCP)
        return NULL;
    if (p->l3 + ipv4_hdr_len(*ip) + TCP_MIN_HDR_LEN > p->tail)
        return NULL;
    return *ip + ipv4_hdr_len(*ip);
}

static Key key_of(const uint8_t *ip, const uint8_t *tcp, bool is_back)
{
    uint32_t sport = tcp_src_port(tcp), dport = tcp_dst_port(tcp);

    if (is_back)
        return (Key){ipv4_dst(ip), ipv4_src(ip), dport << 16 | sport, KEY_FLOW};
    return (Key){ipv4_src(ip), ipv4_dst(ip), sport << 16 | dport, KEY_FLOW};
}

static Key key_of_conn(const ProbeRecord *r)
{
    return (Key){r->node->id, (uint32_t)r->value[0].u, 0, KEY_CONN};
}

static void look_at_frame(StepSeqs *s, const ProbeRecord *r)
{
    const uint8_t *ip, *tcp = tcp_of(r->pkt, &ip);
    Key key;

    if (!tcp || !(tcp_flags(tcp) & TCP_SYN))
        return;
    key = key_of(ip, tcp, false);
    remember(s, &key, tcp_seq(tcp));
    if (r->pkt->birth_node != r->node->id)
        return;
    key = (Key){r->node->id, key.dst, key.ports, KEY_NODE};
    remember(s, &key, tcp_seq(tcp));
}

/* A connection whose SYN was a request's, before there was a connection: known by its node and its peer. */
static void look_at_state(StepSeqs *s, const ProbeRecord *r)
{
    Key conn = key_of_conn(r), node = {r->node->id, 0, 0, KEY_NODE};
    uint32_t isn;

    if (find(s, &conn, &isn) || !ipv4_addr_parse(r->value[2].s, &node.dst))
        return;
    node.ports = (uint32_t)r->value[1].u << 16 | (uint32_t)r->value[3].u;
    if (find(s, &node, &isn))
        remember(s, &conn, isn);
}

void stepseqs_look(StepSeqs *s, const ProbeRecord *r)
{
    Key key;

    if (r->desc == &probe_frame_tx) {
        look_at_frame(s, r);
    } else if (r->desc->cls == PROBE_TCP && !strcmp(r->desc->name, "tcp.state")) {
        look_at_state(s, r);
    } else if (r->desc->cls == PROBE_TCP && !strcmp(r->desc->name, "tcp.send") && r->value[3].u & TCP_SYN) {
        key = key_of_conn(r);
        remember(s, &key, (uint32_t)r->value[1].u);
    }
}

bool stepseqs_conn(const StepSeqs *s, const ProbeRecord *r, uint32_t *isn)
{
    Key key;

    if (r->desc->cls != PROBE_TCP || !r->desc->n_fields || strcmp(r->desc->field[0].name, "conn") != 0)
        return false;
    key = key_of_conn(r);
    return find(s, &key, isn);
}

bool stepseqs_packet(const StepSeqs *s, const ProbeRecord *r, bool is_back, uint32_t *isn)
{
    const uint8_t *ip, *tcp = r->pkt ? tcp_of(r->pkt, &ip) : NULL;
    Key key;

    if (!tcp)
        return false;
    key = key_of(ip, tcp, is_back);
    return find(s, &key, isn);
}

/* The numbers at `at`, separated by ':', less base. */
static gsize rewrite_numbers(GString *line, gsize at, uint32_t base)
{
    for (;;) {
        char *end;
        uint32_t v = (uint32_t)g_ascii_strtoull(line->str + at, &end, 10);
        g_autofree char *text = g_strdup_printf("%" PRIu32, v - base);
        bool goes_on;

        g_string_erase(line, (gssize)at, end - (line->str + at));
        g_string_insert(line, (gssize)at, text);
        at += strlen(text);
        goes_on = line->str[at] == ':' && g_ascii_isdigit(line->str[at + 1]);
        if (!goes_on)
            return at;
        at++;
    }
}

void stepseqs_rewrite(const StepSeqs *s, const ProbeRecord *r, GString *line, gsize from)
{
    const uint8_t *ip, *tcp = r->pkt ? tcp_of(r->pkt, &ip) : NULL;
    uint32_t base = 0, back = 0;
    bool has_base, has_back;
    Key key;

    if (!tcp)
        return;
    key = key_of(ip, tcp, false);
    has_base = find(s, &key, &base);
    key = key_of(ip, tcp, true);
    has_back = find(s, &key, &back);
    for (gsize at = from; at < line->len; at++) {
        const char *p = line->str + at;

        if (has_base && g_str_has_prefix(p, ", seq ") && g_ascii_isdigit(p[6]))
            at = rewrite_numbers(line, at + 6, base) - 1;
        else if (has_back && g_str_has_prefix(p, ", ack ") && g_ascii_isdigit(p[6]))
            at = rewrite_numbers(line, at + 6, back) - 1;
        else if (has_back && *p == '{' && g_ascii_isdigit(p[1]))
            at = rewrite_numbers(line, at + 1, back) - 1;
    }
}
