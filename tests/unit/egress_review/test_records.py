"""Which votes count for a file."""

from egress_world import World

from access_control.database import reading
from egress_review.models import RequestFile
from egress_review.records import counted_votes

TEXT = "k,n\nx,60\n"


def voters(world: World, file: RequestFile) -> set[str]:
    with reading(world.engine) as db:
        return {vote.reviewer_id for vote in counted_votes(db, file)}


def test_votes_on_a_file_of_the_same_name_in_another_request_do_not_count(world: World) -> None:
    first, second = world.submitted({"a.csv": TEXT}), world.submitted({"a.csv": TEXT})
    world.vote(first, "sam")
    assert voters(world, world.files(first)[0]) == {"sam"}
    assert voters(world, world.files(second)[0]) == set()


def test_votes_on_another_file_and_of_another_turn_do_not_count(world: World) -> None:
    request_id = world.submitted({"a.csv": TEXT, "b.csv": TEXT})
    for person in ("sam", "sue"):
        world.vote(request_id, person, "changes", "a.csv")
        world.vote(request_id, person, "approve", "b.csv")
    world.write("a.csv", TEXT.replace("60", "70"))
    world.submit(request_id)
    changed, same = world.files(request_id)
    assert (voters(world, changed), voters(world, same)) == (set(), {"sam", "sue"})
    world.vote(request_id, "sid", "reject", "a.csv")
    assert voters(world, changed) == {"sid"}
    assert voters(world, world.files(request_id, 1)[0]) == {"sam", "sue"}, "what was said later was of something else"
