"""``dataclass`` and ``field`` as the standard library has them, for the classes that a short run of the command needs.

The library's own writes and compiles the methods of each class, and imports `inspect` to do so: a hundred such classes
were a third of what a start cost. Here methods are closures. Of what the library's can do only what is used is here.
Type checkers see the library's, and :mod:`dataclasses` takes these classes for its own: its `replace`, `fields` and
`asdict` work on them.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass, field, replace

__all__ = ["dataclass", "field", "replace"]
_MISSING: Any = object()


class _Field:
    """How a field is filled, shown and compared, as ``dataclasses.field`` says it."""

    def __init__(self, default: object, default_factory: Callable[[], object], repr: bool, compare: bool) -> None:  # noqa: A002, FBT001
        self.default = default
        self.default_factory = default_factory
        self.repr = repr
        self.compare = compare


def _field(
    *,
    default: object = _MISSING,
    default_factory: Callable[[], object] = _MISSING,
    repr: bool = True,  # noqa: A002  (the library's word)
    compare: bool = True,
) -> Any:  # noqa: ANN401  (it stands where a value of the field's type would)
    return _Field(default, default_factory, repr, compare)


def _dataclass(made: Any = None, /, *, frozen: bool = False, eq: bool = True, slots: bool = False) -> Any:  # noqa: ANN401  (any class)
    if made is None:
        return lambda decorated: _dataclass(decorated, frozen=frozen, eq=eq, slots=slots)
    own = {name: vars(made).get(name, _MISSING) for name in made.__annotations__}
    fields = {name: one if isinstance(one, _Field) else _Field(one, _MISSING, True, True) for name, one in own.items()}
    for name, one in fields.items():
        if one.default is not _MISSING and not slots:
            setattr(made, name, one.default)
        elif own[name] is not _MISSING:
            delattr(made, name)
    if slots:  # a class has them from its beginning
        space = {name: value for name, value in vars(made).items() if name not in ("__dict__", "__weakref__")}
        made = type(made)(made.__name__, made.__bases__, {**space, "__slots__": tuple(fields)})
    made.__init__ = _initialiser(made, fields, getattr(made, "__post_init__", None), slots=slots)
    made.__repr__ = _shower([name for name, one in fields.items() if one.repr])
    if eq:
        made.__eq__, digest = _comparison([name for name, one in fields.items() if one.compare])
        made.__hash__ = digest if frozen else None
    if frozen:
        made.__setattr__ = made.__delattr__ = _refuse
    made.__match_args__ = tuple(fields)  # type: ignore[misc]
    made.__dataclass_fields__ = _Described(made, fields)
    return made


def _initialiser(
    made: type, fields: dict[str, _Field], then: Callable[[Any], None] | None, *, slots: bool
) -> Callable[..., None]:
    of, names = made.__name__, tuple(fields)
    defaults = {name: one.default for name, one in fields.items() if one.default is not _MISSING}
    fillers = [getattr(made, name).__set__ for name in names] if slots else []
    factories = {name: one.default_factory for name, one in fields.items() if one.default_factory is not _MISSING}

    def initialise(self: Any, *given: object, **named: object) -> None:  # noqa: ANN401
        values: dict[str, object] = {} if slots else self.__dict__
        values.update(zip(names, given, strict=False))
        if len(given) != len(names) or named:
            if len(given) > len(names) or not named.keys().isdisjoint(values) or not named.keys() <= fields.keys():
                raise TypeError(f"{of} takes {', '.join(names)}; got {given!r} and {named!r}")
            for name in names[len(given) :]:
                if name in named:
                    values[name] = named[name]
                elif name in defaults:
                    values[name] = defaults[name]
                elif name in factories:
                    values[name] = factories[name]()
                else:
                    raise TypeError(f"{of} takes {', '.join(names)}; there is no {name}")
        for fill, value in zip(fillers, map(values.__getitem__, names), strict=False):
            fill(self, value)
        if then is not None:
            then(self)

    return initialise


def _comparison(names: list[str]) -> tuple[Callable[[Any, Any], bool], Callable[[Any], int]]:
    """The methods ``__eq__`` and ``__hash__`` over some fields."""
    read: Callable[[Any], object] = attrgetter(*names) if names else lambda _: ()

    def equal(self: Any, other: Any) -> bool:  # noqa: ANN401
        return read(self) == read(other) if other.__class__ is self.__class__ else NotImplemented

    def digest(self: Any) -> int:  # noqa: ANN401
        return hash(read(self))

    return equal, digest


def _shower(names: list[str]) -> Callable[[Any], str]:
    def shows(self: Any) -> str:  # noqa: ANN401
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    return shows


def _refuse(self: Any, name: str, *_: object) -> None:  # noqa: ANN401
    from dataclasses import FrozenInstanceError  # noqa: PLC0415  (it is raised by mistakes)

    raise FrozenInstanceError(f"cannot set {name!r} of a {type(self).__name__}")


class _Described:
    """The attribute by which :mod:`dataclasses` knows its classes: worked out by itself, once somebody asks."""

    def __init__(self, made: type, fields: dict[str, _Field]) -> None:
        self.made = made
        self.fields = fields
        self.known: object = None

    def __get__(self, _: object, __: type) -> object:
        """The library's description of the fields."""
        if self.known is None:
            import dataclasses  # noqa: PLC0415  (it is what this module spares a start)

            told = {
                name: dataclasses.field(**{key: value for key, value in vars(one).items() if value is not _MISSING})
                for name, one in self.fields.items()
            }
            space = {"__annotations__": self.made.__annotations__, "__module__": self.made.__module__, **told}
            self.known = dataclasses.dataclass(type(self.made.__name__, (), space)).__dataclass_fields__  # type: ignore[attr-defined]
        return self.known


def _replace(of: Any, /, **changes: object) -> Any:  # noqa: ANN401  (the same class)
    """What ``dataclasses.replace`` gives, of one of these classes or of the library's."""
    return type(of)(**{**{name: getattr(of, name) for name in type(of).__match_args__}, **changes})


if not TYPE_CHECKING:
    dataclass, field, replace = _dataclass, _field, _replace
