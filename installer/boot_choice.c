/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/boot_choice.h"

#include "base/json.h"
#include "base/memory.h"
#include "image/region.h"
#include "installer/cmdline.h"

#include <stdlib.h>
#include <string.h>

/* GRUB has no arithmetic, so the tries are written out. */
static void add_count(char **text)
{
    for (unsigned tries = RF_TRIAL_TRIES; tries > 0; tries--)
        rf_append(text, "      %s [ \"$rf_tries\" = %u ]; then\n        set rf_tries=%u\n",
                  tries == RF_TRIAL_TRIES ? "if" : "elif", tries, tries - 1);
    rf_append(text, "      else\n        set rf_spent=1\n      fi\n");
}

/* A pattern that fits nothing stays as it is, and there is no such file. An ESP with another trial's count was not there when this one
 * began; it counts no more. */
static void add_trial(char **text, const struct rf_boot_choice *choice)
{
    rf_append(
        text,
        "# Root %u is on trial until it says that it is good. Its boots are counted on every ESP; where none could be\n"
        "# counted, or none is left, root %u is booted.\n"
        "set rf_root=%u\n"
        "set rf_words=" RF_FALLBACK_WORD "=%u\n"
        "set rf_counted=\n"
        "set rf_spent=\n"
        "for rf_env in (hd*,gpt2)" RF_TRIAL_ENV "; do\n"
        "  if [ -s \"$rf_env\" ]; then\n"
        "    set rf_trial=\n"
        "    set rf_tries=\n"
        "    load_env --file \"$rf_env\" rf_trial rf_tries\n"
        "    if [ \"$rf_trial\" = %s ]; then\n",
        choice->root, choice->before, choice->before, choice->root, choice->trial);
    add_count(text);
    rf_append(text,
              "      if save_env --file \"$rf_env\" rf_tries; then\n"
              "        set rf_counted=1\n"
              "      fi\n"
              "    fi\n"
              "  fi\n"
              "done\n"
              "if [ \"$rf_counted\" = 1 -a \"$rf_spent\" != 1 -a -s /" RF_ROOTS_DIR "/%u/boot/grub/grub.cfg ]; then\n"
              "  set rf_root=%u\n"
              "  set rf_words=" RF_TRIAL_WORD "=%u\n"
              "fi\n",
              choice->root, choice->root, choice->root);
}

/* A root that is not there any more must not leave a machine at GRUB's prompt. */
static void add_good(char **text, const struct rf_boot_choice *choice)
{
    rf_append(text, "set rf_root=%u\nset rf_words=\n", choice->root);
    if (choice->before)
        rf_append(text,
                  "if [ ! -s /" RF_ROOTS_DIR "/%u/boot/grub/grub.cfg ]; then\n"
                  "  set rf_root=%u\n"
                  "fi\n",
                  choice->root, choice->before);
}

/* Behind the two entries of a root's own configuration, so this one's number is 2. GRUB tries it where the kernel of the first can't be
 * loaded. */
static void add_fallback(char **text, const struct rf_boot_choice *choice)
{
    rf_append(text,
              "if [ \"$rf_root\" = %u ]; then\n"
              "  set fallback=2\n"
              "  menuentry \"Root %u, because root %u can't be started\" {\n"
              "    set rf_words=" RF_FALLBACK_WORD "=%u\n"
              "    configfile /" RF_ROOTS_DIR "/%u/boot/grub/grub.cfg\n"
              "  }\n"
              "fi\n",
              choice->root, choice->before, choice->root, choice->root, choice->before);
}

/* Listed when a person opens it, and not before: an ordinary boot reads one root only. */
static void add_others(char **text)
{
    rf_append(text, "submenu \"Roots of this node\" {\n"
                    "  set rf_words=\n"
                    "  for rf_path in /" RF_ROOTS_DIR "/*/boot/grub/grub.cfg; do\n"
                    "    if regexp --set=1:rf_number '^/" RF_ROOTS_DIR "/([0-9]+)/' \"$rf_path\"; then\n"
                    "      menuentry \"Root $rf_number\" \"$rf_path\" {\n"
                    "        configfile \"$2\"\n"
                    "      }\n"
                    "    fi\n"
                    "  done\n"
                    "}\n");
}

/* Who reads this has found the volume already, and looking for it again takes time; a person at GRUB's prompt may not have. */
char *rf_boot_choice_text(const char *node_id, const char *system_uuid, const struct rf_boot_choice *choice)
{
    char *text = rf_format("# Written by Richtfest for node %s: 'richtfest root' replaces it.\n"
                           "# {\"root\": %u, \"before\": %u, \"trial\": \"%s\"}\n"
                           "if [ ! -s " RF_NODE_GRUB_CONFIG " ]; then\n"
                           "  search --no-floppy --fs-uuid --set=root %s\n"
                           "fi\n"
                           "export rf_words\n",
                           node_id, choice->root, choice->before, choice->trial, system_uuid);
    if (*choice->trial)
        add_trial(&text, choice);
    else
        add_good(&text, choice);
    rf_append(&text, "source /" RF_ROOTS_DIR "/$rf_root/boot/grub/grub.cfg\n");
    if (*choice->trial)
        add_fallback(&text, choice);
    add_others(&text);
    return text;
}

static bool fits(json_int_t number)
{
    return number >= 0 && number <= (json_int_t)RF_ROOT_NUMBER_MAX;
}

int rf_boot_choice_parse(const char *text, struct rf_boot_choice *ret, rf_error **err)
{
    const char *line = strchr(text, '\n');
    const char *start = line && line[1] == '#' ? line + 2 : "";
    rf_autojson json_t *json = json_loadb(start, strcspn(start, "\n"), 0, NULL);
    const char *trial = rf_json_string(json, "trial");
    const json_int_t root = rf_json_integer(json, "root", 0), before = rf_json_integer(json, "before", -1);
    if (!json || !trial || !fits(root) || root == 0 || !fits(before) || strlen(trial) >= sizeof(ret->trial) ||
        (*trial && before == 0))
        return rf_fail(err, RF_FAILED, "it does not say which root is booted");
    *ret = (struct rf_boot_choice){.root = (unsigned)root, .before = (unsigned)before};
    strcpy(ret->trial, trial);
    return 0;
}

void rf_boot_choice_try(struct rf_boot_choice *choice, unsigned root, unsigned before)
{
    if (root == before) {
        choice->before = choice->root == root ? choice->before : 0;
        choice->root = root;
        choice->trial[0] = '\0';
        return;
    }
    *choice = (struct rf_boot_choice){.root = root, .before = before};
    rf_uuid_random(choice->trial);
}

unsigned rf_boot_running(const char *cmdline)
{
    static const char prefix[] = "subvol=" RF_ROOTS_DIR "/";
    rf_autofree char *flags = rf_cmdline_value(cmdline, "rootflags");
    const char *at = flags ? strstr(flags, prefix) : NULL;
    if (!at)
        return 0;
    char *end;
    const unsigned long number = strtoul(at + sizeof(prefix) - 1, &end, 10);
    return (*end == '\0' || *end == ',') && number <= RF_ROOT_NUMBER_MAX ? (unsigned)number : 0;
}

static bool is_trial_word(const char *word, size_t length)
{
    static const char *const words[] = {RF_TRIAL_WORD "=", RF_FALLBACK_WORD "="};
    for (size_t i = 0; i < RF_COUNT(words); i++)
        if (length >= strlen(words[i]) && strncmp(word, words[i], strlen(words[i])) == 0)
            return true;
    return false;
}

char *rf_boot_arguments(const char *cmdline)
{
    static const char last[] = " console=ttyS0,115200";
    const char *at = strstr(cmdline, last);
    char *words = rf_strdup("");
    for (at = at ? at + sizeof(last) - 1 : ""; *(at += strspn(at, " \n"));) {
        const size_t length = strcspn(at, " \n");
        if (!is_trial_word(at, length))
            rf_append(&words, "%s%.*s", *words ? " " : "", (int)length, at);
        at += length;
    }
    return words;
}
