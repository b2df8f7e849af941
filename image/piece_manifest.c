/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is on the image, with the checksums of every payload. */
#include "base/file.h"
#include "base/memory.h"
#include "image/build.h"
#include "image/manifest.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

enum { LIST_MAX = 1 << 20 };

static int inputs(const rf_build *build, rf_build_piece *piece, rf_error **err)
{
    (void)err;
    rf_autofree char *date = rf_format("%lld", (long long)build->date);
    rf_key_add(&piece->cached.key, "recipe", "2");
    rf_key_add(&piece->cached.key, "version", build->version);
    rf_key_add(&piece->cached.key, "suite", build->suite);
    rf_key_add(&piece->cached.key, "date", date);
    rf_key_add(&piece->cached.key, "archive", build->archive.state);
    rf_build_depends(piece, &rf_piece_squashfs);
    rf_build_depends(piece, &rf_piece_guest_base);
    rf_autojson json_t *artefacts = rf_build_artefacts_json(build);
    rf_autofree char *text = rf_json_text(artefacts);
    rf_key_add(&piece->cached.key, "artefacts", text);
    for (size_t i = 0; i < build->recipes_count; i++)
        if (build->recipes[i].wanted)
            rf_key_add(&piece->cached.key, build->recipes[i].file,
                       rf_build_piece_of(build, &rf_piece_guest_image, &build->recipes[i])->cached.digest);
    return 0;
}

struct payloads {
    struct rf_payload *rows;
    size_t count;
};

static void free_payloads(struct payloads *payloads)
{
    for (size_t i = 0; i < payloads->count; i++) {
        free(payloads->rows[i].path);
        free(payloads->rows[i].sha256);
        free(payloads->rows[i].xxh3);
    }
    free(payloads->rows);
}

static int add_payload(struct payloads *payloads, const char *path, const char *file, rf_error **err)
{
    char sha256[RF_SHA256_HEX], xxh3[33];
    struct stat status;
    if (rf_sha256_file(file, sha256, NULL, NULL, err) < 0 || rf_xxh3_file(file, xxh3, NULL, NULL, err) < 0)
        return -1;
    if (stat(file, &status) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be looked at", file);
    struct rf_payload *payload = rf_array_add(&payloads->rows, &payloads->count, sizeof(*payload));
    *payload = (struct rf_payload){.path = rf_strdup(path),
                                   .size = (uint64_t)status.st_size,
                                   .sha256 = rf_strdup(sha256),
                                   .xxh3 = rf_strdup(xxh3)};
    return 0;
}

/* The sum that piece_squashfs.c wrote. */
static void add_sum(const rf_build *build, struct rf_payload *payload)
{
    rf_autofree char *path = rf_build_path(build, &rf_piece_squashfs, "sum");
    rf_autofree char *line = rf_read_line(path);
    if (line)
        sscanf(line, "%" SCNu64 " %" SCNu64, &payload->unpacked, &payload->files);
}

static int add_base(const rf_build *build, struct payloads *payloads, rf_error **err)
{
    rf_autofree char *name = rf_build_base_name(build, err);
    if (!name)
        return -1;
    rf_autofree char *file = rf_build_path(build, &rf_piece_guest_base, name);
    rf_autofree char *path = rf_format(RF_MEDIUM_GUESTS_DIR "/%s", name);
    return add_payload(payloads, path, file, err);
}

static int add_all(const rf_build *build, const char *kernel, struct payloads *payloads, rf_error **err)
{
    rf_autofree char *squashfs = rf_build_path(build, &rf_piece_squashfs, "root.squashfs");
    rf_autofree char *boot = rf_build_path(build, &rf_piece_node_root, "root/boot");
    rf_autofree char *vmlinuz = rf_format("%s/vmlinuz-%s", boot, kernel);
    rf_autofree char *initrd = rf_build_path(build, &rf_piece_initrd, "initrd.img");
    if (add_payload(payloads, RF_MEDIUM_ROOT_FILE, squashfs, err) < 0)
        return -1;
    add_sum(build, &payloads->rows[0]);
    if (add_payload(payloads, RF_MEDIUM_KERNEL_FILE, vmlinuz, err) < 0 ||
        add_payload(payloads, RF_MEDIUM_INITRD_FILE, initrd, err) < 0)
        return -1;
    if (add_base(build, payloads, err) < 0)
        return -1;
    for (size_t i = 0; i < build->recipes_count; i++) {
        if (!build->recipes[i].wanted)
            continue;
        const rf_build_piece *guest = rf_build_piece_of(build, &rf_piece_guest_image, &build->recipes[i]);
        rf_autofree char *file = rf_piece_path(&guest->cached, build->recipes[i].file);
        rf_autofree char *path = rf_format(RF_MEDIUM_GUESTS_DIR "/%s", build->recipes[i].file);
        if (add_payload(payloads, path, file, err) < 0)
            return -1;
    }
    return 0;
}

struct lists {
    struct rf_manifest_packages *rows;
    size_t count;
};

static void free_lists(struct lists *lists)
{
    for (size_t i = 0; i < lists->count; i++) {
        free((char *)lists->rows[i].of);
        free((char *)lists->rows[i].list);
    }
    free(lists->rows);
}

static int add_list(struct lists *lists, const rf_build_piece *from, const char *of, rf_error **err)
{
    rf_autofree char *path = rf_piece_path(&from->cached, "packages");
    char *text = NULL;
    if (rf_read_file(path, LIST_MAX, &text, NULL, err) < 0)
        return -1;
    struct rf_manifest_packages *row = rf_array_add(&lists->rows, &lists->count, sizeof(*row));
    *row = (struct rf_manifest_packages){.of = rf_strdup(of), .list = text};
    return 0;
}

static int add_lists(const rf_build *build, struct lists *lists, rf_error **err)
{
    if (add_list(lists, rf_build_piece_of(build, &rf_piece_node_root, NULL), "node", err) < 0 ||
        add_list(lists, rf_build_piece_of(build, &rf_piece_guest_packages, NULL), "guest-base", err) < 0)
        return -1;
    for (size_t i = 0; i < build->recipes_count; i++) {
        if (!build->recipes[i].wanted)
            continue;
        rf_autofree char *of = rf_format("guest/%s", build->recipes[i].name);
        if (add_list(lists, rf_build_piece_of(build, &rf_piece_guest_image, &build->recipes[i]), of, err) < 0)
            return -1;
    }
    return 0;
}

static int make(struct rf_step_env *env, const rf_build *build, const rf_build_piece *piece, rf_error **err)
{
    (void)env;
    rf_autofree char *kernel_file = rf_build_path(build, &rf_piece_node_root, "kernel");
    rf_autofree char *kernel = rf_read_line(kernel_file);
    rf_autofree char *path = rf_piece_new_path(&piece->cached, "manifest.json");
    RF_CLEANUP(free_payloads) struct payloads payloads = {0};
    RF_CLEANUP(free_lists) struct lists lists = {0};
    if (!kernel)
        return rf_fail(err, RF_FAILED, "%s can't be read", kernel_file);
    if (add_all(build, kernel, &payloads, err) < 0 || add_lists(build, &lists, err) < 0)
        return -1;
    rf_autojson json_t *artefacts = rf_build_artefacts_json(build);
    const struct rf_manifest manifest = {.version = build->version,
                                         .suite = build->suite,
                                         .kernel = kernel,
                                         .date = build->date,
                                         .archive = build->archive.state,
                                         .sources = build->archive.sources,
                                         .artefacts = artefacts,
                                         .payloads = payloads.rows,
                                         .payloads_count = payloads.count,
                                         .packages = lists.rows,
                                         .packages_count = lists.count};
    rf_autojson json_t *json = rf_manifest_json(&manifest);
    rf_autofree char *text = rf_json_text(json);
    return rf_write_file(path, text, strlen(text), 0644, err);
}

const struct rf_piece_ops rf_piece_manifest = {.name = "manifest",
                                               .title = "Write the manifest",
                                               .lane = RF_LANE_ALONE,
                                               .inputs = inputs,
                                               .make = make};
