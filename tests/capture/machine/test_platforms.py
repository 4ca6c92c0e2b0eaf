"""Where a run ran: every platform by its signs, what is easily taken for it, and what is never read."""

import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from ledger.capture.machine.platforms.metadata_service import SECONDS, read_metadata
from ledger.capture.machine.platforms.own_platforms import OwnPlatform
from ledger.capture.machine.platforms.platform_table import NEVER, ROWS
from ledger.capture.machine.platforms.platforms import capture_platforms, is_link
from ledger.capture.secrets.team_rules import OwnSecrets
from ledger.commands.reading.box_lines import hardware_lines
from ledger.errors import InvalidDocument
from ledger.hashing import hash_bytes
from ledger.model.boxes.code import Code
from ledger.model.boxes.machine import Environment, Hardware, Platform
from ledger.publish.pages.run_page import render_run
from ledger.publish.site.site_data import survey
from ledger.recorder.record import recorder
from ledger.recorder.record.draft import Captured
from ledger.recorder.record.privacy import private_captured
from ledger.settings import METADATA_SETTING
from ledger.store.branch.branch import Branch
from ledger.store.branch.policy import Policy, Privacy, load_policy
from tests.conftest import Cli, git_in
from tests.samples import sample_ledger, sample_reader

FIELDS = ("instance", "region", "life_cycle")
DMI = "sys/class/dmi/id"
CLOUD = "run/cloud-init/instance-data.json"
AZURE_TAG = "7783-7084-3265-9085-8269-3286-77"
ARN = "arn:aws:sagemaker:eu-west-1:123456789012:training-job/digits-7"
EXECUTION = "f6c2f1d4e8a94b0c8f6e"


class Place(NamedTuple):
    """A platform as a run there sees it, and the answer."""

    environment: Mapping[str, str]
    files: Mapping[str, str]
    answer: Platform


def hashed(text: str) -> str:
    return hash_bytes(text.encode())[:23]


PLACES = {
    "polyaxon": Place(
        {"POLYAXON_RUN_INSTANCE": "acme.digits.runs.8aac02e3a62a4f0aaa257c59da5eab80"},
        {},
        Platform(name="polyaxon", job="acme.digits.runs.8aac02e3a62a4f0aaa257c59da5eab80"),
    ),
    "determined": Place(
        {"DET_TASK_ID": "backported.12", "DET_ALLOCATION_ID": "backported.12.1", "DET_RESOURCE_POOL": "a100"},
        {},
        Platform(name="determined", job="backported.12", instance="a100"),
    ),
    "cnvrg": Place({"CNVRG_JOB_ID": "tz9wcmfa"}, {}, Platform(name="cnvrg", job="tz9wcmfa")),
    "domino": Place(
        {"DOMINO_RUN_ID": "5f1b3c2d9e8a", "DOMINO_HARDWARE_TIER_ID": "gpu-small-k8s"},
        {},
        Platform(name="domino", job="5f1b3c2d9e8a", instance="gpu-small-k8s"),
    ),
    "valohai": Place(
        {"VH_JOB_ID": "exec-0167d05d-a1d8-3f4c-bd1f-5b9c"},
        {},
        Platform(name="valohai", job="exec-0167d05d-a1d8-3f4c-bd1f-5b9c"),
    ),
    "pachyderm": Place(
        {
            "PACH_JOB_ID": "b9c1f7a5d2e84c1e9f0a7b6c5d4e3f21",
            "PPS_PIPELINE_NAME": "train",
            "digits": "/pfs/digits/train.csv",
            "digits_COMMIT": "0123456789abcdef0123456789abcdef",
            "SOURCE_COMMIT": "0123456789abcdef0123456789abcdef",
        },
        {},
        Platform(
            name="pachyderm",
            job="train@b9c1f7a5d2e84c1e9f0a7b6c5d4e3f21",
            inputs={"digits": "0123456789abcdef0123456789abcdef"},
        ),
    ),
    "flyte": Place(
        {
            "FLYTE_INTERNAL_EXECUTION_ID": EXECUTION,
            "FLYTE_INTERNAL_EXECUTION_PROJECT": "digits",
            "FLYTE_INTERNAL_EXECUTION_DOMAIN": "development",
        },
        {},
        Platform(name="flyte", job=f"digits/development/{hashed(EXECUTION)}"),
    ),
    "kubeflow-trainer": Place(
        {"KUBEFLOW_TRAINER_SERVER_URL": "https://trainer.kubeflow:8443"}, {}, Platform(name="kubeflow-trainer")
    ),
    "kubeflow-pipelines": Place(
        {"KFP_POD_NAME": "digits-x7k2p-301", "KFP_RUN_ID": "7b1f2a3c-0d4e-4f5a-9b6c-8d7e6f5a4b3c"},
        {},
        Platform(name="kubeflow-pipelines", job="7b1f2a3c-0d4e-4f5a-9b6c-8d7e6f5a4b3c"),
    ),
    "skypilot": Place(
        {
            "SKYPILOT_TASK_ID": "sky-2026-11-01-10-00-00-123456_digits_1",
            "SKYPILOT_CLUSTER_INFO": '{"cluster_name": "c", "cloud": "AWS", "region": "us-east-1", "zone": "a"}',
        },
        {},
        Platform(name="skypilot", job="sky-2026-11-01-10-00-00-123456_digits_1", region="AWS us-east-1"),
    ),
    "slurm": Place(
        {"SLURM_JOB_ID": "991", "SLURM_JOB_PARTITION": "gpu-a100", "SLURM_CLUSTER_NAME": "juno"},
        {},
        Platform(name="slurm", job="991", instance="gpu-a100", region="juno"),
    ),
    "lsf": Place(
        {"LSB_JOBID": "4711", "LSB_QUEUE": "batch-hm"}, {}, Platform(name="lsf", job="4711", instance="batch-hm")
    ),
    "pbs": Place(
        {"PBS_JOBID": "4712.head", "PBS_QUEUE": "gpuq"}, {}, Platform(name="pbs", job="4712.head", instance="gpuq")
    ),
    "sagemaker": Place(
        {
            "TRAINING_JOB_NAME": "digits-7",
            "TRAINING_JOB_ARN": ARN,
            "SM_TRAINING_ENV": '{"hyperparameters": {"x": "canary-in-the-params"}}',
        },
        {"opt/ml/input/config/resourceconfig.json": '{"current_instance_type": "ml.g5.xlarge"}'},
        Platform(name="sagemaker", job="digits-7", instance="ml.g5.xlarge", region="eu-west-1"),
    ),
    "vertex-ai": Place(
        {"CLOUD_ML_JOB_ID": "6541270487842390016"}, {}, Platform(name="vertex-ai", job="6541270487842390016")
    ),
    "azure-ml": Place({"AZUREML_RUN_ID": "quiet_lime_x8k2pq"}, {}, Platform(name="azure-ml", job="quiet_lime_x8k2pq")),
    "databricks": Place(
        {
            "DATABRICKS_RUNTIME_VERSION": "15.4",
            "DB_CLUSTER_ID": "1101-093000-abcd1234",
            "DB_INSTANCE_TYPE": "g5.xlarge",
        },
        {},
        Platform(name="databricks", job="1101-093000-abcd1234", instance="g5.xlarge", image="15.4"),
    ),
    "huggingface-space": Place(
        {"SPACE_ID": "ada/digits"},
        {},
        Platform(name="huggingface-space", job="ada/digits", link="https://huggingface.co/spaces/ada/digits"),
    ),
    "colab": Place(
        {"COLAB_RELEASE_TAG": "release-colab_20261101-060000_RC00"},
        {},
        Platform(name="colab", image="release-colab_20261101-060000_RC00"),
    ),
    "kaggle": Place(
        {"KAGGLE_KERNEL_RUN_TYPE": "Batch"},
        {"etc/build_date": "20261101-101010\n"},
        Platform(name="kaggle", image="20261101-101010"),
    ),
    "paperspace": Place({"PAPERSPACE_METRIC_WORKLOAD_ID": "n7k2pqx8"}, {}, Platform(name="paperspace", job="n7k2pqx8")),
    "github-actions": Place(
        {
            "GITHUB_ACTIONS": "true",
            "GITHUB_RUN_ID": "1658821493",
            "GITHUB_RUN_ATTEMPT": "2",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": "ada/digits",
            "RUNNER_ENVIRONMENT": "github-hosted",
            "ImageOS": "ubuntu24",
            "ImageVersion": "20261101.1",
        },
        {},
        Platform(
            name="github-actions",
            job="1658821493-2",
            link="https://github.com/ada/digits/actions/runs/1658821493/attempts/2",
            instance="github-hosted",
            image="ubuntu24 20261101.1",
        ),
    ),
    "gitlab-ci": Place(
        {
            "GITLAB_CI": "true",
            "CI_JOB_ID": "5512",
            "CI_JOB_URL": "https://gitlab.com/ada/digits/-/jobs/5512",
            "CI_JOB_IMAGE": "python:3.13",
        },
        {},
        Platform(name="gitlab-ci", job="5512", link="https://gitlab.com/ada/digits/-/jobs/5512", image="python:3.13"),
    ),
    "modal": Place(
        {
            "MODAL_TASK_ID": "ta-01HV6ZK8Q2N3",
            "MODAL_IMAGE_ID": "im-7K2PQX8",
            "MODAL_REGION": "us-east",
            "MODAL_CLOUD_PROVIDER": "CLOUD_PROVIDER_OCI",
        },
        {},
        Platform(name="modal", job="ta-01HV6ZK8Q2N3", region="CLOUD_PROVIDER_OCI us-east", image="im-7K2PQX8"),
    ),
    "runpod": Place(
        {
            "RUNPOD_POD_ID": "8wqb2x7kpq",
            "RUNPOD_GPU_NAME": "NVIDIA+A40",
            "RUNPOD_GPU_COUNT": "2",
            "RUNPOD_DC_ID": "EU-SE-1",
            "RUNPOD_IMAGE_NAME": "runpod/pytorch:2.8",
        },
        {},
        Platform(
            name="runpod", job="8wqb2x7kpq", instance="2 x NVIDIA A40", region="EU-SE-1", image="runpod/pytorch:2.8"
        ),
    ),
    "vast.ai": Place({}, {".vast_containerlabel": "C.1234567\n"}, Platform(name="vast.ai", job="1234567")),
    "kubernetes": Place(
        {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "HOSTNAME": "digits-0"},
        {"var/run/secrets/kubernetes.io/serviceaccount/namespace": "vision"},
        Platform(name="kubernetes", job="vision/digits-0"),
    ),
    "lambda": Place({}, {"etc/lambda-guest-agent": ""}, Platform(name="lambda")),
    "ec2": Place(
        {},
        {
            f"{DMI}/sys_vendor": "Amazon EC2\n",
            f"{DMI}/product_name": "g5.xlarge\n",
            f"{DMI}/board_asset_tag": "i-0123456789abcdef0\n",
            CLOUD: '{"v1": {"cloud_name": "aws", "region": "eu-west-1", "instance_id": "i-0123456789abcdef0"},'
            ' "ds": {"meta_data": {"instance-type": "g5.xlarge", "instance-life-cycle": "spot", "ami-id": "ami-1"}}}',
        },
        Platform(
            name="ec2",
            job="i-0123456789abcdef0",
            instance="g5.xlarge",
            region="eu-west-1",
            image="ami-1",
            life_cycle="spot",
        ),
    ),
    "gce": Place(
        {},
        {
            f"{DMI}/product_name": "Google Compute Engine\n",
            CLOUD: '{"v1": {"cloud_name": "gce", "region": "us-central1", "instance_id": "4421"}}',
        },
        Platform(name="gce", job="4421", region="us-central1"),
    ),
    "azure-vm": Place(
        {},
        {
            f"{DMI}/sys_vendor": "Microsoft Corporation\n",
            f"{DMI}/chassis_asset_tag": f"{AZURE_TAG}\n",
            CLOUD: '{"v1": {"cloud_name": "azure", "region": "westeurope"}, "ds": {"meta_data": {"imds": {"compute":'
            ' {"vmSize": "Standard_NC6", "priority": "Spot", "customData": "canary"}}}}}',
        },
        Platform(name="azure-vm", instance="Standard_NC6", region="westeurope", life_cycle="spot"),
    ),
}
"""One place for each row of the table."""

DECOYS: dict[str, tuple[Mapping[str, str], Mapping[str, str]]] = {
    "an interactive shell has a number of tasks": ({"SLURM_NTASKS": "8", "SLURM_JOB_NAME": "bash"}, {}),
    "the toolkit of SageMaker writes a file of the type local": (
        {"SM_HOSTS": "[]"},
        {"opt/ml/input/config/resourceconfig.json": '{"current_instance_type": "local", "hosts": ["algo-1"]}'},
    ),
    "the SDK of Azure ML sets variables on laptops": ({"AZUREML_ARM_SUBSCRIPTION": "1", "AZUREML_X": "1"}, {}),
    "a serving container of Vertex AI": ({"AIP_HTTP_PORT": "8080", "AIP_STORAGE_URI": "gs://x", "AIP_MODE": "P"}, {}),
    "a client of Databricks": ({"DATABRICKS_HOST": "https://x.cloud.databricks.com"}, {}),
    "a folder like that of Colab": ({}, {"content/sample_data/README.md": "x"}),
    "a container with an id": ({"CONTAINER_ID": "123"}, {}),
    "the software of Lambda on any machine": ({}, {"usr/lib/lambda-stack/x": ""}),
    "any Hyper-V": ({}, {f"{DMI}/sys_vendor": "Microsoft Corporation\n", f"{DMI}/chassis_asset_tag": "Virtual\n"}),
    "a laptop": ({}, {f"{DMI}/sys_vendor": "LENOVO\n", f"{DMI}/product_name": "20XX\n"}),
    "an SDK of Modal outside of Modal": ({"MODAL_TOKEN_ID": "ak-1", "MODAL_PROFILE": "x"}, {}),
    "another thing that is called a space": ({"SPACE_ID": "17"}, {}),
    "launchers are no platforms": (
        {"TORCHELASTIC_RUN_ID": "a", "OMPI_COMM_WORLD_SIZE": "2", "PMI_SIZE": "2", "MV2_COMM_WORLD_SIZE": "2"},
        {},
    ),
    "any CI": ({"CI": "true", "GITHUB_REPOSITORY": "a/b", "CI_JOB_ID": "1"}, {}),
    "a variable without a value": ({"SLURM_JOB_ID": "", "GITHUB_ACTIONS": ""}, {}),
    "a local machine of cloud-init": ({}, {CLOUD: '{"v1": {"cloud_name": "nocloud", "instance_id": "x"}}'}),
    "damage in place of JSON": ({}, {CLOUD: '{"v1": [[[', "opt/ml/input/config/resourceconfig.json": "[1]"}),
}


class Spied(dict[str, str]):
    """Variables that keep which of their values were read."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self.read: set[str] = set()

    def get(self, name: str, default: str = "") -> str:  # type: ignore[override]  # narrower, as it is used
        self.read.add(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> str:
        self.read.add(name)
        return super().__getitem__(name)


def rooted(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def canary(name: str) -> str:
    return f"canary-{name.rpartition('/')[2].lower().replace('_', '-')}"


def test_every_row_of_the_table_has_a_place() -> None:
    assert list(PLACES) == [row.name for row in ROWS]
    assert {row.name for row in ROWS} == {place.answer.name for place in PLACES.values()}


@pytest.mark.parametrize("name", PLACES)
def test_a_platform_is_known_by_its_signs_and_its_secrets_are_never_read(tmp_path: Path, name: str) -> None:
    place = PLACES[name]
    planted = {secret: canary(secret) for secret in NEVER}
    files = {secret[1:]: text for secret, text in planted.items() if secret.startswith("/")}
    variables = Spied({secret: text for secret, text in planted.items() if secret[0] != "/"} | dict(place.environment))
    found = capture_platforms(rooted(tmp_path, {**files, **place.files}), variables)
    assert found == [place.answer]
    assert not variables.read & NEVER
    assert "canary" not in repr(found)


@pytest.mark.parametrize("name", DECOYS)
def test_what_is_easily_taken_for_a_platform_is_none(tmp_path: Path, name: str) -> None:
    environment, files = DECOYS[name]
    assert capture_platforms(rooted(tmp_path, files), environment) == []


def test_a_row_names_no_source_that_is_never_read() -> None:
    for row in ROWS:
        told = " ".join([*row.signs, *row.job, *row.link, *row.instance, *row.region, *row.image, *row.life_cycle])
        assert not [name for name in NEVER if f"{{{name}}}" in told or name in row.signs]


def test_several_platforms_are_all_told_the_innermost_first(tmp_path: Path) -> None:
    names = ("skypilot", "slurm", "kubernetes", "ec2")
    environment = {key: value for name in names for key, value in PLACES[name].environment.items()}
    files = {key: value for name in names for key, value in PLACES[name].files.items()}
    found = capture_platforms(rooted(tmp_path, files), environment)
    assert [one.name for one in found] == list(names)
    assert next(one.job for one in found if one.job) == PLACES["skypilot"].answer.job


def test_a_task_of_an_array_is_told_with_its_number(tmp_path: Path) -> None:
    environment = {"SLURM_JOB_ID": "12", "SLURM_ARRAY_JOB_ID": "10", "SLURM_ARRAY_TASK_ID": "2"}
    assert capture_platforms(tmp_path, environment)[0].job == "10_2"


def test_the_type_local_of_sagemaker_is_unknown(tmp_path: Path) -> None:
    (found,) = capture_platforms(tmp_path, {"SM_TRAINING_ENV": "{}", "SM_CURRENT_INSTANCE_TYPE": "local"})
    assert found == Platform(name="sagemaker")


def test_a_product_that_is_no_type_is_none(tmp_path: Path) -> None:
    files = {f"{DMI}/sys_vendor": "Amazon EC2\n", f"{DMI}/product_name": "HVM domU\n", f"{DMI}/board_asset_tag": "x\n"}
    assert capture_platforms(rooted(tmp_path, files), {}) == [Platform(name="ec2")]


def test_the_ids_of_an_unknown_cloud_are_hashed(tmp_path: Path) -> None:
    files = {CLOUD: '{"v1": {"cloud_name": "hetzner", "region": "eu-central", "instance_id": "41234567"}}'}
    (found,) = capture_platforms(rooted(tmp_path, files), {})
    assert found == Platform(name="hetzner", job=hashed("41234567"), region="eu-central")


@pytest.mark.parametrize("value", ["a\nb", "a\x1b[31m", "x" * 201, "\u202eabc"])
def test_a_value_of_the_environment_is_one_short_line(tmp_path: Path, value: str) -> None:
    (found,) = capture_platforms(tmp_path, {"LSB_JOBID": value, "LSB_QUEUE": "q"})
    assert found.instance == "q"
    assert found.job is None


def test_a_value_that_looks_like_a_secret_is_left_out(tmp_path: Path) -> None:
    environment = {"LSB_JOBID": "ghp_" + "a1B2" * 9, "LSB_QUEUE": "acme_1234"}
    own = OwnSecrets(patterns={"acme-key": "acme_[0-9]{4}"})
    assert capture_platforms(tmp_path, environment)[0] == Platform(name="lsf", instance="acme_1234")
    assert capture_platforms(tmp_path, environment, secrets=own) == [Platform(name="lsf")]


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)//https://a.b/",
        "https://a.b/\nSet-Cookie: x",
        "https://ada:pass@a.b/jobs/1",
        'https://a.b/"onmouseover="x',
        "https:///jobs/1",
        "https://[a/1",
        "data:text/html,x",
        "https://a.b/" + "x" * 600,
    ],
)
def test_a_link_that_no_page_may_have_is_none(tmp_path: Path, link: str) -> None:
    assert not is_link(link)
    (found,) = capture_platforms(tmp_path, {"GITLAB_CI": "true", "CI_JOB_ID": "1", "CI_JOB_URL": link})
    assert found == Platform(name="gitlab-ci", job="1")


def test_a_link_is_quoted_behind_its_host(tmp_path: Path) -> None:
    environment = dict(PLACES["github-actions"].environment) | {"GITHUB_RUN_ID": "1?x=<y>", "GITHUB_RUN_ATTEMPT": ""}
    assert capture_platforms(tmp_path, environment)[0].link == (
        "https://github.com/ada/digits/actions/runs/1%3Fx%3D%3Cy%3E"
    )


def test_a_pipe_in_place_of_a_file_holds_nothing_up(tmp_path: Path) -> None:
    (tmp_path / DMI).mkdir(parents=True)
    os.mkfifo(tmp_path / DMI / "sys_vendor")
    assert capture_platforms(tmp_path, {}) == []


POLICY = """
platforms:
  hal:
    sign: HAL_JOB
    job: HAL_JOB
    link: https://hal.example.org:8443/jobs/{job}?on={instance}
    instance: HAL_NODE
  bench:
    sign: /etc/bench-machine
    job: BENCH_ID
    hashed: true
"""


def test_the_policy_names_platforms_of_the_team(tmp_path: Path) -> None:
    own = load_policy(POLICY.encode()).platforms
    root = rooted(tmp_path, {"etc/bench-machine": "canary"})
    environment = {"HAL_JOB": "7/8", "HAL_NODE": "b200", "BENCH_ID": "abc", "SLURM_JOB_ID": "9"}
    assert capture_platforms(root, environment, own=own) == [
        Platform(name="hal", job="7/8", instance="b200", link="https://hal.example.org:8443/jobs/7%2F8?on=b200"),
        Platform(name="bench", job=hashed("abc")),
        Platform(name="slurm", job="9"),
    ]
    assert capture_platforms(root / "elsewhere", {"BENCH_ID": "abc"}, own=own) == []


def test_a_link_of_the_policy_without_its_job_is_none(tmp_path: Path) -> None:
    own = load_policy(POLICY.encode()).platforms
    (found,) = capture_platforms(tmp_path, {"HAL_JOB": "7"}, own=own)
    assert found == Platform(name="hal", job="7")


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("sign: ''", "a variable or the path of a file expected"),
        ("sign: A B", "must name a variable"),
        ("sign: /etc/../x y", "a variable or the path of a file expected"),
        ("{sign: HAL, job: HAL_API_KEY}", "names a secret: `HAL_API_KEY`"),
        ("{sign: HAL, instance: SKYPILOT_NODE_IPS}", "names a secret"),
        ("{sign: HAL, job: /etc/shadow}", "must name a variable"),
        ('{sign: HAL, link: "javascript:alert(1)"}', "begins with `https://`"),
        ('{sign: HAL, link: "https://{job}.example.org/"}', "begins with `https://`"),
        ('{sign: HAL, link: "https://a.b/{HOME}"}', "only `{job}` and `{instance}`"),
        ('{sign: HAL, link: "https://a.b/\\nx"}', "begins with `https://`"),
        ('{sign: HAL, link: "https://u:p@a.b/"}', "begins with `https://`"),
        ("{sign: HAL, price: 3}", "unknown field `price`"),
    ],
)
def test_a_wrong_platform_of_the_policy_is_refused(row: str, why: str) -> None:
    text = row if row.startswith("{") else f"{{{row}}}"
    with pytest.raises(InvalidDocument) as caught:
        load_policy(f"platforms:\n  hal: {text}\n".encode())
    assert why in str(caught.value)


@pytest.mark.parametrize("name", ["slurm", "UPPER", "'a b'"])
def test_a_wrong_name_of_a_platform_is_refused(name: str) -> None:
    with pytest.raises(InvalidDocument, match="name"):
        load_policy(f"platforms:\n  {name}: {{sign: HAL}}\n".encode())


class Host(NamedTuple):
    """A stand-in for the metadata service of a cloud."""

    address: tuple[str, int]
    asked: list[str]


@contextmanager
def host_api(answer: Callable[[BaseHTTPRequestHandler], tuple[int, str] | None]) -> Iterator[Host]:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def respond(self) -> None:
            asked.append(f"{self.command} {self.path}")
            given = answer(self)
            if given is not None:
                self.send_response(given[0])
                self.send_header("Location", "/latest/user-data")
                self.end_headers()
                self.wfile.write(given[1].encode())

        do_GET = do_PUT = respond  # noqa: N815  # the names that `http.server` calls

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield Host(("127.0.0.1", server.server_port), asked)
    finally:
        server.shutdown()
        server.server_close()


def of_ec2(request: BaseHTTPRequestHandler) -> tuple[int, str]:
    if request.command == "PUT":
        return (200, "canary-session") if request.headers["X-aws-ec2-metadata-token-ttl-seconds"] else (400, "")
    if request.headers["X-aws-ec2-metadata-token"] != "canary-session":
        return 401, "canary"
    said = {"instance-type": "p5.48xlarge", "region": "us-east-2", "instance-life-cycle": "spot"}
    return 200, said.get(request.path.rpartition("/")[2], "canary")


def of_gce(request: BaseHTTPRequestHandler) -> tuple[int, str]:
    if request.headers["Metadata-Flavor"] != "Google":
        return 403, "canary"
    said = {"machine-type": "projects/1/machineTypes/a3-highgpu-8g", "zone": "projects/1/zones/us-central1-a"}
    return 200, said.get(request.path.rpartition("/")[2], "FALSE")


def of_azure(request: BaseHTTPRequestHandler) -> tuple[int, str]:
    if request.headers["Metadata"] != "true":
        return 400, "canary"
    said = {"vmSize": "Standard_ND96", "location": "westeurope", "priority": "Spot"}
    return 200, said.get(request.path.partition("?")[0].rpartition("/")[2], "canary")


@pytest.mark.parametrize(
    ("name", "answer", "said"),
    [
        ("ec2", of_ec2, {"instance": "p5.48xlarge", "region": "us-east-2", "life_cycle": "spot"}),
        ("gce", of_gce, {"instance": "a3-highgpu-8g", "region": "us-central1", "life_cycle": "on-demand"}),
        ("azure-vm", of_azure, {"instance": "Standard_ND96", "region": "westeurope", "life_cycle": "spot"}),
    ],
)
def test_a_metadata_service_is_asked_for_three_paths_and_no_tree(
    name: str, answer: Callable[[BaseHTTPRequestHandler], tuple[int, str]], said: dict[str, str]
) -> None:
    with host_api(answer) as host:
        assert read_metadata(name, FIELDS, host.address) == said
    paths = [line.partition(" ")[2] for line in host.asked if line.startswith("GET")]
    assert len(paths) == 3
    assert not [path for path in paths if path.endswith("/") or "recursive" in path or "user-data" in path]
    assert len(host.asked) == (4 if name == "ec2" else 3)


def test_a_metadata_service_is_asked_only_where_it_is_allowed_and_there_is_one(tmp_path: Path) -> None:
    vendor = rooted(tmp_path / "ec2", {f"{DMI}/sys_vendor": "Amazon EC2\n"})
    with host_api(of_ec2) as host:
        assert capture_platforms(vendor, {}, address=host.address) == [Platform(name="ec2")]
        assert capture_platforms(tmp_path, {"SLURM_JOB_ID": "1"}, metadata=lambda: True, address=host.address)
        assert host.asked == []
        (found,) = capture_platforms(vendor, {}, metadata=lambda: True, address=host.address)
    assert found == Platform(name="ec2", instance="p5.48xlarge", region="us-east-2", life_cycle="spot")
    assert "canary" not in repr(found)


def test_what_local_files_say_is_not_asked_again(tmp_path: Path) -> None:
    root = rooted(tmp_path, PLACES["ec2"].files)
    with host_api(of_ec2) as host:
        assert capture_platforms(root, {}, metadata=lambda: True, address=host.address) == [PLACES["ec2"].answer]
        assert host.asked == []


@pytest.mark.parametrize("answer", [(500, "canary"), (302, ""), (200, "a\nb"), (200, "x" * 20_000), (200, "")])
def test_any_other_answer_of_a_metadata_service_is_none(answer: tuple[int, str]) -> None:
    with host_api(lambda _: answer) as host:
        assert read_metadata("gce", FIELDS, host.address) == {}
    assert not [line for line in host.asked if "user-data" in line]


def test_a_metadata_service_that_is_slow_costs_half_a_second() -> None:
    def trickle(request: BaseHTTPRequestHandler) -> None:
        with_time = time.monotonic() + 3 * SECONDS
        while time.monotonic() < with_time:
            try:
                request.wfile.write(b"x")
                request.wfile.flush()
            except OSError:
                return
            time.sleep(0.02)

    with host_api(trickle) as host:
        begin = time.monotonic()
        assert read_metadata("gce", FIELDS, host.address) == {}
        assert time.monotonic() - begin < 2 * SECONDS
    assert read_metadata("gce", FIELDS, host.address) == {}  # nobody listens there any more


@pytest.mark.parametrize(
    ("setting", "policy", "asks"),
    [
        (None, False, False),
        (None, True, True),
        ("true", False, True),
        ("false", True, False),
        ("False", True, False),
        ("yes", False, True),
    ],
)
def test_git_config_or_the_policy_allows_to_ask(
    ledger: Branch, monkeypatch: pytest.MonkeyPatch, setting: str | None, *, policy: bool, asks: bool
) -> None:
    if setting:
        git_in(ledger.repository.worktree or Path(), "config", METADATA_SETTING, setting)
    given = load_policy(b"metadata: true\n") if policy else Policy()
    monkeypatch.setattr(recorder, "read_policy", lambda *_, **__: (given, None))
    told: list[bool] = []

    def stand_in(*_: object, metadata: Callable[[], bool], **__: object) -> list[Platform]:
        told.append(metadata())
        return []

    monkeypatch.setattr(recorder, "capture_platforms", stand_in)
    recorder.capture_now(ledger, Path.cwd())
    assert told == [asks]


def test_a_run_says_where_it_ran_and_no_secret_of_that_place(repo: Path, cli: Cli, tmp_path: Path) -> None:
    environment = {name: canary(name) for name in NEVER if name[0] != "/"}
    for place in PLACES.values():
        environment |= place.environment
    seen = tmp_path / "seen"
    script = f"import shutil; shutil.copytree('.git/ledger', {str(seen)!r}, ignore_dangling_symlinks=True)"
    assert cli("init").code == 0
    done = cli("run", "--", sys.executable, "-c", script, env=environment)
    assert done.code == 0, done.err
    shown = cli("show", cli("list", "--columns", "id", "--csv").out.split()[1]).out
    for name, place in PLACES.items():
        if place.environment:
            assert re.search(rf"^\s*platform:?\s+{name}\b", shown, re.MULTILINE), shown
    assert "https://github.com/ada/digits/actions/runs/1658821493/attempts/2" in shown
    stored = git_in(repo, "log", "--patch", "--format=%B", "ledger") + shown
    files = [path for folder in (seen, repo / ".git/ledger") for path in folder.rglob("*") if path.is_file()]
    assert any(b"quiet_lime" in path.read_bytes() for path in files)  # the spool was seen, and has the platforms
    assert "quiet_lime" in stored
    assert "canary" not in stored
    assert EXECUTION not in stored
    assert not [path for path in files if b"canary" in path.read_bytes() or EXECUTION.encode() in path.read_bytes()]


def test_the_page_of_a_run_links_a_job_and_no_script() -> None:
    contents, blobs = sample_ledger()
    run = contents.runs[0]
    platforms = [
        Platform(name="slurm", job="991", link="https://a.example/991", instance="gpu", region="juno", image="i"),
        Platform(name="<b>", job="<i>", link="javascript:alert(1)", life_cycle="spot", inputs={"<u>": "<s>"}),
        Platform(name="hal", link="https://b.example/x"),
    ]
    hardware = msgspec.structs.replace(run.record.hardware, platforms=platforms)
    run = msgspec.structs.replace(run, record=msgspec.structs.replace(run.record, hardware=hardware))
    contents = msgspec.structs.replace(contents, runs=(run, *contents.runs[1:]))
    html = render_run(run, survey(contents, [], None), sample_reader(blobs))[0].content
    assert 'On slurm, job <a href="https://a.example/991" rel="noopener nofollow">991</a>, gpu, juno, image i' in html
    assert "On &lt;b&gt;, job &lt;i&gt;, spot, input &lt;u&gt; at <code>&lt;s&gt;</code>" in html
    assert 'On hal, <a href="https://b.example/x" rel="noopener nofollow">its page</a>' in html
    assert "javascript:" not in html
    assert dict(hardware_lines(run.record))["job page"] == "https://b.example/x"


def test_the_policy_hides_ids_that_name_the_machine_or_all_platforms() -> None:
    platforms = [
        Platform(name="kubernetes", job="vision/digits-0", region="r"),
        Platform(name="ec2", job="i-0123456789abcdef0", instance="g5.xlarge"),
        Platform(name="slurm", job="991", link="https://a.example/991"),
    ]
    captured = Captured(
        code=Code(),
        patch=b"",
        hardware=Hardware(host="digits-0", platforms=platforms),
        environment=Environment(),
        environment_file=None,
    )
    assert private_captured(captured, Privacy()).hardware.platforms == platforms
    assert private_captured(captured, Privacy(host=True)).hardware.platforms == [
        Platform(name="kubernetes", region="r"),
        Platform(name="ec2", instance="g5.xlarge"),
        platforms[2],
    ]
    hidden = private_captured(captured, Privacy(platforms=True)).hardware
    assert (hidden.platforms, hidden.unknown) == ([], {"platforms": "the policy leaves it out"})


def test_a_record_from_before_has_no_platforms() -> None:
    assert msgspec.json.decode(b"{}", type=Hardware).platforms == []
    assert b"platforms" not in msgspec.json.encode(Hardware())


def test_an_own_platform_needs_a_sign_only() -> None:
    assert load_policy(b"platforms: {hal: {sign: HAL}}\n").platforms == {"hal": OwnPlatform(sign="HAL")}
