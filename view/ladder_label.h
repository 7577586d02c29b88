/* The words beside an arrow: what a frame says, in the words of tcpdump and Wireshark as far as they have
 * some. */
#pragma once

#include "view/ladder_priv.h"

/* What only the packets before can tell about one. */
typedef struct LadderMark {
    bool same_window; /* as in its side's last segment */
    bool is_again;    /* all its bytes had been sent before */
    uint16_t dup;  /* so many ACKs for the same byte in a row, without this one; 0: it says something new */
    bool is_probe; /* the byte before the next one: is anybody there? (RFC 9293 3.8.4; zero window probes) */
} LadderMark;

/* For each packet of the story: g_free. */
LadderMark *ladder_marks(const Story *s);

typedef struct LadderLabel {
    GString *text;
    LadderTone tone;
    uint32_t payload;
    bool is_marked;
} LadderLabel;

/* Appends to label->text. */
void ladder_label(const Ladder *l, int32_t packet, const LadderMark *mark, LadderLabel *label);
