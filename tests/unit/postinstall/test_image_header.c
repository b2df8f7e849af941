/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "postinstall/image_header.h"
#include "tests/unit/unit.h"

#include <endian.h>

struct image {
    unsigned char bytes[1024];
};

static void put64(struct image *image, size_t at, uint64_t value)
{
    value = htobe64(value);
    memcpy(image->bytes + at, &value, sizeof(value));
}

static struct image qcow2(unsigned char version)
{
    struct image image = {.bytes = {'Q', 'F', 'I', 0xfb, 0, 0, 0, version}};
    put64(&image, 24, 8 << 20);
    return image;
}

static struct image raw(void)
{
    struct image image = {0};
    image.bytes[510] = 0x55;
    image.bytes[511] = 0xaa;
    return image;
}

static int look(const void *bytes, size_t size, const char *format, uint64_t *ret_size, rf_error **err)
{
    rf_autofree char *top = unit_directory(), *path = rf_format("%s/image", top);
    assert_int_equal(rf_write_file(path, bytes, size, 0600, NULL), 0);
    const int outcome = rf_image_header(path, format, ret_size, err);
    rf_remove_tree(top, NULL);
    return outcome;
}

static void what_is_asked_for(void **state)
{
    (void)state;
    uint64_t size = 0;
    struct image two = qcow2(2), three = qcow2(3), disk = raw();
    assert_int_equal(look(two.bytes, sizeof(two), "qcow2", &size, NULL), 0);
    assert_int_equal(size, 8 << 20);
    assert_int_equal(look(three.bytes, sizeof(three), "qcow2", &size, NULL), 0);
    assert_int_equal(look(disk.bytes, sizeof(disk), "raw", &size, NULL), 0);
    assert_int_equal(size, sizeof(disk));
}

static void assert_refused(const void *bytes, size_t size, const char *format, const char *says)
{
    uint64_t found;
    rf_error *error = NULL;
    assert_int_equal(look(bytes, size, format, &found, &error), -1);
    assert_int_equal(rf_error_code(error), RF_FAILED);
    assert_error_has(error, says);
}

/* A tool that opens one of these opens another file, which the image chose. */
static void an_image_that_names_other_files_is_refused(void **state)
{
    (void)state;
    struct image backed = qcow2(3), outside = qcow2(3), old = qcow2(2), secret = qcow2(3), later = qcow2(4);
    put64(&backed, 8, 104);
    put64(&outside, 72, 1 << 2);
    put64(&old, 72, 1 << 2); /* version 2 has no such field: anything may stand there */
    secret.bytes[35] = 2;
    assert_refused(backed.bytes, sizeof(backed), "qcow2", "only the difference to another image");
    assert_refused(outside.bytes, sizeof(outside), "qcow2", "keeps its data in another file");
    assert_refused(secret.bytes, sizeof(secret), "qcow2", "it is encrypted");
    assert_refused(later.bytes, sizeof(later), "qcow2", "of version 4");
    uint64_t size;
    assert_int_equal(look(old.bytes, sizeof(old), "qcow2", &size, NULL), 0);
}

static void another_format_is_named(void **state)
{
    static const struct {
        const char *bytes, *format, *says;
    } rows[] = {
        {"QFI\xfb", "raw", "it is no raw image, but a qcow2 image; write 'format: qcow2'"},
        {"\x1f\x8b", "raw", "it is no raw image, but compressed by gzip"},
        {"\x1f\x8b", "qcow2", "it is no qcow2 image, but compressed by gzip"},
        {"BZh9", "qcow2", "compressed by bzip2"},
        {"PK\x03\x04", "raw", "a ZIP archive"},
        {"KDMV", "qcow2", "a VMDK image"},
        {"vhdxfile", "raw", "a VHDX image"},
        {"conectix", "raw", "a VHD image"},
        {"\x28\xb5\x2f\xfd", "raw", "compressed by zstd"},
        {"<html><body>404", "raw", "a web page"},
        {"<!DOCTYPE html>", "qcow2", "a web page"},
        {"something", "qcow2", "it is no qcow2 image; write the format that it has"},
        {"something", "raw", "its first sector has no boot signature"},
    };
    (void)state;
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        struct image image = {0};
        memcpy(image.bytes, rows[i].bytes, strlen(rows[i].bytes));
        assert_refused(image.bytes, sizeof(image), rows[i].format, rows[i].says);
    }
    struct image xz = {.bytes = "\xfd"
                                "7zXZ\0"},
                 disk = raw();
    assert_refused(xz.bytes, sizeof(xz), "raw", "compressed by xz; unpack it");
    assert_refused(disk.bytes, sizeof(disk), "qcow2", "it is no qcow2 image, but a raw one; write 'format: raw'");
    assert_refused("short", 5, "raw", "it has 5 bytes, which is no disk");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_asked_for),
        cmocka_unit_test(an_image_that_names_other_files_is_refused),
        cmocka_unit_test(another_format_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
