#include "cli/sweep_plot.h"
bool sweep_plot_check(const char *request, const char *file, GError **error)
{
    return true;
}
char *sweep_plot(const SweepTable *t, const char *request, const char *dir, const char *file, GError **error)
{
    return NULL;
}
