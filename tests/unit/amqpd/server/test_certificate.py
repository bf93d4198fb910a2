import pytest

from amqpd.server.certificate import user_name

CERTIFICATE = {
    "subject": (
        (("countryName", "DE"),),
        (("organizationName", "Acme, Inc"),),
        (("commonName", "alice"), ("userId", "7")),
        (("commonName", " #x "),),
    ),
    "subjectAltName": (("DNS", "a.example"), ("email", "alice@a.example"), ("DNS", "b.example"), ("IP Address", "10.0.0.1")),
}


@pytest.mark.parametrize(
    ("login_from", "san_type", "index", "expected"),
    [
        ("distinguished_name", "dns", 0, "CN=\\ #x\\ ,CN=alice+UID=7,O=Acme\\, Inc,C=DE"),
        ("common_name", "dns", 0, "alice, #x "),
        ("subject_alternative_name", "dns", 0, "a.example"),
        ("subject_alternative_name", "dns", 1, "b.example"),
        ("subject_alternative_name", "email", 0, "alice@a.example"),
        ("subject_alternative_name", "ip", 0, "10.0.0.1"),
        ("subject_alternative_name", "ip", 1, ""),
        ("subject_alternative_name", "uri", 0, ""),
    ],
)
def test_the_name_in_a_certificate(login_from: str, san_type: str, index: int, expected: str) -> None:
    """The whole subject, the most specific part first; its common names; or an alternative name of a kind."""
    assert expected == user_name(CERTIFICATE, login_from, san_type, index)


def test_a_certificate_without_names() -> None:
    """It is nobody's."""
    assert ["", ""] == [user_name({"subject": ()}, source, "dns", 0) for source in ("common_name", "subject_alternative_name")]
