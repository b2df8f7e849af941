/* SPDX-License-Identifier: GPL-3.0-or-later */
/* richtfest vpn show PEER: what that peer's device is given. */
#include "base/command.h"
#include "base/memory.h"
#include "installer/on_node.h"
#include "installer/subcommand.h"
#include "postinstall/vpn.h"

#include <string.h>

struct options {
    bool qr;
};

static const struct rf_option known[] = {
    RF_OPTION_FLAG(struct options, qr, "qr", "as a code that the WireGuard app reads from the screen"),
    {0}};

/* As blocks on the terminal, the text on standard input: it holds the peer's private key. */
static int print_code(const char *text, rf_error **err)
{
    rf_autorunner rf_runner *runner = rf_runner_real();
    struct rf_command command = {
        .argv = RF_ARGV("qrencode", "--type=ansiutf8"), .input = text, .input_size = strlen(text)};
    rf_autoresult struct rf_result result = {0};
    if (rf_run(runner, &command, &result, err) < 0)
        return -1;
    fputs(result.out, stdout);
    explicit_bzero(result.out, result.out_size);
    return 0;
}

static int show(const char *peer, bool code, rf_error **err)
{
    rf_autoonnode struct rf_on_node node = {0};
    rf_autosecret char *text = NULL;
    if (rf_on_node_open(&node, err) < 0 || rf_vpn_peer_text(node.model, peer, &text, err) < 0)
        return -1;
    if (!code) {
        fputs(text, stdout);
        return 0;
    }
    return print_code(text, err);
}

static int run(const struct rf_subcommand *self, int argc, char **argv)
{
    struct options options = {0};
    char **words;
    int count = rf_read_options(self, argc, argv, &options, &words);
    if (count < 0)
        return RF_USAGE;
    if (count != 1)
        return rf_say_usage(self, count ? "one peer at a time" : "which peer?");
    rf_error *error = NULL;
    return show(words[0], options.qr, &error) < 0 ? rf_say_error(error) : RF_OK;
}

const struct rf_subcommand rf_cmd_vpn_show = {
    .name = "vpn show",
    .usage = "[--qr] PEER",
    .summary = "on the node: the WireGuard configuration of a peer, or its QR code",
    .options = known,
    .help = "Holds the peer's private key: show it to nobody else. As root.\n",
    .run = run,
};
