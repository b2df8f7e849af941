/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A guest's domain in libvirt: defined, started, and after its first healthy boot settled. */
#pragma once

#include "base/step.h"
#include "postinstall/agent.h"
#include "postinstall/node.h"

/* 1 running, 0 not running or not defined, -1 and *err where libvirt can't be asked. */
int rf_domain_running(const struct rf_node_guest *guest, rf_error **err);

/* Presses its reset button: what it had not yet written to its disk is lost. -1 and *err where libvirt refuses. */
int rf_domain_reset(const struct rf_node_guest *guest, rf_error **err);

/* The digest in the domain's metadata, the caller frees it; NULL where there is none. */
char *rf_domain_digest_of(virDomainPtr domain);

/* Weight and limits as the domain has them (postinstall/tuning.h), and that it runs with others where it does. The caller frees it. */
char *rf_domain_tuning_of(virDomainPtr domain);

/* The same, for whether something is left to be given: as the next start has it also where the running domain refuses that. */
char *rf_domain_tuning_given(virDomainPtr domain);

/* Does it run with another weight or other limits than its definition has, because the machine refused to change them? */
bool rf_domain_tuning_refused(virDomainPtr domain);

/* Does libvirt start it with the node? A settled guest, yes; but a member of a directory is started by this program, after its
 * directory is healthy. */
bool rf_domain_autostart(const struct rf_node_guest *guest);

/* Does the running domain have another definition than its next start will have? */
bool rf_domain_restart_needed(virDomainPtr domain);

/* Defines the domain, with the seed's drive as long as the guest is not settled. Defining the same again changes nothing.
 * A running guest takes changes over at its next start, which is said; but weight and limits at once. Argument: rf_node_guest. */
extern const struct rf_step_ops rf_step_domain;

/* Starts it. Argument: rf_node_guest. */
extern const struct rf_step_ops rf_step_start;

/* After the first healthy boot: switches cloud-init off in the guest, through its agent, and removes what it kept of the seed. Until
 * the guest is settled it is done at every run; a kill in between leaves nothing worse. Argument: rf_node_guest. */
extern const struct rf_step_ops rf_step_unseed;

/* The same through an agent of the caller's, asked again for `seconds` where it does not answer. Blocks that long at most; repeatable. */
int rf_unseed_ask(struct rf_step_env *env, rf_agent *agent, unsigned seconds, rf_error **err);

/* After the first healthy boot and the hand-over: detaches the seed and removes it, removes the secrets, lets
 * the guest start with the node. The mark "settled" is written last; a kill before it leaves a guest that the next run
 * settles. A guest that does not let go of the seed's drive within half a minute loses it at its next start. Until then the guest does not start by itself: without its seed on tmpfs its first boot would go wrong.
 * A guest of an image by URL is given the time to read its seed before (postinstall/seed_read.h). Argument: rf_node_guest. */
extern const struct rf_step_ops rf_step_settle;
