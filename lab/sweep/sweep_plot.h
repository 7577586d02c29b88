/* Pictures of a sweep: any column against any other. */
#pragma once

#include "lab/sweep/sweep_table.h"

/* The request, "goodput+law:loss,by=rtt,queue=100,log=xy", and the picture's name can be read; which columns
 * there are is not known yet. */
bool sweep_plot_check(const char *request, const char *file, GError **error);
/* When the grid is known and no run has been: the axes that the requests name are there, no two pictures have
 * one name, and FILE can be created. Columns of results are known after the runs. */
bool sweep_plot_check_grid(const SweepSpec *spec, const GPtrArray *requests, const char *file,
                           GError **error);
/* Draws it: FILE and, beside it, the gnuplot script and the numbers. file NULL: Y-X.svg in dir. The
 * picture's path, for g_free; NULL and *error. */
char *sweep_plot(const SweepTable *t, const char *request, const char *dir, const char *file, GError **error);
