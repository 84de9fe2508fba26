"""Schema of the noise in a parameter file: a block for each kind of noise, made from what the kind says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, SerializeAsAny, create_model, model_serializer, model_validator

from weakreset.errors import UsageError
from weakreset.model import DeviceNoise, NoiseKind, Number, noise_kinds
from weakreset.parameter_file.law_schema import AnyLaw, Strict

__all__ = ["AnyNoise", "Noise", "NoiseBlock", "noise_block", "silence"]


class NoiseBlock(Strict):
    """What the file says of one kind of noise: `enabled`, its numbers, how well they are known."""

    kind: ClassVar[NoiseKind]

    if TYPE_CHECKING:  # pydantic makes the fields; each kind names its own

        def __getattr__(self, name: str) -> Any: ...

    @model_validator(mode="after")
    def _enabled_needs_its_numbers(self) -> NoiseBlock:
        missing = [
            number.name for number in self.kind.numbers
            # asked of what was written, not of values: a default of zero would switch a noise off that is said to be on
            if self.enabled and number.default is None and number.name not in self.model_fields_set
        ]
        if missing:
            raise ValueError(f"enabled {self.kind.label} needs {', '.join(missing)}")
        for own in self.kind.own:
            if self.enabled and getattr(self, own.name) is None:
                article = "an" if own.name[0] in "aeiou" else "a"
                raise ValueError(f"enabled {self.kind.label} needs {article} {own.name} law")
        return self

    def numbers(self) -> dict[str, float]:
        """Those that all devices share, by name."""
        return {number.name: getattr(self, number.name) for number in self.kind.numbers}

    def __reduce__(self) -> tuple[Any, ...]:
        return _block_again, (self.kind, self.model_dump())


@lru_cache(maxsize=64)
def noise_block(kind: NoiseKind) -> type[NoiseBlock]:
    """The block of a kind."""
    fields: dict[str, Any] = {"enabled": (bool, kind.enabled)}
    fields |= {number.name: (float, _field(number)) for number in kind.numbers}
    for own in kind.own:
        fields[own.name] = (AnyLaw | None, Field(default=None, description=own.description or None))
        if own.share is not None:
            fields[own.share.name] = (float, _field(own.share))
    errors = [number.name for number in kind.numbers if number.uncertain]
    errors += [own.share.name for own in kind.own if own.share is not None]
    fields |= {f"{name}_stderr": (float | None, Field(default=None, ge=0)) for name in errors}
    fields |= {name: (int | None, Field(default=None, ge=0)) for name in kind.counts}
    if kind.note:
        fields["note"] = (str | None, None)
    made = create_model(kind.block or f"{kind.name}_noise", __base__=NoiseBlock, __module__=__name__, **fields)
    made.__doc__ = kind.description
    made.kind = kind
    return made


def _field(number: Number) -> Any:
    # noise that is off needs no numbers; `_enabled_needs_its_numbers` asks for those that have no usual value
    default = (number.off or number.low or 0.0) if number.default is None else number.default
    about = number.description or None
    return Field(default=default, ge=number.low, le=number.high, lt=number.below, description=about)


class Noise(Strict):
    """The blocks of all kinds of noise that a file holds, each an attribute by the name of its kind."""

    kinds: ClassVar[tuple[NoiseKind, ...]] = ()

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def blocks(self) -> Iterator[tuple[NoiseKind, NoiseBlock]]:
        """The kinds that the file holds, enabled or not, with their blocks."""
        blocks = ((kind, getattr(self, kind.name)) for kind in self.kinds)
        return ((kind, block) for kind, block in blocks if block is not None)

    def in_force(self, without: tuple[str, ...] = ()) -> DeviceNoise:
        """Noise of the devices, without the kinds that are not enabled or named in `without`.

        Raises
        ------
        UsageError
            `without` names a kind that is off in this file while another stands in its place.
        """
        self._refuse_half_switched(without)
        parts = {}
        for kind, block in self.blocks():
            numbers = block.numbers()
            if block.enabled and kind.name not in without:
                parts[kind] = numbers
            elif kind.in_every_file:
                parts[kind] = kind.switched_off(numbers)
        return DeviceNoise.of(parts)

    def _refuse_half_switched(self, without: tuple[str, ...]) -> None:
        on = {kind.name: kind for kind, block in self.blocks() if block.enabled}
        for kind in on.values():
            if kind.instead_of in without and kind.instead_of not in on and kind.name not in without:
                raise UsageError(
                    f"without {kind.instead_of} would leave the noise on: in this file noise.{kind.instead_of} is off, "
                    f"and noise.{kind.name} ({kind.label}) stands in its place; say {kind.name} instead, or both"
                )

    @model_serializer(mode="wrap")
    def _only_what_is_there(self, handler: Any) -> dict[str, Any]:
        held = {kind.name for kind, _ in self.blocks()}
        return {name: block for name, block in handler(self).items() if name in held}

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: Any) -> Any:
        return handler(noise_now().__pydantic_core_schema__ if cls is Noise else core_schema)

    def __eq__(self, other: Any) -> bool:
        # two classes know the same file alike where it holds none of the kinds that only one of them knows
        return isinstance(other, Noise) and dict(self.blocks()) == dict(other.blocks())

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return _noise_again, (self.model_dump(),)


def noise_now() -> type[Noise]:
    """The schema of `noise` with all kinds that are known now."""
    return _noise_of(tuple(noise_kinds().values()))


@lru_cache(maxsize=64)
def _noise_of(kinds: tuple[NoiseKind, ...]) -> type[Noise]:
    fields: dict[str, Any] = {}
    for kind in kinds:
        block = noise_block(kind)
        # a kind that the file does not name is off
        off = block.model_validate({"enabled": False})
        fields[kind.name] = (block, off) if kind.in_every_file else (block | None, None)
    made = create_model("Noise", __base__=Noise, __module__=__name__, **fields)
    made.kinds = kinds
    return made


def silence() -> Noise:
    """Noise of a file that names none."""
    return noise_now()()


def _checked(raw: Any) -> Any:
    return raw if isinstance(raw, Noise) else noise_now().model_validate(raw)


AnyNoise = Annotated[SerializeAsAny[Noise], BeforeValidator(_checked)]
"""A field that holds the noise, of all kinds that are known when a file is read."""


def _block_again(kind: NoiseKind, content: dict[str, Any]) -> NoiseBlock:
    return noise_block(kind).model_validate(content)


def _noise_again(content: dict[str, Any]) -> Noise:
    return noise_now().model_validate(content)
