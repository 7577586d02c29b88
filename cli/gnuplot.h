/* Runs gnuplot, which draws the pictures. It is a program that is started with a list of arguments, never
 * through a shell, with its own settings only (the user's .gnuplot would change the pictures). */
#pragma once

#include <glib.h>

#include "sim/base/base.h"

/* Draws the picture `path` with the script beside it (view/plot_gnuplot.h). The picture gets its name only
 * when it is whole. False: gnuplot is missing, fails or cannot write; *error says which, and the script and
 * its data stay. */
bool gnuplot_draw(const char *path, GError **error) HS_MUST_USE;
