#include "cli/console.h"

#include <stdio.h>

#include "cli/interrupt.h"
#include "lab/status.h"

static void on_begin(void *user, SimTime until)
{
    Console *c = user;

    interrupt_catch();
    progress_init(&c->bar, c->progress, until);
}

static void on_print(void *user, const char *line)
{
    Console *c = user;

    if (c->mute)
        return;
    progress_clear(&c->bar);
    puts(line);
}

static RunnerStop on_poll(void *user, const Sim *sim, SimTime until)
{
    Console *c = user;

    c->bar.until = until;
    progress_poll(&c->bar, sim);
    if (interrupt_came())
        return RUNNER_INTERRUPTED;
    if (c->max_wall && progress_seconds(&c->bar) * 1e9 > (double)c->max_wall)
        return RUNNER_WALL;
    return RUNNER_ENDED;
}

static void on_end(void *user)
{
    Console *c = user;

    c->seconds = progress_seconds(&c->bar);
    progress_clear(&c->bar);
}

static void tell(void *user, RunnerSays says, const char *text)
{
    const Console *c = user;

    if (says == RUNNER_SAYS) {
        console_tell(c->command, text);
        return;
    }
    fflush(stdout);
    fprintf(stderr, "%s%s", text, g_str_has_suffix(text, "\n") ? "" : "\n");
}

const RunnerFront *console_front(Console *c)
{
    c->front = (RunnerFront){on_begin, on_print, on_poll, on_end, tell, c};
    return &c->front;
}

int console_tell(const char *command, const char *text)
{
    fflush(stdout);
    fprintf(stderr, "hopscope %s: %s\n", command, text);
    return EXIT_WRONG;
}

int console_tell_error(const char *command, GError *error)
{
    console_tell(command, error->message);
    g_error_free(error);
    return EXIT_WRONG;
}
