#include "cli/ladder_out.h"

#include <string.h>

#include "sim/trace/outfile.h"

#define SNAPLEN 256         /* headers, an ICMP error's quote, the beginning of what an application says */
#define MAX_RECORDS 4000000 /* a gigabyte, about */

StoryConfig ladderout_story_config(void)
{
    return (StoryConfig){.classes = PROBE_BIT(PROBE_FRAME_TX) | PROBE_BIT(PROBE_FRAME_RX) |
                                    PROBE_BIT(PROBE_FRAME_DROP) | PROBE_BIT(PROBE_TCP) | PROBE_BIT(PROBE_LOG),
                         .snaplen = SNAPLEN,
                         .max_records = MAX_RECORDS};
}

bool ladderout_write(const Ladder *l, const char *path, unsigned width, bool ascii, GError **error)
{
    LadderTextConfig config = {.width = width, .ascii = ascii};
    char *text = g_str_has_suffix(path, ".svg") ? ladder_svg(l) : ladder_text(l, &config);
    OutFile *f = outfile_open(path, OUTFILE_WHOLE, error);

    if (f)
        outfile_write(f, text, strlen(text));
    g_free(text);
    return f && outfile_close(f, error);
}
