/* A figure as text: curves in braille, two by four dots a character, with axes, units and a legend. Letters
 * on the curves tell them apart where there is no colour. */
#pragma once

#include <glib.h>

#include "view/plot_figure.h"

#define PLOT_TERM_MIN 40

typedef struct PlotTermConfig {
    unsigned width;   /* columns, at least PLOT_TERM_MIN */
    unsigned height;  /* rows of one panel, 0: chosen */
    bool is_coloured; /* by escape sequences */
    bool is_ascii;    /* curves of letters, in place of braille */
} PlotTermConfig;

/* Lines end with "\n"; for g_free. */
char *plotterm_render(const PlotFigure *f, const PlotTermConfig *config);
