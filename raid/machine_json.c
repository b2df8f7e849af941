/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The machine description as JSON. One table for each kind of object says which member is written under which key; reading
 * and writing both walk it, so that what is read back and printed again is the same text.
 */
#include "base/memory.h"
#include "raid/inventory.h"

#include <stddef.h>
#include <string.h>

enum kind { TEXT, BYTES, COUNT, FLAG, CHOICE, LIST, ANY };

struct field {
    const char *key;
    enum kind kind;
    bool required;
    size_t offset;
    const char *const *choices; /* CHOICE: an enum's values in order, NULL-terminated; value 0 may be left out */
    const struct object *item;  /* LIST: a pointer at `offset` … */
    size_t count_offset;        /* … and its count here */
};

struct object {
    size_t size;
    const struct field *fields; /* ends with a NULL key */
};

#define MEMBER(type, member, which, must)                                                                              \
    {                                                                                                                  \
        .key = #member, .kind = which, .required = must, .offset = offsetof(type, member)                              \
    }
#define MEMBERS(type, member, of)                                                                                      \
    {                                                                                                                  \
        .key = #member, .kind = LIST, .required = true, .offset = offsetof(type, member), .item = &(of),               \
        .count_offset = offsetof(type, member##_count)                                                                 \
    }

static const struct field signature_fields[] = {
    MEMBER(struct rf_signature, type, TEXT, true),
    MEMBER(struct rf_signature, usage, TEXT, true),
    MEMBER(struct rf_signature, uuid, TEXT, false),
    MEMBER(struct rf_signature, label, TEXT, false),
    MEMBER(struct rf_signature, detail, TEXT, false),
    MEMBER(struct rf_signature, offset, BYTES, true),
    MEMBER(struct rf_signature, level, TEXT, false),
    MEMBER(struct rf_signature, layout, TEXT, false),
    MEMBER(struct rf_signature, members, COUNT, false),
    MEMBER(struct rf_signature, size, BYTES, false),
    {0},
};
static const struct object signature_object = {sizeof(struct rf_signature), signature_fields};

static const struct field partition_fields[] = {
    MEMBER(struct rf_partition, number, COUNT, true),
    MEMBER(struct rf_partition, start, BYTES, true),
    MEMBER(struct rf_partition, size, BYTES, true),
    MEMBER(struct rf_partition, type_uuid, TEXT, true),
    MEMBER(struct rf_partition, uuid, TEXT, false),
    MEMBER(struct rf_partition, name, TEXT, false),
    MEMBER(struct rf_partition, attributes, BYTES, true),
    MEMBERS(struct rf_partition, signatures, signature_object),
    {0},
};
static const struct object partition_object = {sizeof(struct rf_partition), partition_fields};

static const char *const rotational_choices[] = {"unknown", "no", "yes", NULL};
static const struct field disk_fields[] = {
    MEMBER(struct rf_disk, name, TEXT, true),
    MEMBER(struct rf_disk, path, TEXT, true),
    MEMBER(struct rf_disk, by_path, TEXT, false),
    MEMBER(struct rf_disk, serial, TEXT, false),
    MEMBER(struct rf_disk, wwn, TEXT, false),
    MEMBER(struct rf_disk, model, TEXT, false),
    MEMBER(struct rf_disk, transport, TEXT, false),
    MEMBER(struct rf_disk, size, BYTES, true),
    MEMBER(struct rf_disk, logical_sector, COUNT, true),
    MEMBER(struct rf_disk, physical_sector, COUNT, true),
    {.key = "rotational",
     .kind = CHOICE,
     .offset = offsetof(struct rf_disk, rotational),
     .choices = rotational_choices},
    MEMBER(struct rf_disk, read_only, FLAG, true),
    MEMBER(struct rf_disk, removable, FLAG, true),
    MEMBER(struct rf_disk, in_use, TEXT, false),
    MEMBER(struct rf_disk, table_uuid, TEXT, false),
    MEMBERS(struct rf_disk, signatures, signature_object),
    MEMBERS(struct rf_disk, partitions, partition_object),
    {0},
};
static const struct object disk_object = {sizeof(struct rf_disk), disk_fields};

static const struct field volume_fields[] = {
    MEMBER(struct rf_volume, name, TEXT, true),
    MEMBER(struct rf_volume, kind, TEXT, true),
    MEMBER(struct rf_volume, uuid, TEXT, false),
    MEMBER(struct rf_volume, map, TEXT, false),
    MEMBER(struct rf_volume, on, TEXT, false),
    MEMBER(struct rf_volume, state, TEXT, false),
    MEMBER(struct rf_volume, size, BYTES, true),
    MEMBERS(struct rf_volume, signatures, signature_object),
    {0},
};
static const struct object volume_object = {sizeof(struct rf_volume), volume_fields};

static const struct field nic_fields[] = {
    MEMBER(struct rf_nic, name, TEXT, true),    MEMBER(struct rf_nic, mac, TEXT, false),
    MEMBER(struct rf_nic, driver, TEXT, false), MEMBER(struct rf_nic, carrier, FLAG, true),
    MEMBER(struct rf_nic, speed, COUNT, true),  {0},
};
static const struct object nic_object = {sizeof(struct rf_nic), nic_fields};

static const char *const environment_choices[] = {"other", "live", "node", NULL};
static const struct field machine_fields[] = {
    {.key = "environment",
     .kind = CHOICE,
     .required = true,
     .offset = offsetof(rf_machine, environment),
     .choices = environment_choices},
    MEMBER(rf_machine, dmi_vendor, TEXT, false),
    MEMBER(rf_machine, dmi_product, TEXT, false),
    MEMBER(rf_machine, dmi_serial, TEXT, false),
    MEMBER(rf_machine, dmi_uuid, TEXT, false),
    MEMBER(rf_machine, firmware, TEXT, true),
    MEMBER(rf_machine, secure_boot, FLAG, true),
    MEMBER(rf_machine, cores, COUNT, true),
    MEMBER(rf_machine, memory, BYTES, true),
    MEMBER(rf_machine, memory_source, TEXT, true),
    MEMBER(rf_machine, kvm, FLAG, true),
    MEMBER(rf_machine, kvm_reason, TEXT, false),
    MEMBERS(rf_machine, disks, disk_object),
    MEMBERS(rf_machine, volumes, volume_object),
    MEMBERS(rf_machine, nics, nic_object),
    MEMBER(rf_machine, node, ANY, false),
    {0},
};
static const struct object machine_object = {sizeof(rf_machine), machine_fields};

static json_t *write_object(const struct object *object, const void *from);

static json_t *write_list(const struct field *field, const char *from)
{
    const char *items = *(char *const *)(from + field->offset);
    size_t count = *(const size_t *)(from + field->count_offset);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, write_object(field->item, items + i * field->item->size));
    return list;
}

/* A number that may be left out says nothing where it is 0. */
static json_t *write_number(const struct field *field, uint64_t number)
{
    return number || field->required ? json_integer((json_int_t)number) : NULL;
}

/* NULL: the member is not there. */
static json_t *write_field(const struct field *field, const char *from)
{
    const void *at = from + field->offset;
    const char *text;
    switch (field->kind) {
    case TEXT:
        text = *(char *const *)at;
        return text ? json_string(text) : NULL;
    case BYTES:
        return write_number(field, *(const uint64_t *)at);
    case COUNT:
        return write_number(field, *(const unsigned *)at);
    case FLAG:
        return json_boolean(*(const bool *)at);
    case CHOICE:
        return json_string(field->choices[*(const unsigned *)at]);
    case LIST:
        return write_list(field, from);
    case ANY:
        return json_incref(*(json_t *const *)at);
    }
    return NULL;
}

static json_t *write_object(const struct object *object, const void *from)
{
    json_t *json = json_object();
    for (const struct field *field = object->fields; field->key; field++) {
        json_t *value = write_field(field, from);
        if (value)
            json_object_set_new(json, field->key, value);
    }
    return json;
}

json_t *rf_machine_to_json(const rf_machine *machine)
{
    json_t *json = json_pack("{s:i}", "richtfest_machine", RF_MACHINE_FORMAT);
    rf_autojson json_t *members = write_object(&machine_object, machine);
    json_object_update(json, members);
    return json;
}

static int bad(rf_error **err, const char *path, const char *what)
{
    return rf_fail(err, RF_BAD_MACHINE, "%s: %s", path, what);
}

static int read_object(const struct object *object, const json_t *json, void *to, const char *path, rf_error **err);

static int read_text(const json_t *json, char **to, const char *path, rf_error **err)
{
    const char *text = json_string_value(json);
    size_t length = json_string_length(json);
    if (!text || length == 0 || length > RF_MACHINE_TEXT_MAX)
        return bad(err, path, "must be a text of 1 to 1024 bytes");
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return bad(err, path, "holds a control character");
    *to = rf_strdup(text);
    return 0;
}

static int read_number(const json_t *json, json_int_t max, json_int_t *to, const char *path, rf_error **err)
{
    if (!json_is_integer(json) || json_integer_value(json) < 0 || json_integer_value(json) > max)
        return bad(err, path, "must be a whole number that is not negative and fits");
    *to = json_integer_value(json);
    return 0;
}

static int read_choice(const struct field *field, const json_t *json, unsigned *to, const char *path, rf_error **err)
{
    for (unsigned i = 0; json_is_string(json) && field->choices[i]; i++)
        if (strcmp(field->choices[i], json_string_value(json)) == 0) {
            *to = i;
            return 0;
        }
    rf_autofree char *allowed = NULL;
    for (unsigned i = 0; field->choices[i]; i++)
        rf_append(&allowed, "%s\"%s\"", i ? ", " : "", field->choices[i]);
    return rf_fail(err, RF_BAD_MACHINE, "%s: must be one of %s", path, allowed);
}

static int read_list(const struct field *field, const json_t *json, char *to, const char *path, rf_error **err)
{
    if (!json_is_array(json) || json_array_size(json) > RF_MACHINE_LIST_MAX)
        return bad(err, path, "must be a list of at most 1024 entries");
    for (size_t i = 0; i < json_array_size(json); i++) {
        rf_autofree char *below = rf_format("%s[%zu]", path, i);
        void *item = rf_array_add(to + field->offset, (size_t *)(to + field->count_offset), field->item->size);
        if (read_object(field->item, json_array_get(json, i), item, below, err) < 0)
            return -1;
    }
    return 0;
}

static int read_field(const struct field *field, json_t *json, char *to, const char *path, rf_error **err)
{
    void *at = to + field->offset;
    json_int_t number = 0;
    switch (field->kind) {
    case TEXT:
        return read_text(json, at, path, err);
    case BYTES:
        if (read_number(json, INT64_MAX, &number, path, err) < 0)
            return -1;
        *(uint64_t *)at = (uint64_t)number;
        return 0;
    case COUNT:
        if (read_number(json, UINT32_MAX, &number, path, err) < 0)
            return -1;
        *(unsigned *)at = (unsigned)number;
        return 0;
    case FLAG:
        if (!json_is_boolean(json))
            return bad(err, path, "must be true or false");
        *(bool *)at = json_is_true(json);
        return 0;
    case CHOICE:
        return read_choice(field, json, at, path, err);
    case LIST:
        return read_list(field, json, to, path, err);
    case ANY:
        *(json_t **)at = json_incref(json);
        return 0;
    }
    return 0;
}

static const struct field *field_named(const struct object *object, const char *key)
{
    for (const struct field *field = object->fields; field->key; field++)
        if (strcmp(field->key, key) == 0)
            return field;
    return NULL;
}

static int read_object(const struct object *object, const json_t *json, void *to, const char *path, rf_error **err)
{
    if (!json_is_object(json))
        return bad(err, *path ? path : "the document", "must be an object");
    const char *dot = *path ? "." : "", *key;
    json_t *value;
    json_object_foreach((json_t *)json, key, value)
    {
        rf_autofree char *below = rf_format("%s%s%s", path, dot, key);
        const struct field *field = field_named(object, key);
        if (!field)
            return bad(err, below, "is no key of a machine description");
        if (read_field(field, value, to, below, err) < 0)
            return -1;
    }
    for (const struct field *field = object->fields; field->key; field++)
        if (field->required && !json_object_get(json, field->key)) {
            rf_autofree char *below = rf_format("%s%s%s", path, dot, field->key);
            return bad(err, below, "is missing");
        }
    return 0;
}

int rf_machine_from_json(const json_t *json, rf_machine **ret_machine, rf_error **err)
{
    if (rf_json_integer(json, "richtfest_machine", 0) != RF_MACHINE_FORMAT)
        return rf_fail(err, RF_BAD_MACHINE,
                       "richtfest_machine: must be %d: record the machine by `richtfest inventory` of this version",
                       RF_MACHINE_FORMAT);
    rf_autojson json_t *members = json_copy((json_t *)json);
    json_object_del(members, "richtfest_machine");
    rf_automachine rf_machine *machine = rf_alloc(sizeof(*machine));
    if (read_object(&machine_object, members, machine, "", err) < 0)
        return -1;
    *ret_machine = RF_STEAL(machine);
    return 0;
}

int rf_machine_load(const char *path, rf_machine **ret_machine, rf_error **err)
{
    rf_autojson json_t *json = rf_json_load(path, RF_MACHINE_MAX, err);
    if (!json)
        return -1;
    return rf_machine_from_json(json, ret_machine, err) < 0 ? rf_wrap(err, "%s", path) : 0;
}
