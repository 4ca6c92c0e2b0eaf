"""Kinds of files, told by name and size: source, configuration, and the output of frameworks."""

import os
import re

# With 100,000 untracked files every µs counts, and pathlib takes ten for what these take one.
# ruff: noqa: PTH113, PTH116, PTH122, PTH123

_PROGRAM = frozenset(
    [
        ".py",
        ".pyi",
        ".pyx",
        ".pxd",
        ".pxi",
        ".ipynb",
        ".c",
        ".cc",
        ".cpp",
        ".cxx",
        ".h",
        ".hh",
        ".hpp",
        ".hxx",
        ".inl",
        ".cu",
        ".cuh",
        ".cl",
        ".metal",
        ".glsl",
        ".s",
        ".asm",
        ".f",
        ".f90",
        ".f95",
        ".rs",
        ".go",
        ".java",
        ".kt",
        ".kts",
        ".scala",
        ".clj",
        ".swift",
        ".m",
        ".mm",
        ".js",
        ".mjs",
        ".cjs",
        ".ts",
        ".jsx",
        ".tsx",
        ".r",
        ".rmd",
        ".jl",
        ".lua",
        ".pl",
        ".pm",
        ".rb",
        ".ex",
        ".exs",
        ".erl",
        ".hs",
        ".ml",
        ".mli",
        ".nim",
        ".zig",
        ".d",
        ".cs",
        ".fs",
        ".vb",
        ".sql",
        ".proto",
        ".thrift",
        ".fbs",
        ".capnp",
        ".sh",
        ".bash",
        ".zsh",
        ".fish",
        ".ps1",
        ".bat",
        ".cmd",
        ".slurm",
        ".sbatch",
        ".pbs",
        ".lsf",
        ".cmake",
        ".mk",
        ".mak",
        ".make",
        ".gradle",
        ".bzl",
        ".bazel",
        ".nix",
        ".dockerfile",
        ".tf",
        ".patch",
        ".diff",
        ".g4",
        ".lark",
        ".triton",
        ".mlir",
        ".td",
        ".jinja",
        ".j2",
        ".tmpl",
    ]
)
"""Suffixes of programs, of build files, and of patches."""
_CONFIGURATION = frozenset(
    [
        ".yaml",
        ".yml",
        ".toml",
        ".ini",
        ".cfg",
        ".conf",
        ".json",
        ".json5",
        ".jsonc",
        ".gin",
        ".hocon",
        ".jsonnet",
        ".libsonnet",
        ".properties",
        ".dvc",
        ".lock",
    ]
)
"""Suffixes of configuration; several of them are used for data and results, too."""
_NAMES = re.compile(
    r"(?:GNU)?[Mm]akefile|Dockerfile(?:\..+)?|Containerfile|Justfile|justfile|Procfile|BUILD|WORKSPACE|Snakefile|Rakefile|"
    r"Gemfile|Pipfile|CMakeLists\.txt|meson\.build|(?:dev-|test-)?(?:requirements|constraints)[\w.-]*\.(?:txt|in)|"
    r"environment[\w.-]*\.ya?ml|\.(?:git(?:ignore|attributes|modules)|dockerignore|editorconfig|flake8|pylintrc|"
    r"python-version|tool-versions|pre-commit-config\.yaml|dvcignore)"
)
"""Whole names of files that are source or configuration."""
CONFIGURATION_BYTES = 100_000
"""Largest configuration file in bytes; larger ones are data: vocabularies, annotations, indexes."""
_LOOKED_AT = 4096

_FRAMEWORK_FOLDERS = frozenset(
    [
        ".aim",
        ".comet",
        ".hydra",
        ".mlflow",
        ".neptune",
        ".optuna",
        ".ray",
        ".swanlab",
        ".trackio",
        ".wandb",
        "aim_logs",
        "catboost_info",
        "comet_logs",
        "dvclive",
        "lightning_logs",
        "mlartifacts",
        "mlruns",
        "multirun",
        "neptune_logs",
        "ray_results",
        "sacred_runs",
        "swanlog",
        "tb_logs",
        "tensorboard",
        "tensorboard_logs",
        "wandb",
        "__pycache__",
        ".ipynb_checkpoints",
        ".pytest_cache",
        ".mypy_cache",
        ".ruff_cache",
    ]
)
"""Folders that belong to one framework, and hold no source code of users."""
_RESULT_FOLDERS = frozenset(
    [
        "artifacts",
        "checkpoint",
        "checkpoints",
        "ckpt",
        "ckpts",
        "experiments",
        "exp",
        "log",
        "logs",
        "out",
        "output",
        "outputs",
        "predictions",
        "results",
        "runs",
        "save",
        "saved",
        "saved_models",
        "snapshots",
        "tb",
        "weights",
    ]
)
"""Folders in which people and frameworks put results; programs in them may still be source."""


def is_program(path: str) -> bool:
    """Return whether a file holds a program or a build script, by its name."""
    name = path.rpartition("/")[2]
    return _suffix(name) in _PROGRAM or _NAMES.fullmatch(name) is not None


def is_configuration(path: str) -> bool:
    """Return whether a file may hold configuration, by its name."""
    return _suffix(path) in _CONFIGURATION


def is_source(path: str, full: str) -> bool:
    """Return whether a file is source or configuration, by its name, its size and its first bytes."""
    if is_program(path):
        return True
    suffix = _suffix(path)
    try:
        if suffix in _CONFIGURATION:
            return os.stat(full).st_size <= CONFIGURATION_BYTES and not _is_list(suffix, full)
        return not suffix and os.path.isfile(full) and _start(full).startswith(b"#!")
    except OSError:
        return False


def in_framework_folder(path: str) -> str | None:
    """Return the framework folder that contains a file; none where there is none."""
    return _first(path, _FRAMEWORK_FOLDERS)


def in_result_folder(path: str) -> str | None:
    """Return the results folder that contains a file, by its name; none where there is none."""
    return _first(path, _RESULT_FOLDERS)


def _suffix(path: str) -> str:
    return os.path.splitext(path)[1].lower()


def _first(path: str, names: frozenset[str]) -> str | None:
    parts = path.lower().split("/")[:-1]
    at = next((place for place, part in enumerate(parts) if part in names), None)
    return None if at is None else "/".join(path.split("/")[: at + 1]) + "/"


def _is_list(suffix: str, full: str) -> bool:
    """Return whether JSON begins with a list, which is a table of data and no configuration."""
    return suffix in {".json", ".json5", ".jsonc"} and _start(full).lstrip().startswith(b"[")


def _start(full: str) -> bytes:
    with open(full, "rb") as file:
        return file.read(_LOOKED_AT)
