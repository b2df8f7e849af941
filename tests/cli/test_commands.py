# SPDX-License-Identifier: GPL-3.0-or-later
"""The program as a person at a shell meets it: exit codes, messages, what goes to which stream."""
import json
import os
import pathlib
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("RF_PROGRAM", TOP / "build/richtfest"))
MACHINES = TOP / "tests/machines"
PROFILE = TOP / "profiles/musterkunde.yaml"
COMMANDS = ["check", "inventory", "plan", "apply", "status", "image build", "image customize", "image inspect", "recipe check",
            "recipe list", "recipe seed", "secrets show", "vpn show", "guest list", "guest console", "guest snapshot",
            "guest rollback", "guest export", "guest import", "guest resize", "guest delete", "artefact list", "artefact fetch", "artefact verify",
            "root list", "root deploy", "root rollback", "root snapshot", "root prune", "root good"]


def run(*words, stdin=None):
    """Runs the program from the top of the tree; returns the finished process."""
    return subprocess.run([PROGRAM, *map(str, words)], cwd=TOP, input=stdin, capture_output=True, text=True, timeout=60)


def test_version_is_the_file():
    assert run("--version").stdout == f"richtfest {(TOP / 'VERSION').read_text().strip()}\n"


def test_help_lists_every_command_and_the_exit_codes():
    text = run("help").stdout
    for command in COMMANDS:
        assert f"\n  {command} " in text
    assert "64 usage" in text


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(command):
    for words in (["help", *command.split()], [*command.split(), "--help"]):
        done = run(*words)
        assert done.returncode == 0
        assert done.stdout.startswith(f"usage: richtfest {command}")


@pytest.mark.parametrize("words", [[], ["frobnicate"], ["image"], ["image", "frobnicate"], ["check"], ["check", "a", "b"],
                                   ["plan"], ["plan", "a", "--nonsense"], ["apply"], ["apply", "--live", "--node"],
                                   ["apply", "--live", "--unattended"], ["apply", "--unattended", "profile.yaml"],
                                   ["inventory", "x"], ["status", "--yaml"], ["image", "customize", "x.iso"],
                                   ["image", "customize", "--reset", "--profile-url", "http://h/p", "x.iso"],
                                   ["image", "customize", "--ca", "ca.pem", "x.iso"],
                                   ["image", "customize", "--profile-url", "http://h/p", "--ca", "/no/ca.pem", "x.iso"],
                                   ["image", "inspect"], ["image", "build", "surplus"],
                                   ["check", "--json", "x"], ["plan", "x", "--machine"], ["image", "build", "--cache="],
                                   ["image", "inspect", "--verify=x", "x.iso"], ["recipe", "check"],
                                   ["recipe", "check", "a", "b"], ["recipe", "list", "a"], ["recipe", "chek", "a"],
                                   ["recipe", "seed", "a", "b"], ["recipe", "seed", "--output", "x"], ["secrets", "show", "a", "b"],
                                   ["vpn", "show"], ["vpn", "show", "--qr"],
                                   ["artefact", "list", "--pin"], ["artefact", "verify", "--json"],
                                   ["guest", "list", "a"], ["guest", "console"], ["guest", "snapshot"],
                                   ["guest", "snapshot", "--delete", "a"], ["guest", "snapshot", "--nonsense", "a"],
                                   ["guest", "rollback"], ["guest", "export", "a"], ["guest", "import", "a"], ["guest", "resize", "a"],
                                   ["guest", "delete", "a"], ["guest", "delete", "a", "--force"],
                                   ["guest", "list", "--nonsense"], ["guest", "console", "--nonsense", "a"], ["guest", "console", "a", "b"],
                                   ["guest", "snapshot", "--list", "--delete", "a"], ["guest", "snapshot", "--list", "a", "b"],
                                   ["guest", "snapshot", "a", "b", "c"], ["guest", "rollback", "a", "b", "c"],
                                   ["guest", "export", "a", "b", "c"], ["guest", "export", "--nonsense", "a", "b"],
                                   ["guest", "delete", "--with-its-disk"], ["guest", "delete", "a", "b", "--with-its-disk"],
                                   ["root"], ["root", "list", "a"], ["root", "rollback", "a"], ["root", "rollback", "0"], ["root", "rollback", "01x"],
                                   ["root", "rollback", "1", "2"], ["root", "prune", "1", "x"], ["root", "snapshot", "a"], ["root", "good", "a"],
                                   ["root", "deploy"], ["root", "deploy", "a", "b"], ["root", "deploy", "--again"],
                                   ["docs"], ["docs", "nonsense"], ["docs", "--nonsense", "profile"]])
def test_wrong_usage_is_64_and_says_so_on_stderr(words):
    done = run(*words)
    assert done.returncode == 64
    assert done.stdout == ""
    assert done.stderr


def test_a_suite_that_was_not_tried_is_refused():
    done = run("image", "build", "--suite", "bookworm", "--plan")
    assert done.returncode == 64
    assert "known: trixie" in done.stderr


def test_a_group_lists_its_commands():
    for words in (("guest", "--help"), ("help", "guest"), ("guest", "-h")):
        done = run(*words)
        assert done.returncode == 0 and "guest rollback" in done.stdout and "vpn show" not in done.stdout, words
    alone = run("guest")
    assert alone.returncode == 64 and "guest rollback" in alone.stderr and not alone.stdout
    assert run("help", "guset").returncode == 64


@pytest.mark.parametrize("words,option", [(["guest", "list", "--jsn"], "json"), (["guest", "snapshot", "--lst", "a"], "list"),
                                          (["guest", "delete", "a", "--with-disk"], "with-its-disk")])
def test_a_slip_in_an_option_gets_one_too(words, option):
    done = run(*words)
    assert done.returncode == 64 and f"did you mean `--{option}`?" in done.stderr


def test_a_slip_gets_a_suggestion():
    assert "did you mean `inventory`?" in run("inventroy").stderr
    assert "did you mean `image inspect`?" in run("image", "inspekt").stderr
    assert "did you mean `--machine`?" in run("plan", PROFILE, "--machin3", "x").stderr
    assert "did you mean `recipe check`?" in run("recipe", "chek", "x").stderr


def test_check_valid_profiles():
    for profile in [PROFILE, *(TOP / "profiles/examples").glob("*.yaml")]:
        done = run("check", profile)
        assert (done.returncode, done.stderr) == (0, "")
        assert "valid" in done.stdout


def test_check_says_every_problem_with_its_position():
    text = PROFILE.read_text().replace("hostname:", "hostnam:").replace("memory: 24 GB", "memory: 24")
    done = run("check", "-", stdin=text)
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert any("did you mean `hostname`?" in line for line in lines)
    assert any('"24" has no unit' in line for line in lines)
    assert all(line.split(":")[1].isdigit() for line in lines)


def test_check_knows_recipes():
    done = run("check", "-", stdin=PROFILE.read_text().replace("recipe: active-directory", "recipe: active-directroy"))
    assert done.returncode == 1
    assert "active-directory" in done.stderr


def test_recipe_check_and_list():
    shipped = sorted(path for path in (TOP / "postinstall/recipes").iterdir() if (path / "recipe.yaml").exists())
    listed = run("recipe", "list")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert [line.split()[0] for line in listed.stdout.splitlines()] == [path.name for path in shipped]
    for path in shipped:
        done = run("recipe", "check", path)
        assert (done.returncode, done.stderr) == (0, "")
        assert "valid" in done.stdout


def test_recipe_check_says_where(tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "recipe.yaml").write_text("recipe: 1\ntitel: A shop\n")
    done = run("recipe", "check", folder)
    assert done.returncode == 1
    assert f"{folder}/recipe.yaml:2:1: error: titel: unknown key; did you mean 'title'?" in done.stderr


def test_recipe_seed_is_what_a_node_writes(tmp_path):
    seed, state = tmp_path / "seed.iso", tmp_path / "state"
    state.mkdir()
    done = run("recipe", "seed", TOP / "profiles/examples/directory.yaml", "dc1", "--output", seed, "--state", state)
    assert (done.returncode, done.stderr) == (0, "")
    data = seed.read_bytes()
    assert data[16 * 2048 + 40:].startswith(b"cidata ")
    assert b"## template: jinja" in data and b"BEGIN PRIVATE KEY" in data
    assert seed.stat().st_mode & 0o777 == 0o600
    ca = (state / "var/lib/richtfest/ca/ca.pem").read_bytes()
    again = run("recipe", "seed", TOP / "profiles/examples/directory.yaml", "dc1", "--output", seed, "--state", state)
    assert again.returncode == 0
    assert (state / "var/lib/richtfest/ca/ca.pem").read_bytes() == ca  # the same node
    assert sorted(path.name for path in tmp_path.iterdir()) == ["seed.iso", "state"]


def test_recipe_seed_leaves_nothing_behind(tmp_path):
    environment = dict(os.environ, TMPDIR=str(tmp_path))
    seed = tmp_path / "seed.iso"
    done = subprocess.run([PROGRAM, "recipe", "seed", TOP / "profiles/examples/directory.yaml", "dc1", "--output", seed], env=environment,
                          capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == ["seed.iso"]


def test_recipe_seed_of_nobody(tmp_path):
    done = run("recipe", "seed", TOP / "profiles/examples/directory.yaml", "dc9", "--output", tmp_path / "x")
    assert done.returncode == 64
    assert "no guest 'dc9'" in done.stderr
    done = run("recipe", "seed", TOP / "profiles/examples/directory.yaml", "dc1", "--output", tmp_path / "x", "--enrol", tmp_path / "y")
    assert done.returncode == 64
    assert "no directory" in done.stderr


@pytest.mark.parametrize("words", [["secrets", "show"], ["vpn", "show", "laptop"], ["guest", "list"], ["guest", "console", "a"],
                                   ["guest", "snapshot", "a"], ["guest", "rollback", "a"], ["guest", "export", "a", "."],
                                   ["guest", "import", "a", "b"], ["guest", "resize", "a", "1 GB"],
                                   ["guest", "delete", "a", "--with-its-disk"], ["root", "list"], ["root", "rollback"], ["root", "rollback", "2"],
                                   ["root", "snapshot"], ["root", "prune"], ["root", "good"], ["root", "deploy", "/x.iso"]])
def test_commands_of_a_node_elsewhere(words):
    done = run(*words)
    assert done.returncode == 2
    assert "no Richtfest node" in done.stderr


def test_check_of_a_file_that_is_not_there():
    done = run("check", "/no/such/profile.yaml")
    assert done.returncode == 1
    assert "/no/such/profile.yaml" in done.stderr


def test_plan_on_a_blank_machine_destroys_nothing():
    done = run("plan", PROFILE, "--machine", MACHINES / "musterkunde-blank.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert "destroys:" not in done.stdout
    assert "On the node, after its first boot:" in done.stdout


def test_plan_is_the_same_text_every_time():
    texts = {run("plan", PROFILE, "--machine", MACHINES / "musterkunde-blank.json").stdout for _ in range(3)}
    assert len(texts) == 1


def test_plan_as_json():
    done = run("plan", PROFILE, "--machine", MACHINES / "musterkunde-blank.json", "--json")
    steps = json.loads(done.stdout)
    assert steps[0]["id"] == "medium"
    assert {"id", "phase", "title", "destroys", "done"} <= set(steps[0])
    ids = [step["id"] for step in steps]
    assert len(set(ids)) == len(ids)
    commit = [index for index, step in enumerate(steps) if step["id"].startswith("boot/")]
    writes = [index for index, step in enumerate(steps) if step["id"].startswith(("partition/", "root/", "state"))]
    assert min(commit) > max(writes)


def test_plan_refuses_foreign_data_with_2():
    done = run("plan", PROFILE, "--machine", MACHINES / "dirty.json")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "error:" in done.stderr


def test_plan_clears_only_what_the_profile_consents_to():
    consented = MACHINES / "dirty-consented"
    done = run("plan", f"{consented}.yaml", "--machine", f"{consented}.json")
    assert done.returncode == 0, done.stderr
    assert done.stdout.index("Clear disk 2: serial RF-DISK-2") < done.stdout.index("Partition disk 1")
    assert "shut down first, in this order:" in done.stdout
    half = MACHINES / "dirty-half-consented"
    done = run("plan", f"{half}.yaml", "--machine", f"{half}.json")
    assert done.returncode == 2 and done.stdout == ""
    assert "foreign: {wipe: [RF-DISK-1, RF-DISK-2]}" in done.stderr
    assert 'no disk here has that serial number or WWN' in done.stderr


@pytest.mark.parametrize("machine,code", [("musterkunde-blank", 2), ("installed-node", 0)])
def test_plan_adds_up_what_the_guests_were_promised(tmp_path, machine, code):
    """Refused where nothing is there yet; on a node it is said, and the others go on."""
    profile = tmp_path / "large.yaml"
    profile.write_text(PROFILE.read_text().replace("memory: 6 GB\n    disk: 100 GB", "memory: 20 GB\n    disk: 100 GB\n    cores: 6"))
    done = run("plan", profile, "--machine", MACHINES / f"{machine}.json")
    assert done.returncode == code
    assert "guests: together they need" in done.stderr and "(dc1 1.86 GiB, crm 1.86 GiB, ts1 18.6 GiB, and 128 MiB each" in done.stderr
    assert "of which the node keeps 1.48 GiB (node.reserve.memory): " in done.stderr
    profile.write_text(profile.read_text().replace("memory: 20 GB", "memory: 6 GB"))
    assert run("plan", profile, "--machine", MACHINES / f"{machine}.json").returncode == 0


def test_plan_of_processors_and_what_is_kept_of_them(tmp_path):
    profile = tmp_path / "cores.yaml"
    text = PROFILE.read_text().replace("  hostname:", "  overcommit: 1\n  reserve: {cores: 1}\n  hostname:", 1)
    profile.write_text(text)
    done = run("plan", profile, "--machine", MACHINES / "musterkunde-blank.json")
    assert done.returncode == 2
    assert "together they have 6 virtual processors; this machine has 6, of which the node keeps 1 (node.reserve.cores)" in done.stderr


def test_plan_of_guests_in_the_customers_network(tmp_path):
    profile = tmp_path / "bridged.yaml"
    text = PROFILE.read_text().replace("  guests:\n    subnet", '  bridges: [{name: office, mac: "52:54:00:12:34:57"}]\n  guests:\n    subnet')
    text = text.replace("{carrier: true}", '{mac: "52:54:00:12:34:56"}')
    profile.write_text(text.replace("    reach: [crm]\n", "    reach: [crm]\n    bridge: office\n    vlan: 20\n    weight: 200\n    io: {iops: 500}\n"))
    done = run("plan", profile, "--machine", MACHINES / "musterkunde-blank.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Make the bridge office over the card 52:54:00:12:34:57\n" in done.stdout
    assert "10.20.0.12, weight 200, at most 500 requests a second\n" in done.stdout


def test_plan_of_a_machine_that_is_no_json(tmp_path):
    bad = tmp_path / "machine.json"
    bad.write_text("{")
    done = run("plan", PROFILE, "--machine", bad)
    assert done.returncode == 3
    assert "not JSON" in done.stderr


def test_apply_refuses_the_example_key():
    done = run("apply", PROFILE)
    assert done.returncode == 1
    assert "example key" in done.stderr


def test_status_elsewhere():
    done = run("status")
    assert done.returncode == 2
    assert "no Richtfest node" in done.stderr


def test_inventory_is_what_plan_reads(tmp_path):
    done = run("inventory")
    assert done.returncode == 0
    machine = tmp_path / "machine.json"
    machine.write_text(done.stdout)
    planned = run("plan", PROFILE, "--machine", machine)
    assert planned.returncode == 2  # this machine is no customer's server, and says so for each reason
    assert "storage" in planned.stderr


def test_output_that_cannot_be_written_is_a_failure():
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([PROGRAM, "help"], stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 3


def test_recipe_seed_describes_the_machine_and_the_proxy(tmp_path):
    state, described = tmp_path / "state", tmp_path / "crm.json"
    state.mkdir()
    environment = dict(os.environ, RICHTFEST_RECIPES=str(TOP / "postinstall/recipes"))
    words = ["recipe", "seed", PROFILE, "crm", "--output", tmp_path / "crm.iso", "--describe", described]
    done = subprocess.run([PROGRAM, *words, "--state", state, "--proxy"], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    guest = json.loads(described.read_text())
    assert (guest["image"], guest["address"], guest["directory"]) == ("tryton.qcow2", "10.20.0.11", "dc1")
    assert guest["published"] == {"host": "crm.musterkunde.example", "port": 8000}
    proxy = state / "etc/richtfest/proxy"
    assert "reverse_proxy 10.20.0.11:8000" in (proxy / "Caddyfile").read_text()
    assert (proxy / "authority.key").stat().st_mode & 0o777 == 0o640
    before = (proxy / "authority.pem").read_text()
    subprocess.run([PROGRAM, *words, "--state", state, "--proxy"], env=environment, check=True, timeout=60)
    assert (proxy / "authority.pem").read_text() == before
    refused = subprocess.run([PROGRAM, *words, "--proxy"], env=environment, capture_output=True, text=True, timeout=60)
    assert refused.returncode == 64 and "--state" in refused.stderr
