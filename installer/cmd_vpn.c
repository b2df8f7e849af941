/* SPDX-License-Identifier: GPL-3.0-or-later */
/* richtfest vpn show PEER: what that peer's device is given. */
#include "base/command.h"
#include "base/memory.h"
#include "installer/on_node.h"
#include "installer/subcommand.h"
#include "postinstall/vpn.h"

#include <string.h>

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
    bool code = argc == 3 && strcmp(argv[1], "--qr") == 0;
    if (argc != (code ? 3 : 2) || argv[argc - 1][0] == '-')
        return rf_say_usage(self, "which peer?");
    rf_error *error = NULL;
    return show(argv[argc - 1], code, &error) < 0 ? rf_say_error(error) : RF_OK;
}

const struct rf_subcommand rf_cmd_vpn_show = {
    .name = "vpn show",
    .usage = "[--qr] PEER",
    .summary = "on the node: the WireGuard configuration of a peer, or its QR code",
    .help = "Holds the peer's private key: show it to nobody else. As root.\n"
            "  --qr   as a code that the WireGuard app reads from the screen\n",
    .run = run,
};
