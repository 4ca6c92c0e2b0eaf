"""The table of known platforms: how each is recognised, what of it is read, and what never is. Data, not code.

A source is a variable (`SLURM_JOB_ID`), the first line of a file (`/etc/build_date`), or a value in JSON that either
holds (`/run/x.json#v1/region`). `|` puts it through a filter of `platforms.py`, which may find that it says nothing.
"""

from ledger.model.values import Document

_DMI = "/sys/class/dmi/id"
_CLOUD = "/run/cloud-init/instance-data.json"
_SAGEMAKER = "/opt/ml/input/config/resourceconfig.json#current_instance_type|real"


class PlatformRow(Document, frozen=True, kw_only=True):
    """One platform. Of several templates for a field the first counts whose sources all say something."""

    name: str
    """Its name in records."""
    signs: tuple[str, ...]
    """Sources that only a run there has, one of which is enough; ` = text` demands a value."""
    job: tuple[str, ...] = ()
    """Templates of the id of the job: `{SOURCE}`."""
    link: tuple[str, ...] = ()
    """Templates of the page of the job."""
    instance: tuple[str, ...] = ()
    """Templates of the type of machine, or of the pool or queue that stands for it."""
    region: tuple[str, ...] = ()
    """Templates of the region, or of the cluster."""
    image: tuple[str, ...] = ()
    """Templates of the image."""
    life_cycle: tuple[str, ...] = ()
    """Templates of the word for how long the machine may be kept."""
    inputs: str = ""
    """Folder of the inputs whose commits variables state."""
    never: tuple[str, ...] = ()
    """Variables and files that are never read: tokens, keys, and what holds them."""
    machine: bool = False
    """Whether it is a virtual machine of a cloud, whose job is the machine."""
    trap: str = ""
    """What is easily taken for it, and what of it cannot be told."""


ROWS = (
    PlatformRow(
        name="polyaxon",
        signs=("POLYAXON_RUN_INSTANCE",),
        job=("{POLYAXON_RUN_INSTANCE}",),
        never=("POLYAXON_AUTH_TOKEN", "POLYAXON_SECRET_KEY", "POLYAXON_SECRET_INTERNAL_TOKEN"),
    ),
    PlatformRow(
        name="determined",
        signs=("DET_TASK_ID", "DET_ALLOCATION_ID"),
        job=("{DET_TASK_ID}", "{DET_ALLOCATION_ID}"),
        instance=("{DET_RESOURCE_POOL}",),
        never=("DET_SESSION_TOKEN", "DET_USER_TOKEN"),
        trap="a resource pool stands for the type of machine",
    ),
    PlatformRow(
        name="cnvrg",
        signs=("CNVRG_JOB_ID",),
        job=("{CNVRG_JOB_ID}",),
        never=("CNVRG_TOKEN",),
    ),
    PlatformRow(
        name="domino",
        signs=("DOMINO_RUN_ID",),
        job=("{DOMINO_RUN_ID}",),
        instance=("{DOMINO_HARDWARE_TIER_ID}",),
        never=("DOMINO_USER_API_KEY", "DOMINO_TOKEN_FILE"),
        trap="a hardware tier stands for the type of machine",
    ),
    PlatformRow(
        name="valohai",
        signs=("VH_JOB_ID", "/valohai/config/execution.json"),
        job=("{VH_JOB_ID}", "{/valohai/config/execution.json#valohai.execution-id}"),
        never=("/valohai/config/parameters.json",),
    ),
    PlatformRow(
        name="pachyderm",
        signs=("PACH_JOB_ID",),
        job=("{PPS_PIPELINE_NAME}@{PACH_JOB_ID}", "{PACH_JOB_ID}"),
        inputs="/pfs/",
        never=("PACH_PYTHON_AUTH_TOKEN",),
        trap="`NAME_COMMIT` is a commit only beside a `NAME` under `/pfs`",
    ),
    PlatformRow(
        name="flyte",
        signs=("FLYTE_INTERNAL_EXECUTION_ID",),
        job=("{FLYTE_INTERNAL_EXECUTION_PROJECT}/{FLYTE_INTERNAL_EXECUTION_DOMAIN}/{FLYTE_INTERNAL_EXECUTION_ID|hash}",
             "{FLYTE_INTERNAL_EXECUTION_ID|hash}"),
        trap="at one provider the id of an execution opens its API, so that only its hash is stored",
    ),
    PlatformRow(
        name="kubeflow-trainer",
        signs=("KUBEFLOW_TRAINER_SERVER_URL",),
        never=("KUBEFLOW_TRAINER_SERVER_TOKEN",),
        trap="it names itself only where the cluster lets jobs report their progress",
    ),
    PlatformRow(
        name="kubeflow-pipelines",
        signs=("KFP_POD_NAME",),
        job=("{KFP_RUN_ID}", "{KFP_POD_NAME}"),
    ),
    PlatformRow(
        name="skypilot",
        signs=("SKYPILOT_TASK_ID",),
        job=("{SKYPILOT_TASK_ID}",),
        region=("{SKYPILOT_CLUSTER_INFO#cloud} {SKYPILOT_CLUSTER_INFO#region}", "{SKYPILOT_CLUSTER_INFO#region}"),
        never=("SKYPILOT_NODE_IPS",),
        trap="it stands beside the cloud below it, which knows the type of machine",
    ),
    PlatformRow(
        name="slurm",
        signs=("SLURM_JOB_ID",),
        job=("{SLURM_ARRAY_JOB_ID}_{SLURM_ARRAY_TASK_ID}", "{SLURM_JOB_ID}"),
        instance=("{SLURM_JOB_PARTITION}",),
        region=("{SLURM_CLUSTER_NAME}",),
        never=("SLURM_JWT",),
        trap="`SLURM_NTASKS` alone is no job; a partition stands for the type of machine, a cluster for the region",
    ),
    PlatformRow(
        name="lsf",
        signs=("LSB_JOBID",),
        job=("{LSB_JOBID}",),
        instance=("{LSB_QUEUE}",),
        trap="a queue stands for the type of machine",
    ),
    PlatformRow(
        name="pbs",
        signs=("PBS_JOBID",),
        job=("{PBS_JOBID}",),
        instance=("{PBS_QUEUE}",),
        trap="a queue stands for the type of machine",
    ),
    PlatformRow(
        name="sagemaker",
        signs=("TRAINING_JOB_NAME", "SM_TRAINING_ENV", _SAGEMAKER),
        job=("{TRAINING_JOB_NAME}", "{TRAINING_JOB_ARN|arn-name}"),
        instance=("{SM_CURRENT_INSTANCE_TYPE|real}", f"{{{_SAGEMAKER}}}"),
        region=("{TRAINING_JOB_ARN|arn-region}", "{SAGEMAKER_REGION}"),
        never=("SM_HPS", "SM_USER_ARGS", "/opt/ml/input/config/hyperparameters.json"),
        trap="an import of its toolkit writes a resource file of the type `local` anywhere; "
        "`SM_TRAINING_ENV` holds all params, so that only its presence is looked at",
    ),
    PlatformRow(
        name="vertex-ai",
        signs=("CLOUD_ML_JOB_ID", "AIP_MODEL_DIR", "AIP_CHECKPOINT_DIR"),
        job=("{CLOUD_ML_JOB_ID}",),
        trap="other `AIP_` variables are those of a serving container",
    ),
    PlatformRow(
        name="azure-ml",
        signs=("AZUREML_RUN_ID",),
        job=("{AZUREML_RUN_ID}",),
        never=("AZUREML_RUN_TOKEN", "AZUREML_RUN_TOKEN_RAND", "AZUREML_RUN_TOKEN_PASS"),
        trap="its SDK sets other `AZUREML_` variables on laptops, too; subscription and resource group are left out",
    ),
    PlatformRow(
        name="databricks",
        signs=("DATABRICKS_RUNTIME_VERSION", "/databricks/DBR_VERSION"),
        job=("{DB_CLUSTER_ID}",),
        instance=("{DB_INSTANCE_TYPE}",),
        image=("{DATABRICKS_RUNTIME_VERSION}", "{/databricks/DBR_VERSION}"),
        never=("DATABRICKS_TOKEN", "DATABRICKS_CLIENT_SECRET", "DATABRICKS_PASSWORD"),
        trap="a client elsewhere has `DATABRICKS_HOST`; cluster and type are often unknown to Python",
    ),
    PlatformRow(
        name="huggingface-space",
        signs=("SPACE_ID|owned",),
        job=("{SPACE_ID|owned}",),
        link=("https://huggingface.co/spaces/{SPACE_ID|owned}",),
        never=("HF_TOKEN",),
        trap="a `SPACE_ID` that is not `OWNER/NAME` is something else",
    ),
    PlatformRow(
        name="colab",
        signs=("COLAB_RELEASE_TAG",),
        image=("{COLAB_RELEASE_TAG}",),
        trap="a folder `/content` is no sign; there is no id",
    ),
    PlatformRow(
        name="kaggle",
        signs=("KAGGLE_KERNEL_RUN_TYPE",),
        image=("{/etc/build_date}",),
        never=("KAGGLE_USER_SECRETS_TOKEN", "KAGGLE_DATA_PROXY_TOKEN"),
        trap="there is no id without a request",
    ),
    PlatformRow(
        name="paperspace",
        signs=("PAPERSPACE_METRIC_WORKLOAD_ID", "PAPERSPACE_CLUSTER_ID"),
        job=("{PAPERSPACE_METRIC_WORKLOAD_ID}", "{PAPERSPACE_EXPERIMENT_ID}"),
        never=("PS_API_KEY",),
    ),
    PlatformRow(
        name="github-actions",
        signs=("GITHUB_ACTIONS",),
        job=("{GITHUB_RUN_ID}-{GITHUB_RUN_ATTEMPT}", "{GITHUB_RUN_ID}"),
        link=("{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}/attempts/{GITHUB_RUN_ATTEMPT}",
              "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}"),
        instance=("{RUNNER_ENVIRONMENT}",),
        image=("{ImageOS} {ImageVersion}",),
        never=("GITHUB_TOKEN", "ACTIONS_RUNTIME_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
        trap="the runner's name may be that of a machine, and is left out",
    ),
    PlatformRow(
        name="gitlab-ci",
        signs=("GITLAB_CI",),
        job=("{CI_JOB_ID}",),
        link=("{CI_JOB_URL}",),
        image=("{CI_JOB_IMAGE}",),
        never=("CI_JOB_TOKEN", "CI_REGISTRY_PASSWORD"),
        trap="`CI` alone is any CI",
    ),
    PlatformRow(
        name="modal",
        signs=("MODAL_TASK_ID",),
        job=("{MODAL_TASK_ID}",),
        region=("{MODAL_CLOUD_PROVIDER} {MODAL_REGION}", "{MODAL_REGION}"),
        image=("{MODAL_IMAGE_ID}",),
        never=("MODAL_IDENTITY_TOKEN", "MODAL_TOKEN_SECRET"),
    ),
    PlatformRow(
        name="runpod",
        signs=("RUNPOD_POD_ID",),
        job=("{RUNPOD_POD_ID}",),
        instance=("{RUNPOD_GPU_COUNT} x {RUNPOD_GPU_NAME|plus}", "{RUNPOD_GPU_NAME|plus}"),
        region=("{RUNPOD_DC_ID}",),
        image=("{RUNPOD_IMAGE_NAME}",),
        never=("RUNPOD_API_KEY", "RUNPOD_AI_API_KEY"),
        trap="a login over SSH may lack the variables; whether it is spot is not told",
    ),
    PlatformRow(
        name="vast.ai",
        signs=("VAST_CONTAINERLABEL", "/.vast_containerlabel"),
        job=("{VAST_CONTAINERLABEL|label}", "{/.vast_containerlabel|label}"),
        never=("CONTAINER_API_KEY",),
        trap="`CONTAINER_ID` alone is no sign; the price is that of an auction",
    ),
    PlatformRow(
        name="kubernetes",
        signs=("KUBERNETES_SERVICE_HOST",),
        job=("{/var/run/secrets/kubernetes.io/serviceaccount/namespace}/{HOSTNAME}", "{HOSTNAME}"),
        never=("/var/run/secrets/kubernetes.io/serviceaccount/token",),
        trap="only its API knows the image, for the token of the pod: it is not asked",
    ),
    PlatformRow(
        name="lambda",
        signs=("/etc/lambda-guest-agent",),
        trap="`/usr/lib/lambda-stack` is software that anybody may install",
        machine=True,
    ),
    PlatformRow(
        name="ec2",
        signs=(f"{_DMI}/sys_vendor = Amazon EC2", f"{_CLOUD}#v1/cloud_name = aws"),
        job=(f"{{{_DMI}/board_asset_tag|ec2-id}}", f"{{{_CLOUD}#v1/instance_id}}"),
        instance=(f"{{{_DMI}/product_name|ec2-type}}", f"{{{_CLOUD}#ds/meta_data/instance-type}}"),
        region=(f"{{{_CLOUD}#v1/region}}",),
        image=(f"{{{_CLOUD}#ds/meta_data/ami-id}}",),
        life_cycle=(f"{{{_CLOUD}#ds/meta_data/instance-life-cycle|life}}",),
        never=("/run/cloud-init/instance-data-sensitive.json", "AWS_SESSION_TOKEN", "AWS_SECRET_ACCESS_KEY"),
        machine=True,
        trap="the product is the type of machine on Nitro only; many containers see no DMI",
    ),
    PlatformRow(
        name="gce",
        signs=(f"{_DMI}/product_name = Google Compute Engine", f"{_CLOUD}#v1/cloud_name = gce"),
        job=(f"{{{_CLOUD}#v1/instance_id}}",),
        region=(f"{{{_CLOUD}#v1/region}}",),
        never=("/run/cloud-init/instance-data-sensitive.json", "GOOGLE_APPLICATION_CREDENTIALS"),
        machine=True,
        trap="only the metadata service knows the type of machine",
    ),
    PlatformRow(
        name="azure-vm",
        signs=(f"{_DMI}/chassis_asset_tag = 7783-7084-3265-9085-8269-3286-77", f"{_CLOUD}#v1/cloud_name = azure"),
        job=(f"{{{_CLOUD}#v1/instance_id}}",),
        instance=(f"{{{_CLOUD}#ds/meta_data/imds/compute/vmSize}}",),
        region=(f"{{{_CLOUD}#v1/region}}",),
        life_cycle=(f"{{{_CLOUD}#ds/meta_data/imds/compute/priority|life}}",),
        never=("/run/cloud-init/instance-data-sensitive.json", "AZURE_CLIENT_SECRET"),
        machine=True,
        trap="the vendor `Microsoft Corporation` alone is any Hyper-V",
    ),
)  # fmt: skip
"""Innermost first: what a run is part of, then what that runs on. A launcher (`mpirun`, `torchrun`) is no platform."""

OTHER_CLOUD = PlatformRow(
    name=f"{_CLOUD}#v1/cloud_name|cloud",
    signs=(f"{_CLOUD}#v1/cloud_name|cloud",),
    job=(f"{{{_CLOUD}#v1/instance_id|hash}}",),
    region=(f"{{{_CLOUD}#v1/region}}",),
    machine=True,
)
"""A cloud that cloud-init names and no row knows. Whether its ids are public is unknown: they are hashed."""

NEVER = frozenset(name for row in ROWS for name in row.never)
"""All variables and files that are never read."""
MACHINES = frozenset(row.name for row in ROWS if row.machine)
"""Platforms whose job is the machine."""
