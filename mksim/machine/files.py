"""The files that a config names: images and modules. An image is read once, however many kernels boot it."""

from functools import lru_cache
from pathlib import Path

from mksim.boot.files import read_bounded
from mksim.boot.formats import read_image
from mksim.boot.image import Image
from mksim.errors import FileError
from mksim.machine.draft import Draft, Drafts
from mksim.machine.schema import Problems
from mksim.spec.memmap import DRAM_LIMIT

HOW_TO_BUILD = "`make kernels` builds the kernels that come with mksim"


def read_files(drafts: Drafts, folder: Path, problems: Problems) -> None:
    """Read every draft's image and modules; `folder` is where relative names begin."""
    image_of = lru_cache(maxsize=None)(_image)
    for draft in drafts:
        if "image" in draft.asked:
            draft.path = folder / draft.asked["image"]
            with problems.at(draft.key("image")):
                draft.image = image_of(draft.path)
        for module in draft.asked.get("modules", ()):
            with problems.at(draft.key("modules")):
                _add_module(draft, folder, module)


def _image(path: Path) -> Image:
    try:
        return read_image(path)
    except FileError as error:
        hint = "" if path.exists() else f"; {HOW_TO_BUILD}"
        raise FileError(f"{path}: {error}{hint}") from error


def _add_module(draft: Draft, folder: Path, module: str) -> None:
    """Read "file arguments"; all of it is the module's command line, as multiboot loaders do."""
    path = folder / module.partition(" ")[0]
    try:
        data = read_bounded(path, DRAM_LIMIT)
    except FileError as error:
        raise FileError(f"{path}: {error}") from error
    if not data:
        raise FileError(f"{path} is empty")
    draft.files.append((path, module, data))
