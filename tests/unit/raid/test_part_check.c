/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A partition's link is only as good as the disk that it leads to. */
#include "raid/steps.h"
#include "tests/unit/raid/tree.h"

#define DEVICE "/dev/disk/by-partuuid/0e1d2c3b-0000-4000-8000-000000000003"

struct scene {
    struct tree *tree;
    struct rf_layout_disk disks[2];
};

static void put_part(struct tree *tree, const char *disk, const char *name, uint64_t start, uint64_t size)
{
    static const char *const attributes[] = {"partition", "start", "size"};
    const uint64_t values[] = {3, start / 512, size / 512};
    for (size_t i = 0; i < RF_COUNT(attributes); i++) {
        rf_autofree char *attribute = rf_format("%s/%s", name, attributes[i]);
        rf_autofree char *text = rf_format("%llu\n", (unsigned long long)values[i]);
        put_attribute(tree, disk, attribute, text);
    }
}

static void lead_to(struct tree *tree, const char *name)
{
    rf_autofree char *link = rf_format("%s" DEVICE, tree->root);
    rf_autofree char *target = rf_format("../../%s", name);
    put_in(tree, "/dev/disk/by-partuuid/.keep", "");
    unlink(link);
    assert_int_equal(symlink(target, link), 0);
}

static void scene_start(struct scene *self, struct tree *tree)
{
    *self = (struct scene){.tree = tree};
    for (unsigned i = 0; i < 2; i++) {
        self->disks[i] = (struct rf_layout_disk){.member = i + 1, .serial = (char *)(i ? "S2" : "S1"), .size = TB};
        for (enum rf_part j = 0; j < RF_PARTS; j++)
            self->disks[i].parts[j].device = (char *)"other";
    }
    self->disks[1].parts[RF_PART_SYSTEM] =
        (struct rf_layout_part){.start = RF_MIB, .size = RF_GIB, .device = (char *)DEVICE};
    put_whole_disk(tree, "vda", "S1", TB);
    put_whole_disk(tree, "vdb", "S2", TB);
    put_whole_disk(tree, "vdc", "S2", 2 * TB); /* a copy on a larger disk */
    put_part(tree, "vda", "vda3", RF_MIB, RF_GIB);
    put_part(tree, "vdb", "vdb3", RF_MIB, RF_GIB);
    put_part(tree, "vdc", "vdc3", RF_MIB, RF_GIB);
    put_part(tree, "vdb", "vdb4", RF_GIB, RF_GIB);
}

#define SCENE(self, tree)                                                                                              \
    TREE(tree);                                                                                                        \
    struct scene self;                                                                                                 \
    scene_start(&self, &tree)

static int check(struct scene *self, rf_error **err)
{
    return rf_part_check(self->tree->root, self->disks, 2, DEVICE, err);
}

static void the_right_one(void **state)
{
    SCENE(self, tree);
    lead_to(&tree, "vdb3");
    assert_int_equal(check(&self, NULL), 0);
}

static void another_disk(void **state)
{
    SCENE(self, tree);
    rf_error *err = NULL;
    lead_to(&tree, "vda3");
    assert_int_equal(check(&self, &err), -1);
    assert_error_has(err, "leads to vda3 on disk vda (serial S1), which is not disk 2 of this node");
    lead_to(&tree, "vdc3");
    assert_int_equal(check(&self, &err), -1);
    assert_error_has(err, "disconnect the copy");
}

static void another_place(void **state)
{
    SCENE(self, tree);
    rf_error *err = NULL;
    lead_to(&tree, "vdb4");
    assert_int_equal(check(&self, &err), -1);
    assert_error_has(err, "does not lie where it should");
    lead_to(&tree, "vdb");
    assert_int_equal(check(&self, &err), -1);
    assert_error_has(err, "leads to vdb, which is no partition of a disk");
}

/* A member that is missing is the array's business; a path that is no partition of the layout is not checked here. */
static void not_there(void **state)
{
    SCENE(self, tree);
    assert_int_equal(check(&self, NULL), 0);
    assert_int_equal(rf_part_check(tree.root, self.disks, 2, "/dev/md/data", NULL), 0);
    assert_int_equal(rf_part_check(tree.root, NULL, 0, DEVICE, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_one),
        cmocka_unit_test(another_disk),
        cmocka_unit_test(another_place),
        cmocka_unit_test(not_there),
    };
    return cmocka_run_group_tests_name("raid/part_check", tests, NULL, NULL);
}
