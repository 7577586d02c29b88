/* Any bytes under any link type: the dissector and the summary stay within bounds, and what they tell adds
 * up. The first byte chooses the link type and whether text is wanted. */
#include <string.h>

#include "models/wire/dissect.h"
#include "sim/base/base.h"

static const WireLinkType link_types[] = {WIRE_LINK_ETHERNET, WIRE_LINK_PPP,  WIRE_LINK_RAW,
                                          WIRE_LINK_IPV4,     WIRE_LINK_IPV6, WIRE_LINK_ETHERNET_FCS};

typedef struct Seen {
    size_t frame_len;
    size_t off, len; /* of the open layer */
    size_t covered;  /* layers follow each other without gaps */
    bool is_open;
    int n_malformed;
} Seen;

static void on_begin(void *user, const WireLayer *layer, size_t off, size_t len, int depth)
{
    Seen *s = user;

    hs_assert(!s->is_open);
    hs_assert(off == s->covered);
    hs_assert(off + len <= s->frame_len);
    hs_assert(depth == 0 || depth == 1);
    s->is_open = true;
    s->off = off;
    s->len = len;
}

static void on_field(void *user, const WireLayer *layer, const WireField *f)
{
    Seen *s = user;

    hs_assert(s->is_open);
    hs_assert((size_t)f->bit_off + f->bit_len <= s->len * 8);
    hs_assert(memchr(f->text, 0, sizeof f->text) != NULL);
}

static void on_end(void *user, const WireLayer *layer)
{
    Seen *s = user;

    hs_assert(s->is_open);
    s->is_open = false;
    /* A malformed header may end before the length it was announced with. */
    s->covered = s->n_malformed ? SIZE_MAX : s->off + s->len;
}

static void on_begin_lax(void *user, const WireLayer *layer, size_t off, size_t len, int depth)
{
    Seen *s = user;

    if (s->covered == SIZE_MAX)
        s->covered = off;
    on_begin(user, layer, off, len, depth);
}

static void on_malformed(void *user, const WireLayer *layer, size_t off, WireError err, const char *why)
{
    Seen *s = user;

    hs_assert(off <= s->frame_len);
    hs_assert(err < 0 && *why);
    s->n_malformed++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char line[120];

    if (size < 1)
        return 0;
    WireLinkType linktype = link_types[(data[0] & 0x7f) % HS_ARRAY_LEN(link_types)];
    Seen seen = {.frame_len = size - 1};
    WireSink sink = {.user = &seen,
                     .no_text = data[0] & 0x80,
                     .begin_layer = on_begin_lax,
                     .field = on_field,
                     .end_layer = on_end,
                     .malformed = on_malformed};
    bool ok = wire_dissect(linktype, data + 1, size - 1, &sink);

    hs_assert(!seen.is_open);
    hs_assert(seen.n_malformed == (ok ? 0 : 1));
    hs_assert(!ok || seen.covered == size - 1);
    dissect_summary(line, 1 + data[0] % sizeof line, linktype, data + 1, size - 1);
    return 0;
}
