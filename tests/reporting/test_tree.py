"""The tree of dotted names, against a plain search for the children of each node."""

from hypothesis import given
from hypothesis import strategies as st

from structured_energy.reporting import tree_of

PATHS = st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4), unique_by=tuple)


@given(PATHS)
def test_every_name_is_in_its_node_once_and_children_are_sorted(paths):
    names = [".".join(path) for path in paths]
    walk = list(tree_of(names).walk())
    assert [node.path for node in walk] == sorted(
        {"", *(".".join(path[:depth]) for path in paths for depth in range(1, len(path)))}
    )
    for node in walk:
        own = [name for name in names if name.rpartition(".")[0] == node.path]
        assert list(node.values.values()) == own
        assert [*node.values] == [name.rpartition(".")[2] for name in own]
        assert node.depth == len(node.path.split(".")) * bool(node.path)
        prefix = f"{node.path}." if node.path else ""
        children = {
            name.removeprefix(prefix).split(".")[0]
            for name in names
            if name.startswith(prefix) and "." in name.removeprefix(prefix)
        }
        assert [child.name for child in node.children] == sorted(children)
