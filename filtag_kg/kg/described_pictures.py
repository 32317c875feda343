"""Name in the graph the pictures of what filters look for, which are made after a KG is built."""

from __future__ import annotations

from pathlib import PurePosixPath

from filtag_kg.files import only_writer, replacing_directory
from filtag_kg.graph import DataIris, OptimisedPicture, emit_optimised_pictures, quads
from filtag_kg.kg.kg import KG, open_kg
from filtag_kg.kg.rewriting import LAYERS, copy_files, description_graph, merged_lines, write_contents
from filtag_kg.kg.visualizations import PATIENCE_S, read_visualizations


def describe_visualizations(kg: KG) -> KG:
    """Name the pictures that a KG holds in its graph, and no others.

    The directory is written anew, then swapped: once after many pictures, not for each.

    Raises
    ------
    FiltagError
        If the table of pictures is damaged, or another process holds the KG for minutes.
    """
    with only_writer(kg.path, wait_s=PATIENCE_S):
        kg = open_kg(kg.path)
        iris = DataIris(kg.manifest["parameters"]["base"])
        pictures: dict[str, list[OptimisedPicture]] = {
            run.get("network", kg.manifest["network"]): [] for run in kg.manifest["runs"]
        }
        for row in read_visualizations(kg):
            picture = OptimisedPicture(row.layer, row.filter, row.method, PurePosixPath(row.file).name)
            pictures[row.network].append(picture)
        statements: set[str] = set()
        for network, of_network in pictures.items():
            # A network may have layers that the KG leaves out.
            layers = {name for name, _ in kg.store_process().rows(LAYERS % iris.network(network))}
            known = (picture for picture in of_network if picture.layer in layers)
            statements |= quads(emit_optimised_pictures(network, known, iris), iris.visualizations_graph(network))
        lines = merged_lines(
            kg,
            without=[description_graph(kg), *map(iris.visualizations_graph, pictures)],
            more=sorted(f"{line}\n" for line in statements),
        )
        with replacing_directory(kg.path, open_kg) as unfinished:
            copy_files(kg.path, unfinished)
            write_contents(
                unfinished,
                kg,
                lines,
                list(kg.manifest["runs"]),
                list(kg.manifest.get("added", ())),
                list(kg.manifest.get("experiments", ())),
            )
        return open_kg(kg.path)
