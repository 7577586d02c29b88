/* gnuplot as a program: draws what a script says. It is started with a list of arguments, never through a
 * shell, and with its own settings only (the user's .gnuplot would change the pictures). */
#pragma once

#include <glib.h>

#include "sim/base/base.h"

/* Runs the script in its own folder with the variable `out` as the picture's name, so that the picture
 * appears whole or not at all. False: gnuplot is missing, or found a mistake; the script and its data stay.
 */
bool gnuplot_draw(const char *script, const char *picture, GError **error) HS_MUST_USE;
