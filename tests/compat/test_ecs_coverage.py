"""The table of what is served names everything that the official client knows."""

from pathlib import Path

TABLE = Path(__file__).parents[2] / "crates/api/src/ecs/operations.txt"


def test_every_operation_and_request_member_of_the_official_client_is_in_the_table(client):
    model = client("ecs").meta.service_model
    known = {}
    for line in TABLE.read_text().splitlines():
        if not line.startswith("#"):
            operation, state, *members = line.split()
            known[operation] = (state, set(members))
    assert set(model.operation_names) <= set(known)
    for name in model.operation_names:
        state, members = known[name]
        shape = model.operation_model(name).input_shape
        if state == "served" and shape is not None:
            assert set(shape.members) <= members, name
