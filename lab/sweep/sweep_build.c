/* The build-id is a note (ELF gABI, "Note Section") of the program's own segments, which are in memory
 * anyway. */
#include "lab/sweep/sweep_build.h"

#include <elf.h>
#include <glib.h>
#include <link.h>
#include <string.h>

#define ALIGN_NOTE(n) (((size_t)(n) + 3) & ~(size_t)3)

static char *find_note(const char *at, const char *end)
{
    while ((size_t)(end - at) >= sizeof(ElfW(Nhdr))) {
        const ElfW(Nhdr) *note = (const void *)at;
        const char *name = at + sizeof(*note);
        const unsigned char *id = (const unsigned char *)name + ALIGN_NOTE(note->n_namesz);
        size_t len = sizeof(*note) + ALIGN_NOTE(note->n_namesz) + ALIGN_NOTE(note->n_descsz);

        if (len > (size_t)(end - at))
            break;
        if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && !memcmp(name, "GNU", 4)) {
            GString *hex = g_string_new(NULL);

            for (unsigned i = 0; i < note->n_descsz; i++)
                g_string_append_printf(hex, "%02x", id[i]);
            return g_string_free(hex, FALSE);
        }
        at += len;
    }
    return NULL;
}

static int on_object(struct dl_phdr_info *info, size_t size, void *user)
{
    char **found = user;

    (void)size;
    for (unsigned i = 0; i < info->dlpi_phnum && !*found; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        const char *at = (const char *)info->dlpi_addr + segment->p_vaddr;

        if (segment->p_type == PT_NOTE)
            *found = find_note(at, at + segment->p_memsz);
    }
    return 1; /* the first object is the program; no more of them */
}

char *sweep_build_id(void)
{
    char *found = NULL;

    dl_iterate_phdr(on_object, &found);
    return found ? found : g_strdup("");
}
