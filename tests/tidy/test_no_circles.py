"""No circles: who reads a module needs to know only what lies below it. Imports inside functions count."""

from graphlib import CycleError, TopologicalSorter

import grimp


def test_no_module_imports_itself_through_others() -> None:
    graph = grimp.build_graph("aquila", cache_dir=None)
    order = TopologicalSorter({name: graph.find_modules_directly_imported_by(name) for name in graph.modules})
    try:
        order.prepare()
    except CycleError as wrong:
        circle = " <- ".join(wrong.args[1])
        raise AssertionError(f"{circle}: move what both ends need to a module below them") from wrong
