/* SPDX-License-Identifier: GPL-3.0-or-later */
/* On libvirt's mock; what qemu-img does is tried where it is installed. */
#include "base/paths.h"
#include "postinstall/ca.h"
#include "postinstall/configure.h"
#include "postinstall/disk.h"
#include "postinstall/guest_file.h"
#include "postinstall/secret.h"
#include "tests/unit/postinstall/agent.h"
#include "tests/unit/postinstall/fixture.h"
#include "tests/unit/postinstall/flushes.h"
#include "tests/unit/postinstall/full_pool.h"
#include "tests/unit/postinstall/libvirt_faults.h"

#include <fcntl.h>
#include <libvirt/libvirt-qemu.h>
#include <linux/fs.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>

#define POOL "/var/lib/libvirt/images"

/* This machine's file systems may not be able to clone; the mock's guests don't write, so a copy is one. */
int ioctl(int fd, unsigned long request, ...)
{
    int (*real)(int, unsigned long, void *);
    va_list args;
    va_start(args, request);
    void *argument = va_arg(args, void *);
    va_end(args);
    *(void **)&real = dlsym(RTLD_NEXT, "ioctl");
    if (request != FICLONE)
        return real(fd, request, argument);
    struct stat facts;
    const int source = (int)(intptr_t)argument;
    off_t offset = 0;
    return fstat(source, &facts) == 0 && sendfile(fd, source, &offset, (size_t)facts.st_size) == facts.st_size ? 0 : -1;
}

/* The mock has neither disks that grow nor agents: what a running guest's agent answers, in order. */
static const char **agents_answers(void)
{
    static const char *answers[5];
    return answers;
}

int virDomainGetBlockInfo(virDomainPtr domain, const char *disk, virDomainBlockInfoPtr info, unsigned flags)
{
    (void)domain;
    (void)disk;
    (void)flags;
    *info = (virDomainBlockInfo){.capacity = 1};
    return 0;
}

int virDomainBlockResize(virDomainPtr domain, const char *disk, unsigned long long size, unsigned flags)
{
    (void)domain;
    (void)disk;
    (void)size;
    (void)flags;
    return 0;
}

char *virDomainQemuAgentCommand(virDomainPtr domain, const char *command, int seconds, unsigned flags)
{
    (void)domain;
    (void)command;
    (void)seconds;
    (void)flags;
    const char **answers = agents_answers();
    char *answer = rf_strdup(answers[0]);
    for (size_t i = 0; answers[i]; i++)
        answers[i] = answers[i + 1];
    return answer;
}

static void nobody(void *data, const char *holder)
{
    (void)data;
    fail_msg("waited for %s", holder);
}

static virDomainPtr define(const struct fixture *fixture, const char *name)
{
    rf_autofree char *xml =
        rf_format("<domain type='test'><name>%s</name><memory>1024</memory><os><type>hvm</type></os>"
                  "<metadata><r:guest xmlns:r='urn:richtfest:guest:1' recipe='plain' digest='x'/></metadata>"
                  "<devices><disk type='file' device='disk'><source file='%s" POOL
                  "/%s.qcow2'/><target dev='vda'/></disk></devices></domain>",
                  name, fixture->root, name);
    virDomainPtr domain = virDomainDefineXML(rf_libvirt_connect(fixture->model->libvirt, NULL), xml);
    assert_non_null(domain);
    return domain;
}

static bool qemu_img(rf_runner *runner)
{
    struct rf_command command = {.argv = RF_ARGV("qemu-img", "--version")};
    rf_autoresult struct rf_result result = {0};
    return rf_run_status(runner, &command, &result, NULL) == 0 && result.status == 0;
}

static char *make_image(const struct fixture *fixture, const char *path, const char *format)
{
    char *full = rf_format("%s%s", fixture->root, path);
    fixture_write(fixture, path, "", 0600);
    assert_int_equal(rf_run_argv(fixture->runner, RF_ARGV("qemu-img", "create", "-q", "-f", format, full, "2M"), NULL),
                     0);
    return full;
}

static void guests_are_listed_with_those_that_are_kept(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    rf_autodomain virDomainPtr mine = define(&fixture, "dc1"), old = define(&fixture, "old");
    rf_autojson json_t *list = rf_guest_list(fixture.model, NULL);
    assert_int_equal(json_array_size(list), 2); /* not the mock's own domain */
    for (size_t i = 0; i < 2; i++) {
        const json_t *one = json_array_get(list, i);
        bool kept = strcmp(rf_json_string(one, "name"), "old") == 0;
        assert_int_equal(json_is_true(json_object_get(one, "in_profile")), !kept);
        assert_string_equal(rf_json_string(one, "recipe"), "plain");
        assert_string_equal(rf_json_string(one, "state"), "shut off");
    }
    virDomainUndefine(mine);
    virDomainUndefine(old);
    fixture_close(&fixture);
}

static void the_list_has_the_order_of_the_profile(void **state)
{
    (void)state;
    static const char *const wanted[] = {"dc1", "dc2", "old", "older"};
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    virDomainPtr domains[RF_COUNT(wanted)];
    for (size_t i = 0; i < RF_COUNT(wanted); i++)
        domains[i] = define(&fixture, wanted[RF_COUNT(wanted) - 1 - i]);
    rf_autojson json_t *list = rf_guest_list(fixture.model, NULL);
    assert_int_equal(json_array_size(list), RF_COUNT(wanted));
    for (size_t i = 0; i < RF_COUNT(wanted); i++) {
        assert_string_equal(rf_json_string(json_array_get(list, i), "name"), wanted[i]);
        virDomainUndefine(domains[i]);
        virDomainFree(domains[i]);
    }
    fixture_close(&fixture);
}

static void somebody_elses_domain_is_left_alone(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    fixture_open(&fixture, NULL, rf_runner_dry());
    assert_null(rf_guest_domain(fixture.model, "test", &error));
    assert_error(error, "test was not made by this program; use virsh or Cockpit for it");
    assert_int_equal(rf_guest_delete(fixture.model, "nobody", &error), -1);
    assert_error(error, "there is no guest 'nobody'");
    fixture_close(&fixture);
}

static void deleting_takes_all_of_it(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    fixture_open(&fixture, NULL, rf_runner_dry());
    rf_autodomain virDomainPtr domain = define(&fixture, "old"), other = define(&fixture, "older");
    fixture_write(&fixture, POOL "/old.qcow2", "x", 0600);
    fixture_write(&fixture, RF_STATE_GUESTS "/old/kept.json", "{}", 0600);
    fixture_write(&fixture, RF_STATE_HANDOVER "/old.age", "x", 0600);
    fixture_write(&fixture, RF_STATE_HANDOVER "/old.12345678.age", "x", 0600);
    fixture_write(&fixture, RF_STATE_HANDOVER "/older.age", "x", 0600);
    static const char *const drives[] = {POOL "/.old.artefacts.iso", POOL "/.old.artefacts.iso.wanted",
                                         POOL "/.old.qcow2.new", "/run/richtfest-seeds/old.iso"};
    for (size_t i = 0; i < RF_COUNT(drives); i++)
        fixture_write(&fixture, drives[i], "x", 0600);
    assert_int_equal(virDomainCreate(domain), 0);
    assert_int_equal(rf_guest_delete(fixture.model, "old", &error), -1);
    assert_error(error, "old is running; shut it down first ('virsh shutdown old')");
    assert_int_equal(virDomainDestroy(domain), 0);
    assert_int_equal(rf_guest_delete(fixture.model, "old", &error), 0);
    rf_autofree char *left = rf_format("%s" POOL "/old.qcow2", fixture.root);
    rf_autofree char *secrets = rf_format("%s" RF_STATE_GUESTS "/old", fixture.root);
    rf_autofree char *first = fixture_read(&fixture, RF_STATE_HANDOVER "/old.age");
    rf_autofree char *later = fixture_read(&fixture, RF_STATE_HANDOVER "/old.12345678.age");
    rf_autofree char *others = fixture_read(&fixture, RF_STATE_HANDOVER "/older.age");
    assert_false(rf_exists(left));
    assert_false(rf_exists(secrets));
    assert_null(first);
    assert_null(later);
    for (size_t i = 0; i < RF_COUNT(drives); i++) {
        rf_autofree char *drive = fixture_read(&fixture, drives[i]);
        assert_null(drive);
    }
    assert_non_null(others);
    assert_null(virDomainLookupByName(rf_libvirt_connect(fixture.model->libvirt, NULL), "old"));
    virDomainUndefine(other);
    fixture_close(&fixture);
}

static void one_that_was_never_defined_is_deleted_too(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    fixture_open(&fixture, NULL, rf_runner_dry());
    fixture_write(&fixture, POOL "/dc1.qcow2", "x", 0600);
    fixture_write(&fixture, RF_STATE_GUESTS "/dc1/secrets.json", "{}", 0600);
    rf_autofree char *disk = rf_format("%s" POOL "/dc1.qcow2", fixture.root);
    rf_autofree char *secrets = rf_format("%s" RF_STATE_GUESTS "/dc1", fixture.root);
    assert_int_equal(rf_guest_delete(fixture.model, "dc1", &error), 0);
    assert_false(rf_exists(disk));
    assert_false(rf_exists(secrets));
    assert_int_equal(rf_guest_delete(fixture.model, "dc1", &error), -1);
    assert_error(error, "there is no guest 'dc1'");
    fixture_close(&fixture);
}

static void one_that_lost_disk_and_definition_is_deleted_too(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    fixture_write(&fixture, RF_STATE_GUESTS "/dc1/settled.json", "{}", 0600);
    rf_autofree char *kept = rf_format("%s" RF_STATE_GUESTS "/dc1", fixture.root);
    assert_int_equal(rf_guest_delete(fixture.model, "dc1", NULL), 0);
    assert_false(rf_exists(kept));
    fixture_close(&fixture);
}

static void nothing_is_deleted_or_brought_in_without_the_volume(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    fixture_open(&fixture, NULL, rf_runner_dry());
    rf_autodomain virDomainPtr domain = define(&fixture, "dc1");
    fixture_write(&fixture, "/etc/fstab", "UUID=2 " POOL " xfs noatime,nofail 0 0\n", 0644);
    fixture_write(&fixture, RF_STATE_GUESTS "/dc1/kept.json", "{}", 0600);
    assert_int_equal(rf_guest_delete(fixture.model, "dc1", &error), -1);
    assert_error_has(error, "the guests' volume is not mounted");
    assert_int_equal(rf_guest_import(fixture.runner, &fixture.model->guests[0], "/etc/hostname", &error), -1);
    assert_error_has(error, "the guests' volume is not mounted");
    rf_autofree char *kept = fixture_read(&fixture, RF_STATE_GUESTS "/dc1/kept.json");
    assert_non_null(kept);
    virDomainUndefine(domain);
    fixture_close(&fixture);
}

static void an_error_of_libvirt_is_not_taken_for_absent(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    fixture_open(&fixture, NULL, rf_runner_dry());
    rf_autodomain virDomainPtr domain = define(&fixture, "dc1");
    fixture_write(&fixture, POOL "/dc1.qcow2", "x", 0600);
    rf_autofree char *disk = rf_format("%s" POOL "/dc1.qcow2", fixture.root);
    assert_int_equal(virDomainCreate(domain), 0);
    *faults() = (struct faults){.lookup = true};
    assert_int_equal(rf_guest_delete(fixture.model, "dc1", &error), -1);
    assert_error_has(error, "whether there is a guest 'dc1' could not be asked");
    assert_null(rf_guest_domain(fixture.model, "dc1", &error));
    assert_error_has(error, "whether there is a guest 'dc1' could not be asked");
    *faults() = (struct faults){.active = true};
    assert_int_equal(rf_guest_delete(fixture.model, "dc1", &error), -1);
    assert_error_has(error, "whether dc1 is running could not be asked, so nothing is changed");
    *faults() = (struct faults){0};
    assert_true(rf_exists(disk));
    assert_int_equal(virDomainDestroy(domain), 0);
    virDomainUndefine(domain);
    fixture_close(&fixture);
}

static void a_disk_is_not_exported_onto_itself(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    fixture_open(&fixture, NULL, rf_runner_dry());
    rf_autodomain virDomainPtr domain = define(&fixture, "dc1");
    fixture_write(&fixture, POOL "/dc1.qcow2", "x", 0600);
    fixture_write(&fixture, RF_BASE_IMAGES "/.made", "", 0600);
    rf_autofree char *pool = rf_format("%s" POOL "/.", fixture.root), *link = rf_format("%s/link", fixture.root);
    rf_autofree char *base = rf_format("%s" RF_BASE_IMAGES, fixture.root), *other = rf_format("%s/o", fixture.root);
    rf_autofree char *disk = rf_format("%s" POOL "/dc1.qcow2", fixture.root), *hard = rf_format("%s/dc1.qcow2", other);
    assert_int_equal(symlink(pool, link), 0);
    assert_int_equal(rf_make_dirs(other, 0700, NULL), 0);
    assert_int_equal(linkat(AT_FDCWD, disk, AT_FDCWD, hard, 0), 0);
    const char *const refused[] = {pool, link, base};
    for (size_t i = 0; i < RF_COUNT(refused); i++) {
        assert_int_equal(rf_guest_export(fixture.runner, fixture.model, "dc1", refused[i], nobody, &error), -1);
        assert_error_has(error, "holds the disks and images that guests are made of");
    }
    assert_int_equal(rf_guest_export(fixture.runner, fixture.model, "dc1", other, nobody, &error), -1);
    assert_error_has(error, "/o/dc1.qcow2 is the disk of dc1 itself");
    rf_autofree char *kept = fixture_read(&fixture, POOL "/dc1.qcow2"), *xml = fixture_read(&fixture, POOL "/dc1.xml");
    assert_string_equal(kept, "x");
    assert_null(xml);
    virDomainUndefine(domain);
    fixture_close(&fixture);
}

static void out_and_in_again(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    fixture_open(&fixture, NULL, rf_runner_real());
    if (!qemu_img(fixture.runner)) {
        print_message("skipped: qemu-img is not installed\n");
        fixture_close(&fixture);
        skip();
    }
    const struct rf_node_guest *guest = &fixture.model->guests[0];
    rf_autodomain virDomainPtr domain = define(&fixture, "dc1");
    rf_autofree char *disk = make_image(&fixture, POOL "/dc1.qcow2", "qcow2");
    rf_autofree char *out = rf_format("%s/out", fixture.root), *file = rf_format("%s/dc1.qcow2", out);
    assert_int_equal(rf_make_dirs(out, 0700, NULL), 0);
    *flushes() = (struct flushes){.path = "/out/.dc1.qcow2.new"};
    assert_int_equal(rf_guest_export(fixture.runner, fixture.model, "dc1", out, nobody, &error), 0);
    assert_int_equal(flushes()->count, 1); /* a power cut leaves the former export or this one */
    rf_autofree char *xml = fixture_read(&fixture, "/out/dc1.xml");
    assert_non_null(strstr(xml, "<name>dc1</name>"));
    assert_true(rf_exists(file));
    assert_int_equal(rf_guest_import(fixture.runner, guest, file, &error), -1);
    assert_error_has(error, "dc1 has a disk already");
    assert_int_equal(unlink(disk), 0);
    assert_int_equal(rf_guest_import(fixture.runner, guest, file, &error), 0);
    assert_true(rf_exists(disk));
    assert_true(rf_guest_settled(guest));
    rf_autofree char *address = fixture_read(&fixture, RF_STATE_GUESTS "/dc1/address");
    assert_non_null(address); /* the one that the command names, however often it is brought in */
    assert_int_equal(strncmp(address, guest->address, strlen(guest->address)), 0);
    /* its passwords came with it; only what is kept for probes is made anew, and then told to it */
    assert_int_equal(rf_step_ca.apply(&fixture.env, fixture.model, NULL), 0);
    assert_int_equal(rf_step_secret.apply(&fixture.env, guest, NULL), 0);
    rf_autojson json_t *pending = rf_secret_pending(guest), *kept = rf_secret_kept(guest);
    assert_null(pending);
    assert_non_null(rf_json_string(kept, "probe"));
    assert_int_equal(rf_step_guest_configure.probe(&fixture.env, guest, NULL), RF_PROBE_TODO);
    virDomainUndefine(domain);
    fixture_close(&fixture);
}

static void resize_running(const struct fixture *fixture, const char *first, const char *second, char **ret_words)
{
    const char *const wanted[] = {PID, first, PID, second, NULL};
    memcpy(agents_answers(), wanted, sizeof(wanted));
    assert_int_equal(rf_guest_resize(fixture->runner, fixture->model, "dc1", UINT64_C(60) << 30, ret_words, NULL), 0);
}

/* A larger disk alone is of no use to whoever waits for the room. */
static void a_running_guest_takes_the_space_at_once(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_autofree char *words = NULL, *said = NULL, *later = NULL;
    fixture_open(&fixture, NULL, rf_runner_dry());
    rf_autodomain virDomainPtr domain = define(&fixture, "dc1");
    fixture_write(&fixture, POOL "/dc1.qcow2", "x", 0600);
    fixture_write(&fixture, RF_STATE_GUESTS "/dc1/settled.json", "{}\n", 0600);
    fixture_write(&fixture, RF_STATE_GUESTS "/dc1/grown", "1\n", 0600);
    assert_int_equal(virDomainCreate(domain), 0);
    resize_running(&fixture, ENDED("0", ""), ENDED("0", ""), &words);
    assert_null(words);
    rf_autofree char *grown = fixture_read(&fixture, RF_STATE_GUESTS "/dc1/grown");
    assert_string_equal(grown, "64424509440\n");
    resize_running(&fixture, ENDED("2", ", \"err-data\": \"bm8K\""), NULL, &said);
    assert_string_equal(said,
                        "it has not taken the space yet (/usr/bin/growpart: no); 'richtfest apply --node' asks it "
                        "again");
    rf_autofree char *owed = fixture_read(&fixture, RF_STATE_GUESTS "/dc1/grown");
    assert_null(owed);
    assert_int_equal(virDomainDestroy(domain), 0);
    assert_int_equal(rf_guest_resize(fixture.runner, fixture.model, "dc1", UINT64_C(60) << 30, &later, NULL), 0);
    assert_non_null(strstr(later, "it takes the space when it runs"));
    assert_non_null(strstr(rf_runner_dry_text(fixture.runner), "qemu-img resize"));
    virDomainUndefine(domain);
    fixture_close(&fixture);
}

/* "a b c": what lies in that directory, hidden files too; the caller frees it. */
static char *lying_in(const struct fixture *fixture, const char *directory)
{
    rf_autofree char *path = rf_format("%s%s", fixture->root, directory);
    rf_autodir DIR *entries = opendir(path);
    char *text = rf_strdup("");
    for (struct dirent *entry; entries && (entry = readdir(entries));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            rf_append(&text, "%s ", entry->d_name);
    return text;
}

static void a_running_guest_leaves_no_clone_behind(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    fixture_open(&fixture, NULL, rf_runner_real());
    if (!qemu_img(fixture.runner)) {
        print_message("skipped: qemu-img is not installed\n");
        fixture_close(&fixture);
        skip();
    }
    rf_autodomain virDomainPtr domain = define(&fixture, "dc1");
    rf_autofree char *disk = make_image(&fixture, POOL "/dc1.qcow2", "qcow2");
    rf_autofree char *out = rf_format("%s/out", fixture.root);
    assert_int_equal(rf_make_dirs(out, 0700, NULL), 0);
    assert_int_equal(virDomainCreate(domain), 0);
    assert_int_equal(rf_guest_export(fixture.runner, fixture.model, "dc1", out, nobody, &error), 0);
    rf_autofree char *file = fixture_read(&fixture, "/out/dc1.qcow2"), *pool = lying_in(&fixture, POOL);
    assert_non_null(file);
    assert_string_equal(pool, "dc1.qcow2 ");
    int running = VIR_DOMAIN_NOSTATE;
    assert_int_equal(virDomainGetState(domain, &running, NULL, 0), 0);
    assert_int_equal(running, VIR_DOMAIN_RUNNING);
    virDomainDestroy(domain);
    virDomainUndefine(domain);
    fixture_close(&fixture);
}

struct second {
    struct fixture *fixture;
    char *out;
    atomic_bool waits;
    int result;
};

static struct second *second_export(void)
{
    static struct second state;
    return &state;
}

static void note_wait(void *data, const char *holder)
{
    (void)data;
    second_export()->waits = strncmp(holder, "the first", strlen("the first")) == 0;
}

static void *export_second(void *arg)
{
    struct second *second = arg;
    second->result =
        rf_guest_export(second->fixture->runner, second->fixture->model, "dc1", second->out, note_wait, NULL);
    return NULL;
}

/* They would write one file, and the first would wake the guest while the second clones its disk. */
static void a_guest_is_exported_once_at_a_time(void **state)
{
    (void)state;
    struct fixture fixture;
    struct second *second = second_export();
    fixture_open(&fixture, NULL, rf_runner_dry());
    rf_autodomain virDomainPtr domain = define(&fixture, "dc1");
    fixture_write(&fixture, POOL "/dc1.qcow2", "x", 0600);
    fixture_write(&fixture, "/out/.dc1.qcow2.new", "x", 0600); /* for the runner that does nothing */
    fixture_write(&fixture, RF_RUN_DIR "/export-dc1.lock", "", 0600);
    rf_autofree char *out = rf_format("%s/out", fixture.root);
    rf_autofree char *path = rf_format("%s" RF_RUN_DIR "/export-dc1.lock", fixture.root);
    struct rf_lock lock = {0};
    assert_int_equal(rf_lock_take(path, "the first", nobody, NULL, &lock, NULL, NULL), 0);
    *second = (struct second){.fixture = &fixture, .out = out, .result = -1};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, export_second, second), 0);
    for (unsigned i = 0; i < 500 && !second->waits; i++)
        usleep(10000);
    rf_autofree char *meanwhile = fixture_read(&fixture, "/out/dc1.qcow2");
    rf_lock_release(&lock);
    pthread_join(thread, NULL);
    assert_true(second->waits);
    assert_null(meanwhile);
    assert_int_equal(second->result, 0);
    virDomainUndefine(domain);
    fixture_close(&fixture);
}

static void what_has_no_room_is_not_begun(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    fixture_open(&fixture, NULL, rf_runner_real());
    if (!qemu_img(fixture.runner)) {
        print_message("skipped: qemu-img is not installed\n");
        fixture_close(&fixture);
        skip();
    }
    rf_autodomain virDomainPtr domain = define(&fixture, "dc1");
    rf_autofree char *disk = make_image(&fixture, POOL "/dc1.qcow2", "qcow2");
    rf_autofree char *image = make_image(&fixture, "/image.qcow2", "qcow2"), *out = rf_format("%s/o", fixture.root);
    assert_int_equal(rf_make_dirs(out, 0700, NULL), 0);
    *full_pool() = true;
    assert_int_equal(rf_guest_export(fixture.runner, fixture.model, "dc1", out, nobody, &error), -1);
    assert_error_has(error, "left beside what is kept free for the guests that run"); /* it is the pool's file system */
    assert_int_equal(rf_guest_export(fixture.runner, fixture.model, "dc1", "/dev/shm", nobody, &error), -1);
    assert_error_has(error, "and /dev/shm has 0 B left; name a directory with more room");
    assert_int_equal(unlink(disk), 0);
    assert_int_equal(rf_guest_import(fixture.runner, &fixture.model->guests[0], image, &error), -1);
    assert_error_has(error, "left beside what is kept free for the guests that run");
    *full_pool() = false;
    assert_false(rf_exists(disk));
    assert_false(rf_guest_settled(&fixture.model->guests[0]));
    rf_autofree char *written = lying_in(&fixture, "/o");
    assert_string_equal(written, "");
    virDomainUndefine(domain);
    fixture_close(&fixture);
}

static void half_images_are_refused(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    fixture_open(&fixture, NULL, rf_runner_real());
    if (!qemu_img(fixture.runner)) {
        print_message("skipped: qemu-img is not installed\n");
        fixture_close(&fixture);
        skip();
    }
    const struct rf_node_guest *guest = &fixture.model->guests[0];
    rf_autofree char *base = make_image(&fixture, "/base.qcow2", "qcow2"), *vdi = make_image(&fixture, "/x.vdi", "vdi");
    rf_autofree char *thin = rf_format("%s/thin.qcow2", fixture.root);
    assert_int_equal(rf_run_argv(fixture.runner,
                                 RF_ARGV("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", base, thin),
                                 NULL),
                     0);
    assert_int_equal(rf_guest_import(fixture.runner, guest, thin, &error), -1);
    assert_error_has(error, "is only the difference to another image");
    assert_int_equal(rf_guest_import(fixture.runner, guest, vdi, &error), -1);
    assert_error_has(error, "it is no raw image, but a VDI image");
    rf_autofree char *outside = rf_format("%s/outside.qcow2", fixture.root),
                     *option = rf_format("data_file=%s/secret,data_file_raw=on", fixture.root);
    const char *const *create = RF_ARGV("qemu-img", "create", "-q", "-f", "qcow2", "-o", option, outside, "2M");
    assert_int_equal(rf_run_argv(fixture.runner, create, NULL), 0);
    assert_int_equal(rf_guest_import(fixture.runner, guest, outside, &error), -1);
    assert_error_has(error, "outside.qcow2 can't be brought in: it keeps its data in another file");
    assert_int_equal(rf_guest_import(fixture.runner, guest, "/nonexistent", &error), -1);
    rf_error_free(error);
    assert_false(rf_guest_settled(guest));
    fixture_close(&fixture);
}

static void a_disk_that_appeared_is_kept(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    fixture_open(&fixture, NULL, rf_runner_dry());
    fixture_write(&fixture, POOL "/.dc1.qcow2.new", "new", 0600);
    fixture_write(&fixture, POOL "/dc1.qcow2", "in use", 0600);
    rf_autofree char *new = rf_format("%s" POOL "/.dc1.qcow2.new", fixture.root);
    rf_autofree char *disk = rf_format("%s" POOL "/dc1.qcow2", fixture.root);
    assert_int_equal(rf_disk_place(new, disk, &error), -1);
    assert_error_has(error, "it is kept, and the new one is not");
    rf_autofree char *kept = fixture_read(&fixture, POOL "/dc1.qcow2");
    assert_string_equal(kept, "in use");
    assert_int_equal(unlink(disk), 0);
    assert_int_equal(rf_disk_place(new, disk, &error), 0);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guests_are_listed_with_those_that_are_kept),
        cmocka_unit_test(the_list_has_the_order_of_the_profile),
        cmocka_unit_test(somebody_elses_domain_is_left_alone),
        cmocka_unit_test(deleting_takes_all_of_it),
        cmocka_unit_test(one_that_was_never_defined_is_deleted_too),
        cmocka_unit_test(one_that_lost_disk_and_definition_is_deleted_too),
        cmocka_unit_test(nothing_is_deleted_or_brought_in_without_the_volume),
        cmocka_unit_test(an_error_of_libvirt_is_not_taken_for_absent),
        cmocka_unit_test(a_disk_is_not_exported_onto_itself),
        cmocka_unit_test(out_and_in_again),
        cmocka_unit_test(a_running_guest_takes_the_space_at_once),
        cmocka_unit_test(a_running_guest_leaves_no_clone_behind),
        cmocka_unit_test(a_guest_is_exported_once_at_a_time),
        cmocka_unit_test(what_has_no_room_is_not_begun),
        cmocka_unit_test(half_images_are_refused),
        cmocka_unit_test(a_disk_that_appeared_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
