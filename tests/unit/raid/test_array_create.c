/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The exact mdadm commands by level, by what is missing, and by what the disks can do. */
#include "raid/array.h"
#include "tests/unit/unit.h"

static char *names[] = {(char *)"/a", (char *)"/b", (char *)"/c", (char *)"/d", (char *)"/e", (char *)"/f"};

static struct rf_layout_array array_of(enum rf_level level, unsigned raid_disks, size_t there)
{
    return (struct rf_layout_array){.name = "data",
                                    .device = (char *)"/dev/md/none-such",
                                    .uuid = "U",
                                    .level = level,
                                    .raid_disks = raid_disks,
                                    .members = names,
                                    .members_count = there};
}

static struct rf_array_state state_of(const struct rf_layout_array *array, bool zeroes_fast)
{
    struct rf_array_state state = {.count = array->members_count};
    for (size_t i = 0; i < state.count; i++)
        state.members[i] = (struct rf_array_member){.device = names[i], .zeroes_fast = zeroes_fast};
    return state;
}

/* Lets the nth command that names `word` fail, and keeps what ran. */
struct faulty {
    rf_runner runner;
    const char *word;
    char *ran;
    unsigned seconds; /* of the last command */
};

static int run(rf_runner *runner, const struct rf_command *command, struct rf_result *result, rf_error **err)
{
    (void)err;
    struct faulty *self = (struct faulty *)runner;
    bool fails = false;
    for (const char *const *word = command->argv; *word; word++) {
        rf_append(&self->ran, "%s%s", word == command->argv ? "" : " ", *word);
        fails |= self->word && strcmp(*word, self->word) == 0;
    }
    rf_append(&self->ran, "\n");
    self->seconds = command->seconds;
    *result = (struct rf_result){.status = fails, .out = rf_strdup(""), .err = rf_strdup("no\n")};
    return 0;
}

static void release(rf_runner *runner)
{
    (void)runner;
}

static const struct rf_runner_ops ops = {"faulty", run, release};

/* The mdadm lines of a creation. */
static char *created(const struct rf_layout_array *array, bool zeroes_fast, const char *failing)
{
    struct faulty faulty = {.runner = {&ops}, .word = failing};
    struct rf_step_env env = {.runner = &faulty.runner};
    struct rf_array_state state = state_of(array, zeroes_fast);
    int outcome = rf_array_create(&env, array, &state, NULL);
    rf_autofree char *ran = faulty.ran;
    char *text = rf_format("%s", outcome < 0 ? "failed\n" : "");
    for (char *rest = NULL, *line = strtok_r(ran, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        if (strncmp(line, "mdadm", 5) == 0)
            rf_append(&text, "%s\n", line);
    return text;
}

#define HEAD(level, disks)                                                                                             \
    "mdadm --create /dev/md/none-such --run --metadata=1.2 --level=" level " --raid-devices=" disks                    \
    " --bitmap=internal --homehost=any --data-offset=64M --name=data --uuid=U "

static void each_level(void **state)
{
    (void)state;
    static const struct {
        enum rf_level level;
        unsigned raid_disks;
        size_t there;
        bool zeroes;
        const char *ran;
    } rows[] = {
        {RF_LEVEL_SINGLE, 1, 1, true, HEAD("1", "1") "--assume-clean --force /a\n"},
        {RF_LEVEL_RAID1, 2, 2, true, HEAD("1", "2") "--assume-clean /a /b\n"},
        {RF_LEVEL_RAID1, 2, 1, false, HEAD("1", "2") "--assume-clean /a missing\n"},
        {RF_LEVEL_RAID1, 2, 3, false, HEAD("1", "2") "--assume-clean /a /b\n"}, /* the spare is added later */
        {RF_LEVEL_RAID5, 3, 3, false, HEAD("5", "3") "--chunk=512 --force /a /b /c\n"},
        {RF_LEVEL_RAID5, 3, 3, true, HEAD("5", "3") "--chunk=512 --write-zeroes --force /a /b /c\n"},
        {RF_LEVEL_RAID5, 3, 2, false, HEAD("5", "3") "--chunk=512 /a /b missing\n"},
        {RF_LEVEL_RAID6, 4, 4, false, HEAD("6", "4") "--chunk=512 --force /a /b /c /d\n"},
        {RF_LEVEL_RAID6, 4, 2, true, HEAD("6", "4") "--chunk=512 --write-zeroes /a /b missing missing\n"},
        {RF_LEVEL_RAID10, 4, 4, true, HEAD("10", "4") "--chunk=512 --layout n2 --assume-clean /a /b /c /d\n"},
        {RF_LEVEL_RAID10, 3, 2, false, HEAD("10", "3") "--chunk=512 --layout n2 --assume-clean /a /b missing\n"},
    };
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        struct rf_layout_array array = array_of(rows[i].level, rows[i].raid_disks, rows[i].there);
        rf_autofree char *ran = created(&array, rows[i].zeroes, NULL);
        assert_string_equal(ran, rows[i].ran);
    }
}

static void far_copies(void **state)
{
    (void)state;
    struct rf_layout_array array = array_of(RF_LEVEL_RAID10, 5, 5);
    array.copies = RF_COPIES_FAR;
    rf_autofree char *ran = created(&array, false, NULL);
    assert_string_equal(ran, HEAD("10", "5") "--chunk=512 --layout f2 --assume-clean /a /b /c /d /e\n");
}

/* What is safe for copies is not for parity: data rebuilt from wrong parity is wrong. */
static void parity_is_never_assumed(void **state)
{
    (void)state;
    for (unsigned disks = 4; disks <= 6; disks++)
        for (size_t there = disks - 1; there <= disks; there++)
            for (int zeroes = 0; zeroes <= 1; zeroes++) {
                struct rf_layout_array five = array_of(RF_LEVEL_RAID5, disks, there);
                struct rf_layout_array six = array_of(RF_LEVEL_RAID6, disks, there);
                rf_autofree char *a = created(&five, zeroes, NULL), *b = created(&six, zeroes, NULL);
                assert_null(strstr(a, "--assume-clean"));
                assert_null(strstr(b, "--assume-clean"));
            }
}

/* One slow disk, or an mdadm that does not know the option: the resync is always there. */
static void zeroing_is_an_offer(void **state)
{
    (void)state;
    struct rf_layout_array array = array_of(RF_LEVEL_RAID5, 3, 3);
    rf_autofree char *ran = created(&array, true, "--write-zeroes");
    assert_string_equal(ran,
                        HEAD("5", "3") "--chunk=512 --write-zeroes --force /a /b /c\n" HEAD("5", "3") "--chunk=512 "
                                                                                                      "--force /a "
                                                                                                      "/b /c\n");
    struct faulty faulty = {.runner = {&ops}};
    struct rf_step_env env = {.runner = &faulty.runner};
    struct rf_array_state mixed = state_of(&array, true);
    mixed.members[1].zeroes_fast = false;
    assert_int_equal(rf_array_create(&env, &array, &mixed, NULL), 0);
    assert_null(strstr(faulty.ran, "--write-zeroes"));
    free(faulty.ran);
}

/* Zeroing takes minutes, and blkdiscard none: whoever hangs is noticed. */
static void zeroing_gets_its_time(void **state)
{
    (void)state;
    struct rf_layout_array array = array_of(RF_LEVEL_RAID6, 4, 4);
    struct faulty faulty = {.runner = {&ops}};
    struct rf_step_env env = {.runner = &faulty.runner};
    struct rf_array_state fast = state_of(&array, true), slow = state_of(&array, false);
    assert_int_equal(rf_array_create(&env, &array, &fast, NULL), 0);
    assert_int_equal(faulty.seconds, 7200);
    assert_int_equal(rf_array_create(&env, &array, &slow, NULL), 0);
    assert_int_equal(faulty.seconds, RF_COMMAND_SECONDS);
    free(faulty.ran);
}

static void every_member_is_wiped_inside(void **state)
{
    (void)state;
    rf_autorunner rf_runner *dry = rf_runner_dry();
    struct rf_step_env env = {.runner = dry};
    struct rf_layout_array array = array_of(RF_LEVEL_RAID1, 2, 3);
    struct rf_array_state members = state_of(&array, false);
    assert_int_equal(rf_array_create(&env, &array, &members, NULL), 0);
    for (size_t i = 0; i < 3; i++) {
        rf_autofree char *begin = rf_format("blkdiscard --zeroout --length 1MiB %s\n", names[i]);
        rf_autofree char *data = rf_format("blkdiscard --zeroout --offset 64MiB --length 1MiB %s\n", names[i]);
        assert_non_null(strstr(rf_runner_dry_text(dry), begin));
        assert_non_null(strstr(rf_runner_dry_text(dry), data));
    }
}

static void growing(void **state)
{
    (void)state;
    static const struct {
        bool running;
        unsigned now;
        const char *action;
        const char *ran, *said;
    } rows[] = {
        {true, 2, "idle", "mdadm --grow /dev/md/none-such --raid-devices=3\n", NULL},
        {true, 2, NULL, "mdadm --grow /dev/md/none-such --raid-devices=3\n", NULL},
        {true, 3, "reshape", "", NULL}, /* a reshape that began earlier */
        {true, 3, "idle", "", NULL},
        {true, 0, "idle", "", NULL},  /* /sys tells nothing */
        {false, 2, "idle", "", NULL}, /* nobody can grow it */
        {true, 2, "recover", "", "array data grows when what it does now is over (recover"},
        {true, 4, "idle", "", "array data has 4 members, and the profile asks for 3"},
    };
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        rf_autorunner rf_runner *dry = rf_runner_dry();
        struct rf_step_env env = {.runner = dry};
        struct rf_layout_array array = array_of(RF_LEVEL_RAID5, 3, 3);
        struct rf_array_state now = {
            .running = rows[i].running, .raid_disks = rows[i].now, .action = (char *)rows[i].action};
        rf_error *err = NULL;
        assert_int_equal(rf_array_grow(&env, &array, &now, &err), rows[i].said ? -1 : 0);
        assert_string_equal(rf_runner_dry_text(dry), rows[i].ran);
        if (rows[i].said)
            assert_error_has(err, rows[i].said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_level),
        cmocka_unit_test(far_copies),
        cmocka_unit_test(parity_is_never_assumed),
        cmocka_unit_test(zeroing_is_an_offer),
        cmocka_unit_test(zeroing_gets_its_time),
        cmocka_unit_test(every_member_is_wiped_inside),
        cmocka_unit_test(growing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
