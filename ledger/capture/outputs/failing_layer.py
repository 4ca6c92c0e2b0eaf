"""The layer of a model in which an exception was raised, with the shapes that met there; no framework is imported."""

import sys
from collections.abc import Iterator
from traceback import walk_tb
from types import FrameType
from typing import Any

_WORDS = ("shape", "size", "dimension", "mat1", "channels", "multiplied", "broadcast", "index out of range", "elements")
"""Words of exceptions that are about shapes."""
_MOST_INPUTS = 4
_MOST_AXES = 8
_LONGEST = 120
"""Most characters of the text of a layer."""


def failing_layer(error: BaseException) -> str | None:
    """Return the innermost layer whose forward pass raised an exception about shapes, and what it was given.

    Never raises; none where no layer of torch was at work, or the exception is about something else.
    """
    return layer_at_work(error) if "torch" in sys.modules and is_about_shapes(str(error)) else None


def is_about_shapes(message: str) -> bool:
    """Return whether the message of an exception is about shapes, by its words."""
    lower = message.lower()
    return any(word in lower for word in _WORDS)


def layer_at_work(error: BaseException) -> str | None:
    """Return the innermost layer whose forward pass raised an exception, and what it was given; never raises."""
    try:
        return _described(error)
    except Exception:  # noqa: BLE001  # the objects in the frames are anybody's
        return None


def modules_at_work(error: BaseException) -> list[Any]:  # of torch, which is not imported here
    """Return the modules whose forward passes raised an exception, the outermost first."""
    return [module for _, module in _calls(error)]


def _calls(error: BaseException) -> list[tuple[FrameType, Any]]:
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    return [(frame, module) for frame in frames if (module := _module_of(frame)) is not None]


def _described(error: BaseException) -> str | None:
    calls = _calls(error)
    if not calls:
        return None
    _, root = calls[0]
    frame, layer = calls[-1]
    name = next((name for name, module in root.named_modules() if module is layer), "")
    given = ", ".join(list(_inputs(frame))[:_MOST_INPUTS]) or "nothing with a shape"
    weight = _shape(getattr(layer, "weight", None))
    own = f", whose weight is {weight}," if weight else ""
    where = f"layer `{name}`" if name else "the model itself"
    text = str(layer).splitlines()[0]
    return f"in {where}: {text[:_LONGEST]}{own} was given {given}"


def _module_of(frame: FrameType) -> Any:  # noqa: ANN401  # a module of torch, which is not imported here
    """Return the module whose `forward` a frame runs; none for other frames."""
    if frame.f_code.co_name != "forward" or not frame.f_code.co_argcount:
        return None
    module = frame.f_locals.get(frame.f_code.co_varnames[0])
    kind = type(module)
    is_module = any(base.__name__ == "Module" and base.__module__.startswith("torch.nn") for base in kind.__mro__)
    return module if is_module else None


def _inputs(frame: FrameType) -> Iterator[str]:
    """Yield the shapes of what a forward pass was given, by name; those inside of lists are left out."""
    code = frame.f_code
    for name in code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]:
        if (shape := _shape(frame.f_locals.get(name))) is not None:
            yield f"{name} {shape}"
    extra = code.co_varnames[code.co_argcount + code.co_kwonlyargcount] if code.co_flags & 0x04 else None
    for value in frame.f_locals.get(extra, ()) if extra else ():
        if (shape := _shape(value)) is not None:
            yield shape


def _shape(value: object) -> str | None:
    shape = getattr(value, "shape", None)
    if shape is None or isinstance(value, type) or len(shape) > _MOST_AXES:
        return None
    return f"({', '.join(str(int(size)) for size in shape)})"
