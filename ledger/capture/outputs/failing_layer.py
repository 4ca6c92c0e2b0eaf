"""The layer of a model in which an exception was raised, with the shapes that met there; no framework is imported."""

import sys
from collections.abc import Iterator
from functools import partial
from traceback import walk_tb
from types import CodeType, FrameType
from typing import Any, NamedTuple

_WORDS = ("shape", "size", "dimension", "mat1", "channels", "multiplied", "broadcast", "index out of range", "elements")
"""Words of exceptions that are about shapes."""
_MOST_INPUTS = 4
_MOST_AXES = 8
_LONGEST = 120
"""Most characters of the text of a layer."""
_CALLS = {"_wrapped_call_impl", "_call_impl", "inner", "_slow_forward"}
"""Functions of `torch.nn.modules.module` that call the `forward` of a module, and hold what it is given."""
_IN_PLACE = {
    *("as_strided_", "data", "detach_", "resize_", "resize_as_", "set_", "squeeze_", "swapaxes_", "swapdims_"),
    *("t_", "transpose_", "unsqueeze_"),
}
"""Names in a `forward` by which it may give another shape to the very tensor that it was given."""


class _Call(NamedTuple):
    """A call of a module that an exception left."""

    module: Any
    """The module, of torch, which is not imported here."""
    torch: FrameType | None = None
    """Frame of torch that called its `forward`; none where the script itself called that."""
    forward: FrameType | None = None
    """Frame of its `forward`; none where a hook failed, or Python has no frame of it."""
    follows: FrameType | None = None
    """Frame that the frame of torch called."""


def failing_layer(error: BaseException) -> str | None:
    """Return the innermost layer whose call raised an exception about shapes, and what it was given.

    Never raises; none where no layer of torch was at work, or the exception is about something else.
    """
    return layer_at_work(error) if "torch" in sys.modules and is_about_shapes(str(error)) else None


def is_about_shapes(message: str) -> bool:
    """Return whether the message of an exception is about shapes, by its words."""
    lower = message.lower()
    return any(word in lower for word in _WORDS)


def layer_at_work(error: BaseException) -> str | None:
    """Return the innermost layer whose call raised an exception, and what it was given; never raises."""
    try:
        return _described(error)
    except Exception:  # noqa: BLE001  # the objects in the frames are anybody's
        return None


def modules_at_work(error: BaseException) -> list[Any]:  # of torch, which is not imported here
    """Return the modules whose calls an exception left, the outermost first."""
    return [call.module for call in _calls(error)]


def _calls(error: BaseException) -> list[_Call]:
    calls: list[_Call] = []
    inside_torch = False  # between the line that calls a module and its `forward`
    for frame, _ in walk_tb(error.__traceback__):
        if inside_torch and calls[-1].follows is None and _caller(frame) is not calls[-1].module:
            calls[-1] = calls[-1]._replace(follows=frame)
        if (module := _caller(frame)) is not None:
            again = inside_torch and calls[-1].module is module
            calls = [*(calls[:-1] if again else calls), _Call(module, torch=frame)]
            inside_torch = True
            continue
        inside_torch = False
        if (module := _module_of(frame)) is None:
            continue
        if not calls or calls[-1].module is not module:
            calls.append(_Call(module, forward=frame))
        elif calls[-1].forward is None:  # else it is that of a class above, by `super().forward(…)`
            calls[-1] = calls[-1]._replace(forward=frame)
    return calls


def _described(error: BaseException) -> str | None:
    calls = _calls(error)
    if not calls or type(calls[-1].module).__name__ == "OptimizedModule":
        return None  # of compiled code there are no frames: the layer is somewhere inside
    call = calls[-1]
    lines = str(call.module).splitlines()
    text = lines[0] if len(lines) == 1 else type(call.module).__name__
    text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    if _is_in_hook(call):
        return f"in a hook of {_place(calls)}: {text}"
    weight = _shape(getattr(call.module, "weight", None))
    own = f", whose weight is {weight}" if weight else ""
    if given := ", ".join(_given(call)[:_MOST_INPUTS]):
        return f"in {_place(calls)}: {text}{own}{',' if own else ''} was given {given}"
    later = ", ".join(list(_locals(call))[:_MOST_INPUTS])
    return f"in {_place(calls)}: {text}{own}{f'; {later} then' if later else ''}"


def _place(calls: list[_Call]) -> str:
    """Return the name of the innermost module, in the outermost one that has it."""
    layer = calls[-1].module
    for call in calls:
        if call.module is layer:
            break
        name = next((name for name, module in call.module.named_modules() if module is layer), "")
        if name:
            return f"layer `{name}`" if call is calls[0] else f"layer `{name}` of {type(call.module).__name__}"
    return "the module itself" if calls[0].module is layer else "a layer without a name"


def _caller(frame: FrameType) -> Any:  # noqa: ANN401  # a module of torch, which is not imported here
    """Return the module that a frame of torch calls; none for other frames."""
    if frame.f_code.co_name not in _CALLS or frame.f_globals.get("__name__") != "torch.nn.modules.module":
        return None
    return frame.f_locals.get("self")


def _module_of(frame: FrameType) -> Any:  # noqa: ANN401  # as above
    """Return the module whose `forward` a frame runs; none for other frames."""
    if frame.f_code.co_name != "forward" or not frame.f_code.co_argcount:
        return None
    module = frame.f_locals.get(frame.f_code.co_varnames[0])
    kind = type(module)
    is_module = any(base.__name__ == "Module" and base.__module__.startswith("torch.nn") for base in kind.__mro__)
    return module if is_module else None


def _is_in_hook(call: _Call) -> bool:
    """Return whether the exception was raised in a hook of a module, by the frame that torch called."""
    if call.torch is None or call.follows is None or call.forward is not None:
        return False
    return _code_of(call.torch.f_locals.get("hook")) is call.follows.f_code


def _code_of(function: object) -> CodeType | None:
    """Return the code of a function, also of one that has some of its arguments, or of an object that is called."""
    while isinstance(function, partial):
        function = function.func
    code: CodeType | None = getattr(function, "__code__", None) or getattr(type(function).__call__, "__code__", None)
    return code


def _given(call: _Call) -> list[str]:
    """Return the shapes of what a module was given, by name; those inside of lists are left out.

    The names in `forward` may hold something else by now, so torch's own frame is asked. Nothing where there is none,
    or `forward` may have changed the tensors themselves.
    """
    if call.torch is None:
        return []
    code = call.forward.f_code if call.forward is not None else None
    if code is not None and _IN_PLACE & set(code.co_names):
        return []
    values = call.torch.f_locals
    positional = values.get("args", values.get("input", ()))
    # A decorator between torch and `forward` may hand the arguments on in another way.
    names = code.co_varnames[1 : code.co_argcount] if code is not None and call.follows is call.forward else ()
    shapes = [(names[place] if place < len(names) else "", _shape(one)) for place, one in enumerate(positional)]
    shapes += [(name, _shape(one)) for name, one in values.get("kwargs", {}).items()]
    return [f"{name} {shape}".strip() for name, shape in shapes if shape is not None]


def _locals(call: _Call) -> Iterator[str]:
    """Yield the shapes that the arguments of a forward pass had when it failed."""
    if call.forward is None:
        return
    code = call.forward.f_code
    for name in code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]:
        if (shape := _shape(call.forward.f_locals.get(name))) is not None:
            yield f"{name} was {shape}"


def _shape(value: object) -> str | None:
    shape = getattr(value, "shape", None)
    if shape is None or isinstance(value, type) or len(shape) > _MOST_AXES:
        return None
    return f"({', '.join(str(int(size)) for size in shape)})"
