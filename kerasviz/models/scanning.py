"""May this model file be opened? Could it run code, touch other files, or fill the memory?

Loaders follow a file far: tf_keras runs byte code, imports modules and reads other files even with
its safe mode on. So a file is looked through first, without TensorFlow, and opened only when
nothing is found. What the configuration says is judged by `configurations.py`; here are the
containers around it, HDF5 and zip; of SavedModels, `graph_scanning.py`.
"""

import itertools
import json
import os
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Generator, Iterator
from typing import Any

from kerasviz.errors import ModelError
from kerasviz.models.configurations import MAX_DEPTH, Finding, Weights, configuration_findings
from kerasviz.models.graph_scanning import saved_model_findings
from kerasviz.models.hdf5 import Checked, open_hdf5

MAX_JSON, MAX_OBJECTS, MAX_FINDINGS = 16 << 20, 200_000, 100
MAX_RATIO = 64  # declared to stored bytes of arrays: what honest compression may reach
MAX_ZIP_RATIO = 200
MEMBERS = {"config.json", "metadata.json", "model.weights.h5"}
FILTERS = {1, 2, 3, 32000}  # gzip, shuffle, fletcher32, lzf: any other is loaded from a plug-in library


def scan(path: str | os.PathLike[str], kind: str) -> list[Finding]:
    """What speaks against opening a model file; empty when it may be opened.

    Args:
        path: the file.
        kind: what `sniff` found: a key of `OPENERS`, or a file of weights alone.

    Returns:
        Findings, the outermost first, at most 100. Damage is a finding, too (`broken:file`).
    """
    return _gathered(_findings(path, kind))


def scan_configuration(text: bytes, weights: str | os.PathLike[str]) -> list[Finding]:
    """What speaks against building the network that a JSON file describes.

    Args:
        text: the file's bytes.
        weights: the HDF5 file of the weights that belong to it: what it stores may be asked for.
    """
    return _gathered(_json_findings(text, weights))


def configuration_of(text: bytes, name: str) -> dict[str, Any]:
    """The configuration in a JSON file that was scanned; ModelError where there is none."""
    try:
        config = json.loads(text)
    except (ValueError, RecursionError):
        config = None
    if not isinstance(config, dict):
        raise ModelError(f"Expected a network as JSON in {name!r}, found none. Write it again with model.to_json().")
    return config


def _gathered(looking: Iterator[Finding]) -> list[Finding]:
    found: dict[Finding, None] = {}
    try:
        for finding in itertools.islice(looking, MAX_FINDINGS):
            found[finding] = None
    except Exception as error:  # libraries fail on damaged files in more ways than they document
        found[Finding("broken:file", "", f"is cut off or damaged ({type(error).__name__}: {str(error)[:120]})")] = None
    return list(found)


def _findings(path: str | os.PathLike[str], kind: str) -> Iterator[Finding]:
    if kind.startswith("savedmodel-"):
        return saved_model_findings(path)
    if kind.startswith("weights-"):
        return _weights_file_findings(path)
    return _zip_file_findings(path) if kind.endswith("-zip") else _hdf5_file_findings(path, kind == "keras3-h5")


def _hdf5_file_findings(path: str | os.PathLike[str], bare_operations: bool) -> Iterator[Finding]:
    if _is_archive(path):
        yield Finding("file:polyglot", "", "is an HDF5 file and a zip archive at once, and would be read in two ways")
    with open_hdf5(path) as checked:
        weights = yield from _hdf5_findings(checked, os.path.getsize(path))
        config = yield from _parsed(checked.file.attrs["model_config"], "model_config")
        yield from configuration_findings(config, weights, bare_operations=bare_operations)


def _weights_file_findings(path: str | os.PathLike[str]) -> Iterator[Finding]:
    if _is_archive(path):
        yield Finding("file:polyglot", "", "is an HDF5 file and a zip archive at once, and would be read in two ways")
    with open_hdf5(path) as checked:
        yield from _hdf5_findings(checked, os.path.getsize(path))


def _json_findings(text: bytes, weights: str | os.PathLike[str]) -> Iterator[Finding]:
    with open_hdf5(weights) as checked:
        stored = yield from _hdf5_findings(checked, os.path.getsize(weights))
    config = yield from _parsed(text, "config")
    yield from configuration_findings(config, stored)


def _is_archive(path: str | os.PathLike[str]) -> bool:
    """Whether it reads as a zip archive; `zipfile.is_zipfile` asks for four bytes, which weights may have by chance."""
    try:
        with zipfile.ZipFile(path) as archive:
            return bool(archive.namelist())
    except (zipfile.BadZipFile, ValueError, OSError):
        return False


def _zip_file_findings(path: str | os.PathLike[str]) -> Iterator[Finding]:
    with zipfile.ZipFile(path) as archive:
        unreadable = False
        for finding in _member_findings(archive.infolist()):
            unreadable |= finding.rule == "bomb:zip"
            yield finding
        if unreadable:
            return
        with tempfile.TemporaryFile() as unpacked:  # HDF5 jumps about, which a zip member does slowly
            with archive.open("model.weights.h5") as member:
                shutil.copyfileobj(member, unpacked, 1 << 20)
            unpacked.flush()
            with open_hdf5(unpacked) as checked:
                weights = yield from _hdf5_findings(checked, archive.getinfo("model.weights.h5").file_size)
        config = yield from _parsed(archive.read("config.json"), "config.json")
        yield from configuration_findings(config, weights)


def _member_findings(members: list[zipfile.ZipInfo]) -> Iterator[Finding]:
    names = [member.filename for member in members]
    for name in MEMBERS - set(names):
        yield Finding("broken:file", name, f"is cut off or damaged ({name} is missing)")
    for name in sorted({name for name in names if names.count(name) > 1}) if len(names) < 100 else names[:1]:
        yield Finding("file:zip", name[:80], f"holds {name[:80]!r} more than once, and would be read in two ways")
    for member in members:
        name = member.filename[:80]
        if _leads_outside(member):
            yield Finding("file:zip", name, f"holds the member {name!r}, which leads outside of the archive")
        elif member.filename not in MEMBERS and member.filename != "assets/":
            yield Finding("file:zip", name, f"holds the member {name!r}, which no image network needs")
        elif member.file_size > MAX_ZIP_RATIO * member.compress_size + (1 << 20):
            yield Finding("bomb:zip", name, f"unpacks {name!r} from {member.compress_size} to {member.file_size} "
                          "bytes, and could fill the memory")  # fmt: skip
        elif member.filename.endswith(".json") and member.file_size > MAX_JSON:
            yield Finding("bomb:zip", name, f"holds {member.file_size} bytes of JSON, and could fill the memory")


def _leads_outside(member: zipfile.ZipInfo) -> bool:
    """By an absolute or climbing name, a symbolic link, or because it is encrypted and says nothing."""
    parts = member.filename.replace("\\", "/").split("/")
    return (
        "\\" in member.filename
        or parts[0] == ""
        or ":" in parts[0]
        or ".." in parts
        or stat.S_ISLNK(member.external_attr >> 16)
        or bool(member.flag_bits & 1)
    )


def _parsed(text: Any, where: str) -> Generator[Finding, None, Any]:
    """The JSON of a configuration; None, with a finding, where it is too much or is none."""
    if len(text) > MAX_JSON:
        yield Finding("bomb:config", where, f"holds {len(text)} bytes of JSON, and could fill the memory")
        return None
    try:
        return json.loads(text)
    except RecursionError:
        yield Finding("bomb:config", where, f"nests deeper than {MAX_DEPTH}, which could fill the memory")
    except ValueError:
        yield Finding("broken:config", where, f"is cut off or damaged ({where} is not JSON)")
    return None


def _hdf5_findings(checked: Checked, file_size: int) -> Generator[Finding, None, Weights]:
    """Walk every object once; gives the sizes of the arrays to whoever asked."""
    weights, declared = Weights(), 0
    for where, item in _hdf5_objects(checked):
        if isinstance(item, Finding):
            yield item
            continue
        yield from _dataset_findings(where, item, file_size)
        shape = item.shape or ()
        weights.sizes.update(shape)
        weights.count += int(item.size or 0)
        declared += int(item.size or 0) * item.dtype.itemsize
    if declared > MAX_RATIO * file_size + (16 << 20):
        yield Finding("bomb:h5", "/", f"declares {declared} bytes of weights in a file of {file_size}, "
                      "and could fill the memory")  # fmt: skip
    return weights


def _hdf5_objects(checked: Checked) -> Iterator[tuple[str, Any]]:
    """Every data set with its place, or a Finding in its stead; follows hard links only, and each object once."""
    import h5py

    seen, pending = {h5py.h5o.get_info(checked.file["/"].id).addr}, [("", checked.file)]
    while pending:
        where, group = pending.pop()
        for name in group:
            place = f"{where}/{name}"
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                target = getattr(link, "filename", None) or getattr(link, "path", "")
                yield (
                    place,
                    Finding("file:h5-link", place, f"links {place[-80:]!r} to {target!r}, outside of itself"),
                )
                continue
            item = checked.check(group[name])
            address = h5py.h5o.get_info(item.id).addr
            if place.count("/") > MAX_DEPTH or len(seen) > MAX_OBJECTS:
                yield place, Finding("bomb:h5", place[-80:], "nests too deep or in too many parts to be a network")
                return
            if address in seen:
                yield place, Finding("file:h5-link", place, f"stores {place[-80:]!r} under two names")
                continue
            seen.add(address)
            if isinstance(item, h5py.Group):
                pending.append((place, item))
            elif isinstance(item, h5py.Dataset):
                yield place, item
            else:
                yield place, Finding("file:h5-type", place, f"holds {place[-80:]!r}, which is no array")


def _dataset_findings(where: str, data: Any, file_size: int) -> Iterator[Finding]:
    name = repr(where[-80:])
    if data.external or data.is_virtual:
        sources = [source[0] for source in data.external or ()] or [s.file_name for s in data.virtual_sources()]
        yield Finding("file:h5-external", where, f"would read {name} from another file: {str(sources[0])[:80]!r}")
        return
    settings = data.id.get_create_plist()
    filters = {settings.get_filter(index)[0] for index in range(settings.get_nfilters())}
    if unknown := filters - FILTERS:
        yield Finding("file:h5-filter", where, f"would load a plug-in library to read {name} (filter {min(unknown)})")
    if data.dtype.kind not in "fiubcVS" or data.dtype.hasobject:
        yield Finding("file:h5-type", where, f"stores {name} as {data.dtype}, which is no array of numbers")
    declared, stored = int(data.size or 0) * data.dtype.itemsize, data.id.get_storage_size()
    # without a filter nothing gets smaller; and what a damaged file says it stores cannot exceed the file
    most = MAX_RATIO * min(stored, file_size) if filters else file_size
    if declared > most and declared > 1 << 20:
        yield Finding("bomb:h5", where, f"declares {declared} bytes for {name} but stores {min(stored, file_size)}, "
                      "and could fill the memory")  # fmt: skip
