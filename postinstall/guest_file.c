/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "postinstall/guest_file.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/paths.h"
#include "base/units.h"
#include "postinstall/disk.h"
#include "postinstall/domain.h"
#include "postinstall/domain_xml.h"
#include "postinstall/facts.h"
#include "postinstall/grow.h"
#include "postinstall/guest_address.h"
#include "postinstall/image_header.h"
#include "postinstall/pool.h"
#include "postinstall/pool_room.h"
#include "postinstall/retire.h"
#include "postinstall/secret.h"
#include "postinstall/xml.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

enum { CONVERT_SECONDS = 24 * 3600 };

/* The names that domain_xml.c gives a guest's own disk, by its drivers. */
static bool own_disk(const char *target)
{
    return target && (strcmp(target, "vda") == 0 || strcmp(target, "sda") == 0);
}

virDomainPtr rf_guest_domain(const rf_node_model *model, const char *name, rf_error **err)
{
    virConnectPtr connection = rf_libvirt_connect(model->libvirt, err);
    if (!connection)
        return NULL;
    rf_autodomain virDomainPtr domain = NULL;
    if (rf_domain_find(connection, name, &domain, err) < 0)
        return NULL;
    if (domain && rf_domain_ours(domain))
        return RF_STEAL(domain);
    rf_fail(err, RF_FAILED,
            domain ? "%s was not made by this program; use virsh or Cockpit for it" : "there is no guest '%s'", name);
    return NULL;
}

/* The file behind its disk, and its recipe; the caller frees them. NULL where the document does not say. */
static char *disk_of(virDomainPtr domain)
{
    rf_autofree char *text = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE);
    rf_autoxml xmlDoc *document = text ? rf_xml_parse("domain", text, NULL) : NULL;
    const xmlNode *devices = document ? rf_xml_child(rf_xml_root(document), "devices") : NULL;
    for (const xmlNode *disk = devices ? devices->children : NULL; disk; disk = disk->next) {
        rf_autofree char *target = rf_xml_attribute(rf_xml_child(disk, "target"), "dev");
        if (disk->type == XML_ELEMENT_NODE && own_disk(target))
            return rf_xml_attribute(rf_xml_child(disk, "source"), "file");
    }
    return NULL;
}

static char *recipe_of(virDomainPtr domain)
{
    rf_autofree char *text =
        virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, RF_DOMAIN_NAMESPACE, VIR_DOMAIN_AFFECT_CONFIG);
    rf_autoxml xmlDoc *mark = text ? rf_xml_parse("metadata", text, NULL) : NULL;
    return mark ? rf_xml_attribute(rf_xml_root(mark), "recipe") : NULL;
}

static json_t *describe(const rf_node_model *model, virDomainPtr domain)
{
    const char *name = virDomainGetName(domain);
    const struct rf_node_guest *guest = rf_node_guest_named(model, name);
    rf_autofree char *recipe = recipe_of(domain), *path = disk_of(domain);
    virDomainInfo info = {0};
    virDomainBlockInfo disk = {0};
    rf_autofree char *tuning = rf_domain_tuning_of(domain);
    const char *fixed = guest && guest->bridge && guest->asked->lan.address ? guest->asked->lan.address : "dhcp";
    rf_autofree char *lan = guest && guest->bridge ? rf_format("%s %s", guest->bridge->name, fixed) : NULL;
    int autostart = 0, snapshots = virDomainSnapshotNum(domain, 0);
    virDomainGetInfo(domain, &info);
    if (path)
        virDomainGetBlockInfo(domain, path, &disk, 0);
    virDomainGetAutostart(domain, &autostart);
    return json_pack("{s:s,s:s*,s:s,s:i,s:I,s:I,s:s*,s:s*,s:s*,s:i,s:b,s:b,s:b}", "name", name, "recipe", recipe,
                     "state", rf_domain_state_name(info.state), "cores", (int)info.nrVirtCpu, "memory",
                     (json_int_t)info.maxMem * 1024, "disk", (json_int_t)disk.capacity, "address",
                     guest ? guest->address : NULL, "lan", lan, "tuning", *tuning ? tuning : NULL, "snapshots",
                     snapshots > 0 ? snapshots : 0, "autostart", autostart, "in_profile", guest != NULL,
                     "restart_needed", rf_domain_restart_needed(domain));
}

/* As the profile has them, then those that are kept, by name: libvirt's own order changes with each start. */
static int by_profile(const void *left, const void *right, void *data)
{
    const rf_node_model *model = data;
    const char *names[] = {virDomainGetName(*(const virDomainPtr *)left),
                           virDomainGetName(*(const virDomainPtr *)right)};
    size_t places[2];
    for (size_t i = 0; i < RF_COUNT(names); i++) {
        const struct rf_node_guest *guest = rf_node_guest_named(model, names[i]);
        places[i] = guest ? (size_t)(guest - model->guests) : model->guests_count;
    }
    return places[0] == places[1] ? strcmp(names[0], names[1]) : places[0] < places[1] ? -1 : 1;
}

json_t *rf_guest_list(const rf_node_model *model, rf_error **err)
{
    virConnectPtr connection = rf_libvirt_connect(model->libvirt, err);
    virDomainPtr *domains = NULL;
    int count = connection ? virConnectListAllDomains(connection, &domains, 0) : -1;
    if (count < 0) {
        if (connection)
            rf_libvirt_fail(err, "listing the guests");
        return NULL;
    }
    json_t *list = json_array();
    qsort_r(domains, (size_t)count, sizeof(*domains), by_profile, (void *)model);
    for (int i = 0; i < count; i++) {
        if (rf_domain_ours(domains[i]))
            json_array_append_new(list, describe(model, domains[i]));
        virDomainFree(domains[i]);
    }
    free(domains);
    return list;
}

/* A running guest that stands still, with its file systems flushed; goes on when the variable goes out of scope. */
struct pause {
    virDomainPtr domain;
    bool frozen, suspended;
};

static void go_on(struct pause *pause)
{
    if (pause->suspended)
        virDomainResume(pause->domain);
    if (pause->frozen)
        virDomainFSThaw(pause->domain, NULL, 0, 0);
}

#define autopause RF_CLEANUP(go_on)

/* 0 cloned, 1 this file system can't. */
static int clone_file(const char *from, int target, rf_error **err)
{
    rf_autofd int source = open(from, O_RDONLY | O_CLOEXEC);
    if (source < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "opening %s", from);
    return ioctl(target, FICLONE, source) == 0 ? 0 : 1;
}

/* QEMU flushes everything that it holds of the disk when the guest is suspended, so the file is whole at that moment. Without an agent
 * the file systems are as after a power cut, which they survive. */
static int clone_running(virDomainPtr domain, const char *from, int to, rf_error **err)
{
    autopause struct pause pause = {.domain = domain};
    pause.frozen = virDomainFSFreeze(domain, NULL, 0, 0) >= 0;
    pause.suspended = virDomainSuspend(domain) == 0;
    if (!pause.suspended)
        return rf_libvirt_fail(err, "holding %s still", virDomainGetName(domain));
    int cloned = clone_file(from, to, err);
    if (cloned > 0)
        return rf_fail(err, RF_FAILED, "%s can't be cloned while the guest runs; shut it down first", from);
    return cloned;
}

static void remove_file(char **path)
{
    if (*path)
        unlink(*path);
    free(*path);
}

static int convert(rf_runner *runner, const char *format, const char *from, const char *to, rf_error **err)
{
    struct rf_command command = {.argv = RF_ARGV("qemu-img", "convert", "-f", format, "-O", "qcow2", from, to),
                                 .seconds = CONVERT_SECONDS};
    rf_autoresult struct rf_result result = {0};
    return rf_run(runner, &command, &result, err);
}

/* At most what the disk takes itself. In the pool some is left to the guests that run; elsewhere it only has to fit. */
static int room_for(const rf_node_model *model, const char *disk, const char *directory, const char *new,
                    struct rf_pool_share *ret_share, rf_error **err)
{
    const uint64_t needed = rf_pool_taken_by(disk);
    struct rf_step_env env = {0};
    struct statvfs status;
    struct stat target, pool;
    rf_autofree char *path = rf_node_path(model, "%s", RF_POOL_DIR);
    if (stat(directory, &target) < 0 || statvfs(directory, &status) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s", directory);
    if (stat(path, &pool) == 0 && pool.st_dev == target.st_dev)
        return rf_pool_need(&env, model, new, needed, ret_share, err);
    const uint64_t left = (uint64_t)status.f_bavail * status.f_frsize;
    if (left >= needed)
        return 0;
    rf_autofree char *takes = rf_size_text(needed), *has = rf_size_text(left);
    return rf_fail(err, RF_FAILED, "it may take %s, and %s has %s left; name a directory with more room", takes,
                   directory, has);
}

static int write_out(rf_runner *runner, const rf_node_model *model, virDomainPtr domain, const char *disk,
                     const char *directory, rf_error **err)
{
    const char *name = virDomainGetName(domain);
    rf_autofree char *xml = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE);
    rf_autofree char *target = rf_format("%s/%s.qcow2", directory, name),
                     *words = rf_format("%s/%s.xml", directory, name);
    RF_CLEANUP(remove_file) char *new = rf_format("%s/.%s.qcow2.new", directory, name);
    rf_autopoolshare struct rf_pool_share share = {0};
    if (room_for(model, disk, directory, new, &share, err) < 0 || convert(runner, "qcow2", disk, new, err) < 0 ||
        rf_disk_flush(new, err) < 0) /* before it replaces an export that is whole */
        return -1;
    if (rename(new, target) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "renaming %s to %s", new, target);
    return rf_write_file(words, xml, strlen(xml), 0600, err);
}

static bool same_file(const char *one, const char *other)
{
    struct stat a, b;
    return stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* A directory is another's by any name (links, bind mounts, "."): the export's file must not get the name of a disk or of an image. */
static int check_target(const rf_node_model *model, const char *name, const char *disk, const char *directory,
                        rf_error **err)
{
    static const char *const own[] = {RF_POOL_DIR, RF_BASE_IMAGES, RF_FETCHED_DIR, RF_ARTEFACTS_HAND};
    rf_autofree char *target = rf_format("%s/%s.qcow2", directory, name);
    for (size_t i = 0; i < RF_COUNT(own); i++) {
        rf_autofree char *path = rf_node_path(model, "%s", own[i]);
        if (same_file(directory, path))
            return rf_fail(err, RF_FAILED,
                           "%s holds the disks and images that guests are made of; name another directory (one of its "
                           "own below %s will do)",
                           directory, RF_POOL_DIR);
    }
    if (same_file(target, disk))
        return rf_fail(err, RF_FAILED, "%s is the disk of %s itself; name another directory", target, name);
    return 0;
}

/* Two exports of one guest would write the same file, and one would wake the guest while the other clones its disk. */
static int alone(const rf_node_model *model, const char *name, rf_lock_waiting *waiting, struct rf_lock *ret_lock,
                 rf_error **err)
{
    rf_autofree char *directory = rf_node_path(model, "%s", RF_RUN_DIR),
                     *path = rf_format("%s/export-%s.lock", directory, name),
                     *what = rf_format("richtfest guest export %s", name);
    if (rf_make_dirs(directory, 0700, err) < 0)
        return -1;
    return rf_lock_take(path, what, waiting, NULL, ret_lock, NULL, err);
}

/* Its disk's clone has no name: however this ends, nothing is left of it. */
static int write_running(rf_runner *runner, const rf_node_model *model, virDomainPtr domain, const char *disk,
                         const char *directory, rf_error **err)
{
    rf_autofree char *pool = rf_node_path(model, "%s", RF_POOL_DIR);
    rf_autofd int clone = open(pool, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (clone < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "a file for the clone in %s", pool);
    if (clone_running(domain, disk, clone, err) < 0)
        return -1;
    rf_autofree char *path = rf_format("/proc/%d/fd/%d", (int)getpid(), clone);
    return write_out(runner, model, domain, path, directory, err);
}

int rf_guest_export(rf_runner *runner, const rf_node_model *model, const char *name, const char *directory,
                    rf_lock_waiting *waiting, rf_error **err)
{
    rf_autodomain virDomainPtr domain = rf_guest_domain(model, name, err);
    rf_autofree char *disk = domain ? disk_of(domain) : NULL;
    if (!domain)
        return -1;
    if (!disk)
        return rf_fail(err, RF_FAILED, "%s has no disk in a file", name);
    rf_autolock struct rf_lock lock = {0};
    if (check_target(model, name, disk, directory, err) < 0 || alone(model, name, waiting, &lock, err) < 0)
        return -1;
    const int active = rf_domain_active(domain, err);
    if (active < 0)
        return -1;
    return active ? write_running(runner, model, domain, disk, directory, err)
                  : write_out(runner, model, domain, disk, directory, err);
}

/* "qcow2" or "raw", read from its header by this program: a tool that opens an image opens what it names, too. NULL and *err. */
static const char *format_of(const char *file, rf_error **err)
{
    char magic[4] = "";
    uint64_t size;
    rf_autofd int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || pread(fd, magic, sizeof(magic), 0) < 0) {
        rf_fail_errno(err, RF_FAILED, errno, "%s can't be read", file);
        return NULL;
    }
    const char *format = memcmp(magic, "QFI\xfb", sizeof(magic)) == 0 ? "qcow2" : "raw";
    if (rf_image_header(file, format, &size, err) == 0)
        return format;
    rf_wrap(err, "%s can't be brought in", file);
    return NULL;
}

/* As one that has settled: its passwords are not generated again, only what is kept for probes, which it is told. */
static int mark_settled(const struct rf_node_guest *guest, rf_error **err)
{
    char born[RF_UUID_TEXT];
    rf_autofree char *state = rf_guest_state_path(guest, ""), *birth = rf_guest_state_path(guest, "born");
    rf_autofree char *settled = rf_guest_state_path(guest, "settled.json");
    rf_autofree char *text = rf_format("{\"uuid\": \"%s\", \"recipe\": \"%s\"}\n", guest->uuid, guest->recipe->name);
    rf_uuid_random(born);
    if (rf_remove_tree(state, err) < 0 || rf_make_dirs(state, 0700, err) < 0 ||
        rf_guest_address_keep(guest, err) < 0 || /* whoever brings it in is told that it is this one */
        rf_write_file(birth, born, strlen(born), 0600, err) < 0 || rf_secret_mark_known(guest, err) < 0)
        return -1;
    return rf_write_file(settled, text, strlen(text), 0600, err);
}

int rf_guest_import(rf_runner *runner, const struct rf_node_guest *guest, const char *file, rf_error **err)
{
    const char *name = guest->asked->name;
    rf_autofree char *disk = rf_guest_disk_path(guest),
                     *real = realpath(file, NULL); /* the header is read without links */
    if (rf_pool_there(guest->node, err) < 0)
        return -1;
    if (rf_exists(disk))
        return rf_fail(err, RF_FAILED, "%s has a disk already (%s); 'richtfest guest delete' removes it", name, disk);
    if (!real)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be read", file);
    const char *format = format_of(real, err);
    RF_CLEANUP(remove_file) char *new = rf_node_path(guest->node, "%s/.%s.qcow2.new", RF_POOL_DIR, name);
    rf_autopoolshare struct rf_pool_share share = {0};
    struct rf_step_env env = {0};
    uint64_t needed = 0;
    if (!format || rf_disk_measure(runner, format, real, &needed, err) < 0 ||
        rf_pool_need(&env, guest->node, new, needed, &share, err) < 0 || convert(runner, format, real, new, err) < 0 ||
        rf_disk_flush(new, err) < 0)
        return -1;
    if (rf_exists(disk)) /* its secrets are not ours to replace */
        return rf_fail(err, RF_FAILED, "%s appeared meanwhile: nothing is changed", disk);
    if (mark_settled(guest, err) < 0) /* before the disk is there: it must never look like one without a seed */
        return -1;
    if (rf_disk_place(new, disk, err) < 0)
        return -1;
    rf_pool_refresh(guest->node);
    return 0;
}

static int enlarge(rf_runner *runner, virDomainPtr domain, const char *disk, uint64_t bytes, bool active,
                   rf_error **err)
{
    rf_autofree char *size = rf_format("%" PRIu64, bytes);
    if (!active)
        return rf_run_argv(runner, RF_ARGV("qemu-img", "resize", "-q", "-f", "qcow2", disk, size), err);
    if (virDomainBlockResize(domain, disk, bytes, VIR_DOMAIN_BLOCK_RESIZE_BYTES) < 0)
        return rf_libvirt_fail(err, "enlarging the disk of %s", virDomainGetName(domain));
    return 0;
}

/* A larger disk alone is of no use: the guest's partition and file system are as they were. */
static int take_space(const struct rf_node_guest *guest, uint64_t bytes, char **ret_words, rf_error **err)
{
    rf_autoagent rf_agent *agent = rf_agent_libvirt(guest->node->libvirt, guest->asked->name);
    rf_autofree char *why = NULL;
    if (rf_grow_ask(agent, &why))
        return rf_grow_remember(guest, bytes, err);
    *ret_words = rf_format("it has not taken the space yet (%s); 'richtfest apply --node' asks it again", why);
    return 0;
}

int rf_guest_resize(rf_runner *runner, const rf_node_model *model, const char *name, uint64_t bytes, char **ret_words,
                    rf_error **err)
{
    const struct rf_node_guest *guest = rf_node_guest_named(model, name);
    const bool ours = guest && !rf_guest_fetch_url(guest) && rf_guest_settled(guest);
    rf_autodomain virDomainPtr domain = rf_guest_domain(model, name, err);
    rf_autofree char *disk = domain ? disk_of(domain) : NULL;
    virDomainBlockInfo now = {0};
    if (!domain)
        return -1;
    if (!disk || virDomainGetBlockInfo(domain, disk, &now, 0) < 0)
        return rf_libvirt_fail(err, "the disk of %s", name);
    if (bytes < now.capacity) {
        rf_autofree char *has = rf_size_text(now.capacity);
        return rf_fail(err, RF_FAILED, "the disk of %s has %s; a disk can't become smaller", name, has);
    }
    const int active = rf_domain_active(domain, err);
    if (active < 0 || (ours && rf_grow_forget(guest, err) < 0) || enlarge(runner, domain, disk, bytes, active, err) < 0)
        return -1;
    if (ours && active)
        return take_space(guest, bytes, ret_words, err);
    *ret_words = ours ? rf_strdup("it takes the space when it runs and 'richtfest apply --node' asks it to")
                      : rf_strdup("its partition and its file system are enlarged in the guest itself");
    return 0;
}

static int remove_handovers(const rf_node_model *model, const char *name, rf_error **err)
{
    rf_autofree char *pattern = rf_node_path(model, "%s/%s.", RF_STATE_HANDOVER, name);
    rf_append(&pattern, "%s", "*age");
    glob_t found = {0};
    int failed = 0;
    glob(pattern, 0, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc && !failed; i++)
        if (unlink(found.gl_pathv[i]) < 0 && errno != ENOENT)
            failed = rf_fail_errno(err, RF_FAILED, errno, "removing %s", found.gl_pathv[i]);
    globfree(&found);
    return failed;
}

/* By name, so that those of a guest that left the profile go too: drives, the note beside one, and what a kill has left. */
static int remove_drives(const rf_node_model *model, const char *name, rf_error **err)
{
    rf_autofree char *seed = rf_node_seed_path(model, name), *drive = rf_node_artefacts_path(model, name);
    rf_autofree char *wanted = rf_format("%s.wanted", drive),
                     *half_drive = rf_node_path(model, "%s/..%s.artefacts.iso.new", RF_POOL_DIR, name);
    rf_autofree char *half = rf_node_path(model, "%s/.%s.qcow2.new", RF_POOL_DIR, name);
    const char *const paths[] = {seed, drive, wanted, half_drive, half};
    for (size_t i = 0; i < RF_COUNT(paths); i++)
        if (unlink(paths[i]) < 0 && errno != ENOENT)
            return rf_fail_errno(err, RF_FAILED, errno, "removing %s", paths[i]);
    return 0;
}

/* What the node keeps of it beside its definition. */
static int remove_files(const rf_node_model *model, const char *name, const char *disk, rf_error **err)
{
    rf_autofree char *state = rf_node_path(model, "%s/%s", RF_STATE_GUESTS, name);
    if (disk && unlink(disk) < 0 && errno != ENOENT)
        return rf_fail_errno(err, RF_FAILED, errno, "removing %s", disk);
    return remove_drives(model, name, err) < 0 || rf_remove_tree(state, err) < 0 ? -1
                                                                                 : remove_handovers(model, name, err);
}

/* One whose seeding has not come as far as its definition, or whose disk and definition are lost: 1 where there is none. */
static int delete_undefined(const rf_node_model *model, const char *name, rf_error **err)
{
    virConnectPtr connection = rf_libvirt_connect(model->libvirt, err);
    if (!connection)
        return -1;
    const struct rf_node_guest *guest = rf_node_guest_named(model, name);
    rf_autodomain virDomainPtr domain = NULL;
    if (rf_domain_find(connection, name, &domain, err) < 0)
        return -1;
    rf_autofree char *disk = guest ? rf_guest_disk_path(guest) : NULL;
    if (domain || !disk || (!rf_exists(disk) && !rf_guest_settled(guest)))
        return 1;
    if (remove_files(model, name, disk, err) < 0)
        return -1;
    rf_pool_refresh(model);
    return 0;
}

int rf_guest_delete(const rf_node_model *model, const char *name, rf_error **err)
{
    if (rf_pool_there(model, err) < 0) /* its disk would stay, without what the node knows of it */
        return -1;
    int undefined = delete_undefined(model, name, err);
    if (undefined <= 0)
        return undefined;
    rf_autodomain virDomainPtr domain = rf_guest_domain(model, name, err);
    rf_autofree char *disk = domain ? disk_of(domain) : NULL, *pool = rf_node_path(model, "%s/", RF_POOL_DIR);
    const int active = domain ? rf_domain_active(domain, err) : -1;
    if (active < 0)
        return -1;
    if (active)
        return rf_fail(err, RF_FAILED, "%s is running; shut it down first ('virsh shutdown %s')", name, name);
    if (disk && strncmp(disk, pool, strlen(pool)) != 0)
        return rf_fail(err, RF_FAILED, "the disk of %s is not in the pool (%s): nothing is removed", name, disk);
    if (remove_files(model, name, disk, err) < 0)
        return -1;
    unsigned flags =
        VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA | VIR_DOMAIN_UNDEFINE_NVRAM;
    if (virDomainUndefineFlags(domain, flags) < 0 && virDomainUndefine(domain) < 0)
        return rf_libvirt_fail(err, "removing the definition of %s", name);
    rf_pool_refresh(model);
    return 0;
}
