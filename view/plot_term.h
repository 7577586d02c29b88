/* A figure as text: curves in braille, two by four dots a character, with axes, units and a legend. Letters
 * on the curves tell them apart where there is no colour. */
#pragma once

#include <glib.h>

#include "view/plot_figure.h"

#define PLOT_TERM_MIN 40

/* width: columns, at least PLOT_TERM_MIN; height: rows of one panel, 0: chosen. Lines end with "\n"; for
 * g_free. */
char *plotterm_render(const PlotFigure *f, unsigned width, unsigned height, bool is_coloured);
