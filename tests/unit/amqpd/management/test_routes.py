from amqpd.management import openapi
from amqpd.management.call import Call
from amqpd.management.routes import ADMINISTRATOR, ANYBODY, Route, Routes
from amqpd.management.table import ROUTES


async def view(call: Call) -> object:
    """Nothing."""
    return call


def test_fixed_segment_wins_over_parameter() -> None:
    """`/a/fixed` is not the parameter of `/a/{name}`, and yet `/a/{name}/b` is found below it."""
    fixed = Route("GET", "/a/fixed", view, ANYBODY, "fixed")
    named = Route("GET", "/a/{name}", view, ANYBODY, "named")
    below = Route("GET", "/a/{name}/b", view, ANYBODY, "below")
    routes = Routes((fixed, named, below))
    assert [{"GET": fixed}, {"GET": named}, {"GET": below}, {}] == [
        routes.find(path) for path in (["a", "fixed"], ["a", "x"], ["a", "fixed", "b"], ["a"])
    ]


def test_parameters_are_taken_by_position() -> None:
    """Segments may hold anything, also slashes and braces."""
    route = Route("GET", "/a/{one}/b/{two}", view, ANYBODY, "")
    assert {"one": "x/y", "two": "{z}"} == Routes((route,)).parameters(route, ["a", "x/y", "b", "{z}"])


def test_description_covers_every_route() -> None:
    """The OpenAPI document has each route with a name of its own and the tag that it requires."""
    paths = openapi.document(ROUTES.all, "")["paths"]
    assert isinstance(paths, dict)
    operations = [operation for path in paths.values() for operation in path.values()]
    assert len(ROUTES.all) == len(operations) == len({operation["operationId"] for operation in operations})
    assert ADMINISTRATOR == paths["/api/users"]["get"]["x-required-tag"]
