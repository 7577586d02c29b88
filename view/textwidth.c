/* The advance widths of DejaVu Sans and its bold face, measured in the font files, for printable ASCII; every
 * other character is taken as wide as the widest of its script, so that a text may be shorter than we say,
 * never longer. */
#include "view/textwidth.h"

#include <glib.h>

#include "sim/base/base.h"

/* From U+0020 to U+007E, in thousandths. */
static const uint16_t sans[] = {
    318, 401, 460, 838, 637, 951, 780, 275, 391, 391, 500, 838, 318, 361,  318, 337, 637, 637, 637,
    637, 637, 637, 637, 637, 637, 637, 337, 337, 838, 838, 838, 531, 1000, 685, 687, 699, 771, 632,
    576, 775, 752, 295, 295, 656, 558, 863, 749, 788, 604, 788, 695, 635,  611, 732, 685, 989, 686,
    611, 686, 391, 337, 391, 838, 500, 500, 613, 635, 550, 635, 616, 353,  635, 634, 278, 278, 580,
    278, 975, 634, 612, 635, 635, 412, 521, 393, 634, 592, 818, 592, 592,  525, 637, 337, 637, 838,
};
static const uint16_t sans_bold[] = {
    349, 457,  521, 838, 696, 1002, 873, 307, 458, 458, 523, 838, 380, 416,  380, 366, 696, 696,  696,
    696, 696,  696, 696, 696, 696,  696, 400, 400, 838, 838, 838, 581, 1000, 774, 763, 734, 831,  684,
    684, 821,  837, 373, 373, 775,  638, 996, 837, 851, 733, 851, 771, 721,  683, 813, 774, 1104, 771,
    725, 726,  458, 366, 458, 838,  500, 500, 675, 716, 593, 716, 679, 436,  716, 712, 343, 343,  666,
    343, 1042, 712, 688, 716, 716,  494, 596, 479, 712, 652, 924, 646, 652,  583, 712, 366, 712,  838,
};

#define WIDE 1000  /* East Asian: a square */
#define OTHER 1100 /* arrows, dashes, Greek, Cyrillic; a little room is left */
#define SMALL 400  /* the middle dot and its like */

unsigned textwidth_columns(const char *utf8)
{
    unsigned n = 0;

    for (const char *p = utf8; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);

        if (!g_unichar_iszerowidth(c))
            n += g_unichar_iswide(c) ? 2 : 1;
    }
    return n;
}

static unsigned advance(gunichar c, bool is_bold)
{
    if (c >= 0x20 && c < 0x20 + HS_ARRAY_LEN(sans))
        return is_bold ? sans_bold[c - 0x20] : sans[c - 0x20];
    if (g_unichar_iszerowidth(c))
        return 0;
    if (c == 0xb7 || c == 0xa0)
        return SMALL;
    return g_unichar_iswide(c) ? WIDE : OTHER;
}

double textwidth_sans(const char *utf8, bool is_bold)
{
    unsigned sum = 0;

    for (const char *p = utf8; *p; p = g_utf8_next_char(p))
        sum += advance(g_utf8_get_char(p), is_bold);
    return sum;
}
