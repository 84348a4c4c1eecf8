"""JSON keeps every bit when it is compressed, and what earlier versions stored is read."""

import json

from hypothesis import given

from ris.store.compressed_json import COMPRESSED_MARK, compress_json, decompress_json
from tests.builders.json_values import JSON


@given(JSON)
def test_every_value_comes_back_and_its_text_of_earlier_versions_is_read(value):
    assert decompress_json(compress_json(value)) == value
    assert decompress_json(json.dumps(value)) == value
    assert decompress_json(json.dumps(value).encode()) == value
    assert compress_json(value)[0] == COMPRESSED_MARK != json.dumps(value).encode()[0]


def test_every_bit_of_a_number_is_kept():
    numbers = [0.1 + 0.2, 5e-324, -0.0, 1.7976931348623157e308, 2**63 + 1]

    assert [repr(one) for one in decompress_json(compress_json(numbers))] == [repr(one) for one in numbers]
