/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The whole build with tools that only leave the files that the next one needs: which commands are run (golden), what is made
 * again when an input changes, what a failure and a kill leave.
 */
#include "base/file.h"
#include "image/build.h"
#include "image/guest_disk.h"
#include "image/manifest.h"
#include "image/progress.h"
#include "tests/unit/unit.h"

#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>

struct fake {
    rf_runner runner;
    char *top;     /* what stands for it in the text is "TOP" */
    char *text;    /* argv lines */
    char *failing; /* the command with this word in its argv fails */
    pthread_mutex_t lock;
};

static void put(const char *top, const char *name, const char *text, size_t size)
{
    rf_autofree char *path = rf_format("%s/%s", top, name), *above = rf_strdup(path);
    *strrchr(above, '/') = '\0';
    assert_int_equal(rf_make_dirs(above, 0755, NULL), 0);
    assert_int_equal(rf_write_file(path, text, size, 0644, NULL), 0);
}

static void note(struct fake *self, const char *const *argv)
{
    char *line = NULL;
    for (size_t i = 0; argv[i]; i++) {
        const char *at = strstr(argv[i], self->top);
        rf_append(&line, "%s%.*s%s%s", i ? " " : "", at ? (int)(at - argv[i]) : (int)strlen(argv[i]), argv[i],
                  at ? "TOP" : "", at ? at + strlen(self->top) : "");
    }
    pthread_mutex_lock(&self->lock);
    rf_append(&self->text, "%s\n", line);
    pthread_mutex_unlock(&self->lock);
    free(line);
}

static const char *last(const char *const *argv)
{
    size_t count = 0;
    while (argv[count])
        count++;
    return argv[count - 1];
}

static const char *behind(const char *const *argv, const char *word)
{
    for (size_t i = 0; argv[i] && argv[i + 1]; i++)
        if (strcmp(argv[i], word) == 0)
            return argv[i + 1];
    return NULL;
}

static bool has(const char *const *argv, const char *word)
{
    for (size_t i = 0; argv[i]; i++)
        if (strstr(argv[i], word))
            return true;
    return false;
}

static void unpack(const char *root)
{
    char boot[512] = "boot";
    put(root, "usr/lib/modules/6.12.1-amd64/modules.dep", "", 0);
    put(root, "boot/vmlinuz-6.12.1-amd64", "kernel", 6);
    put(root, "etc/dpkg/dpkg.cfg.d/99mmdebstrap", "force-unsafe-io\npath-exclude=x\n", 31);
    put(root, "tmp/x", "", 0);
    put(root, "usr/sbin/x", "", 0);
    put(root, "etc/initramfs-tools/update-initramfs.conf", "", 0);
    put(root, "usr/lib/grub/i386-pc/boot.img", boot, sizeof(boot));
}

static void put_disk(const char *path)
{
    put("", path, "disk", 4);
    assert_int_equal(truncate(path, UINT64_C(7999586304)), 0);
}

static void in_root(const char *root, const char *const *argv)
{
    char core[1024] = "core";
    core[508] = 1; /* one further sector (base/bios_boot.c) */
    if (behind(argv, "-o") && has(argv, "grub-mkimage"))
        put(root, behind(argv, "-o"), core, sizeof(core));
    if (has(argv, "mkinitrd"))
        put(root, last(argv), "initrd", 6);
    if (has(argv, "make"))
        put(root, "richtfest/stage/usr/bin/richtfest", "program", 7);
}

static void leave_files(const char *const *argv)
{
    if (strcmp(argv[0], "mmdebstrap") == 0) {
        for (size_t i = 1; argv[i]; i++)
            if (argv[i][0] == '/')
                unpack(argv[i]);
    } else if (strcmp(argv[0], "unshare") == 0)
        in_root(behind(argv, "--root"), argv);
    else if (strcmp(argv[0], "cp") == 0 && has(argv, "--link"))
        unpack(last(argv));
    else if (strcmp(argv[0], "cp") == 0)
        put_disk(last(argv));
    else if (strcmp(argv[0], "mount") == 0 && has(argv, "loop,"))
        unpack(last(argv));
    else if (strcmp(argv[0], "mksquashfs") == 0)
        put("", argv[2], "squashfs", 8);
    else if (strcmp(argv[0], "qemu-img") == 0)
        put("", last(argv), "qcow2", 5);
    else if (strcmp(argv[0], "xorriso") == 0)
        put("", behind(argv, "-o"), "iso", 3);
    else if (has(argv, "download-file"))
        put("", last(argv), "Suite: x\nDate: Sat, 21 Nov 2026 02:30:00 UTC\n", 46);
}

static int fake_run(rf_runner *runner, const struct rf_command *command, struct rf_result *result, rf_error **err)
{
    (void)err;
    struct fake *self = (struct fake *)runner;
    note(self, command->argv);
    const bool fails = self->failing && has(command->argv, self->failing);
    if (!fails)
        leave_files(command->argv);
    *result = (struct rf_result){fails, rf_strdup("apt 3.0\n"), 8, rf_strdup(fails ? "no luck" : "")};
    return 0;
}

static const struct rf_runner_ops fake_ops = {"fake", fake_run, NULL};

struct fixture {
    struct fake fake;
    char *source, *output, *cache;
};

static void copy_tree(const char *from, const char *to)
{
    rf_autorunner rf_runner *runner = rf_runner_real();
    rf_autofree char *above = rf_strdup(to);
    *strrchr(above, '/') = '\0';
    rf_make_dirs(above, 0755, NULL);
    assert_int_equal(rf_run_argv(runner, RF_ARGV("cp", "--archive", from, to), NULL), 0);
}

static void start(struct fixture *self)
{
    *self = (struct fixture){.fake = {.runner = {&fake_ops}, .top = unit_directory(), .text = rf_strdup("")}};
    pthread_mutex_init(&self->fake.lock, NULL);
    self->source = rf_format("%s/source", self->fake.top);
    self->output = rf_format("%s/out.iso", self->fake.top);
    self->cache = rf_format("%s/cache", self->fake.top);
    rf_autofree char *data = rf_format("%s/image/data", self->source);
    copy_tree("image/data", data);
    static const char *const files[] = {
        "base/a.c", "profiles/a.c", "raid/a.c", "postinstall/recipes/ad/files/etc/x", "installer/a.c", "Makefile"};
    for (size_t i = 0; i < RF_COUNT(files); i++)
        put(self->source, files[i], "x", 1);
    put(self->source, "VERSION", "0.1.0\n", 6);
    static const char recipe[] =
        "image:\n  file: ad.qcow2\n  packages: [samba]\n  enable: [a.service]\n  mask: [b.service]\n"
        "  remove: [/etc/gone]\n";
    put(self->source, "postinstall/recipes/ad/recipe.yaml", recipe, sizeof(recipe) - 1);
    setenv("SOURCE_DATE_EPOCH", "1795054374", 1);
}

static void finish(struct fixture *self)
{
    rf_remove_tree(self->fake.top, NULL);
    free(self->fake.top);
    free(self->fake.text);
    free(self->source);
    free(self->output);
    free(self->cache);
}

#define FIXTURE(self)                                                                                                  \
    (void)state;                                                                                                       \
    RF_CLEANUP(finish) struct fixture self;                                                                            \
    start(&self)

static struct rf_image_options options_of(const struct fixture *self)
{
    return (struct rf_image_options){.output = self->output,
                                     .cache = self->cache,
                                     .source = self->source,
                                     .mirror = "http://mirror/debian",
                                     .keyring = "/keyring.gpg"};
}

/* As rf_image_build does it, but with tools that are not real and therefore without namespaces. */
static int new_build(struct fixture *self, const struct rf_image_options *options, rf_build **ret_build, rf_error **err)
{
    rf_autobuild rf_build *build = NULL;
    if (rf_build_open(options, &self->fake.runner, &build, err) < 0)
        return -1;
    build->bare = true;
    rf_build_fetch(build, &self->fake.runner, NULL);
    if (rf_build_seal(build, err) < 0)
        return -1;
    *ret_build = RF_STEAL(build);
    return 0;
}

/* Runs the plan; *ret_done gets the ids of the pieces that were made, in the order of the plan. */
static int build_all(struct fixture *self, const struct rf_image_options *options, char **ret_made, const char *kill_at,
                     rf_error **err)
{
    rf_autobuild rf_build *build = NULL;
    if (new_build(self, options, &build, err) < 0)
        return -1;
    rf_autoplan rf_plan *plan = rf_build_plan(build);
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->steps[i].lane)
            plan->steps[i].lane = 1; /* one after the other: the golden text has an order */
        if (ret_made && strcmp(plan->steps[i].ops->name, "piece") == 0 && !plan->steps[i].done)
            rf_append(ret_made, "%s%s", *ret_made ? " " : "", plan->steps[i].id);
    }
    struct rf_step_env env = {.runner = &self->fake.runner};
    /* the fake xorriso's output holds no files, so the ISO's own step can't verify itself */
    const struct rf_step_ops iso = {.name = "iso", .apply = rf_step_iso.apply};
    if (!build->guests_only)
        plan->steps[plan->count - 2].ops = &iso;
    return rf_plan_apply(plan, &env, &(struct rf_apply_options){.phase = RF_PHASE_BUILD, .kill_at = kill_at}, NULL,
                         err);
}

/* Keys, and what derives from them, differ with every change of the data; the number of jobs, and whether the page cache can be
 * avoided, from machine to machine. */
static char *masked(const char *text)
{
    static const char jobs[] = " -j", cached[] = "unsafe";
    char *all = rf_strdup("");
    for (const char *at = text; *at; at++) {
        if (strncmp(at, cached, strlen(cached)) == 0) {
            rf_append(&all, "none");
            at += strlen(cached) - 1;
            continue;
        }
        const size_t key = at[0] == '-' && strspn(at + 1, "0123456789abcdef") == 16 ? 16 : 0;
        const size_t date = at[0] == '=' && strspn(at + 1, "0123456789") == 16 ? 16 : 0;
        const size_t number =
            strncmp(at, jobs, 3) == 0 && strspn(at + 3, "0123456789") ? 2 + strspn(at + 3, "0123456789") : 0;
        rf_append(&all, key ? "-KEY" : date ? "=DATE" : number ? " -jN" : "%c", *at);
        at += key + date + number;
    }
    return all;
}

static void commands_are_as_reviewed(void **state)
{
    FIXTURE(self);
    const struct rf_image_options options = options_of(&self);
    rf_autofree char *made = NULL;
    rf_autoerror rf_error *error = NULL;
    if (build_all(&self, &options, &made, NULL, &error) < 0)
        fail_msg("%s", rf_error_text(error));
    assert_string_equal(
        made, "node-root initrd build-root program guest-packages guest-base squashfs guest-image/ad manifest");
    rf_autofree char *text = masked(self.fake.text);
    unit_golden("tests/golden/image/build.commands", text);
}

static void remade(struct fixture *self, const char *wanted)
{
    const struct rf_image_options options = options_of(self);
    rf_autofree char *made = NULL;
    assert_int_equal(build_all(self, &options, &made, NULL, NULL), 0);
    assert_string_equal(made ? made : "", wanted);
}

static void only_what_changed_is_made_again(void **state)
{
    FIXTURE(self);
    remade(&self, "node-root initrd build-root program guest-packages guest-base squashfs guest-image/ad manifest");
    remade(&self, "");
    static const struct {
        const char *file, *made;
    } changes[] = {
        {"installer/a.c", "program squashfs manifest"},
        {"Makefile", "program squashfs manifest"},
        {"image/data/root/etc/hostname", "program squashfs manifest"}, /* it lies in the program's room, too */
        {"image/data/root/usr/lib/richtfest/initrd/modules", "initrd program squashfs manifest"},
        {"image/data/node.packages", "node-root initrd program squashfs manifest"},
        {"image/data/guest.mask", "program guest-base squashfs guest-image/ad manifest"},
        {"image/data/guest.packages", "program guest-packages guest-base squashfs guest-image/ad manifest"},
        {"image/data/build.packages", "build-root program guest-base squashfs guest-image/ad manifest"},
        {"postinstall/recipes/ad/files/etc/x", "program squashfs guest-image/ad manifest"},
    };
    for (size_t i = 0; i < RF_COUNT(changes); i++) {
        put(self.source, changes[i].file, "# other\nother\n", 14);
        remade(&self, changes[i].made);
        remade(&self, "");
    }
    setenv("SOURCE_DATE_EPOCH", "1795054375", 1);
    remade(&self, "manifest");
}

static void a_failure_leaves_nothing_half_made(void **state)
{
    FIXTURE(self);
    self.fake.failing = (char *)"mksquashfs";
    const struct rf_image_options options = options_of(&self);
    rf_error *error = NULL;
    assert_int_equal(build_all(&self, &options, NULL, NULL, &error), -1);
    assert_error(error, "Pack the root file system: mksquashfs ended with status 1: no luck");
    rf_autofree char *rubbish = rf_format("%s/.new-squashfs", self.cache);
    assert_false(rf_exists(rubbish));
    assert_false(rf_exists(self.output));
    self.fake.failing = NULL;
    remade(&self, "squashfs guest-image/ad manifest");
}

static void a_kill_anywhere_is_survived(void **state)
{
    FIXTURE(self);
    static const char *const points[] = {"node-root:probed", "program:applied", "squashfs:probed", "iso:applied",
                                         "checksum:after"};
    for (size_t i = 0; i < RF_COUNT(points); i++) {
        pid_t pid = fork();
        if (pid == 0) {
            const struct rf_image_options options = options_of(&self);
            build_all(&self, &options, NULL, points[i], NULL);
            _exit(0);
        }
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
    }
    remade(&self, "");
}

static void archive_is_asked_once(void **state)
{
    FIXTURE(self);
    struct rf_image_options options = options_of(&self);
    for (size_t i = 0; i < 3; i++) {
        rf_autobuild rf_build *build = NULL;
        options.refresh = i == 2;
        assert_int_equal(new_build(&self, &options, &build, NULL), 0);
        assert_int_equal(build->archive.date, 1795228200);
        assert_string_equal(build->archive.sources,
                            "deb [signed-by=/keyring.gpg] http://mirror/debian trixie main\n"
                            "deb [signed-by=/keyring.gpg] http://mirror/debian trixie-updates main\n"
                            "deb [signed-by=/keyring.gpg] http://mirror/debian-security trixie-security "
                            "main\n");
    }
    size_t asked = 0;
    for (const char *at = self.fake.text; (at = strstr(at, "download-file")); at++)
        asked++;
    assert_int_equal(asked, 6);
}

static void only_suites_that_were_tried(void **state)
{
    FIXTURE(self);
    struct rf_image_options options = options_of(&self);
    rf_build *build = NULL;
    static const char *const others[] = {"bookworm", "stable", "trixie-backports", "Trixie", ""};
    for (size_t i = 0; i < RF_COUNT(others); i++) {
        rf_error *error = NULL;
        options.suite = others[i];
        assert_int_equal(new_build(&self, &options, &build, &error), -1);
        assert_int_equal(rf_error_code(error), RF_USAGE);
        assert_error_has(error,
                         "was not tried with that suite, and its lists of packages are not for it; known: trixie");
    }
    assert_string_equal(self.fake.text, ""); /* nobody was asked */
    options.suite = "trixie";
    assert_int_equal(new_build(&self, &options, &build, NULL), 0);
    rf_build_free(build);
}

static void archive_without_updates_is_enough(void **state)
{
    FIXTURE(self);
    const struct rf_image_options options = options_of(&self);
    rf_autobuild rf_build *build = NULL;
    self.fake.failing = (char *)"trixie-";
    assert_int_equal(new_build(&self, &options, &build, NULL), 0);
    assert_string_equal(build->archive.sources, "deb [signed-by=/keyring.gpg] http://mirror/debian trixie main\n");
}

static void unreachable_archive_is_said(void **state)
{
    FIXTURE(self);
    const struct rf_image_options options = options_of(&self);
    rf_build *build = NULL;
    self.fake.failing = (char *)"trixie";
    rf_error *error = NULL;
    assert_int_equal(new_build(&self, &options, &build, &error), -1);
    assert_int_equal(rf_error_code(error), RF_BAD_MACHINE);
    assert_error_has(error, "the archive has no suite trixie that can be reached");
}

static void wrong_recipes_are_said(void **state)
{
    FIXTURE(self);
    static const char recipe[] = "image:\n  file: ../x\n  packages: [--option, ok]\n  enable: word\n";
    put(self.source, "postinstall/recipes/bad/recipe.yaml", recipe, sizeof(recipe) - 1);
    const struct rf_image_options options = options_of(&self);
    rf_build *build = NULL;
    rf_error *error = NULL;
    assert_int_equal(new_build(&self, &options, &build, &error), -1);
    rf_autofree char *said = rf_error_text(error);
    rf_error_free(error);
    static const char *const parts[] = {"bad/recipe.yaml:3:14: error: packages: this can't be a name or a path",
                                        "bad/recipe.yaml:4:11: error: enable: a list is wanted here",
                                        "error: image.file: a plain file name is wanted"};
    for (size_t i = 0; i < RF_COUNT(parts); i++)
        if (!strstr(said, parts[i]))
            fail_msg("\"%s\" does not say \"%s\"", said, parts[i]);
}

static void date_must_be_a_number(void **state)
{
    FIXTURE(self);
    const struct rf_image_options options = options_of(&self);
    rf_build *build = NULL;
    setenv("SOURCE_DATE_EPOCH", "yesterday", 1);
    rf_error *error = NULL;
    assert_int_equal(new_build(&self, &options, &build, &error), -1);
    assert_int_equal(rf_error_code(error), RF_USAGE);
    rf_error_free(error);
}

/* A manifest with one artefact that recipe `ad` wants; `sha256` is its pin. */
static void want_artefact(struct fixture *self, const char *sha256)
{
    rf_autofree char *manifest =
        rf_format("manifest: 1\nartefacts:\n  cloud: {title: a, version: '1', licence: a, sha256: %s, format: tar.gz, "
                  "url: 'http://127.0.0.1:1/cloud.tar.gz'}\n",
                  sha256);
    put(self->source, "image/data/artefacts.yaml", manifest, strlen(manifest));
    static const char recipe[] = "image:\n  file: ad.qcow2\nartefacts: [cloud]\n";
    put(self->source, "postinstall/recipes/ad/recipe.yaml", recipe, sizeof(recipe) - 1);
}

static char *manifest_of(const struct fixture *self)
{
    rf_autofree char *path = rf_format("%s.json", self->output);
    char *text = NULL;
    assert_int_equal(rf_read_file(path, 1 << 20, &text, NULL, NULL), 0);
    return text;
}

static void a_missing_artefact_spoils_nothing(void **state)
{
    FIXTURE(self);
    char sha256[RF_SHA256_HEX];
    rf_sha256("cloud", 5, sha256);
    want_artefact(&self, sha256);
    remade(&self, "node-root initrd build-root program guest-packages guest-base squashfs guest-image/ad manifest");
    rf_autofree char *without = manifest_of(&self);
    assert_non_null(strstr(without, "\"state\": \"waiting\""));
    assert_null(strstr(self.fake.text, "bsdtar"));
    put(self.fake.top, "artefacts/cloud-1.tar.gz", "cloud", 5); /* a person brings it */
    remade(&self, "guest-image/ad manifest");
    rf_autofree char *with = manifest_of(&self);
    assert_non_null(strstr(with, "\"state\": \"included\""));
    assert_non_null(strstr(self.fake.text, "bsdtar --extract"));
    remade(&self, "");
}

static void an_unpinned_artefact_waits(void **state)
{
    FIXTURE(self);
    want_artefact(&self, "unknown");
    put(self.fake.top, "artefacts/cloud-1.tar.gz", "cloud", 5);
    const struct rf_image_options options = options_of(&self);
    rf_autobuild rf_build *build = NULL;
    assert_int_equal(new_build(&self, &options, &build, NULL), 0);
    assert_non_null(strstr(build->waiting[0], "--pin cloud"));
}

static void an_unknown_artefact_is_said(void **state)
{
    FIXTURE(self);
    want_artefact(&self, "unknown");
    static const char recipe[] = "image:\n  file: ad.qcow2\nartefacts: [clod]\n";
    put(self.source, "postinstall/recipes/ad/recipe.yaml", recipe, sizeof(recipe) - 1);
    const struct rf_image_options options = options_of(&self);
    rf_build *build = NULL;
    rf_error *error = NULL;
    assert_int_equal(new_build(&self, &options, &build, &error), -1);
    assert_error_has(error, "error: ad: there is no artefact 'clod' in ");
}

static void some_recipes_only(void **state)
{
    FIXTURE(self);
    static const char recipe[] = "image:\n  file: crm.qcow2\n  build: [/usr/bin/make-it, now]\n";
    put(self.source, "postinstall/recipes/crm/recipe.yaml", recipe, sizeof(recipe) - 1);
    remade(&self, "node-root initrd build-root program guest-packages guest-base squashfs guest-image/ad "
                  "guest-image/crm manifest");
    assert_non_null(strstr(self.fake.text, " env -i PATH="));
    assert_non_null(strstr(self.fake.text, " /usr/bin/make-it now\n"));
    struct rf_image_options options = options_of(&self);
    rf_autofree char *made = NULL, *directory = rf_format("%s/guests", self.fake.top);
    rf_autofree char *image = rf_format("%s/crm.qcow2", directory), *other = rf_format("%s/ad.qcow2", directory);
    options.recipe = "crm";
    assert_int_equal(build_all(&self, &options, &made, NULL, NULL), 0);
    assert_string_equal(made, "manifest");
    options.guests_only = directory;
    assert_int_equal(build_all(&self, &options, NULL, NULL, NULL), 0);
    assert_true(rf_exists(image));
    assert_false(rf_exists(other));
    remade(&self, ""); /* all again: nothing was lost meanwhile */
}

/* Both lanes work on images at once, but not before their base is there. */
static void images_share_the_lanes(void **state)
{
    FIXTURE(self);
    static const char recipe[] = "image:\n  file: crm.qcow2\n";
    put(self.source, "postinstall/recipes/crm/recipe.yaml", recipe, sizeof(recipe) - 1);
    const struct rf_image_options options = options_of(&self);
    rf_autobuild rf_build *build = NULL;
    assert_int_equal(new_build(&self, &options, &build, NULL), 0);
    rf_autoplan rf_plan *plan = rf_build_plan(build);
    bool barrier = false;
    unsigned lanes[2] = {0};
    for (size_t i = 0, images = 0; i < plan->count; i++) {
        barrier |= plan->steps[i].barrier;
        if (strncmp(plan->steps[i].id, "guest-image/", 12) == 0) {
            assert_true(barrier);
            lanes[images++] = plan->steps[i].lane;
        } else if (strcmp(plan->steps[i].id, "guest-base") == 0)
            assert_false(barrier);
    }
    assert_true(lanes[0] && lanes[1] && lanes[0] != lanes[1]);
}

static void guest_disks(void **state)
{
    (void)state;
    assert_int_equal(rf_guest_disk_size(0), UINT64_C(7999586304)); /* no more than 8 GB */
    assert_int_equal(rf_guest_disk_size(UINT64_C(4) << 30), UINT64_C(8) << 30);
    assert_int_equal(rf_guest_disk_size((UINT64_C(4) << 30) + 1), (UINT64_C(8) << 30) + (1 << 20));
    rf_autofree char *table = rf_guest_disk_table("ad", UINT64_C(2) << 30);
    assert_non_null(strstr(table, "3: start=36864, size=4155392, type="));
    const struct rf_guest_disk_part part = rf_guest_disk_root(UINT64_C(2) << 30);
    assert_int_equal(part.offset, 36864 * 512);
    assert_int_equal(part.size, UINT64_C(4155392) * 512);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_as_reviewed),
        cmocka_unit_test(only_what_changed_is_made_again),
        cmocka_unit_test(a_failure_leaves_nothing_half_made),
        cmocka_unit_test(a_kill_anywhere_is_survived),
        cmocka_unit_test(archive_is_asked_once),
        cmocka_unit_test(only_suites_that_were_tried),
        cmocka_unit_test(archive_without_updates_is_enough),
        cmocka_unit_test(unreachable_archive_is_said),
        cmocka_unit_test(wrong_recipes_are_said),
        cmocka_unit_test(date_must_be_a_number),
        cmocka_unit_test(a_missing_artefact_spoils_nothing),
        cmocka_unit_test(an_unpinned_artefact_waits),
        cmocka_unit_test(an_unknown_artefact_is_said),
        cmocka_unit_test(some_recipes_only),
        cmocka_unit_test(images_share_the_lanes),
        cmocka_unit_test(guest_disks),
    };
    return cmocka_run_group_tests_name("image/build", tests, NULL, NULL);
}
