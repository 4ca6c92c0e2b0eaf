"""Environment variables and git settings of ledger: each name once, with its description below it.

The reference of the handbook is made from these lines. Loads nothing: recording imports it at every start.
"""

RANK_VARIABLE = "LEDGER_RANK"
"""Rank of this process, where no launcher states it or it is wrong; rank 0 keeps the record."""
LINK_VARIABLE = "LEDGER_LINK"
"""Address at which rank 0 hears ranks that share no folder with it, such as `tcp://node1:5560`; the same in every rank.
Where torch.distributed is initialised, ranks find it by themselves."""
LINK_KEY_VARIABLE = "LEDGER_LINK_KEY"
"""Secret of the link, the same in every rank: at least 32 random characters, such as from `openssl rand -hex 32`."""
RESUME_VARIABLE = "LEDGER_RESUME"
"""Key that the attempts of one training share, where the script states none: together they are one run."""
PUSH_VARIABLE = "LEDGER_PUSH"
"""With `1`, a run recorded from Python is sent to the remote when it ends."""
PREEMPTION_VARIABLE = "LEDGER_PREEMPTION_SIGNAL"
"""The scheduler's warning signal, such as `SIGUSR1`; a run that it ends is recorded as preempted."""
NOTEBOOK_VARIABLE = "LEDGER_NOTEBOOK"
"""Path of the notebook that a kernel executes, where its frontend does not state it, as `jupyter execute` does not."""
CACHE_VARIABLE = "LEDGER_CACHE"
"""Folder for prepared data; by default `ledger` in `$XDG_CACHE_HOME` or in `~/.cache`."""
TOKEN_VARIABLE = "LEDGER_TOKEN"  # noqa: S105  # a name
"""In GitLab CI: access token with the scope `api`, used by `ledger ci comment` to write the review."""

ASKED = (
    *(RANK_VARIABLE, LINK_VARIABLE, LINK_KEY_VARIABLE, RESUME_VARIABLE, PUSH_VARIABLE, PREEMPTION_VARIABLE),
    *(NOTEBOOK_VARIABLE, CACHE_VARIABLE, TOKEN_VARIABLE),
)
"""Variables that you may set."""

RUN_DIR_VARIABLE = "LEDGER_RUN_DIR"
"""`ledger run`: folder for what the command leaves: `params.yaml`, `steps.yaml`, `metrics.json`, `curves.csv`,
`figures/*.png`, `tables/*.csv`, `model.pt`, `note.txt`."""
SPOOL_VARIABLE = "LEDGER_SPOOL"
"""`ledger run`: spool of the run, which `ledger.run()` in the command joins."""
RUN_ID_VARIABLE = "LEDGER_RUN_ID"
"""`ledger run`, `ledger reevaluate` and `ledger.onEnd`: id of the run."""
EXPERIMENT_VARIABLE = "LEDGER_EXPERIMENT"
"""`ledger.onEnd`: experiment of the run."""
STATUS_VARIABLE = "LEDGER_STATUS"
"""`ledger.onEnd`: how the run ended, such as `finished` or `killed`."""
SUMMARY_VARIABLE = "LEDGER_SUMMARY"
"""`ledger.onEnd`: the line with id and headline that is printed at the end of a run."""
RUN_VARIABLE = "LEDGER_RUN"
"""`ledger reevaluate`: older name of `LEDGER_RUN_ID`, for evaluators that read it."""
MODEL_VARIABLE = "LEDGER_MODEL"
"""`ledger reevaluate`: path of the model."""
DATASET_VARIABLE = "LEDGER_DATASET"
"""`ledger reevaluate` and `ledger prepare`: path of the data."""
METRICS_VARIABLE = "LEDGER_METRICS"
"""`ledger reevaluate`: file to write metrics to, in any form that `--metrics` reads."""
CASES_VARIABLE = "LEDGER_CASES"
"""`ledger reevaluate`: file with the cases of the dataset version, JSON lines of `id`, `input` and `expected`."""
ANSWERS_VARIABLE = "LEDGER_ANSWERS"
"""`ledger reevaluate`: file to write answers to, `{"case id": answer}` as JSON."""
OUT_VARIABLE = "LEDGER_OUT"
"""`ledger prepare`: folder to write the result to."""
COMPLETE_VARIABLE = "_LEDGER_COMPLETE"
"""Shell completion: set by the output of `ledger completion`."""

GIVEN = (
    *(RUN_DIR_VARIABLE, SPOOL_VARIABLE, RUN_ID_VARIABLE, EXPERIMENT_VARIABLE, STATUS_VARIABLE, SUMMARY_VARIABLE),
    *(RUN_VARIABLE, MODEL_VARIABLE, DATASET_VARIABLE),
    *(METRICS_VARIABLE, CASES_VARIABLE, ANSWERS_VARIABLE, OUT_VARIABLE, COMPLETE_VARIABLE),
)
"""Variables that ledger sets for the commands it starts."""

PUSH_SECONDS = 10.0
"""How long a push may take after a record or at the end of a training, where nobody says another time."""

PUSH_SETTING = "ledger.push"
"""Whether this clone sends records by itself: `true` or `false`. `ledger init` sets it to `true`; where nothing is set,
records are sent once the remote holds a ledger."""
BRANCH_SETTING = "ledger.branch"
"""Another branch for the ledger of this repository, named in its own configuration; `ledger` by default."""
END_SETTING = "ledger.onend"
"""Command that the shell runs at the end of each run of this clone, such as `notify-send "$LEDGER_SUMMARY"`. It gets
`LEDGER_RUN_ID`, `LEDGER_EXPERIMENT`, `LEDGER_STATUS` and `LEDGER_SUMMARY`; no policy can set it."""
METADATA_SETTING = "ledger.metadata"
"""Whether the metadata service of a cloud may be asked for type of machine, region and spot: `true` or `false`. Where
nothing is set, the policy says so; it is `false` by default."""
HOST_SETTING = "ledger.host"
"""What kind of host the remote is: `github`, `gitlab`, `forgejo` or `none`; told from its address by default. The token
of that kind is sent to a host that is named so."""
SITE_SETTING = "ledger.site"
"""On a server: folder that the site is published to after each push, relative to the git directory; `ledger hooks
install --server` and `ledger init --server` set it."""
SITE_TITLE_SETTING = "ledger.sitetitle"
"""On a server: title of the published site."""
ACCEPT_REDACTION_SETTING = "ledger.acceptredaction"
"""On a server: whether a history that `ledger redact` made again may replace the old one; `false` by default, and to be
taken back when it is done."""

SETTINGS = (
    *(PUSH_SETTING, BRANCH_SETTING, END_SETTING, METADATA_SETTING, HOST_SETTING),
    *(SITE_SETTING, SITE_TITLE_SETTING, ACCEPT_REDACTION_SETTING),
)
"""Settings of git, in lower case as git lists them; git reads them in any case."""
