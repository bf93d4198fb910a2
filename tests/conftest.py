"""What every test relies on."""

from hypothesis import settings

from amqpd.version import describe

# A slow machine is no reason to fail.
settings.register_profile("amqpd", deadline=None)
settings.load_profile("amqpd")


def pytest_report_header() -> str:
    """Say at the top of a run which build it tests."""
    return describe()
