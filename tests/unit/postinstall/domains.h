/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A fixture whose first guest is defined in libvirt's mock. */
#pragma once

#include "postinstall/domain.h"
#include "tests/unit/postinstall/fixture.h"

/* libvirt's mock knows no q35 with all of our devices' options on every release, so it may refuse the definition. */
static inline bool domain_defined(struct fixture *fixture, const struct rf_node_guest *guest)
{
    rf_error *error = NULL;
    if (rf_step_domain.apply(&fixture->env, guest, &error) == 0)
        return true;
    rf_autofree char *text = rf_error_text(error);
    print_message("skipped: libvirt's test driver does not take the definition: %s\n", text);
    rf_error_free(error);
    return false;
}

/* The caller frees it; NULL: it is not there. */
static inline virDomainPtr domain_of(const struct fixture *fixture, const char *name)
{
    return virDomainLookupByName(rf_libvirt_connect(fixture->model->libvirt, NULL), name);
}

static inline void fixture_open_emulated(struct fixture *fixture, const char *guests)
{
    rf_autojson json_t *facts = json_pack("{s:b,s:[]}", "kvm", 0, "artefacts");
    fixture_open_with(fixture, guests, facts, rf_runner_dry());
}

/* The guests' domains go, too: libvirt's mock is one for the whole program. */
static inline void fixture_close_domains(struct fixture *fixture)
{
    for (size_t i = 0; i < fixture->model->guests_count; i++) {
        rf_autodomain virDomainPtr domain = domain_of(fixture, fixture->model->guests[i].asked->name);
        if (domain && virDomainIsActive(domain) == 1)
            virDomainDestroy(domain);
        if (domain)
            virDomainUndefineFlags(domain, VIR_DOMAIN_UNDEFINE_NVRAM);
    }
    fixture_close(fixture);
}

#define autodomains RF_CLEANUP(fixture_close_domains)

/* Opens it and defines the first guest; false: closed again. */
static inline bool fixture_open_defined(struct fixture *fixture, const char *guests)
{
    fixture_open_emulated(fixture, guests);
    assert_int_equal(rf_step_domain.probe(&fixture->env, &fixture->model->guests[0], NULL), RF_PROBE_TODO);
    if (domain_defined(fixture, &fixture->model->guests[0]))
        return true;
    fixture_close(fixture);
    return false;
}

#define DEFINED(name, guests)                                                                                          \
    autodomains struct fixture name;                                                                                   \
    if (!fixture_open_defined(&name, guests))                                                                          \
    skip()
