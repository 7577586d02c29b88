/* A figure as two files for gnuplot, NAME.tsv and NAME.gp, beside the picture that they will make. The script
 * knows its own files by their names only: "gnuplot NAME.gp" in their folder draws the picture again, and
 * whoever wants it to look different changes the script.
 *
 * The data are blocks, one for each curve, with a line that names it, and two empty lines between them:
 * gnuplot's `index`. Equal figures give equal files.
 *
 * Nothing is run here: that is the command's (cli/gnuplot.h). */
#pragma once

#include <glib.h>

#include "view/plot_figure.h"

typedef enum PlotFormat { PLOT_SVG, PLOT_PNG, PLOT_PDF, PLOT_FORMATS } PlotFormat;

/* By the ending of the name; false: none of the three. */
bool plotgnuplot_format(const char *path, PlotFormat *format) HS_MUST_USE;
/* "cwnd.svg" -> "cwnd.gp", for g_free. */
char *plotgnuplot_beside(const char *path, const char *suffix);
/* Writes both. False and *error: a file cannot be written. */
bool plotgnuplot_write(const PlotFigure *f, const char *path, GError **error) HS_MUST_USE;
