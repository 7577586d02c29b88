#include "sim/engine/streams.h"

#include <string.h>

#include "sim/base/siphash.h"

#define SELDOM_MAX 64 /* draws; from then on the state is kept */
#define PER_BUCKET 4

struct Stream {
    Stream *next;
    const char *node;
    uint32_t purpose;
    uint32_t n_drawn : 31;
    uint32_t has_state : 1; /* a KeptStream, which does not count */
};

typedef struct KeptStream {
    Stream stream;
    Rng rng;
} KeptStream;

void streams_init(Streams *s, uint64_t seed, Cells *cells)
{
    *s = (Streams){.seed = seed,
                   .cells = cells,
                   .purposes = g_ptr_array_new_with_free_func(g_free),
                   .purpose_index = g_hash_table_new(g_str_hash, g_str_equal)};
}

static size_t size_of(const Stream *st)
{
    return st->has_state ? sizeof(KeptStream) : sizeof(Stream);
}

void streams_clear(Streams *s)
{
    for (uint32_t i = 0; i < s->n_buckets; i++)
        for (Stream *st = s->bucket[i], *next; st; st = next) {
            next = st->next;
            cells_give(s->cells, st, size_of(st));
        }
    g_free(s->bucket);
    g_hash_table_destroy(s->purpose_index);
    g_ptr_array_free(s->purposes, TRUE);
}

static const char *purpose_of(const Streams *s, const Stream *st)
{
    return s->purposes->pdata[st->purpose];
}

static uint32_t purpose_number(Streams *s, const char *purpose)
{
    gpointer number;
    char *copy;

    if (g_hash_table_lookup_extended(s->purpose_index, purpose, NULL, &number))
        return GPOINTER_TO_UINT(number);
    copy = g_strdup(purpose);
    g_ptr_array_add(s->purposes, copy);
    g_hash_table_insert(s->purpose_index, copy, GUINT_TO_POINTER(s->purposes->len - 1));
    return s->purposes->len - 1;
}

static Stream **bucket_of(Streams *s, const char *node, uint32_t purpose)
{
    return &s->bucket[(g_str_hash(node) + purpose * 0x9e3779b9u) & (s->n_buckets - 1)];
}

static void grow(Streams *s)
{
    uint32_t n = s->n_buckets;
    Stream **old = s->bucket;

    s->n_buckets = n ? 2 * n : 16;
    s->bucket = g_new0(Stream *, s->n_buckets);
    for (uint32_t i = 0; i < n; i++)
        for (Stream *st = old[i], *next; st; st = next) {
            Stream **at = bucket_of(s, st->node, st->purpose);

            next = st->next;
            st->next = *at;
            *at = st;
        }
    g_free(old);
}

/* The place that points to it; a new one has no state and nothing drawn. */
static Stream **find_or_make(Streams *s, const char *node, const char *purpose)
{
    uint32_t number = purpose_number(s, purpose);
    Stream **at, *st;

    if (s->n_buckets)
        for (at = bucket_of(s, node, number); *at; at = &(*at)->next)
            if ((*at)->purpose == number && strcmp((*at)->node, node) == 0)
                return at;
    if (s->n++ >= s->n_buckets * PER_BUCKET)
        grow(s);
    at = bucket_of(s, node, number);
    st = cells_take(s->cells, sizeof *st);
    *st = (Stream){.next = *at, .node = node, .purpose = number};
    *at = st;
    return at;
}

static Rng state_at(const Streams *s, const Stream *st, uint64_t n_drawn)
{
    Rng rng;

    rng_init(&rng, s->seed, st->node, purpose_of(s, st));
    while (n_drawn--)
        rng_next(&rng);
    return rng;
}

static Rng state_of(const Streams *s, const Stream *st)
{
    return st->has_state ? HS_CONTAINER_OF(st, KeptStream, stream)->rng : state_at(s, st, st->n_drawn);
}

static KeptStream *keep_state(Streams *s, Stream **at)
{
    Stream *st = *at;
    KeptStream *k;

    if (st->has_state)
        return HS_CONTAINER_OF(st, KeptStream, stream);
    k = cells_take(s->cells, sizeof *k);
    k->stream = *st;
    k->stream.has_state = true;
    k->rng = state_of(s, st);
    *at = &k->stream;
    cells_give(s->cells, st, sizeof *st);
    return k;
}

Rng *streams_get(Streams *s, const char *node, const char *purpose)
{
    return &keep_state(s, find_or_make(s, node, purpose))->rng;
}

static uint64_t next_of(Rng *rng, uint64_t below)
{
    return below ? rng_below(rng, below) : rng_next(rng);
}

static uint64_t draws_between(Rng before, const Rng *after)
{
    uint64_t n = 0;

    for (; memcmp(&before, after, sizeof before) != 0; n++)
        rng_next(&before);
    return n;
}

uint64_t streams_draw(Streams *s, const char *node, const char *purpose, uint64_t below)
{
    Stream **at = find_or_make(s, node, purpose);
    Rng before, after;
    uint64_t number;

    if ((*at)->n_drawn >= SELDOM_MAX)
        keep_state(s, at);
    if ((*at)->has_state)
        return next_of(&HS_CONTAINER_OF(*at, KeptStream, stream)->rng, below);
    before = after = state_of(s, *at);
    number = next_of(&after, below);
    (*at)->n_drawn += (uint32_t)draws_between(before, &after); /* one, very seldom more */
    return number;
}

uint64_t streams_pass(Streams *s, const char *node, const char *purpose, unsigned count)
{
    Stream **at = find_or_make(s, node, purpose);
    uint64_t from = (*at)->n_drawn;

    if ((*at)->n_drawn >= SELDOM_MAX)
        keep_state(s, at);
    if ((*at)->has_state) { /* a host that starts again after a long time */
        Rng *rng = &HS_CONTAINER_OF(*at, KeptStream, stream)->rng;

        from = draws_between(state_at(s, *at, 0), rng);
        for (unsigned i = 0; i < count; i++)
            rng_next(rng);
    } else {
        (*at)->n_drawn += count;
    }
    return from;
}

typedef struct Named {
    char *id; /* "node/purpose" */
    const Stream *st;
} Named;

static int by_id(const void *a, const void *b)
{
    const Named *x = a, *y = b;
    int order = strcmp(x->id, y->id);

    return order ? order : strcmp(x->st->node, y->st->node); /* "a" and "b/c", "a/b" and "c" */
}

uint64_t streams_hash(const Streams *s)
{
    Named *all = g_new(Named, s->n);
    uint64_t h = s->seed;
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->n_buckets; i++)
        for (const Stream *st = s->bucket[i]; st; st = st->next)
            all[n++] = (Named){g_strconcat(st->node, "/", purpose_of(s, st), NULL), st};
    if (n)
        qsort(all, n, sizeof *all, by_id); /* tidy-allow: qsort (no two are equal) */
    for (uint32_t i = 0; i < n; i++) {
        Rng rng = state_of(s, all[i].st);
        const uint64_t words[2] = {rng_hash(&rng),
                                   siphash(&(SipKey){h, s->seed}, all[i].id, strlen(all[i].id))};

        h = words[0] * 0x9e3779b97f4a7c15u ^ words[1];
        g_free(all[i].id);
    }
    g_free(all);
    return h;
}
