"""What a session's container is given."""

from pathlib import Path

from access_control.settings import MIB, Session, Settings
from hub.container import Bind, command, create_arguments, host_config, root_label


def test_the_host_gives_no_network_no_capability_and_no_swap() -> None:
    config = host_config(Session(), [Bind("/a", "/data/a"), Bind("/w", "/workspace", read_only=False)])
    assert config["network_mode"] == "none"
    assert config["read_only"] is True
    assert config["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in config["security_opt"]
    assert config["mem_limit"] == config["memswap_limit"] == 2048 * MIB
    assert config["pids_limit"] == 256
    assert not any("unconfined" in one for one in config["security_opt"])
    assert [mount["ReadOnly"] for mount in config["mounts"]] == [True, False]
    assert all(mount["Type"] == "bind" for mount in config["mounts"])
    assert all("noexec" in options and "nosuid" in options for options in config["tmpfs"].values())
    assert not {"devices", "pid_mode", "userns_mode", "volumes_from", "binds"} & set(config)


def test_the_container_gets_no_credential() -> None:
    arguments = create_arguments(Settings(), session_id="0" * 32, person="ana", project="p17", terminals=False)
    assert not [name for name in arguments["environment"] if "TOKEN" in name or "JUPYTERHUB" in name]
    assert arguments["network_disabled"] is True
    assert arguments["user"] == "64123:64123"
    assert arguments["labels"]["enclave.session"] == "0" * 32


def test_terminals_follow_the_tier() -> None:
    assert command(terminals=False)[-1].endswith("terminals_enabled=False")
    assert command(terminals=True)[-1].endswith("terminals_enabled=True")


def test_pictures_have_an_image_of_their_own_and_the_same_limits() -> None:
    arguments = create_arguments(
        Settings(), session_id="0" * 32, person="ana", project="p17", terminals=False, pixels=True
    )
    assert arguments["image"] == "enclave/notebook-pixels:latest"
    assert arguments["command"] == ["show-notebook", "--ServerApp.terminals_enabled=False"]
    plain = create_arguments(Settings(), session_id="0" * 32, person="ana", project="p17", terminals=False)
    assert {key for key in plain if plain[key] != arguments[key]} == {"image", "command"}


def test_two_data_roots_have_two_labels() -> None:
    assert root_label(Path("/a")) != root_label(Path("/b"))
