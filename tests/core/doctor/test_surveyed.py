"""The doctor finds the same in a survey made before as in its own."""

from __future__ import annotations

import pytest

from claude_sync.doctor import Surveyed, examine
from claude_sync.doctor.facts import Facts
from claude_sync.model import Finding
from claude_sync.sync.states import states_surveyed
from claude_sync.sync.survey.look import look
from claude_sync.transports.base import Listing
from claude_sync.transports.folder.transport import FolderTransport
from examined import Patient
from machines import OTHER, SESSION, PlayedMachine, World, said

OWN = "0f4c1d9e-9999-4222-8333-444455556666"


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each look at a folder, from now on."""
    made: list[str] = []
    plain = FolderTransport.list_files

    def counted(transport: FolderTransport, known: Listing | None = None) -> Listing:
        made.append(transport.location)
        return plain(transport, known)

    monkeypatch.setattr(FolderTransport, "list_files", counted)
    return made


@pytest.fixture
def troubled(patient: Patient, world: World) -> Patient:
    """A machine with a conflict, a session to pull, and a file that is no bundle in the store."""
    desktop = PlayedMachine(world, "desktop")
    desktop.set_up()
    desktop.write(SESSION, said("begun"))
    desktop.push()
    patient.pull()
    for machine in (patient, desktop):
        machine.write(SESSION, said(f"on {machine.name}"))
        machine.push()
    desktop.write(OTHER, said("other"))
    desktop.push()
    (desktop.bundle().parent / "broken.ccsync").write_bytes(b"no bundle")
    return patient


def both(patient: Patient, looks: list[str]) -> tuple[list[Finding], list[Finding], int]:
    """What is said of its own look, what of another's, and how many looks the latter cost."""
    with patient.at_work() as context:
        own = examine(context)
        survey = look(context)
        states = states_surveyed(context, survey)
        looks.clear()
        return own, examine(context, surveyed=Surveyed(survey, states)), len(looks)


def test_nothing_is_looked_at_again_and_nothing_else_is_found(
    troubled: Patient, looks: list[str]
) -> None:
    own, of_another, made = both(troubled, looks)
    assert {"conflict", "bundle-corrupt"} <= {finding.code for finding in own}
    assert of_another == own
    assert made == 0


def test_of_a_distant_place_only_the_time_it_takes_is_found_out(
    troubled: Patient, looks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FolderTransport, "remote", True)
    own, of_another, made = both(troubled, looks)
    assert [finding.code for finding in of_another] == [finding.code for finding in own]
    assert made == 1


def test_only_those_are_judged_that_another_machine_has_a_say_in(troubled: Patient) -> None:
    troubled.write(OWN, said("nobody else's"))
    troubled.push(OWN)
    with troubled.at_work() as context:
        survey = look(context)
        surveyed = Surveyed(survey, states_surveyed(context, survey))
        by_itself = Facts(context, deep=False, now=0.0)
        of_another = Facts(context, deep=False, now=0.0, surveyed=surveyed)
        assert OWN in {state.session_id for state in surveyed.states}
        assert sorted(of_another.states) == sorted(by_itself.states)
