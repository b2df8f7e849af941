/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `image build`: from options to a plan of cached pieces, and its walk. */
#include "image/build.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/units.h"
#include "image/apt.h"
#include "image/mounted.h"
#include "image/need.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

/* In the order of the plan: what a piece depends on stands above it. The lanes run side by side. */
static const struct rf_piece_ops *const table[] = {
    &rf_piece_node_root,  &rf_piece_initrd,   &rf_piece_build_root,  &rf_piece_program,  &rf_piece_guest_packages,
    &rf_piece_guest_base, &rf_piece_squashfs, &rf_piece_guest_image, &rf_piece_manifest,
};

/* Measured: 4.6 GB at the highest with one recipe, 0.1 to 0.3 GB for each further one, and 2.6 GB for one that is being made, of
 * which there are two at once. */
#define ROOM_COLD (UINT64_C(12) * RF_GIB)
#define ROOM_WARM (UINT64_C(5) * RF_GIB)

void rf_build_free(rf_build *build)
{
    if (!build)
        return;
    for (size_t i = 0; i < build->pieces_count; i++) {
        rf_piece_clear(&build->pieces[i].cached);
        free(build->pieces[i].id);
    }
    free(build->pieces);
    rf_image_recipes_free(build->recipes, build->recipes_count);
    for (size_t i = 0; i < build->artefacts.count; i++)
        free(build->waiting[i]);
    free(build->waiting);
    rf_artefact_store_clear(&build->store);
    rf_artefacts_clear(&build->artefacts);
    rf_archive_clear(&build->archive);
    free(build->folder);
    free(build->mirror);
    free(build->keys);
    free(build->guests_only);
    free(build->output);
    free(build->cache);
    free(build->suite);
    free(build->keyring);
    free(build->source);
    free(build->recipes_dir);
    free(build->data);
    free(build->version);
    free(build);
}

const rf_build_piece *rf_build_piece_of(const rf_build *build, const struct rf_piece_ops *ops,
                                        const struct rf_image_recipe *recipe)
{
    for (size_t i = 0; i < build->pieces_count; i++)
        if (build->pieces[i].ops == ops && build->pieces[i].recipe == recipe)
            return &build->pieces[i];
    abort(); /* a row that stands in the wrong place of the table */
}

char *rf_build_path(const rf_build *build, const struct rf_piece_ops *ops, const char *below)
{
    return rf_piece_path(&rf_build_piece_of(build, ops, NULL)->cached, below);
}

char *rf_build_data(const rf_build *build, const char *below)
{
    return rf_format("%s/%s", build->data, below);
}

void rf_words_free(char **words)
{
    for (size_t i = 0; words && words[i]; i++)
        free(words[i]);
    free(words);
}

int rf_build_words(const rf_build *build, const char *below, char ***ret_words, rf_error **err)
{
    enum { LIST_MAX = 256 << 10 };
    rf_autofree char *path = rf_build_data(build, below);
    rf_autofree char *text = NULL;
    if (rf_read_file(path, LIST_MAX, &text, NULL, err) < 0)
        return -1;
    char **words = NULL;
    size_t count = 0;
    for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
        line[strcspn(line, "#")] = '\0';
        char *word = strtok(line, " \t");
        if (word)
            *(char **)rf_array_add(&words, &count, sizeof(*words)) = rf_strdup(word);
    }
    rf_array_add(&words, &count, sizeof(*words));
    *ret_words = words;
    return 0;
}

void rf_build_depends(rf_build_piece *piece, const struct rf_piece_ops *ops)
{
    rf_key_add(&piece->cached.key, ops->name, rf_build_piece_of(piece->build, ops, NULL)->cached.digest);
}

int rf_build_depends_data(rf_build_piece *piece, const char *below, rf_error **err)
{
    rf_autofree char *path = rf_build_data(piece->build, below);
    struct stat status;
    if (stat(path, &status) < 0)
        return rf_fail_errno(err, RF_BAD_MACHINE, errno, "%s can't be read", path);
    return S_ISDIR(status.st_mode) ? rf_key_add_tree(&piece->cached.key, below, path, err)
                                   : rf_key_add_file(&piece->cached.key, below, path, err);
}

/* The directory above the running program that holds the sources; NULL where it was installed without them. */
static char *checkout(void)
{
    char path[PATH_MAX] = "";
    if (readlink("/proc/self/exe", path, sizeof(path) - 1) < 0)
        return NULL;
    for (char *slash; (slash = strrchr(path, '/')) && slash != path;) {
        *slash = '\0';
        rf_autofree char *data = rf_format("%s/image/data", path), *version = rf_format("%s/VERSION", path);
        if (rf_exists(data) && rf_exists(version))
            return rf_strdup(path);
    }
    return NULL;
}

static char *beside(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    return slash ? rf_format("%.*s/%s", (int)(slash - path), path, name) : rf_strdup(name);
}

/* Commands run in other directories and roots: every path is absolute. */
static char *absolute(char *path)
{
    if (path[0] == '/')
        return path;
    rf_autofree char *here = getcwd(NULL, 0);
    char *whole = rf_format("%s/%s", here ? here : ".", path);
    free(path);
    return whole;
}

static char *given(const char *option, char *fallback)
{
    if (!option)
        return absolute(fallback);
    free(fallback);
    return absolute(rf_strdup(option));
}

/* The lists of packages in image/data are of these: names change from one to the next (libraries of trixie end in "t64"), and what
 * nobody has seen boot is not offered. */
static const char *const suites[] = {"trixie"};

static int check_suite(const char *suite, rf_error **err)
{
    rf_autofree char *known = NULL;
    for (size_t i = 0; i < RF_COUNT(suites); i++) {
        if (strcmp(suite, suites[i]) == 0)
            return 0;
        rf_append(&known, "%s%s", i ? ", " : "", suites[i]);
    }
    return rf_fail(
        err, RF_USAGE,
        "--suite %s: the image was not tried with that suite, and its lists of packages are not for it; known: %s",
        suite, known);
}

static int resolve(rf_build *build, const struct rf_image_options *options, rf_error **err)
{
    rf_autofree char *found = options->source ? rf_strdup(options->source) : checkout();
    if (options->suite && check_suite(options->suite, err) < 0)
        return -1;
    if (!found)
        return rf_fail(err, RF_USAGE, "the project's sources are not beside this program: name them by --source DIR");
    build->source = absolute(RF_STEAL(found));
    build->output = given(options->output, rf_strdup("richtfest.iso"));
    build->cache = given(options->cache, beside(build->output, "richtfest-cache"));
    build->recipes_dir = given(options->recipes, rf_format("%s/postinstall/recipes", build->source));
    build->data = given(options->data, rf_format("%s/image/data", build->source));
    build->keyring = given(options->keyring, rf_strdup("/usr/share/keyrings/debian-archive-keyring.gpg"));
    build->folder = given(options->artefacts, beside(build->cache, "artefacts"));
    build->keys = rf_build_data(build, "keys");
    build->mirror = rf_strdup(options->artefact_mirror);
    build->guests_only = options->guests_only ? absolute(rf_strdup(options->guests_only)) : NULL;
    build->suite = rf_strdup(options->suite ? options->suite : suites[0]);
    build->kill_at = options->kill_at;
    build->refresh = options->refresh;
    rf_autofree char *version = rf_format("%s/VERSION", build->source);
    build->version = rf_read_line(version);
    if (!build->version)
        return rf_fail(err, RF_USAGE, "%s can't be read: is %s a checkout of the project?", version, build->source);
    return 0;
}

/* "https://host/debian" has its security archive beside it, "https://host/debian-security". */
static char *security_of(const char *mirror)
{
    const size_t length = strlen(mirror);
    return length > 7 && strcmp(mirror + length - 7, "/debian") == 0 ? rf_format("%s-security", mirror) : NULL;
}

static int find_mirrors(const char *mirror, struct rf_mirrors *ret_mirrors, rf_error **err)
{
    if (!mirror)
        return rf_apt_mirrors("", ret_mirrors, err);
    size_t length = strlen(mirror);
    while (length > 0 && mirror[length - 1] == '/')
        length--;
    ret_mirrors->main = rf_format("%.*s", (int)length, mirror);
    ret_mirrors->security = security_of(ret_mirrors->main);
    return 0;
}

static int ask_archive(rf_build *build, const char *mirror, rf_runner *runner, rf_error **err)
{
    rf_automirrors struct rf_mirrors mirrors = {0};
    if (find_mirrors(mirror, &mirrors, err) < 0)
        return -1;
    const struct rf_archive_options options = {.cache = build->cache,
                                               .suite = build->suite,
                                               .keyring = build->keyring,
                                               .mirror = mirrors.main,
                                               .security = mirrors.security,
                                               .refresh = build->refresh};
    return rf_archive_open(&options, runner, &build->archive, err);
}

/* https://reproducible-builds.org/specs/source-date-epoch/ */
static int set_date(rf_build *build, rf_error **err)
{
    const char *text = getenv("SOURCE_DATE_EPOCH");
    char *end = NULL;
    build->date = build->archive.date;
    if (!text || !*text)
        return 0;
    errno = 0;
    const long long date = strtoll(text, &end, 10);
    if (errno || *end || date < 0 || date > UINT32_MAX) /* squashfs counts in 32 bits */
        return rf_fail(err, RF_USAGE, "SOURCE_DATE_EPOCH is \"%s\", not a number of seconds", text);
    build->date = (time_t)date;
    return 0;
}

static int fail_problems(const char *what, enum rf_code code, const rf_problems *problems, rf_error **err)
{
    rf_autofree char *text = rf_problems_text(problems);
    text[strlen(text) - 1] = '\0'; /* the last newline */
    return rf_fail(err, code, "%s:%s%s", what, problems->count == 1 ? " " : "\n", text);
}

static void check_artefacts(const rf_build *build, rf_problems *problems)
{
    for (size_t i = 0; i < build->recipes_count; i++) {
        const struct rf_image_recipe *recipe = &build->recipes[i];
        for (size_t j = 0; recipe->artefacts[j]; j++)
            if (!rf_artefact_named(&build->artefacts, recipe->artefacts[j]))
                rf_problem(problems, recipe->name, "there is no artefact '%s' in %s", recipe->artefacts[j],
                           build->artefacts.file);
    }
}

static int read_recipes(rf_build *build, const char *chosen, rf_error **err)
{
    rf_autoproblems rf_problems problems = {0};
    rf_autofree char *manifest = rf_build_data(build, "artefacts.yaml");
    if (rf_image_recipes(build->recipes_dir, &build->recipes, &build->recipes_count, &problems, err) < 0)
        return -1;
    rf_artefacts_read(manifest, &build->artefacts, &problems);
    build->waiting = rf_alloc((build->artefacts.count + 1) * sizeof(*build->waiting));
    build->store = (struct rf_artefact_store){
        .cache = build->cache, .folder = build->folder, .mirror = build->mirror, .keys = build->keys};
    if (problems.count == 0)
        check_artefacts(build, &problems);
    if (problems.count)
        return fail_problems("the recipes are wrong", RF_BAD_MACHINE, &problems, err);
    return chosen ? rf_image_recipes_choose(build->recipes, build->recipes_count, chosen, err) : 0;
}

static int add_piece(rf_build *build, const struct rf_piece_ops *ops, const struct rf_image_recipe *recipe,
                     rf_error **err)
{
    rf_build_piece *piece = &build->pieces[build->pieces_count];
    *piece = (rf_build_piece){.ops = ops, .build = build, .recipe = recipe};
    piece->id = recipe ? rf_format("%s/%s", ops->name, recipe->name) : rf_strdup(ops->name);
    build->pieces_count++; /* freed from here on */
    if (ops->inputs(build, piece, err) < 0)
        return rf_wrap(err, "%s", piece->id);
    rf_autofree char *name = recipe ? rf_format("%s-%s", ops->name, recipe->name) : rf_strdup(ops->name);
    rf_piece_seal(&piece->cached, build->cache, name);
    return 0;
}

int rf_build_seal(rf_build *build, rf_error **err)
{
    build->pieces = rf_alloc((RF_COUNT(table) + build->recipes_count) * sizeof(*build->pieces));
    for (size_t i = 0; i < RF_COUNT(table); i++) {
        const size_t count = table[i]->per_recipe ? build->recipes_count : 1;
        for (size_t j = 0; j < count; j++)
            if (add_piece(build, table[i], table[i]->per_recipe ? &build->recipes[j] : NULL, err) < 0)
                return -1;
    }
    return 0;
}

int rf_build_look(const struct rf_image_options *options, rf_build **ret_build, rf_error **err)
{
    rf_autobuild rf_build *build = rf_alloc(sizeof(*build));
    if (resolve(build, options, err) < 0 || read_recipes(build, options->recipe, err) < 0)
        return -1;
    *ret_build = RF_STEAL(build);
    return 0;
}

int rf_build_open(const struct rf_image_options *options, rf_runner *runner, rf_build **ret_build, rf_error **err)
{
    rf_autobuild rf_build *build = rf_alloc(sizeof(*build));
    if (resolve(build, options, err) < 0 || ask_archive(build, options->mirror, runner, err) < 0)
        return -1;
    if (set_date(build, err) < 0 || read_recipes(build, options->recipe, err) < 0)
        return -1;
    *ret_build = RF_STEAL(build);
    return 0;
}

static enum rf_probe probe_piece(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    (void)err;
    const rf_build_piece *piece = arg;
    return rf_piece_done(&piece->cached) ? RF_PROBE_DONE : RF_PROBE_TODO;
}

static int apply_piece(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const rf_build_piece *piece = arg;
    if (rf_piece_begin(&piece->cached, err) < 0)
        return -1;
    if (piece->ops->make(env, piece->build, piece, err) < 0 || rf_piece_commit(&piece->cached, err) < 0) {
        rf_piece_abandon(&piece->cached);
        return -1;
    }
    return 0;
}

static const struct rf_step_ops piece_ops = {.name = "piece", .probe = probe_piece, .apply = apply_piece};

static bool is_wanted(const rf_build *build, const rf_build_piece *piece)
{
    if (piece->recipe && !piece->recipe->wanted)
        return false;
    return !build->guests_only || piece->ops->for_guests;
}

/* Images that do not depend on each other are dealt out. The first of them is for the lane that has nothing else to do then. */
static unsigned lane_of(const rf_build_piece *piece, unsigned *images)
{
    if (!piece->ops->per_recipe)
        return piece->ops->lane;
    return (*images)++ % 2 ? RF_LANE_NODE : RF_LANE_TOOLS;
}

rf_plan *rf_build_plan(const rf_build *build)
{
    rf_plan *plan = rf_plan_new();
    unsigned images = 0;
    bool both = false; /* the barrier stands */
    for (size_t i = 0; i < build->pieces_count; i++) {
        const rf_build_piece *piece = &build->pieces[i];
        if (!is_wanted(build, piece))
            continue;
        struct rf_step *step =
            rf_plan_add(plan, &piece_ops, piece, RF_PHASE_BUILD, piece->id, "%s%s%s", piece->ops->title,
                        piece->recipe ? ": " : "", piece->recipe ? piece->recipe->name : "");
        step->lane = lane_of(piece, &images);
        step->barrier = piece->ops->barrier && !both;
        both |= piece->ops->barrier;
        step->done = rf_piece_done(&piece->cached);
    }
    if (build->guests_only) {
        rf_plan_add(plan, &rf_step_guests, build, RF_PHASE_BUILD, "guests", "Put the guests' images into %s",
                    build->guests_only);
        return plan;
    }
    rf_plan_add(plan, &rf_step_iso, build, RF_PHASE_BUILD, "iso", "Write the ISO");
    rf_plan_add(plan, &rf_step_checksum, build, RF_PHASE_BUILD, "checksum", "Write its checksum");
    return plan;
}

static int check_needs(const struct rf_image_options *options, rf_error **err)
{
    rf_autoproblems rf_problems problems = {0};
    rf_autobuild rf_build *build = rf_alloc(sizeof(*build));
    if (resolve(build, options, err) < 0)
        return -1;
    rf_need_root(geteuid(), &problems);
    rf_need_tools(getenv("PATH"), &problems);
    rf_need_file(build->keyring, "apt-get install debian-archive-keyring, or name another one by --keyring", &problems);
    rf_need_file("/usr/lib/apt/apt-helper", "apt-get install apt", &problems);
    rf_need_room(build->cache, rf_exists(build->cache) ? ROOM_WARM : ROOM_COLD, &problems);
    return problems.count ? fail_problems("this machine can't build the image", RF_BAD_MACHINE, &problems, err) : 0;
}

/* A machine that can't mount an image should not learn it after minutes. */
static int check_loop(const rf_build *build, rf_error **err)
{
    for (size_t i = 0; i < build->pieces_count; i++) {
        const rf_build_piece *piece = &build->pieces[i];
        if (piece->ops == &rf_piece_guest_image && is_wanted(build, piece) && !rf_piece_done(&piece->cached))
            return rf_loop_check(err);
    }
    return 0;
}

/* Locks the cache, and reads and asks for everything that the plan depends on. Artefacts are fetched where `events` is
 * there to tell of it. */
static int open_build(const struct rf_image_options *options, rf_runner *runner, rf_events *events,
                      rf_build **ret_build, int *ret_lock, rf_error **err)
{
    rf_autobuild rf_build *paths = rf_alloc(sizeof(*paths)), *build = NULL;
    if (check_needs(options, err) < 0 || resolve(paths, options, err) < 0)
        return -1;
    rf_autofd int lock = -1;
    if (rf_cache_open(paths->cache, &lock, err) < 0 || rf_build_open(options, runner, &build, err) < 0)
        return -1;
    rf_build_fetch(build, events ? runner : NULL, events);
    if (rf_build_seal(build, err) < 0 || check_loop(build, err) < 0)
        return -1;
    *ret_build = RF_STEAL(build);
    *ret_lock = lock;
    lock = -1;
    return 0;
}

/* What this build did not want stays where it is still what a build would want: recipes that were not chosen, artefacts. */
static int prune(const rf_build *build, rf_error **err)
{
    const size_t most = build->pieces_count + build->artefacts.count + 1;
    rf_autofree const struct rf_piece **pieces = rf_alloc(most * sizeof(*pieces));
    rf_autofree struct rf_piece *artefacts = rf_alloc((build->artefacts.count + 1) * sizeof(*artefacts));
    size_t count = 0;
    pieces[count++] = &build->archive.piece;
    for (size_t i = 0; i < build->pieces_count; i++)
        pieces[count++] = &build->pieces[i].cached;
    for (size_t i = 0; i < build->artefacts.count; i++) {
        if (!build->artefacts.items[i].sha256)
            continue;
        rf_artefact_piece(&build->store, &build->artefacts.items[i], &artefacts[i]);
        pieces[count++] = &artefacts[i];
    }
    int outcome = rf_cache_prune(build->cache, pieces, count, err);
    for (size_t i = 0; i < build->artefacts.count; i++)
        rf_piece_clear(&artefacts[i]);
    return outcome;
}

int rf_image_build(const struct rf_image_options *options, rf_runner *runner, rf_events *events,
                   struct rf_apply_summary *summary, rf_error **err)
{
    rf_autobuild rf_build *build = NULL;
    rf_autofd int lock = -1;
    if (open_build(options, runner, events, &build, &lock, err) < 0)
        return -1;
    rf_autoplan rf_plan *plan = rf_build_plan(build);
    struct rf_step_env env = {.runner = runner, .events = events};
    const struct rf_apply_options how = {.phase = RF_PHASE_BUILD, .kill_at = build->kill_at};
    if (rf_plan_apply(plan, &env, &how, summary, err) < 0 || prune(build, err) < 0)
        return -1;
    rf_build_say_waiting(build, events);
    return 0;
}

int rf_image_build_plan(const struct rf_image_options *options, rf_runner *runner, char **ret_text, rf_error **err)
{
    rf_autobuild rf_build *build = NULL;
    rf_autofd int lock = -1;
    if (open_build(options, runner, NULL, &build, &lock, err) < 0)
        return -1;
    rf_autoplan rf_plan *plan = rf_build_plan(build);
    *ret_text = rf_plan_text(plan);
    return 0;
}
