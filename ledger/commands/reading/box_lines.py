"""The lines of `ledger show` for each box of a record: what it says in words, a name and a value each."""

from collections.abc import Callable, Iterator, Sequence

from ledger.analysis.data.chain import chain_of
from ledger.analysis.data.feeds import feed_facts, shown_stretches
from ledger.analysis.data.machine_use import gpu_notes, traffic_facts
from ledger.analysis.query.fields import show_value
from ledger.commands.reading.notebook_lines import notebook_lines
from ledger.formatting import byte_size, duration, latency, moment, money, number, share
from ledger.model.boxes.machine import MOST_STRETCHES, Gpu, Hardware, Platform
from ledger.model.boxes.outputs import Metric, Model
from ledger.model.claims.measurements import same_data, same_data_text
from ledger.model.entries import StoredRun
from ledger.model.record import Record
from ledger.model.values import counted
from ledger.recorder.record.warnings import leak_text

Lines = Iterator[tuple[str, str]]
"""Name and value of each line of a box."""

_LEVELS = "▁▂▃▄▅▆▇█"
_USES = 8
"""Most GPUs whose use over time is shown."""
_LEFT_OUT = 5
"""Most files left out of the patch that are shown; the record has them all."""


def code_lines(record: Record) -> Lines:
    """Yield the code: commit, branch, uncommitted changes, files left out, notebook."""
    code = record.code
    pushed = {True: " (pushed)", False: " (not pushed)", None: ""}[code.pushed]
    yield "commit", f"{code.commit.removeprefix('git:')}{pushed}" if code.commit else ""
    yield "branch", code.branch or ""
    yield "remote", code.remote or ""
    if code.patch:
        patch = code.patch
        exact = "" if patch.exact else ", changed by redaction"
        files = counted(patch.files, "file")
        yield "uncommitted", f"{files}, +{patch.added} -{patch.removed}, {byte_size(patch.bytes)}{exact}"
    elif code.dirty is False:
        yield "uncommitted", "nothing"
    for file in code.omitted[:_LEFT_OUT]:
        facts = [
            counted(file.files, "file") if file.files else "",
            byte_size(file.bytes),
            (file.hash or "not hashed")[:19],
        ]
        yield "left out", f"{file.path} ({', '.join(fact for fact in (*facts, file.why) if fact)})"
    if len(code.omitted) > _LEFT_OUT:
        yield "left out", f"{len(code.omitted) - _LEFT_OUT} more: ledger show {record.id[16:]} --json"
    if code.not_code:
        yield "no code", f"{', '.join(code.not_code[:_LEFT_OUT])}{' …' if len(code.not_code) > _LEFT_OUT else ''}"
    for other in code.repositories:
        said = {True: "changed", False: "unchanged", None: "not looked into"}[other.dirty]
        kept = ", its changes stand in the patch" if other.kind == "submodule" and other.dirty else ""
        yield other.kind, f"{other.path} at {(other.commit or 'no commit').removeprefix('git:')[:12]}, {said}{kept}"
    if code.notebook:
        yield from notebook_lines(code.notebook)


def params_lines(record: Record) -> Lines:
    """Yield the chain of steps and every param."""
    if chain := chain_of(record):
        yield "chain", " → ".join(link.title for link in chain)
    for step in record.params.chain:
        code = (step.code or "")[:19] if step.unknown is None else f"code unknown: {step.unknown}"
        by = f"by {step.function}" if step.function else ""
        yield f"step {step.name}", ", ".join(part for part in (step.stage, by, code) if part)
    for name, value in record.params.values.items():
        yield name, "null" if value is None else show_value(value) or '""'


def datasets_lines(record: Record) -> Lines:
    """Yield the datasets, how they fed the run, and what is odd about them."""
    for use in record.datasets.used:
        count = f"{counted(use.files, 'file')}, {byte_size(use.bytes or 0)}" if use.files is not None else ""
        samples = f"{counted(use.samples, 'sample')}, " if use.samples is not None else ""
        count = count or (f"{use.memory} in memory" if use.memory else "")
        told = "declared, not verified" if use.declared else (use.hash or "")[:19]
        yield use.role, f"{use.label.removesuffix(' (declared)')}  {samples}{count}  {told}".rstrip()
        if use.prepared is not None:
            sources = ", ".join(f"{source.path} {source.hash[:19]}" for source in use.prepared.sources)
            yield "prepared", f"from {sources} by {use.prepared.step}"
    for feed in record.datasets.feeds:
        yield "fed by", f"{feed.dataset}, plan {feed.plan_digest[:19]}"
        yield from feed_facts(feed, record.timing.took)
        for stretch in shown_stretches(feed):
            yield f"epoch {stretch.epoch}", f"batches {stretch.first} to {stretch.last}, order {stretch.digest[:19]}"
    for one, other in same_data(record.datasets.used):
        yield "warning", same_data_text(one, other)
    for leak in record.datasets.leaks:
        yield "leak", leak_text(leak)


def hardware_lines(record: Record) -> Lines:
    """Yield the machine, the other hosts and ranks, and the use of them."""
    hardware = record.hardware
    limit = f", {hardware.cores_limit:g} allowed" if hardware.cores_limit not in {None, hardware.cores} else ""
    yield "host", hardware.host or ""
    yield "cpu", f"{hardware.cpu or 'unknown'}, {hardware.cores} cores{limit}" if hardware.cores else ""
    memory_limit = f", {byte_size(hardware.memory_limit_bytes)} allowed" if hardware.memory_limit_bytes else ""
    yield "memory", f"{byte_size(hardware.memory_bytes)}{memory_limit}" if hardware.memory_bytes else ""
    lines = [_gpu_line(gpu) for gpu in hardware.gpus]
    for line in dict.fromkeys(lines):
        alike = lines.count(line)
        yield "gpu", f"{alike} x {line}" if alike > 1 else line
    yield from _use_lines(hardware.gpus)
    yield from (("measured", f"{name}: {text}") for name, text in gpu_notes(hardware.gpus))
    if not hardware.gpus and hardware.known and "gpus" not in hardware.unknown:
        yield "gpu", "none"
    for platform in hardware.platforms:
        yield from _platform_lines(platform)
    yield from _rank_lines(hardware)
    usage = hardware.usage
    if usage:
        busy = f"cores {share(usage.cpu_fraction_mean)} busy, " if usage.cpu_fraction_mean is not None else ""
        yield "used", f"{busy}peak memory {byte_size(usage.memory_peak_bytes or 0)}" if usage.samples else ""
        if usage.data_wait_seconds is not None:
            took = record.timing.took
            part = f", {share(usage.data_wait_seconds / took)} of the time" if took else ""
            yield "waited for data", f"{duration(usage.data_wait_seconds)}{part}"
        yield from traffic_facts(usage)


def _gpu_line(gpu: Gpu) -> str:
    memory = f", {byte_size(gpu.memory_bytes)}" if gpu.memory_bytes else ""
    used = f", used {share(gpu.utilisation_mean)}" if gpu.utilisation_mean is not None else ""
    active = f", multiprocessors {share(gpu.sm_activity_mean)} busy" if gpu.sm_activity_mean is not None else ""
    idle = f", idle {share(gpu.gpu_idle_fraction)}" if gpu.gpu_idle_fraction is not None else ""
    return f"{gpu.name}{memory}{used}{active}{idle}"


def _use_lines(gpus: Sequence[Gpu]) -> Lines:
    """Yield the use of each GPU over the run, a character for each stretch; a space where it was not seen."""
    for at, gpu in enumerate(gpus[:_USES], 1):
        if gpu.use is not None:
            parts = gpu.use.percent[:MOST_STRETCHES]
            line = "".join(" " if part is None else _LEVELS[min(max(part, 0) // 13, 7)] for part in parts)
            yield "gpu use", f"{at}: {line} each {duration(gpu.use.stretch_seconds)}"


def _platform_lines(platform: Platform) -> Lines:
    """Yield one place that the run was in: its facts, the page of the job, and the data that it handed in."""
    job = f"job {platform.job}" if platform.job else ""
    image = f"image {platform.image}" if platform.image else ""
    facts = (platform.name, job, platform.instance, platform.region, platform.life_cycle, image)
    yield "platform", ", ".join(fact for fact in facts if fact)
    yield "job page", platform.link or ""
    for name, commit in platform.inputs.items():
        yield "input", f"{name} at {commit}"


def _rank_lines(hardware: Hardware) -> Lines:
    """Yield the processes of the job, and the hosts that they were on."""
    if hardware.processes is not None or hardware.rank is not None:
        of = f" of {hardware.processes} processes" if hardware.processes else ""
        told = f", stated by {hardware.launcher}" if hardware.launcher else ""
        yield "rank", f"{hardware.rank or 0}{of}{told}{f', job {hardware.job}' if hardware.job else ''}"
    if "ranks" in hardware.unknown:
        yield "ranks", hardware.unknown["ranks"]
    for node in hardware.nodes if len(hardware.nodes) > 1 else ():
        gpus = ", ".join(gpu.name for gpu in node.gpus) or "no GPU"
        machine = node.unknown.get("all") or f"{node.cpu or 'unknown'}, {node.cores or 'unknown'} cores, {gpus}"
        yield f"on {node.host}", f"ranks {', '.join(str(rank) for rank in node.ranks)}: {machine}"
    for life in hardware.ranks:
        if life.rank > 0 and life.status not in {"finished", "pruned"}:
            ended = f"{life.status}: {life.reason}" if life.status else "still running when the record was made"
            yield f"rank {life.rank}", f"{life.host}: {ended}"


def environment_lines(record: Record) -> Lines:
    """Yield the software."""
    environment = record.environment
    yield "python", environment.python or ""
    yield "os", environment.os or ""
    yield "container", environment.container or ""
    imported, installed = environment.imported, environment.frameworks
    yield "imported", ", ".join(f"{name} {version}" for name, version in (imported or {}).items())
    rest = {name: version for name, version in installed.items() if name not in (imported or {})}
    only = "installed" if imported is None else "installed as well"
    yield only, ", ".join(f"{name} {version}" for name, version in rest.items())
    for name, copy in environment.working_copies.items():
        changed = {True: ", changed", False: "", None: ", maybe changed"}[copy.dirty]
        at = f"commit {copy.commit.partition(':')[2][:12]}{changed}" if copy.commit else "in no repository"
        yield "editable", f"{name} {at}{f' of {copy.remote}' if copy.remote else ''}"
    yield "packages", show_value(environment.packages)


def cost_lines(record: Record) -> Lines:
    """Yield the cost."""
    cost = record.cost
    if cost.amount is not None:
        yield "amount", money(cost.amount, cost.currency)
        each = f" at {cost.price_per_hour:g} {cost.currency} per hour" if cost.price_per_hour is not None else ""
        count = f"{cost.device_count:g} x " if cost.device_count is not None else ""
        yield "for", f"{count}{cost.device or 'unknown devices'}{each}"
    if cost.row is not None:
        yield "price row", f"{cost.row.label} ({cost.row.origin})"
    if cost.idle_amount is not None:
        yield "of it idle", money(cost.idle_amount, cost.currency)
    if cost.energy_kwh is not None:
        site = f", PUE {number(cost.pue)}" if cost.pue is not None else ""
        yield "energy", f"{number(cost.energy_kwh)} kWh (GPUs only, by NVML){site}"
    if cost.energy_amount is not None and cost.tariff is not None:
        tariff = money(cost.tariff, cost.energy_currency)
        yield "its price", f"{money(cost.energy_amount, cost.energy_currency)} at {tariff} per kWh"
    if cost.co2e_kg is not None and cost.carbon is not None:
        yield "its CO2e", f"{number(cost.co2e_kg)} kg at {cost.carbon.label}"
    yield "catalogue", cost.catalogue or ""


def model_lines(record: Record) -> Lines:
    """Yield the model."""
    model = record.model
    stored = [byte_size(model.bytes)] if model.bytes is not None else []
    stored += [model.hash[:19]] if model.hash else []
    yield "file", f"{model.path} ({', '.join(stored)})" if model.path and stored else model.path or ""
    yield "parameters", f"{model.parameters:,}" if model.parameters is not None else ""
    yield "format", model.format or ""
    yield "flops", f"{model.flops:,} a forward pass ({model.flops_counter or 'counter unknown'})" if model.flops else ""
    yield "hooks", model.unknown.get("hooks", "")
    yield "input", ", ".join(model.input_shapes)
    yield "latency", _latency(model)
    yield "pass memory", byte_size(model.pass_memory_bytes) if model.pass_memory_bytes is not None else ""


def _latency(model: Model) -> str:
    """Return how long a forward pass takes, and where that was measured; empty where it was not."""
    if model.latency_seconds is None:
        return ""
    slow = f", p99 {latency(model.latency_p99_seconds)}" if model.latency_p99_seconds is not None else ""
    threads = f", {counted(model.threads, 'thread')}" if model.threads is not None else ""
    return f"median {latency(model.latency_seconds)}{slow} on {model.device or 'an unknown device'}{threads}"


def logs_lines(record: Record) -> Lines:
    """Yield the log."""
    logs = record.logs
    yield "log", f"{logs.lines} lines, {byte_size(logs.bytes or 0)}" if logs.lines is not None else ""
    for kind, found in (("error", logs.errors), ("warning", logs.warnings)):
        for text, count in list(found.items())[:5]:
            yield f"{kind} x{count}", text.splitlines()[-1] if text else ""


def results_lines(run: StoredRun) -> Lines:
    """Yield every metric, the headline marked, later evaluations, curves and figures."""
    headline = run.record.results.headline
    for metric in run.record.results.metrics:
        yield f"{metric.key}{' *' if metric.key == headline else ''}", metric_text(metric)
    for evaluation in run.evaluations:
        for metric in evaluation.metrics:
            yield f"{metric.key} (later)", f"{metric_text(metric)}, {moment(evaluation.evaluated_at)}"
    curves = run.record.results.curves
    if curves:
        yield "curves", f"{', '.join(curves.series)} ({curves.logged} points)"
    for figure in run.record.results.figures:
        yield "figure", f"{figure.title} ({figure.file})"


def metric_text(metric: Metric) -> str:
    """Return a measurement: its value, what it was measured on, and how it was made."""
    better = f", {metric.direction} is better" if metric.direction else ""
    return f"{show_value(metric.number)} on {metric.dataset or 'unknown data'}{better}{_how_made(metric)}"


def _how_made(metric: Metric) -> str:
    """Return remarks on a value: folds, another name, or that nobody stated it."""
    told = ""
    if metric.folds:
        spread = f", deviation {number(metric.deviation)}" if metric.deviation is not None else ""
        told += f", mean of {counted(len(metric.folds), 'fold')}{spread}"
    if metric.said:
        told += f", said as {metric.said}"
    if metric.origin == "file":
        told += ", from a file"
    if metric.origin == "curve":
        told += ", from the curve: its last value"
        told += f", step {metric.step}" if metric.step is not None else ""
        told += f", epoch {metric.epoch:g}" if metric.step is None and metric.epoch is not None else ""
    return told


def statistics_lines(record: Record) -> Lines:
    """Yield tables and series."""
    for table in record.statistics.tables:
        what = f"{table.metric} on {table.dataset or 'unknown data'}, " if table.metric else ""
        shape = f"{counted(table.rows, 'row')} of {counted(table.columns, 'column')}"
        label = "table" if table.kind == "table" else f"table of {table.kind}"
        yield label, f"{table.name}: {what}{shape} ({table.file})"
    statistics = record.statistics
    yield "steps", f"the last is {statistics.steps}" if statistics.steps is not None else ""
    yield "epochs", f"{statistics.epochs:g}" if statistics.epochs is not None else ""
    for name, series in record.statistics.series.items():
        last = f"{number(float(series.last))}"
        yield (
            name,
            f"last {last}, min {number(float(series.min))}, max {number(float(series.max))}, {series.count} points",
        )


BOX_LINES: dict[str, Callable[[Record], Lines]] = {
    "code": code_lines,
    "params": params_lines,
    "datasets": datasets_lines,
    "hardware": hardware_lines,
    "environment": environment_lines,
    "cost": cost_lines,
    "model": model_lines,
    "logs": logs_lines,
    "statistics": statistics_lines,
}
"""What makes the lines of each box but the results, which need the run's later evaluations as well."""
