"""Numbers on a grid with errors, the reason wherever there is none, and blocks of them on disk.

Each block is written whole, so that a killed sweep can be continued.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pertsym.files import write_whole
from pertsym.model.errors import InputError

Floats = NDArray[np.float64]
Place = tuple[int | slice, ...]

DIVERGENT, NOT_DERIVED, REFUSED = "divergent: ", "not derived yet: ", "bad input: "
"""How a reason begins: what does not exist, what is not there yet, what cannot be asked for."""

OVERFLOW = f"{REFUSED}no finite value in double precision; rescale the energy unit"


@dataclass(frozen=True, eq=False)
class Field:
    """One quantity on a grid.

    Attributes
    ----------
    value : (grid, *tail)
        NaN exactly where there is no number.
    error : (grid, *tail), or without the last axes of `tail`
        Absolute; NaN where there is no number.
    reason : array of text, as `error`
        "" where there is a number, else why there is none.
    tail
        Names of the dimensions after those of the grid.
    """

    value: Floats
    error: Floats
    reason: NDArray[np.object_]
    tail: tuple[str, ...] = ()

    @classmethod
    def empty(
        cls, grid: tuple[int, ...], tail: tuple[str, ...], sizes: tuple[int, ...], shared: int = 0
    ) -> Field:
        """A field of NaN without reasons, to be filled; `shared` last axes have one error."""
        own = grid + sizes[: len(sizes) - shared]
        reason = np.empty(own, dtype=object)
        reason[...] = ""
        return cls(np.full(grid + sizes, np.nan), np.full(own, np.nan), reason, tail)

    def put(self, at: Place, value: ArrayLike, error: ArrayLike) -> None:
        """Numbers at a place of `error`; where one is not finite there is a reason instead."""
        at = _slices(at)
        self.value[at], self.error[at] = np.asarray(value), np.asarray(error)
        self.reason[at] = ""
        # views: what is changed in them changes the field
        v, e, r = self.value[at], self.error[at], self.reason[at]
        shared = v.ndim - e.ndim
        bad = ~(np.isfinite(v).all(axis=tuple(range(-shared, 0))) & np.isfinite(e))
        v[bad], e[bad], r[bad] = np.nan, np.nan, OVERFLOW

    def refuse(self, at: Place, reason: str) -> None:
        """No number at a place."""
        at = _slices(at)
        self.value[at], self.error[at], self.reason[at] = np.nan, np.nan, reason

    def missing(self) -> Iterator[tuple[str, int]]:
        """Every reason that occurs, with the number of places."""
        found, counts = np.unique(self.reason[self.reason != ""].astype(str), return_counts=True)
        yield from zip(map(str, found), map(int, counts), strict=True)


def _slices(at: Place) -> tuple[slice, ...]:
    return tuple(slice(i, i + 1) if isinstance(i, int) else i for i in at)


_REQUEST: Final = "request.json"


@dataclass(frozen=True)
class Store:
    """A folder beside the output: the request, and one file a block."""

    folder: Path

    @classmethod
    def beside(cls, output: Path) -> Store:
        """The store that belongs to an output file."""
        return cls(output.with_name(output.name + ".parts"))

    def open(self, identity: Mapping[str, str], restart: bool) -> None:
        """Make the folder, or go on with one of the same request.

        Raises
        ------
        InputError
            If it belongs to another request; says what differs.
        OSError
            If it cannot be written.
        """
        if restart:
            self.remove()
        known = self._known()
        if known is None:
            self.folder.mkdir(exist_ok=True)
            request = json.dumps(dict(identity), indent=1, sort_keys=True)
            write_whole(self.folder / _REQUEST, request)
            return
        keys = sorted(known.keys() | identity.keys())
        changed = [key for key in keys if known.get(key) != identity.get(key)]
        if changed:
            raise InputError(
                "sweep",
                "output",
                f"{self.folder} holds an unfinished sweep that differs in: {', '.join(changed)}",
                "use --restart to begin anew, or another --output to keep it",
            )

    def holds(self, identity: Mapping[str, str]) -> bool:
        """Whether there is an unfinished sweep of this request."""
        return self._known() == identity

    def _known(self) -> dict[str, str] | None:
        """The request that the folder belongs to; None if there is no folder yet."""
        try:
            known = json.loads((self.folder / _REQUEST).read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            if self.folder.exists() and self._holds_more():
                raise self._not_ours() from None
            return None
        except ValueError:
            known = None
        if not isinstance(known, dict):
            raise self._not_ours()
        return known

    def _not_ours(self) -> InputError:
        return InputError(
            "sweep",
            "output",
            f"{self.folder} is not a folder of an unfinished sweep",
            "move it away, or use another --output",
        )

    def save(self, number: int, fields: Mapping[str, Field]) -> None:
        """Write one block in one step."""
        arrays: dict[str, np.ndarray] = {}
        for name, field in fields.items():
            reasons, codes = np.unique(field.reason.astype(str), return_inverse=True)
            arrays[f"{name}/value"], arrays[f"{name}/error"] = field.value, field.error
            arrays[f"{name}/reasons"] = reasons
            arrays[f"{name}/codes"] = codes.reshape(field.reason.shape).astype(np.int32)
            arrays[f"{name}/tail"] = np.array(field.tail)
        handle, temporary = tempfile.mkstemp(dir=self.folder, prefix=".block.")
        try:
            with os.fdopen(handle, "wb") as stream:
                np.savez(stream, **arrays)  # type: ignore[arg-type]
            os.replace(temporary, self._path(number))
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def load(self, number: int) -> dict[str, Field] | None:
        """One block; None if it is not there, or cannot be read and must be computed again."""
        try:
            # np.load leaves a file open that it cannot read
            with (
                self._path(number).open("rb") as stream,
                np.load(stream, allow_pickle=False) as arrays,
            ):
                names = sorted(
                    key.removesuffix("/value") for key in arrays if key.endswith("/value")
                )
                return {
                    name: Field(
                        arrays[f"{name}/value"],
                        arrays[f"{name}/error"],
                        arrays[f"{name}/reasons"].astype(object)[arrays[f"{name}/codes"]],
                        tuple(map(str, arrays[f"{name}/tail"])),
                    )
                    for name in names
                }
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None

    def remove(self) -> None:
        """Delete the folder, if it is one of a sweep."""
        self._known()
        if self.folder.exists():
            shutil.rmtree(self.folder)

    def _holds_more(self) -> bool:
        """Whether there is more than a request that was being written."""
        if not self.folder.is_dir():
            return True
        return any(not path.name.startswith(f".{_REQUEST}.") for path in self.folder.iterdir())

    def _path(self, number: int) -> Path:
        return self.folder / f"block-{number:06d}.npz"
