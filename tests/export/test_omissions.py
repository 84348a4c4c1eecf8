from ris.core.types import Verdict
from ris.export.omissions import Omission, OmissionFile, OmissionList
from tests.builders.decisions import decision


def test_omissions_come_back_in_their_order_each_time():
    omissions = OmissionFile()
    omissions.omit(decision(Verdict.SKIPPED, None, 3), "it was skipped")
    omissions.add("2.1700000000", 7, 8, 'odd\n"reason"\u2028 \ud800')

    expected = [
        Omission("1.1700000000", 3, 3, "it was skipped"),
        Omission("2.1700000000", 7, 8, 'odd\n"reason"\u2028 \ud800'),
    ]
    assert list(omissions) == list(omissions) == expected
    assert len(omissions) == 2


def test_a_list_has_the_omissions_of_its_files_one_after_the_other():
    one, two = OmissionFile(), OmissionFile()
    two.add("1", 1, 1, "b")
    one.add("1", 2, 2, "a")

    listed = OmissionList([one, two])

    assert [omission.reason for omission in listed] == ["a", "b"]
    assert (len(listed), len(OmissionList())) == (2, 0)
