/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What GRUB makes of these texts, tests/cli/test_boot_choice.py tries in a real one. */
#include "installer/boot_choice.h"
#include "tests/unit/unit.h"

#define TRIAL "0f8fad5b-d9cb-469f-a165-70867728950e"

static char *text_of(const struct rf_boot_choice *choice)
{
    return rf_boot_choice_text("musterkunde-n1", "11111111-2222-5333-8444-555555555555", choice);
}

static void the_texts_are_as_they_were_reviewed(void **state)
{
    (void)state;
    static const struct {
        const char *golden;
        struct rf_boot_choice choice;
    } rows[] = {{"first", {.root = 1}},
                {"good", {.root = 2, .before = 1}},
                {"trial", {.root = 2, .before = 1, .trial = TRIAL}}};
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        rf_autofree char *text = text_of(&rows[i].choice);
        rf_autofree char *path = rf_format("tests/golden/installer/boot-choice-%s.cfg", rows[i].golden);
        unit_golden(path, text);
    }
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    static const struct rf_boot_choice choices[] = {
        {.root = 1}, {.root = 12, .before = 7}, {.root = 3, .before = 2, .trial = TRIAL}};
    for (size_t i = 0; i < RF_COUNT(choices); i++) {
        rf_autofree char *text = text_of(&choices[i]);
        struct rf_boot_choice found = {0};
        assert_int_equal(rf_boot_choice_parse(text, &found, NULL), 0);
        assert_int_equal(found.root, choices[i].root);
        assert_int_equal(found.before, choices[i].before);
        assert_string_equal(found.trial, choices[i].trial);
    }
}

static void what_is_no_choice_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "search --no-floppy --fs-uuid --set=root x\nset prefix=($root)/roots/1/boot/grub\n",
        "# x\n# {\"root\": 0, \"before\": 0, \"trial\": \"\"}\n",
        "# x\n# {\"root\": 100000, \"before\": 0, \"trial\": \"\"}\n",
        "# x\n# {\"root\": 2, \"before\": 0, \"trial\": \"" TRIAL "\"}\n", /* falls back to nothing */
        "# x\n# {\"root\": 2, \"before\": 1, \"trial\": \"" TRIAL "0\"}\n",
        "# x\n# {\"root\": 2, \"before\": 1}\n",
    };
    for (size_t i = 0; i < RF_COUNT(texts); i++) {
        struct rf_boot_choice found = {.root = 77};
        rf_error *error = NULL;
        assert_int_equal(rf_boot_choice_parse(texts[i], &found, &error), -1);
        assert_error(error, "it does not say which root is booted");
        assert_int_equal(found.root, 77);
    }
}

static void another_root_is_on_trial(void **state)
{
    (void)state;
    struct rf_boot_choice choice = {.root = 1}, again;
    rf_boot_choice_try(&choice, 2, 1);
    assert_true(choice.root == 2 && choice.before == 1 && strlen(choice.trial) == 36);
    again = choice;
    rf_boot_choice_try(&again, 2, 1); /* counted anew */
    assert_string_not_equal(again.trial, choice.trial);
}

/* Switching back to the root that runs ends the trial of the other one. */
static void the_running_root_needs_no_trial(void **state)
{
    (void)state;
    struct rf_boot_choice on_trial = {.root = 2, .before = 1, .trial = TRIAL}, good = {.root = 2, .before = 1};
    rf_boot_choice_try(&on_trial, 1, 1);
    assert_true(on_trial.root == 1 && on_trial.before == 0 && !*on_trial.trial);
    rf_boot_choice_try(&good, 2, 2);
    assert_true(good.root == 2 && good.before == 1 && !*good.trial);
}

static void the_running_root_is_in_the_command_line(void **state)
{
    (void)state;
    assert_int_equal(
        rf_boot_running("BOOT_IMAGE=/roots/3/boot/vmlinuz root=UUID=x rootflags=subvol=roots/12,noatime a"), 12);
    assert_int_equal(rf_boot_running("rootflags=noatime,subvol=roots/2"), 2);
    assert_int_equal(rf_boot_running("rootflags=subvol=roots/2.new"), 0);
    assert_int_equal(rf_boot_running("rootflags=subvol=state"), 0);
    assert_int_equal(rf_boot_running("richtfest.medium=X"), 0);
}

static void what_was_asked_for_is_kept(void **state)
{
    (void)state;
    rf_autofree char *some =
        rf_boot_arguments("root=UUID=x panic=60 console=tty0 console=ttyS0,115200 console=ttyS1,9600 "
                          "richtfest.trial=2 mitigations=off\n");
    assert_string_equal(some, "console=ttyS1,9600 mitigations=off");
    rf_autofree char *none = rf_boot_arguments("root=UUID=x console=tty0 console=ttyS0,115200 richtfest.fallback=2");
    assert_string_equal(none, "");
    rf_autofree char *other = rf_boot_arguments("quiet splash");
    assert_string_equal(other, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_texts_are_as_they_were_reviewed),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(what_is_no_choice_is_refused),
        cmocka_unit_test(another_root_is_on_trial),
        cmocka_unit_test(the_running_root_needs_no_trial),
        cmocka_unit_test(the_running_root_is_in_the_command_line),
        cmocka_unit_test(what_was_asked_for_is_kept),
    };
    return cmocka_run_group_tests_name("installer/boot_choice", tests, NULL, NULL);
}
