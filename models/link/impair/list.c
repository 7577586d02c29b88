/* Loss by list: "the 3rd and 7th frame of this direction", exactly.
 *
 * Frames count from 1, from the link's beginning, those lost by others included. Random numbers: none. */
#include <glib.h>
#include <string.h>

#include "models/link/impair.h"

enum { FRAMES };

typedef struct List {
    Impair im;
    uint64_t *frames; /* ascending */
    size_t len, next;
} List;

static bool list_init(Impair *im, const ImpairValue *values, char **error)
{
    List *l = (List *)im;

    if (!values[FRAMES].set) {
        *error = g_strdup("list: the frames are missing (expected frames = { 3, 7 })");
        return false;
    }
    l->len = values[FRAMES].list_len;
    l->frames = g_new(uint64_t, l->len);
    memcpy(l->frames, values[FRAMES].list, l->len * sizeof *l->frames);
    return true;
}

static void list_clear(Impair *im)
{
    g_free(((List *)im)->frames);
}

static void list_apply(Impair *im, const ImpairFrame *f, ImpairVerdict *v)
{
    List *l = (List *)im;

    /* Numbers only grow, but an impairment before this one may have kept frames from us. */
    while (l->next < l->len && l->frames[l->next] < f->nth)
        l->next++;
    if (l->next == l->len || l->frames[l->next] != f->nth)
        return;
    im->hits++;
    v->drop = DROP_LOSS_LIST;
}

const ImpairOps impair_list_ops = {
    .name = "list",
    .help = "loses the given frames",
    .size = sizeof(List),
    .params = (const ImpairParam[]){{"frames", IMPAIR_LIST, "numbers of the frames to lose, from 1"}, {NULL}},
    .init = list_init,
    .clear = list_clear,
    .apply = list_apply,
};
